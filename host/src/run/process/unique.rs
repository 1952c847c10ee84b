//! Whether a key was seen before, over any number of rows, in bounded memory.
//!
//! Keys are keyed 128-bit hashes, so that nobody can choose values that collide. A million of them stay in memory;
//! then they are sorted and written to a file, with a filter in front, so that a new key costs no read as a rule.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use siphasher::sip128::SipHasher13;

use crate::model::rows::{Batch, Column, ColumnData};

const KEY_BYTES: usize = 16;
/// Bits of a filter for each key, and bits that a key sets: about one false alarm in a hundred.
const FILTER_BITS: usize = 10;
const FILTER_HASHES: u32 = 7;

/// The keys of one uniqueness rule.
#[derive(Debug)]
pub(in crate::run) struct Unique {
    /// Which columns make the key.
    pub(super) columns: Vec<usize>,
    hasher: SipHasher13,
    /// The values of a key, and the keys of a batch: used again for each.
    value: Vec<u8>,
    keys: Vec<Option<u128>>,
    recent: HashSet<u128, BuildHasherDefault<AlreadyHashed>>,
    in_memory_max: usize,
    spilled: Vec<SortedRun>,
    folder: PathBuf,
}

impl Unique {
    /// None seen yet. `seed` keys the hash; `folder` is where keys go that memory does not hold.
    pub(super) fn new(columns: Vec<usize>, seed: &[u8; 16], in_memory_max: usize, folder: &Path) -> Self {
        Self {
            columns,
            hasher: SipHasher13::new_with_key(seed),
            value: Vec::new(),
            keys: Vec::new(),
            recent: HashSet::default(),
            in_memory_max,
            spilled: Vec::new(),
            folder: folder.to_owned(),
        }
    }

    /// Notes the keys of a batch; answers the rows whose key is not new, ascending. A row that lacks a value of its key is always new.
    pub(super) fn repeated(&mut self, batch: &Batch) -> io::Result<Vec<usize>> {
        let mut keys = std::mem::take(&mut self.keys);
        // All keys first: then looking them up waits for memory side by side.
        keys.extend((0..batch.rows).map(|row| self.key(&batch.columns, row)));
        let mut repeated = Vec::new();
        for (row, key) in keys.drain(..).enumerate() {
            if let Some(key) = key
                && !self.insert(key)?
            {
                repeated.push(row);
            }
        }
        self.keys = keys;
        Ok(repeated)
    }

    fn key(&mut self, columns: &[Column], row: usize) -> Option<u128> {
        self.value.clear();
        for place in &self.columns {
            if !columns[*place].validity.has(row) {
                return None;
            }
            put_value(&mut self.value, &columns[*place].data, row);
        }
        Some(self.hasher.hash(&self.value).as_u128())
    }

    /// Whether the key was new.
    fn insert(&mut self, key: u128) -> io::Result<bool> {
        for run in &self.spilled {
            if run.contains(key)? {
                return Ok(false);
            }
        }
        let new = self.recent.insert(key);
        if self.recent.len() >= self.in_memory_max {
            self.spill()?;
        }
        Ok(new)
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut keys: Vec<u128> = self.recent.drain().collect();
        keys.sort_unstable();
        self.spilled.push(SortedRun::write(&keys, &self.folder)?);
        Ok(())
    }
}

fn put_value(to: &mut Vec<u8>, data: &ColumnData, row: usize) {
    match data {
        ColumnData::Integers(values) | ColumnData::Decimals { coefficients: values, .. } => {
            to.extend_from_slice(&values[row].to_le_bytes())
        }
        ColumnData::Dates(values) => to.extend_from_slice(&values[row].to_le_bytes()),
        ColumnData::Text(text) => {
            let value = text.value(row);
            // The length parts one value from the next.
            to.extend_from_slice(&value.len().to_le_bytes());
            to.extend_from_slice(value.as_bytes());
        }
        ColumnData::Booleans(bits) => to.push(bits[row / 8] >> (row % 8) & 1),
    }
}

/// Keys on disk in order, behind a filter.
#[derive(Debug)]
struct SortedRun {
    file: File,
    keys: u64,
    filter: Vec<u64>,
}

impl SortedRun {
    fn write(keys: &[u128], folder: &Path) -> io::Result<Self> {
        let mut filter = vec![0_u64; (keys.len() * FILTER_BITS).div_ceil(64)];
        let mut file = BufWriter::new(tempfile::tempfile_in(folder)?);
        for key in keys {
            file.write_all(&key.to_be_bytes())?;
            for bit in filter_bits(*key, filter.len()) {
                filter[bit / 64] |= 1 << (bit % 64);
            }
        }
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { file, keys: keys.len() as u64, filter })
    }

    fn contains(&self, key: u128) -> io::Result<bool> {
        if !filter_bits(key, self.filter.len()).all(|bit| self.filter[bit / 64] >> (bit % 64) & 1 == 1) {
            return Ok(false);
        }
        let (mut low, mut high) = (0, self.keys);
        while low < high {
            let middle = low.midpoint(high);
            let mut bytes = [0; KEY_BYTES];
            self.file.read_exact_at(&mut bytes, middle * KEY_BYTES as u64)?;
            match u128::from_be_bytes(bytes).cmp(&key) {
                std::cmp::Ordering::Equal => return Ok(true),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(false)
    }
}

fn filter_bits(key: u128, words: usize) -> impl Iterator<Item = usize> {
    let (first, second) = ((key >> 64) as u64, key as u64 | 1);
    let bits = words as u64 * 64;
    (0..u64::from(FILTER_HASHES)).map(move |turn| (first.wrapping_add(turn.wrapping_mul(second)) % bits) as usize)
}

/// Keys are hashes already: the set takes their low half as it is.
#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rows::Validity;
    use proptest::prelude::*;

    fn batch(values: &[i64]) -> Batch {
        let column = Column { validity: Validity::default(), data: ColumnData::Integers(values.to_vec()) };
        Batch { first_row: 0, rows: values.len(), columns: vec![column] }
    }

    #[test]
    fn absent_values_are_never_duplicates() {
        let mut batch = batch(&[0, 0]);
        batch.columns[0].validity.bits = vec![0];
        let mut unique = Unique::new(vec![0], &[7; 16], 10, &std::env::temp_dir());
        assert_eq!(unique.repeated(&batch).expect("no disk is needed"), [0; 0]);
    }

    proptest! {
        #[test]
        fn agrees_with_a_set_however_little_memory_it_has(values in prop::collection::vec(0_i64..200, 0..400), in_memory in 1_usize..50) {
            let mut unique = Unique::new(vec![0], &[7; 16], in_memory, &std::env::temp_dir());
            let mut seen = std::collections::BTreeSet::new();
            for part in values.chunks(30) {
                let expected: Vec<usize> = (0..part.len()).filter(|row| !seen.insert(part[*row])).collect();
                prop_assert_eq!(unique.repeated(&batch(part)).expect("the disk takes it"), expected);
            }
        }
    }
}
