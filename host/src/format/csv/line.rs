//! The line that is being written: values are put into room that is there already, in steps of known length where that is
//! enough. It knows bytes only.

/// Text that is copied at once.
const SHORT_BYTES: usize = 16;

/// A line, used again for each.
pub(super) struct Line {
    bytes: Vec<u8>,
    at: usize,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; 1 << 10], at: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.at = 0;
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.at]
    }

    /// Has something put into the next bytes, of which it takes as many as it answers.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, put: impl FnOnce(&mut [u8; N]) -> usize) {
        self.at += put(self.room());
    }

    #[inline(always)]
    pub(super) fn byte(&mut self, byte: u8) {
        *self.room() = [byte];
        self.at += 1;
    }

    /// The bytes of `around` from `start` to before `end`.
    #[inline(always)]
    pub(super) fn text(&mut self, around: &[u8], start: usize, end: usize) {
        match around.get(start..start + SHORT_BYTES).and_then(<[u8]>::first_chunk::<SHORT_BYTES>) {
            // A copy of known length is two instructions, and any other a call.
            Some(short) if end - start <= SHORT_BYTES => {
                *self.room() = *short;
                self.at += end - start;
            }
            _ => self.extend(&around[start..end]),
        }
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.hold(bytes.len());
        self.bytes[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    #[inline(always)]
    fn room<const N: usize>(&mut self) -> &mut [u8; N] {
        self.hold(N);
        self.bytes[self.at..].first_chunk_mut().expect("there is room")
    }

    #[inline(always)]
    fn hold(&mut self, bytes: usize) {
        if self.bytes.len() - self.at < bytes {
            self.grow(bytes);
        }
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        self.bytes.resize((self.at + bytes).next_power_of_two(), 0);
    }
}
