//! Signatures of components, in the form of minisign: Ed25519 over BLAKE2b, beside the component as `FILE.minisig`.
//!
//! `minisign -Vm FILE -p KEY.pub` verifies what is made here, and what `minisign -Sm FILE` makes is verified here.
//! It must not know whose keys are trusted.

use std::fmt;
use std::io::Cursor;
use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};

/// End of the name of a signature's file.
pub const SIGNATURE_FILE_END: &str = ".minisig";

/// Longest text of a key or signature, in bytes. minisign's own take a few hundred; comments may be longer.
pub const TEXT_BYTES_MAX: usize = 8 << 10;

/// Why a key or a signature is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Whoever gave the key gives the file that ends in `.pub`.
    #[error("this is no public key: it should be a file that `bailiwick key new` or `minisign -G` made, or its second line: {why}")]
    NotAKey {
        /// What is wrong with it.
        why: String,
    },
    /// Whoever signs gives the secret key's own file and its passphrase.
    #[error("the secret key cannot be opened: {why}. Is it the file of the secret key, and the passphrase right?")]
    Locked {
        /// What is wrong.
        why: String,
    },
    /// Whoever signed signs again.
    #[error("this is no signature: it should be a file that `bailiwick plugin sign` or `minisign -S` made: {why}")]
    NotASignature {
        /// What is wrong with it.
        why: String,
    },
    /// Somebody finds out why: the bytes are not those that were signed, or the comment is not.
    #[error("the signature by key {key} does not fit: the component, or the signature's own comment, is not what was signed")]
    DoesNotFit {
        /// The key that it names.
        key: SigningKeyId,
    },
    /// The operator looks at the machine: it has no source of chance.
    #[error("no key or signature can be made: {why}")]
    CannotMake {
        /// Why.
        why: String,
    },
}

/// What names a signing key: eight bytes, shown as minisign shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SigningKeyId(u64);

impl fmt::Display for SigningKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:016X}", self.0))
    }
}

impl FromStr for SigningKeyId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = if digits { u64::from_str_radix(text, 16).ok() } else { None };
        number.map(Self).ok_or_else(|| "a key is named by 16 hexadecimal digits, as `bailiwick key list` shows them".to_owned())
    }
}

/// A key that signatures are checked with.
#[derive(Debug, Clone)]
pub struct PublicKey {
    key: minisign::PublicKey,
}

impl PublicKey {
    /// Reads a `.pub` file, or its second line alone.
    ///
    /// # Errors
    /// [`SignatureError::NotAKey`].
    pub fn read(text: &str) -> Result<Self, SignatureError> {
        let not = |why: String| SignatureError::NotAKey { why };
        if text.len() > TEXT_BYTES_MAX {
            return Err(not(format!("it has {} bytes, and a key has a few hundred", text.len())));
        }
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
        minisign::PublicKey::from_base64(line).map(|key| Self { key }).map_err(|error| not(error.to_string()))
    }

    /// What names it.
    #[must_use]
    pub fn id(&self) -> SigningKeyId {
        id(self.key.keynum())
    }

    /// The key as one line.
    #[must_use]
    pub fn line(&self) -> String {
        self.key.to_base64()
    }
}

/// A signature that was read and not yet checked.
pub struct Signature {
    text: String,
    signature: minisign::SignatureBox,
}

impl Signature {
    /// Reads a `.minisig` file.
    ///
    /// # Errors
    /// [`SignatureError::NotASignature`].
    pub fn read(text: &str) -> Result<Self, SignatureError> {
        let not = |why: String| SignatureError::NotASignature { why };
        if text.len() > TEXT_BYTES_MAX {
            return Err(not(format!("it has {} bytes, and a signature has a few hundred", text.len())));
        }
        let signature = minisign::SignatureBox::from_string(text).map_err(|error| not(error.to_string()))?;
        // Of all ways to write the same bytes one is taken, so that a signature that counts has one text. The first line is free.
        if !signature.to_string().lines().skip(1).eq(text.lines().skip(1)) {
            return Err(not("it is not written as signatures are".to_owned()));
        }
        Ok(Self { text: text.to_owned(), signature })
    }

    /// The key that it says it was made with.
    #[must_use]
    pub fn key_id(&self) -> SigningKeyId {
        id(self.signature.keynum())
    }

    /// As it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Checks it, its comment included, and answers that comment.
    ///
    /// # Errors
    /// [`SignatureError::DoesNotFit`] if it is not over these bytes, by this key, in the form that minisign has used since 2021.
    pub fn verify(&self, key: &PublicKey, component: &[u8]) -> Result<String, SignatureError> {
        let does_not_fit = |_| SignatureError::DoesNotFit { key: self.key_id() };
        let (quiet, echo, allow_legacy) = (true, false, false);
        minisign::verify(&key.key, &self.signature, Cursor::new(component), quiet, echo, allow_legacy).map_err(does_not_fit)?;
        self.signature.trusted_comment().map_err(does_not_fit)
    }
}

/// A pair of keys as files.
pub struct NewPair {
    /// What names both.
    pub id: SigningKeyId,
    /// The file of the public key.
    pub public: String,
    /// The file of the secret key; under the passphrase, if there is one.
    pub secret: SecretString,
}

/// Makes a pair of keys. Without a passphrase, whoever has the file has the key.
///
/// # Errors
/// [`SignatureError::CannotMake`] if the machine has no source of chance.
pub fn new_pair(passphrase: Option<&SecretString>) -> Result<NewPair, SignatureError> {
    let cannot = |error: minisign::PError| SignatureError::CannotMake { why: error.to_string() };
    let pair = match passphrase {
        Some(passphrase) => minisign::KeyPair::generate_encrypted_keypair(Some(passphrase.expose_secret().to_owned())),
        None => minisign::KeyPair::generate_unencrypted_keypair(),
    }
    .map_err(cannot)?;
    let public = pair.pk.to_box().map_err(cannot)?.into_string();
    let secret = SecretString::from(pair.sk.to_box(None).map_err(cannot)?.into_string());
    Ok(NewPair { id: id(pair.pk.keynum()), public, secret })
}

/// Signs a component. The comment is covered by the signature too, and is shown to whoever approves.
///
/// # Errors
/// [`SignatureError::Locked`] if the secret key cannot be opened.
pub fn sign(component: &[u8], secret: &SecretString, passphrase: Option<&SecretString>, comment: &str) -> Result<String, SignatureError> {
    let locked = |error: minisign::PError| SignatureError::Locked { why: error.to_string() };
    let written = minisign::SecretKeyBox::from_string(secret.expose_secret()).map_err(locked)?;
    let key = match passphrase {
        Some(passphrase) => written.into_secret_key(Some(passphrase.expose_secret().to_owned())),
        None => written.into_unencrypted_secret_key(),
    }
    .map_err(locked)?;
    let cannot = |error: minisign::PError| SignatureError::CannotMake { why: error.to_string() };
    let untrusted = format!("signature from key {}", id(key.keynum()));
    minisign::sign(None, &key, Cursor::new(component), Some(comment), Some(&untrusted)).map(|made| made.into_string()).map_err(cannot)
}

/// minisign writes the eight bytes as one number, the last first.
fn id(bytes: &[u8]) -> SigningKeyId {
    SigningKeyId(u64::from_le_bytes(*bytes.first_chunk().expect("a key's number has eight bytes")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pair() -> (PublicKey, SecretString) {
        let pair = new_pair(None).unwrap();
        (PublicKey::read(&pair.public).unwrap(), pair.secret)
    }

    #[test]
    fn what_is_signed_verifies_and_nothing_else_does() {
        let (public, secret) = pair();
        let (other, _) = pair();
        let text = sign(b"component", &secret, None, "lgps-return 1.0.0").unwrap();
        let signature = Signature::read(&text).unwrap();
        assert_eq!(signature.key_id(), public.id());
        assert_eq!(signature.verify(&public, b"component").unwrap(), "lgps-return 1.0.0");
        let refused = SignatureError::DoesNotFit { key: public.id() };
        assert_eq!(signature.verify(&public, b"component."), Err(refused.clone()));
        assert_eq!(signature.verify(&other, b"component"), Err(refused.clone()));
        let commented = Signature::read(&text.replace("lgps-return 1.0.0", "lgps-return 1.0.1")).unwrap();
        assert_eq!(commented.verify(&public, b"component"), Err(refused), "the comment is covered too");
    }

    #[test]
    fn a_passphrase_locks_the_secret_key() {
        let passphrase = SecretString::from("correct horse".to_owned());
        let pair = new_pair(Some(&passphrase)).unwrap();
        assert!(sign(b"x", &pair.secret, Some(&passphrase), "c").is_ok());
        let wrong = SecretString::from("battery staple".to_owned());
        for passphrase in [Some(&wrong), None] {
            assert!(matches!(sign(b"x", &pair.secret, passphrase, "c"), Err(SignatureError::Locked { .. })));
        }
    }

    #[test]
    fn keys_are_read_as_files_or_as_a_line() {
        let (public, _) = pair();
        assert_eq!(PublicKey::read(&public.line()).unwrap().id(), public.id());
        assert_eq!(public.id().to_string().parse::<SigningKeyId>().unwrap(), public.id());
        for text in ["", "untrusted comment: x\n", "RWQ", &"A".repeat(TEXT_BYTES_MAX + 1)] {
            assert!(matches!(PublicKey::read(text), Err(SignatureError::NotAKey { .. })), "{text:?}");
        }
        for text in ["1234", "+123456789ABCDEF", "zzzzzzzzzzzzzzzz"] {
            text.parse::<SigningKeyId>().unwrap_err();
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn a_damaged_signature_is_refused_and_never_panics(place in 0_usize..400, byte: u8) {
            static SIGNED: std::sync::LazyLock<(PublicKey, String)> = std::sync::LazyLock::new(|| {
                let (public, secret) = pair();
                (public, sign(b"component", &secret, None, "comment").unwrap())
            });
            let (public, text) = &*SIGNED;
            let mut bytes = text.clone().into_bytes();
            let place = place % bytes.len();
            // The first line is not covered, and a line's end may be written in two ways.
            let covered = place > text.find('\n').unwrap() && bytes[place] != b'\n';
            let same = bytes[place] == byte;
            bytes[place] = byte;
            let Ok(damaged) = String::from_utf8(bytes) else { return Ok(()) };
            let verified = Signature::read(&damaged).and_then(|signature| signature.verify(public, b"component"));
            proptest::prop_assert!(same || !covered || verified.is_err(), "{damaged:?}");
        }
    }
}
