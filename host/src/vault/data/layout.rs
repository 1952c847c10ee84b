//! How a sealed file stands on disk: a header, then stretches of 64 KiB, each AES-256-GCM under a key that the file alone has.
//!
//! ```text
//! header    0  bwsealed, form          16  key id          24  salt          56  plain size          64  tag
//! stretch   ciphertext, tag            … the last one shorter, and none of an empty file
//! ```
//!
//! The key of a file is derived from its partner's key, its partner's name and 32 bytes drawn by chance, so that a stretch of another
//! file does not open, and no nonce is used twice: it is the stretch's number and whether it is the last. The header's tag covers the
//! header and the SHA-256 of the plain bytes, which is the file's name: a file under another's name, or cut, does not open.

use ring::aead::{self, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::{DataKey, DataKeys, behind_length};
use crate::vault::error::VaultError;

/// Plain bytes of a stretch. Large enough that its tag and its call cost little; small enough to be read for one record.
pub(super) const STRETCH_BYTES: usize = 64 << 10;

/// Bytes of a tag.
pub(super) const TAG_BYTES: usize = 16;

/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 80;

/// Most bytes that a sealed file has besides its plain ones and the tags of its stretches.
pub const FILE_OVERHEAD_BYTES: u64 = HEADER_BYTES as u64;

const COVERED_BYTES: usize = HEADER_BYTES - TAG_BYTES;
const SALT: std::ops::Range<usize> = 24..56;
const MARK: &[u8; 8] = b"bwsealed";
const FORM: u8 = 1;

/// What a nonce is for.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Stretch(u64),
    LastStretch(u64),
    Header,
}

impl Part {
    fn nonce(self) -> Nonce {
        let (kind, number) = match self {
            Self::Stretch(number) => (0, number),
            Self::LastStretch(number) => (1, number),
            Self::Header => (2, 0),
        };
        let mut nonce = [0; NONCE_LEN];
        nonce[3] = kind;
        nonce[4..].copy_from_slice(&number.to_be_bytes());
        Nonce::assume_unique_for_key(nonce)
    }

    /// One of so many stretches.
    pub(super) const fn of(number: u64, stretches: u64) -> Self {
        if number + 1 == stretches { Self::LastStretch(number) } else { Self::Stretch(number) }
    }
}

/// The key of one file.
pub(super) struct FileKey(LessSafeKey);

impl FileKey {
    fn new(key: &DataKey, partner: &str, salt: &[u8]) -> Self {
        let bytes = key.derived(salt, &[b"bailiwick file\0", &[FORM], &behind_length(partner)]);
        Self(LessSafeKey::new(UnboundKey::new(&aead::AES_256_GCM, bytes.as_slice()).expect("it has the cipher's length")))
    }

    /// Seals what is in a block, and puts its tag behind it.
    pub(super) fn seal(&self, part: Part, block: &mut Vec<u8>) {
        let tag =
            self.0.seal_in_place_separate_tag(part.nonce(), Aad::empty(), block).expect("a stretch is shorter than the cipher's limit");
        block.extend_from_slice(tag.as_ref());
    }

    /// Opens a stretch with its tag where it is. Nothing of one that was altered is to be read.
    pub(super) fn open(&self, part: Part, block: &mut [u8]) -> bool {
        self.0.open_in_place(part.nonce(), Aad::empty(), block).is_ok()
    }
}

/// How many stretches so many plain bytes have.
pub(super) const fn stretches(size: u64) -> u64 {
    size.div_ceil(STRETCH_BYTES as u64)
}

/// How long a sealed file of so many plain bytes is.
pub(super) const fn sealed_bytes(size: u64) -> u64 {
    HEADER_BYTES as u64 + size + stretches(size) * TAG_BYTES as u64
}

/// A header that is being made: its salt, and the file's key.
pub(super) fn begin(keys: &DataKeys) -> ([u8; HEADER_BYTES], FileKey) {
    let mut header = [0; HEADER_BYTES];
    header[..8].copy_from_slice(MARK);
    header[8] = FORM;
    header[16..24].copy_from_slice(keys.in_force().id.bytes());
    getrandom::fill(&mut header[SALT]).expect("the system gives random numbers");
    let key = FileKey::new(keys.in_force(), &keys.partner, &header[SALT]);
    (header, key)
}

/// Completes a header, once size and digest are known.
pub(super) fn complete(header: &mut [u8; HEADER_BYTES], key: &FileKey, size: u64, digest: &[u8; 32]) {
    header[56..64].copy_from_slice(&size.to_be_bytes());
    let covered = [&header[..COVERED_BYTES], digest].concat();
    let tag = key.0.seal_in_place_separate_tag(Part::Header.nonce(), Aad::from(covered), &mut []).expect("nothing is within the limit");
    header[COVERED_BYTES..].copy_from_slice(tag.as_ref());
}

/// The size and the key of a file with this header and this digest, if it is one.
pub(super) fn read(keys: &DataKeys, header: &[u8; HEADER_BYTES], (digest, what): (&[u8; 32], &str)) -> Result<(u64, FileKey), VaultError> {
    if &header[..8] != MARK || header[8] != FORM {
        return Err(keys.altered(what, "its header is not that of a sealed file"));
    }
    let id: [u8; 8] = header[16..24].try_into().expect("it has eight bytes");
    let key = keys.get(&id).ok_or_else(|| keys.missing(what, id))?;
    let key = FileKey::new(key, &keys.partner, &header[SALT]);
    let covered = [&header[..COVERED_BYTES], digest].concat();
    let mut tag: [u8; TAG_BYTES] = header[COVERED_BYTES..].try_into().expect("it has a tag's length");
    if key.0.open_in_place(Part::Header.nonce(), Aad::from(covered), &mut tag).is_err() {
        return Err(keys.altered(what, "its header was altered, or is that of another file"));
    }
    Ok((u64::from_be_bytes(header[56..64].try_into().expect("it has eight bytes")), key))
}
