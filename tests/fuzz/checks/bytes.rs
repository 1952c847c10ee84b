//! Takes an input of the fuzzer apart into choices. When it is used up, every choice is the first.

/// What is left of an input.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next byte.
    pub(crate) fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    /// A number that is mostly small and sometimes anything.
    pub(crate) fn number(&mut self) -> u64 {
        match self.byte() {
            0xff => u64::from_le_bytes(self.array()),
            0xfe => u64::from(u32::from_le_bytes(self.array())),
            small => u64::from(small),
        }
    }

    /// The next bytes, as many as a small number says.
    pub(crate) fn some(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (now, later) = self.0.split_at(length);
        self.0 = later;
        now
    }

    /// Some text. What is no UTF-8 does not cross the boundary, so it is replaced.
    pub(crate) fn text(&mut self) -> String {
        String::from_utf8_lossy(self.some()).into_owned()
    }

    /// A few things.
    pub(crate) fn few<T>(&mut self, most: usize, mut each: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.below(most + 1);
        (0..count).map(|_| each(self)).collect()
    }

    /// The next bytes, exactly as many; noughts where there are none left.
    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let (now, later) = self.0.split_at(N.min(self.0.len()));
        array[..now.len()].copy_from_slice(now);
        self.0 = later;
        array
    }
}
