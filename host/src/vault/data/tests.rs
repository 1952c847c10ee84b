//! Tests of what is sealed under a partner's key: whatever is done to it is found, and reading from anywhere reads what was written.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::io::{Cursor, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use proptest::prelude::*;

use super::layout::{HEADER_BYTES, STRETCH_BYTES, TAG_BYTES, sealed_bytes};
use super::*;

const SEALED_STRETCH: usize = STRETCH_BYTES + TAG_BYTES;

fn keys(partner: &str) -> DataKeys {
    DataKeys::new(partner, vec![DataKey::parse(&DataKey::drawn()).unwrap()])
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length as u64).map(|number| (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

fn digest(plain: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(plain).into()
}

/// A file of some bytes, sealed by writes of some length.
fn sealed(keys: &DataKeys, plain: &[u8], piece: usize) -> Vec<u8> {
    let mut writer = SealingWriter::new(Cursor::new(Vec::new()), keys).unwrap();
    plain.chunks(piece).for_each(|piece| writer.write_all(piece).unwrap());
    writer.finish(&digest(plain)).unwrap().into_inner()
}

fn open(keys: &DataKeys, folder: &Path, sealed: &[u8], plain: &[u8]) -> Result<SealedFile, VaultError> {
    let path = folder.join("file");
    fs::write(&path, sealed).unwrap();
    SealedFile::open(File::open(&path).unwrap(), keys, (&digest(plain), "artefact 1f"))
}

/// What can be read of it from its start, up to the first error.
fn readable(keys: &DataKeys, folder: &Path, sealed: &[u8], plain: &[u8]) -> (Vec<u8>, Option<String>) {
    let mut file = match open(keys, folder, sealed, plain) {
        Ok(file) => file,
        Err(error) => return (Vec::new(), Some(error.to_string())),
    };
    let mut read = Vec::new();
    let error = file.read_to_end(&mut read).err().map(|error| error.to_string());
    (read, error)
}

#[test]
fn what_is_sealed_is_read_again_and_shows_nothing() {
    let (folder, keys) = (tempfile::tempdir().unwrap(), keys("police"));
    for length in [0, 1, STRETCH_BYTES - 1, STRETCH_BYTES, STRETCH_BYTES + 1, 3 * STRETCH_BYTES, 3 * STRETCH_BYTES + 7] {
        let plain = bytes(length);
        for piece in [1 << 20, 1_000, STRETCH_BYTES] {
            let sealed = sealed(&keys, &plain, piece);
            assert_eq!(sealed.len() as u64, sealed_bytes(length as u64));
            assert_eq!(readable(&keys, folder.path(), &sealed, &plain), (plain.clone(), None), "{length} by {piece}");
            assert!(length < 16 || !sealed.windows(16).any(|window| window == &plain[..16]), "{length}");
        }
    }
    assert_ne!(sealed(&keys, b"rows", 9), sealed(&keys, b"rows", 9), "the same bytes are sealed differently each time");
}

#[test]
fn a_file_opens_for_its_partner_under_its_name_alone() {
    let (folder, police, fire) = (tempfile::tempdir().unwrap(), keys("police"), keys("fire"));
    let plain = bytes(STRETCH_BYTES + 100);
    let file = sealed(&police, &plain, 1_000);
    assert!(matches!(open(&fire, folder.path(), &file, &plain), Err(VaultError::NoSuchDataKey { .. })));
    assert!(matches!(open(&police, folder.path(), &file, b"other"), Err(VaultError::Damaged { .. })), "under another's name");
    assert!(matches!(open(&police, folder.path(), &plain, &plain), Err(VaultError::Damaged { .. })), "one that is not sealed");
    // The same key under another partner's name.
    let key = || DataKey::new(Zeroizing::new([7; 32]));
    let (one, other) = (DataKeys::new("police", vec![key()]), DataKeys::new("fire", vec![key()]));
    assert!(matches!(open(&other, folder.path(), &sealed(&one, &plain, 1_000), &plain), Err(VaultError::Damaged { .. })));
    let text = one.seal("finding:1", b"row");
    assert!(matches!(other.open("finding:1", &text), Err(VaultError::Damaged { .. })));
    assert!(matches!(one.open("finding:2", &text), Err(VaultError::Damaged { .. })));
    assert_eq!(one.open("finding:1", &text).unwrap(), b"row");
}

#[test]
fn a_stretch_that_is_dropped_swapped_doubled_or_taken_from_another_file_is_found_and_named() {
    let (folder, keys) = (tempfile::tempdir().unwrap(), keys("police"));
    let plain = bytes(4 * STRETCH_BYTES + 50);
    let (file, other) = (sealed(&keys, &plain, 1_000), sealed(&keys, &plain, 1_000));
    let stretch = |of: &[u8], number: usize| {
        let from = HEADER_BYTES + number * SEALED_STRETCH;
        of[from..(from + SEALED_STRETCH).min(of.len())].to_vec()
    };
    let built =
        |numbers: &[usize]| [file[..HEADER_BYTES].to_vec(), numbers.iter().flat_map(|number| stretch(&file, *number)).collect()].concat();
    assert_eq!(built(&[0, 1, 2, 3, 4]), file);
    let mut foreign = file.clone();
    foreign[HEADER_BYTES + SEALED_STRETCH..HEADER_BYTES + 2 * SEALED_STRETCH].copy_from_slice(&stretch(&other, 1));
    let header_of_other = [&other[..HEADER_BYTES], &file[HEADER_BYTES..]].concat();
    for (changed, right) in [
        (built(&[0, 1, 2, 3]), 0),
        (built(&[1, 2, 3, 4]), 0),
        (built(&[0, 2, 1, 3, 4]), 1),
        (built(&[0, 1, 1, 3, 4]), 2),
        (built(&[0, 1, 2, 3, 4, 4]), 0),
        (foreign, 1),
        (header_of_other, 0),
        (file[..HEADER_BYTES].to_vec(), 0),
        (Vec::new(), 0),
    ] {
        let (read, error) = readable(&keys, folder.path(), &changed, &plain);
        let error = error.expect("it is found");
        assert!(error.contains("artefact 1f") && error.contains("police"), "{error}");
        assert_eq!(read, plain[..right * STRETCH_BYTES], "{error}: only stretches before the first wrong one are read");
    }
}

#[test]
fn an_earlier_key_opens_what_was_sealed_under_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = DataKey::drawn();
    let first = DataKeys::new("police", vec![DataKey::parse(&text).unwrap()]);
    let both = DataKeys::new("police", vec![DataKey::parse(&text).unwrap(), DataKey::parse(&DataKey::drawn()).unwrap()]);
    let plain = bytes(100);
    assert_eq!(readable(&both, folder.path(), &sealed(&first, &plain, 9), &plain), (plain.clone(), None));
    assert_eq!(both.open("a", &first.seal("a", b"row")).unwrap(), b"row");
    assert!(matches!(first.open("a", &both.seal("a", b"row")), Err(VaultError::NoSuchDataKey { .. })));
    assert!(matches!(open(&first, folder.path(), &sealed(&both, &plain, 9), &plain), Err(VaultError::NoSuchDataKey { .. })));
}

#[test]
fn a_record_with_any_byte_changed_does_not_open() {
    let keys = keys("police");
    let sealed = keys.seal("finding:1", b"TY306837C,Baker");
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(keys.open("finding:1", &changed).is_err(), "byte {at}");
        assert!(keys.open("finding:1", &sealed[..at]).is_err(), "cut at {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Any byte that is changed is found, and what is read before it is right.
    #[test]
    fn any_byte_changed_is_found(length in 0..200_000_usize, at in any::<prop::sample::Index>(), by in 1..=255_u8) {
        let (folder, keys, plain) = (tempfile::tempdir().unwrap(), keys("police"), bytes(length));
        let mut file = sealed(&keys, &plain, 9_000);
        let at = at.index(file.len());
        file[at] ^= by;
        let (read, error) = readable(&keys, folder.path(), &file, &plain);
        prop_assert!(error.is_some(), "byte {} of {} changed", at, file.len());
        prop_assert!(plain.starts_with(&read) && read.len() % STRETCH_BYTES == 0);
        prop_assert!(at >= HEADER_BYTES || read.is_empty());
    }

    /// A file that is cut anywhere, or goes on, is not opened.
    #[test]
    fn any_cut_is_found(length in 0..200_000_usize, at in any::<prop::sample::Index>(), more in 1..100_usize) {
        let (folder, keys, plain) = (tempfile::tempdir().unwrap(), keys("police"), bytes(length));
        let file = sealed(&keys, &plain, 9_000);
        prop_assert!(open(&keys, folder.path(), &file[..at.index(file.len())], &plain).is_err());
        prop_assert!(open(&keys, folder.path(), &[file, vec![0; more]].concat(), &plain).is_err());
    }

    /// Reads at any offsets are reads of the plain bytes at those offsets.
    #[test]
    fn reading_anywhere_equals_the_plain_bytes(
        length in 0..300_000_usize,
        reads in prop::collection::vec((any::<prop::sample::Index>(), 0..100_000_usize), 1..20),
    ) {
        let (folder, keys, plain) = (tempfile::tempdir().unwrap(), keys("police"), bytes(length));
        let mut file = open(&keys, folder.path(), &sealed(&keys, &plain, 7_777), &plain).unwrap();
        let mut plainly = Cursor::new(&plain);
        for (at, wanted) in reads {
            let at = at.index(length + 10) as u64;
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            file.seek(SeekFrom::Start(at)).unwrap();
            plainly.seek(SeekFrom::Start(at)).unwrap();
            (&mut file).take(wanted as u64).read_to_end(&mut found).unwrap();
            (&mut plainly).take(wanted as u64).read_to_end(&mut expected).unwrap();
            prop_assert_eq!(found, expected);
            prop_assert_eq!(file.stream_position().unwrap(), plainly.stream_position().unwrap());
        }
    }
}
