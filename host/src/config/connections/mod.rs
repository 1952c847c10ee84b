//! One entry of connections.toml: which options belong to which kind of place, and what each may be.

mod api;
mod s3;
mod smtp;
mod sql;
#[cfg(test)]
mod tests;
mod text;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::Spanned;

use crate::model::ids::SecretName;
use crate::model::job::{HttpsPlace, Place, SendMethod, SftpPlace};
use crate::registry::source::{Problems, Source};

use super::folder::plain_path;
use super::written::{self, MethodWord, OneOrMore, PlaceWord};

pub(super) use smtp::is_address;
pub use text::text;

/// How long a file must have been left alone before it is taken, where the connection does not say.
const SETTLE_MS_DEFAULT: u64 = 2_000;

/// Longest time that a file may be asked to be left alone: a day.
const SETTLE_MS_MAX: u64 = 86_400_000;

/// The same on a server, where the hub waits for it between two looks: ten minutes.
const SETTLE_MS_WAITED_MAX: u64 = 600_000;

/// How long a server may be silent, where the connection does not say.
const SILENCE_SECONDS_DEFAULT: u64 = 30;

/// How long a server may be silent at most.
const SILENCE_SECONDS_MAX: u64 = 600;

/// Largest file from a server, where the connection does not say: a GiB.
const FILE_BYTES_DEFAULT: u64 = 1 << 30;

/// Largest file from a server at most: a TiB.
const FILE_BYTES_MAX: u64 = 1 << 40;

/// Reads one entry. Paths in it are relative to `folder`.
pub(super) fn place(written: &written::Connection, folder: &Path, source: &Source, problems: &mut Problems) -> Option<Place> {
    let mut entry = Entry { written, folder, source, problems };
    entry.belong();
    match written.kind.get_ref() {
        PlaceWord::Folder => {
            let path = entry.needed(written.path.as_ref(), "path = \"…\"")?;
            let settle_ms = entry.amount(written.settle_ms.as_ref(), "settle-ms", (SETTLE_MS_DEFAULT, 0..SETTLE_MS_MAX));
            Some(Place::Folder { path: plain_path(&folder.join(path)), settle_ms })
        }
        PlaceWord::Sftp => entry.sftp().map(Place::Sftp),
        PlaceWord::Https => entry.https().map(Place::Https),
        PlaceWord::Api => entry.api().map(Place::Api),
        PlaceWord::S3 => entry.s3().map(Place::S3),
        PlaceWord::Postgres => entry.postgres().map(Place::Sql),
        PlaceWord::Sqlite => entry.sqlite().map(Place::Sql),
        PlaceWord::Smtp => entry.smtp().map(Place::Smtp),
    }
}

struct Entry<'a> {
    written: &'a written::Connection,
    folder: &'a Path,
    source: &'a Source,
    problems: &'a mut Problems,
}

impl Entry<'_> {
    /// Refuses options of another kind, each with its own line.
    fn belong(&mut self) {
        use PlaceWord::{Api, Folder, Https, Postgres, S3, Sftp, Smtp, Sqlite};
        let of = self.written;
        let present = [
            ("path", span(of.path.as_ref()), &[Folder, Sqlite][..]),
            ("settle-ms", span(of.settle_ms.as_ref()), &[Folder, Sftp]),
            ("host", span(of.host.as_ref()), &[Sftp, Postgres, Smtp]),
            ("port", span(of.port.as_ref()), &[Sftp, Postgres, Smtp]),
            ("user", span(of.user.as_ref()), &[Sftp, Https, Api, Postgres, Smtp]),
            ("host-key", span(of.host_key.as_ref()), &[Sftp]),
            ("folder", span(of.folder.as_ref()), &[Sftp]),
            ("password-secret", span(of.password_secret.as_ref()), &[Sftp, Https, Api, Postgres, Smtp]),
            ("key-secret", span(of.key_secret.as_ref()), &[Sftp, S3]),
            ("key-passphrase-secret", span(of.key_passphrase_secret.as_ref()), &[Sftp]),
            ("url", span(of.url.as_ref()), &[Https, Api, S3]),
            ("token-secret", span(of.token_secret.as_ref()), &[Https, Api]),
            ("ca-file", span(of.ca_file.as_ref()), &[Https, Api, S3, Postgres, Smtp]),
            ("client-certificate", span(of.client_certificate.as_ref()), &[Https, Api]),
            ("client-key-secret", span(of.client_key_secret.as_ref()), &[Https, Api]),
            ("method", span(of.method.as_ref()), &[Https]),
            ("content-type", span(of.content_type.as_ref()), &[Https]),
            ("idempotent", span(of.idempotent.as_ref()), &[Https, Api]),
            ("cursor-header", span(of.cursor_header.as_ref()), &[Https]),
            ("region", span(of.region.as_ref()), &[S3]),
            ("bucket", span(of.bucket.as_ref()), &[S3]),
            ("prefix", span(of.prefix.as_ref()), &[S3]),
            ("path-style", span(of.path_style.as_ref()), &[S3]),
            ("access-key", span(of.access_key.as_ref()), &[S3]),
            ("database", span(of.database.as_ref()), &[Postgres]),
            ("encrypted", span(of.encrypted.as_ref()), &[Postgres]),
            ("query", span(of.query.as_ref()), &[Postgres, Sqlite]),
            ("cursor-column", span(of.cursor_column.as_ref()), &[Postgres, Sqlite]),
            ("from", span(of.from.as_ref()), &[Smtp]),
            ("tls", span(of.tls.as_ref()), &[Smtp]),
            ("rows-max", span(of.rows_max.as_ref()), &[Postgres, Sqlite]),
            ("seconds-max", span(of.seconds_max.as_ref()), &[Postgres, Sqlite]),
            ("silence-seconds-max", span(of.silence_seconds_max.as_ref()), &[Sftp, Https, S3, Smtp]),
            ("file-bytes-max", span(of.file_bytes_max.as_ref()), &[Sftp, Https, S3, Postgres, Sqlite]),
            ("requests", span(of.requests.as_ref()), &[Api]),
            ("redirects", span(of.redirects.as_ref()), &[Api]),
            ("allow-private", span(of.allow_private.as_ref()), &[Api]),
            ("api-key-header", span(of.api_key_header.as_ref()), &[Api]),
            ("api-key-secret", span(of.api_key_secret.as_ref()), &[Api]),
            ("oauth-url", span(of.oauth_url.as_ref()), &[Api]),
            ("oauth-client", span(of.oauth_client.as_ref()), &[Api]),
            ("oauth-secret", span(of.oauth_secret.as_ref()), &[Api]),
            ("oauth-scope", span(of.oauth_scope.as_ref()), &[Api]),
            ("answer-bytes-max", span(of.answer_bytes_max.as_ref()), &[Api]),
        ];
        for (option, at, kinds) in present {
            if let Some(at) = at.filter(|_| !kinds.contains(of.kind.get_ref())) {
                self.wrong(
                    at,
                    format!("{option} does not belong to this kind of connection"),
                    format!("take {option} out, or change the kind"),
                );
            }
        }
    }

    fn sftp(&mut self) -> Option<SftpPlace> {
        let of = self.written;
        let host = self.text(of.host.as_ref(), "host = \"sftp.example.org\"");
        let user = self.text(of.user.as_ref(), "user = \"…\"");
        let host_keys = self.host_keys();
        let folder = of.folder.as_ref().map_or(".", |folder| folder.get_ref()).to_owned();
        let (password, key) = (self.secret(of.password_secret.as_ref()), self.secret(of.key_secret.as_ref()));
        let key_passphrase = self.secret(of.key_passphrase_secret.as_ref());
        if of.password_secret.is_none() && of.key_secret.is_none() {
            self.wrong(of.kind.span(), "nothing says how the hub signs in", "add key-secret = \"…\" or password-secret = \"…\"");
        }
        if let (Some(at), None) = (span(of.key_passphrase_secret.as_ref()), &of.key_secret) {
            self.wrong(at, "there is no key for this passphrase", "add key-secret = \"…\", or take it out");
        }
        Some(SftpPlace {
            host: host?,
            port: u16::try_from(self.amount(of.port.as_ref(), "port", (22, 1..65_535))).unwrap_or(22),
            user: user?,
            host_keys: host_keys?,
            password,
            key,
            key_passphrase,
            folder,
            settle_ms: self.amount(of.settle_ms.as_ref(), "settle-ms", (SETTLE_MS_DEFAULT, 0..SETTLE_MS_WAITED_MAX)),
            silence_seconds_max: self.silence(),
            file_bytes_max: self.file_bytes(),
        })
    }

    fn host_keys(&mut self) -> Option<Vec<String>> {
        const TO_DO: &str = "write host-key = \"SHA256:…\", which the server's owner tells you; `bailiwick connection check` shows what the server presents";
        let Some(written) = &self.written.host_key else {
            self.wrong(self.written.kind.span(), "nothing says which key the server has", TO_DO);
            return None;
        };
        let keys = match written.get_ref() {
            OneOrMore::One(key) => vec![key.clone()],
            OneOrMore::More(keys) => keys.clone(),
        };
        let is_key = |key: &String| {
            let fingerprint = key.strip_prefix("SHA256:").is_some_and(|rest| rest.len() == 43 && !rest.contains(char::is_whitespace));
            fingerprint || (key.starts_with("ssh-") || key.starts_with("ecdsa-")) && key.split_whitespace().count() >= 2
        };
        if keys.is_empty() || !keys.iter().all(is_key) {
            self.wrong(written.span(), "this is neither a SHA256 fingerprint nor a public key", TO_DO);
            return None;
        }
        Some(keys)
    }

    fn https(&mut self) -> Option<HttpsPlace> {
        let of = self.written;
        let url = self.url();
        let (password, token) = (self.secret(of.password_secret.as_ref()), self.secret(of.token_secret.as_ref()));
        if of.user.is_some() != of.password_secret.is_some() {
            let at = span(of.user.as_ref()).or_else(|| span(of.password_secret.as_ref()));
            self.wrong(at.unwrap_or_default(), "a user and a password belong together", "write user and password-secret, or neither");
        }
        if let (Some(at), true) = (span(of.token_secret.as_ref()), of.user.is_some()) {
            self.wrong(at, "the hub signs in by a token or as a user, not both", "take one of them out");
        }
        let (ca_file, client_certificate, client_key) = self.certificates();
        let text = |written: Option<&Spanned<String>>| written.map(|text| text.get_ref().clone());
        Some(HttpsPlace {
            url: url?,
            user: text(of.user.as_ref()),
            password,
            token,
            ca_file,
            client_certificate,
            client_key,
            method: match of.method.as_ref().map(|method| *method.get_ref()) {
                None | Some(MethodWord::Post) => SendMethod::Post,
                Some(MethodWord::Put) => SendMethod::Put,
            },
            content_type: self.header_text(of.content_type.as_ref()).unwrap_or_else(|| "application/octet-stream".to_owned()),
            idempotent: of.idempotent.as_ref().is_none_or(|idempotent| *idempotent.get_ref()),
            cursor_header: self.header_text(of.cursor_header.as_ref()),
            silence_seconds_max: self.silence(),
            file_bytes_max: self.file_bytes(),
        })
    }

    /// Whom the hub trusts there, and who it is.
    fn certificates(&mut self) -> (Option<PathBuf>, Option<PathBuf>, Option<SecretName>) {
        let of = self.written;
        if of.client_certificate.is_some() != of.client_key_secret.is_some() {
            let at = span(of.client_certificate.as_ref()).or_else(|| span(of.client_key_secret.as_ref()));
            let to_do = "write client-certificate and client-key-secret, or neither";
            self.wrong(at.unwrap_or_default(), "a certificate and its key belong together", to_do);
        }
        let path = |written: Option<&Spanned<String>>| written.map(|path| plain_path(&self.folder.join(path.get_ref())));
        let (ca_file, client_certificate) = (path(of.ca_file.as_ref()), path(of.client_certificate.as_ref()));
        (ca_file, client_certificate, self.secret(of.client_key_secret.as_ref()))
    }

    fn url(&mut self) -> Option<String> {
        self.address(self.written.url.as_ref(), "url = \"https://…\"")
    }

    /// An address that begins with https:// and has a host.
    fn address(&mut self, written: Option<&Spanned<String>>, example: &str) -> Option<String> {
        const TO_DO: &str = "write, for instance, \"https://api.example.org/claims\"";
        let url = self.text(written, example)?;
        let rest = url.strip_prefix("https://").unwrap_or_default();
        let host = rest.split('/').next().unwrap_or_default();
        if host.is_empty() || host.contains('@') || url.contains(['?', '#', ' ']) {
            self.wrong(span(written).unwrap_or_default(), "this is no address that begins with https:// and has a host", TO_DO);
            return None;
        }
        Some(if rest.contains('/') { url } else { url + "/" })
    }

    fn header_text(&mut self, written: Option<&Spanned<String>>) -> Option<String> {
        let written = written?;
        if written.get_ref().is_empty() || written.get_ref().contains(|c: char| c.is_control() || !c.is_ascii()) {
            self.wrong(written.span(), "this cannot stand in a header", "write plain characters");
        }
        Some(written.get_ref().clone())
    }

    fn silence(&mut self) -> u64 {
        let written = self.written.silence_seconds_max.as_ref();
        self.amount(written, "silence-seconds-max", (SILENCE_SECONDS_DEFAULT, 1..SILENCE_SECONDS_MAX))
    }

    fn file_bytes(&mut self) -> u64 {
        self.amount(self.written.file_bytes_max.as_ref(), "file-bytes-max", (FILE_BYTES_DEFAULT, 1..FILE_BYTES_MAX))
    }

    /// An amount, or its default; `allowed` with its end.
    fn amount(&mut self, written: Option<&Spanned<u64>>, name: &str, (default, allowed): (u64, Range<u64>)) -> u64 {
        let Some(written) = written else { return default };
        let amount = *written.get_ref();
        if amount < allowed.start || amount > allowed.end {
            self.wrong(written.span(), format!("{name} is {amount}"), format!("write {} to {}", allowed.start, allowed.end));
        }
        amount
    }

    fn secret(&mut self, written: Option<&Spanned<String>>) -> Option<SecretName> {
        let written = written?;
        let named = SecretName::from_str(written.get_ref());
        let wrong = |error: crate::model::ids::NotAName| {
            let to_do = "write the name under which `bailiwick secret set` keeps it, never the value";
            self.source.problem(Some(written.span()), error.to_string(), to_do)
        };
        self.problems.note(named.map_err(wrong))
    }

    fn text(&mut self, written: Option<&Spanned<String>>, example: &str) -> Option<String> {
        let text = self.needed(written, example)?.clone();
        if text.trim() != text || text.is_empty() || text.contains(char::is_control) {
            self.wrong(span(written).unwrap_or_default(), format!("{text:?} is no value for this"), format!("write {example}"));
            return None;
        }
        Some(text)
    }

    fn needed<'b>(&mut self, written: Option<&'b Spanned<String>>, example: &str) -> Option<&'b String> {
        if written.is_none() {
            let name = example.split(' ').next().unwrap_or_default();
            self.wrong(self.written.kind.span(), format!("this kind of connection needs {name}"), format!("add {example}"));
        }
        written.map(Spanned::get_ref)
    }

    fn wrong(&mut self, at: Range<usize>, what: impl Into<String>, to_do: impl Into<String>) {
        self.problems.add(self.source.problem(Some(at), what, to_do));
    }
}

fn span<T>(written: Option<&Spanned<T>>) -> Option<Range<usize>> {
    written.map(Spanned::span)
}
