//! The cipher: XChaCha20-Poly1305 with a nonce drawn by chance, bound to the partner, the name and the key.

use std::fmt;
use std::str::FromStr;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use super::error::VaultError;
use super::keys::{KeyId, MasterKey};

/// The form of sealed values. Another is another number, and the old one is read as long as there is any.
const FORM: u8 = 1;
const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;

/// What a value is sealed for. Opened under another label, it is refused: a row that is moved in the database opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label<'a> {
    /// Whose it is.
    pub partner: &'a str,
    /// Its name.
    pub name: &'a str,
}

impl Label<'_> {
    fn bytes(self, key: &KeyId) -> Vec<u8> {
        let mut bytes = vec![FORM];
        bytes.extend_from_slice(key.bytes());
        for text in [self.partner, self.name] {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }
}

/// A sealed value, which may be shown to anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    key: KeyId,
    nonce: [u8; NONCE_BYTES],
    ciphertext: Vec<u8>,
}

impl Sealed {
    /// The master key that it is sealed under.
    #[must_use]
    pub const fn key_id(&self) -> &KeyId {
        &self.key
    }
}

/// In hexadecimal: form, key id, nonce, ciphertext with its tag.
impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&[FORM], self.key.bytes().as_slice(), &self.nonce, &self.ciphertext];
        parts.into_iter().flatten().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Sealed {
    type Err = NotSealed;

    fn from_str(text: &str) -> Result<Self, NotSealed> {
        if !text.is_ascii() || !text.len().is_multiple_of(2) {
            return Err(NotSealed);
        }
        let digits = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16));
        let bytes = digits.collect::<Result<Vec<u8>, _>>().map_err(|_| NotSealed)?;
        let (form, rest) = bytes.split_first().ok_or(NotSealed)?;
        let (key, rest) = rest.split_first_chunk::<KEY_ID_BYTES>().ok_or(NotSealed)?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(NotSealed)?;
        if *form != FORM {
            return Err(NotSealed);
        }
        Ok(Self { key: KeyId::of_bytes(*key), nonce: *nonce, ciphertext: ciphertext.to_vec() })
    }
}

/// A text that is no sealed value of a form that this hub knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no sealed value of a form that this hub knows")]
pub struct NotSealed;

pub(super) fn seal(key: &MasterKey, label: Label<'_>, value: &SecretString) -> Sealed {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).expect("the system gives random numbers");
    let payload = Payload { msg: value.expose_secret().as_bytes(), aad: &label.bytes(key.id()) };
    let ciphertext = XChaCha20Poly1305::new(key.bytes().into()).encrypt(&XNonce::from(nonce), payload);
    Sealed { key: key.id().clone(), nonce, ciphertext: ciphertext.expect("a value is far shorter than the cipher's limit") }
}

pub(super) fn open(key: &MasterKey, label: Label<'_>, sealed: &Sealed) -> Result<SecretString, VaultError> {
    let altered = || VaultError::Altered { partner: label.partner.to_owned(), name: label.name.to_owned() };
    let payload = Payload { msg: &sealed.ciphertext, aad: &label.bytes(&sealed.key) };
    let opened = XChaCha20Poly1305::new(key.bytes().into()).decrypt(&XNonce::from(sealed.nonce), payload).map_err(|_| altered())?;
    let opened = Zeroizing::new(opened);
    std::str::from_utf8(&opened).map(SecretString::from).map_err(|_| altered())
}
