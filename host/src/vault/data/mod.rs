//! Keys of partners, and what is sealed under them: files of rows, and single records.
//!
//! ```text
//! layout   how a sealed file stands on disk, and the key that it alone has     write    a file sealed as it is written
//! record   one small value                                                       read     a sealed file read from any place
//! ```
//!
//! A partner's key is itself sealed under the master key. It must not know where files lie or what their rows mean.

mod layout;
mod read;
mod record;
#[cfg(test)]
mod tests;
mod write;

use std::fmt;

use ring::hkdf;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Digest as _;

use super::error::VaultError;
use super::keys::KeyId;

pub use layout::FILE_OVERHEAD_BYTES;
pub use read::SealedFile;
pub use write::SealingWriter;

const KEY_BYTES: usize = 32;

/// The keys of one partner: the one in force, and earlier ones for what was sealed before.
pub struct DataKeys {
    partner: String,
    /// By generation; the last is in force, and there is one.
    keys: Vec<DataKey>,
}

/// One key of a partner.
pub(super) struct DataKey {
    id: KeyId,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl DataKeys {
    /// The keys of a partner, by generation. There is at least one.
    pub(super) fn new(partner: &str, keys: Vec<DataKey>) -> Self {
        assert!(!keys.is_empty(), "whoever has no key makes one");
        Self { partner: partner.to_owned(), keys }
    }

    /// How many there are.
    #[must_use]
    pub const fn generations(&self) -> usize {
        self.keys.len()
    }

    /// Whose they are.
    #[must_use]
    pub fn partner(&self) -> &str {
        &self.partner
    }

    fn in_force(&self) -> &DataKey {
        self.keys.last().expect("there is one")
    }

    fn get(&self, id: &[u8; 8]) -> Option<&DataKey> {
        self.keys.iter().find(|key| key.id.bytes() == id)
    }

    fn missing(&self, what: &str, id: [u8; 8]) -> VaultError {
        VaultError::NoSuchDataKey { partner: self.partner.clone(), what: what.to_owned(), wanted: KeyId::of_bytes(id) }
    }

    fn altered(&self, what: &str, why: &str) -> VaultError {
        VaultError::Damaged { partner: self.partner.clone(), what: what.to_owned(), why: why.to_owned() }
    }
}

/// Shows whose keys they are, and none of them.
impl fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKeys").field("partner", &self.partner).field("generations", &self.keys.len()).finish()
    }
}

impl DataKey {
    fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        let digest = sha2::Sha256::new().chain_update(b"bailiwick data key id\0").chain_update(*bytes).finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        Self { id: KeyId::of_bytes(id), bytes }
    }

    /// A new one, as the text that is sealed under the master key.
    pub(super) fn drawn() -> SecretString {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(bytes.as_mut_slice()).expect("the system gives random numbers");
        SecretString::from(bytes.iter().fold(String::with_capacity(KEY_BYTES * 2), |text, byte| text + &format!("{byte:02x}")))
    }

    /// One from its text; none if it is no key.
    pub(super) fn parse(text: &SecretString) -> Option<Self> {
        let text = text.expose_secret();
        if text.len() != KEY_BYTES * 2 || !text.is_ascii() {
            return None;
        }
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).ok()?;
        }
        Some(Self::new(bytes))
    }

    /// A key for one purpose, that says nothing of this one.
    fn derived(&self, salt: &[u8], purpose: &[&[u8]]) -> Zeroizing<[u8; KEY_BYTES]> {
        struct Length;
        impl hkdf::KeyType for Length {
            fn len(&self) -> usize {
                KEY_BYTES
            }
        }
        let drawn = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(self.bytes.as_slice());
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        let expanded = drawn.expand(purpose, Length).and_then(|expanded| expanded.fill(bytes.as_mut_slice()));
        expanded.expect("a key is far shorter than the most that can be derived");
        bytes
    }
}

/// A text behind its length, so that nothing can be moved from one to the next.
fn behind_length(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_be_bytes(), text.as_bytes()].concat()
}
