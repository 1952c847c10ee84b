//! Places outside, against real servers: OpenSSH's, a web server with TLS, an S3 server that checks signatures, PostgreSQL, SQLite.

mod api;
mod check;
mod https;
mod mail;
mod once;
mod s3;
mod sftp;
mod sql;
mod webhooks;

use std::path::PathBuf;

use bailiwick::connection::{Artefacts, Delivery, FoundFile, Looking, Outside};
use bailiwick::model::ids::{Digest, SecretName};
use bailiwick::model::job::Place;
use tempfile::TempDir;

/// A folder that a server shows, a store of artefacts, and a runtime that is entered.
struct World {
    folder: TempDir,
    artefacts: Artefacts,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("there")).expect("a folder");
        let artefacts = Artefacts::open(folder.path().join("artefacts")).expect("a store");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        Self { folder, artefacts, runtime }
    }

    fn there(&self) -> PathBuf {
        self.folder.path().join("there")
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.there().join(name), bytes).expect("it is written");
    }

    /// All files that the server shows, hidden ones too.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.there()).expect("a folder");
        let mut names: Vec<String> = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
        names.sort();
        names
    }

    fn stored(&self, bytes: &[u8]) -> Digest {
        self.artefacts.put(bytes).expect("it is stored").digest
    }
}

/// A place with credentials.
fn with(place: Place, credentials: &[(&str, &str)]) -> Outside {
    let credentials = credentials.iter().map(|(name, value)| (name.parse::<SecretName>().expect("a name"), (*value).into()));
    Outside { place, credentials: credentials.collect(), now_ms: bailiwick::clock::Clock::machine().now_ms() }
}

const fn looking(pattern: &str) -> Looking<'_> {
    Looking { pattern, now_ms: 1_800_000_000_000, mark: None }
}

const fn delivery(digest: Digest) -> Delivery<'static> {
    Delivery { digest, name: "return-2026-10.csv", key: "run-1-return" }
}

/// The one file that is listed.
fn only(outside: &Outside, pattern: &str) -> FoundFile {
    let listing = bailiwick::connection::list(outside, &looking(pattern)).expect("it can be listed");
    assert_eq!((listing.files.len(), listing.left.len()), (1, 0), "{listing:?}");
    listing.files.into_iter().next().expect("one")
}
