//! Compiled components on disk. They are machine code that the hub will run, so each is sealed with a key that only the
//! hub's user can read, and nothing is mapped that the seal does not fit.
//!
//! `<digest>-<configuration>.aot` is the code, `.seal` beside it a note of what was found in the component and the keyed BLAKE3
//! hash over release, configuration, note and code. Both appear by rename, never change afterwards, and lie in a folder that only the hub's user can enter: between
//! check and map only that user could exchange them, who could as well exchange the hub.

use std::fs::{self, File, OpenOptions};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::child::Made;
use crate::model::ids::Digest;
use crate::sandbox::error::SandboxError;
use crate::sandbox::inspect::Inspection;

/// To be raised when the same engine configuration would no longer give code that this hub can use.
const REVISION: &str = concat!("bailiwick aot 3, hub ", env!("CARGO_PKG_VERSION"), ", wizer 48.0.8");

const KEY_BYTES: usize = 32;
const SEAL_BYTES: usize = 32;
const NOTE_BYTES_MAX: u64 = 8 << 10;

/// Bytes of code that are read at once: the nearest caches hold them.
const CHUNK_BYTES: usize = 64 << 10;

/// The folder.
pub(super) struct Cache {
    dir: PathBuf,
    key: [u8; KEY_BYTES],
    configuration: Digest,
}

/// What the seal vouches for besides the code. It spares a release from the cache the reading of its component: the digest
/// tells that the bytes are those in which this was found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Note {
    /// What the component imports: nothing but what a manifest can ask for.
    pub(super) imports: Vec<String>,
    /// What it exports of what the hub calls.
    pub(super) exports: Vec<String>,
    /// Why instances do not begin from a snapshot; none if they do.
    pub(super) not_initialised_because: Option<String>,
}

impl Note {
    /// What stands in a component that was found to be allowed.
    pub(super) fn of(found: &Inspection, not_initialised_because: Option<String>) -> Self {
        let exports = found.exports.iter().filter(|export| super::is_called(export)).cloned().collect();
        Self { imports: found.imports.clone(), exports, not_initialised_because }
    }
}

/// Code that this hub's compiler made. Only this file makes one.
#[derive(Debug)]
pub(in crate::sandbox) struct Compiled {
    path: PathBuf,
    /// Why instances do not begin from a snapshot; none if they do.
    pub(super) not_initialised_because: Option<String>,
}

impl Compiled {
    /// Maps the code for an engine.
    #[expect(unsafe_code, reason = "mapping compiled code is unsafe in the runtime's eyes: see SAFETY")]
    pub(in crate::sandbox) fn map(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: the file was written by this hub's own compiler. Either its seal, which needs the hub's private key, was
        // checked (`find`), or the compiler ended just now (`keep`, `untried`). It lies in a folder that only the hub's
        // user can enter, under a name that is never written to again. The runtime itself checks version and flags.
        unsafe { Component::deserialize_file(engine, &self.path) }
    }
}

impl Made {
    /// The code before it is kept, to be tried out.
    pub(super) fn untried(&self) -> Compiled {
        Compiled { path: self.code.path().to_owned(), not_initialised_because: self.not_initialised_because.clone() }
    }
}

impl Cache {
    /// Opens the folder, making it and its key if they are not there.
    pub(super) fn open(dir: PathBuf, engine: &Engine) -> Result<Self, SandboxError> {
        let failed = |path: &Path, error: &io::Error| SandboxError::Cache { path: path.to_owned(), detail: error.to_string() };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(|error| failed(&dir, &error))?;
        let found = fs::metadata(&dir).map_err(|error| failed(&dir, &error))?;
        if found.uid() != rustix::process::geteuid().as_raw() {
            return Err(SandboxError::Cache {
                path: dir,
                detail: "it belongs to another user; give the hub a folder of its own".to_owned(),
            });
        }
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700)).map_err(|error| failed(&dir, &error))?;
        let key_path = dir.join("key");
        let key = read_or_make_key(&key_path).map_err(|error| failed(&key_path, &error))?;
        Ok(Self { dir, key, configuration: configuration(engine) })
    }

    /// The folder, for files on their way into the cache.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The code of a release, if it is there and its seal fits. What does not fit is not used, and is replaced by what is compiled next.
    pub(super) fn find(&self, release: Digest) -> Option<(Compiled, Note)> {
        let (code, seal) = self.paths(release);
        let mut sealed = Vec::new();
        File::open(&seal).ok()?.take(SEAL_BYTES as u64 + NOTE_BYTES_MAX).read_to_end(&mut sealed).ok()?;
        let (tag, note) = sealed.split_first_chunk::<SEAL_BYTES>()?;
        let fitting = self.seal(release, note, File::open(&code).ok()?).ok()?;
        // The comparison takes the same time wherever they differ.
        if fitting != blake3::Hash::from_bytes(*tag) {
            tracing::warn!(path = %code.display(), "the seal of a compiled component does not fit: it is compiled anew");
            return None;
        }
        let note: Note = serde_json::from_slice(note).ok()?;
        Some((Compiled { path: code, not_initialised_because: note.not_initialised_because.clone() }, note))
    }

    /// Seals code and keeps it.
    pub(super) fn keep(&self, release: Digest, made: Made, found: &Inspection) -> Result<Compiled, SandboxError> {
        let (code, seal) = self.paths(release);
        let failed = |error: &io::Error| SandboxError::Cache { path: code.clone(), detail: error.to_string() };
        let note = Note::of(found, made.not_initialised_because.clone());
        let note = serde_json::to_vec(&note).map_err(|error| failed(&error.into()))?;
        if note.len() as u64 > NOTE_BYTES_MAX {
            return Err(failed(&io::Error::other(format!("what is noted of the release has more than {NOTE_BYTES_MAX} bytes"))));
        }
        let opened = File::open(made.code.path()).map_err(|error| failed(&error))?;
        let tag = self.seal(release, &note, opened).map_err(|error| failed(&error))?;
        made.code.persist(&code).map_err(|error| failed(&error.error))?;
        let mut sealing = tempfile::NamedTempFile::new_in(&self.dir).map_err(|error| failed(&error))?;
        sealing.write_all(tag.as_bytes()).and_then(|()| sealing.write_all(&note)).map_err(|error| failed(&error))?;
        sealing.persist(seal).map_err(|error| failed(&error.error))?;
        Ok(Compiled { path: code, not_initialised_because: made.not_initialised_because })
    }

    fn paths(&self, release: Digest) -> (PathBuf, PathBuf) {
        let stem = self.dir.join(format!("{release}-{}", self.configuration.short()));
        (stem.with_extension("aot"), stem.with_extension("seal"))
    }

    fn seal(&self, release: Digest, note: &[u8], mut code: File) -> io::Result<blake3::Hash> {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(release.bytes());
        hasher.update(self.configuration.bytes());
        hasher.update(&(note.len() as u64).to_le_bytes());
        hasher.update(note);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match code.read(&mut chunk)? {
                0 => return Ok(hasher.finalize()),
                read => hasher.update(&chunk[..read]),
            };
        }
    }
}

/// What compiled code depends on besides the component: runtime, flags, processor features, snapshotting, this hub.
fn configuration(engine: &Engine) -> Digest {
    struct Sha(Sha256);
    impl Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        fn finish(&self) -> u64 {
            unreachable!("the whole digest is taken")
        }
    }
    let mut sha = Sha(Sha256::new());
    sha.write(REVISION.as_bytes());
    engine.precompile_compatibility_hash().hash(&mut sha);
    Digest::new(sha.0.finalize().into())
}

fn read_or_make_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let read = |path: &Path| -> io::Result<[u8; KEY_BYTES]> {
        let bytes = fs::read(path)?;
        <[u8; KEY_BYTES]>::try_from(bytes).map_err(|_| io::Error::other("it is damaged; delete it, and the hub compiles its plugins anew"))
    };
    if path.exists() {
        return read(path);
    }
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    // Complete before it has its name, so that no other process reads half of it.
    let unnamed = path.with_extension(format!("{}", std::process::id()));
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unnamed)?.write_all(&key)?;
    let named = fs::hard_link(&unnamed, path);
    fs::remove_file(&unnamed)?;
    match named {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => read(path),
    }
}
