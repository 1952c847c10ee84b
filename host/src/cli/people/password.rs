//! A password as somebody types it: at the terminal, unseen and twice, or on standard input. Never an argument, which others can see.

use std::io::{IsTerminal as _, Read as _};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use crate::model::limits::access::PASSWORD_BYTES_MAX;

/// The password.
pub(super) fn typed() -> Result<SecretString, Box<dyn std::error::Error>> {
    let input = std::io::stdin();
    if input.is_terminal() {
        let first = SecretString::from(rpassword::prompt_password("password: ")?);
        let second = SecretString::from(rpassword::prompt_password("the same again: ")?);
        if first.expose_secret() != second.expose_secret() {
            return Err("the two passwords differ: nothing was changed".into());
        }
        return Ok(first);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(PASSWORD_BYTES_MAX + 3));
    // One more than is allowed, and the end of a line, so that what is too long is told.
    input.take(PASSWORD_BYTES_MAX as u64 + 3).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "the password is no text in UTF-8")?;
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(SecretString::from(text))
}
