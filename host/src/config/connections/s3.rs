//! An S3-compatible store, as it is declared.

use crate::model::job::S3Place;

use super::{Entry, plain_path, span};

/// Longest name of a bucket, and shortest, in characters.
const BUCKET_CHARS: std::ops::RangeInclusive<usize> = 3..=63;

/// Longest prefix, in bytes: with a file's name behind it, it must fit a key.
const PREFIX_BYTES_MAX: usize = 700;

/// Stores of the inventor's, where the bucket stands before the host.
const VIRTUAL_HOSTS: &str = ".amazonaws.com";

impl Entry<'_> {
    pub(super) fn s3(&mut self) -> Option<S3Place> {
        let of = self.written;
        let url = self.url();
        let region = self.text(of.region.as_ref(), "region = \"eu-west-2\"");
        let bucket = self.bucket();
        let access_key = self.text(of.access_key.as_ref(), "access-key = \"…\", the id of the access key");
        let prefix = self.prefix();
        if of.key_secret.is_none() {
            self.wrong(of.kind.span(), "nothing says how the hub signs requests", "add key-secret = \"…\", for the secret access key");
        }
        let key = self.secret(of.key_secret.as_ref());
        let url = url?;
        Some(S3Place {
            path_style: of.path_style.as_ref().map_or_else(|| !host(&url).ends_with(VIRTUAL_HOSTS), |path_style| *path_style.get_ref()),
            url,
            region: region?,
            bucket: bucket?,
            prefix,
            access_key: access_key?,
            key: key?,
            ca_file: of.ca_file.as_ref().map(|path| plain_path(&self.folder.join(path.get_ref()))),
            silence_seconds_max: self.silence(),
            file_bytes_max: self.file_bytes(),
        })
    }

    fn bucket(&mut self) -> Option<String> {
        let bucket = self.text(self.written.bucket.as_ref(), "bucket = \"…\"")?;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
        if !BUCKET_CHARS.contains(&bucket.len()) || !bucket.chars().all(plain) {
            let at = span(self.written.bucket.as_ref()).unwrap_or_default();
            self.wrong(at, "this is no name of a bucket", "write 3 to 63 lower-case letters, digits, full stops and hyphens");
            return None;
        }
        Some(bucket)
    }

    /// The prefix with a `/` at its end; empty for none.
    fn prefix(&mut self) -> String {
        let Some(written) = &self.written.prefix else { return String::new() };
        let prefix = written.get_ref().trim_end_matches('/');
        let wrong = prefix.len() > PREFIX_BYTES_MAX
            || prefix.contains(char::is_control)
            || prefix.split('/').any(|part| matches!(part, "" | "." | ".."));
        if wrong && !prefix.is_empty() {
            self.wrong(written.span(), "this is no beginning of keys", "write folders with / between them, such as incoming/police");
        }
        if prefix.is_empty() { String::new() } else { format!("{prefix}/") }
    }
}

/// The host of an address.
fn host(url: &str) -> &str {
    let rest = url.strip_prefix("https://").unwrap_or_default();
    rest.split(['/', ':']).next().unwrap_or_default()
}
