//! Master keys: what one is, and the few lines in which they are kept.

use std::fmt;

use secrecy::zeroize::Zeroizing;
use sha2::Digest as _;

use super::error::VaultError;

/// Digits of a key as it is written.
const KEY_DIGITS: usize = 64;

/// Which key: worked out from the key itself, and says nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyId([u8; 8]);

impl KeyId {
    pub(super) const fn bytes(&self) -> &[u8; 8] {
        &self.0
    }

    pub(super) const fn of_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A key. Its memory is wiped, and `Debug` shows its id alone.
#[derive(Clone)]
pub(super) struct MasterKey {
    id: KeyId,
    bytes: Zeroizing<[u8; 32]>,
}

impl MasterKey {
    fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        let digest = sha2::Sha256::new().chain_update(b"bailiwick master key id\0").chain_update(*bytes).finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        Self { id: KeyId(id), bytes }
    }

    pub(super) fn drawn() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).expect("the system gives random numbers");
        Self::new(bytes)
    }

    pub(super) const fn id(&self) -> &KeyId {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

/// The key in force, and earlier ones.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    in_force: MasterKey,
    earlier: Vec<MasterKey>,
}

impl Keys {
    pub(super) const fn of(in_force: MasterKey) -> Self {
        Self { in_force, earlier: Vec::new() }
    }

    /// Reads lines of keys; `source_is` says for an error where they are from.
    pub(super) fn parse(text: &str, source_is: &impl ToString) -> Result<Self, VaultError> {
        let wrong = |why| VaultError::NotAKey { source_is: source_is.to_string(), why };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Result<Vec<MasterKey>, VaultError> =
            lines.map(|line| parse_key(line).ok_or_else(|| wrong("a line is something else"))).collect();
        let mut keys = keys?.into_iter();
        let in_force = keys.next().ok_or_else(|| wrong("there is no line with one"))?;
        Ok(Self { in_force, earlier: keys.collect() })
    }

    pub(super) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity((KEY_DIGITS + 1) * (1 + self.earlier.len())));
        for key in std::iter::once(&self.in_force).chain(&self.earlier) {
            for byte in key.bytes() {
                text.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
                text.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
            }
            text.push('\n');
        }
        text
    }

    pub(super) const fn in_force(&self) -> &MasterKey {
        &self.in_force
    }

    pub(super) fn get(&self, id: &KeyId) -> Option<&MasterKey> {
        std::iter::once(&self.in_force).chain(&self.earlier).find(|key| key.id == *id)
    }

    pub(super) const fn is_rotating(&self) -> bool {
        !self.earlier.is_empty()
    }

    /// With a new key in force before those that there are.
    pub(super) fn with_new(mut self) -> Self {
        self.earlier.insert(0, std::mem::replace(&mut self.in_force, MasterKey::drawn()));
        self
    }

    pub(super) fn without_earlier(mut self) -> Self {
        self.earlier.clear();
        self
    }
}

fn parse_key(line: &str) -> Option<MasterKey> {
    if line.len() != KEY_DIGITS || !line.is_ascii() {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 32]);
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&line[place * 2..place * 2 + 2], 16).ok()?;
    }
    Some(MasterKey::new(bytes))
}
