//! A mail server, and who is told by it, as they are declared.

use toml::Spanned;

use crate::config::written::TlsWord;
use crate::model::job::SmtpPlace;

use super::{Entry, plain_path, span};

/// Ports for STARTTLS, and for TLS from the first byte.
const STARTTLS_PORT: u64 = 587;
const TLS_PORT: u64 = 465;

/// Longest address, in characters.
const ADDRESS_CHARS_MAX: usize = 254;

impl Entry<'_> {
    pub(super) fn smtp(&mut self) -> Option<SmtpPlace> {
        let of = self.written;
        let host = self.text(of.host.as_ref(), "host = \"smtp.example.org\"");
        let from = self.text(of.from.as_ref(), "from = \"hub@example.org\"");
        let password = self.secret(of.password_secret.as_ref());
        let tls_first = of.tls.as_ref().is_some_and(|tls| *tls.get_ref() == TlsWord::AtOnce);
        let port = self.amount(of.port.as_ref(), "port", (if tls_first { TLS_PORT } else { STARTTLS_PORT }, 1..65_535));
        if let Some(written) = of.from.as_ref().filter(|from| !is_address(from.get_ref())) {
            self.wrong(written.span(), "this is no address of a mailbox", "write from = \"hub@example.org\"");
        }
        if of.user.is_some() != of.password_secret.is_some() {
            let at = span(of.user.as_ref()).or_else(|| span(of.password_secret.as_ref()));
            self.wrong(at.unwrap_or_default(), "a user and a password belong together", "write user and password-secret, or neither");
        }
        Some(SmtpPlace {
            host: host?,
            port: u16::try_from(port).unwrap_or(587),
            tls_first,
            user: of.user.as_ref().map(|user: &Spanned<String>| user.get_ref().clone()),
            password,
            from: from?,
            ca_file: of.ca_file.as_ref().map(|path| plain_path(&self.folder.join(path.get_ref()))),
            silence_seconds_max: self.silence(),
        })
    }
}

/// Whether a text may be the address of a mailbox: plain, one `@` with something before and a domain behind. The server says the rest.
pub(crate) fn is_address(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c);
    let domain = |domain: &str| {
        domain.split('.').all(|part| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        })
    };
    let local = |local: &str| {
        !local.is_empty() && local.chars().all(plain) && !local.starts_with('.') && !local.ends_with('.') && !local.contains("..")
    };
    text.len() <= ADDRESS_CHARS_MAX && text.split_once('@').is_some_and(|(before, behind)| local(before) && domain(behind))
}
