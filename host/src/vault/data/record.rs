//! One small value: XChaCha20-Poly1305 with a nonce drawn by chance, bound to the partner and to what it is.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::{DataKey, DataKeys, behind_length};
use crate::vault::error::VaultError;

/// The form of sealed records. Another is another number, and the old one is read as long as there is any.
const FORM: u8 = 1;
const NONCE_BYTES: usize = 24;

impl DataKeys {
    /// Seals a value. `what` says what it is, and is wanted again when it is opened: form, key id, nonce, ciphertext with its tag.
    #[must_use]
    pub fn seal(&self, what: &str, value: &[u8]) -> Vec<u8> {
        let key = self.in_force();
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).expect("the system gives random numbers");
        let payload = Payload { msg: value, aad: &self.bound(key, what) };
        let ciphertext = cipher(key).encrypt(&XNonce::from(nonce), payload).expect("a value is far shorter than the cipher's limit");
        [&[FORM], key.id.bytes().as_slice(), &nonce, &ciphertext].concat()
    }

    /// Opens a value.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] if it was altered, or is something else, or another partner's; [`VaultError::NoSuchDataKey`] if the
    /// partner no longer has the key.
    pub fn open(&self, what: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let parts = || {
            let (form, rest) = sealed.split_first()?;
            let (id, rest) = rest.split_first_chunk::<8>()?;
            let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>()?;
            (*form == FORM).then_some((*id, *nonce, ciphertext))
        };
        let (id, nonce, ciphertext) = parts().ok_or_else(|| self.altered(what, "it is no sealed value of a form that this hub knows"))?;
        let key = self.get(&id).ok_or_else(|| self.missing(what, id))?;
        let payload = Payload { msg: ciphertext, aad: &self.bound(key, what) };
        let opened = cipher(key).decrypt(&XNonce::from(nonce), payload);
        opened.map_err(|_| self.altered(what, "it was altered, or is something else's"))
    }

    fn bound(&self, key: &DataKey, what: &str) -> Vec<u8> {
        [&[FORM], key.id.bytes().as_slice(), &behind_length(&self.partner), &behind_length(what)].concat()
    }
}

fn cipher(key: &DataKey) -> XChaCha20Poly1305 {
    let bytes = key.derived(&[], &[b"bailiwick record\0"]);
    XChaCha20Poly1305::new((&*bytes).into())
}
