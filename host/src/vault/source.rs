//! Where the master key is: a file that its owner alone may read, or a command that prints it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use secrecy::zeroize::Zeroizing;

use super::error::VaultError;
use super::keys::{Keys, MasterKey};

/// How long a command may take: a person may have to touch a token.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(60);

/// Longest text of keys, in bytes.
const KEYS_BYTES_MAX: u64 = 64 << 10;

/// Where the master key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file.
    File {
        /// Which.
        path: PathBuf,
        /// Whether it is the hub's own, which it makes at first use; a file that somebody named is never made.
        own: bool,
    },
    /// What a shell command prints.
    Command(String),
}

impl KeySource {
    /// As the environment says: `BAILIWICK_MASTER_KEY_COMMAND`, else `BAILIWICK_MASTER_KEY_FILE`, else a file in the hub's folder.
    #[must_use]
    pub fn from_environment(folder: &Path) -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        if let Some(command) = set("BAILIWICK_MASTER_KEY_COMMAND") {
            return Self::Command(command.to_string_lossy().into_owned());
        }
        set("BAILIWICK_MASTER_KEY_FILE").map_or_else(
            || Self::File { path: folder.join("master.key"), own: true },
            |path| Self::File { path: PathBuf::from(path), own: false },
        )
    }

    pub(super) fn read(&self) -> Result<Keys, VaultError> {
        match self {
            Self::File { path, .. } => read_file(path)?.ok_or_else(|| VaultError::NoMasterKey { path: path.clone() }),
            Self::Command(command) => Keys::parse(&printed(command)?, self),
        }
    }

    /// The same, making the hub's own file if it is not there.
    pub(super) fn read_or_make(&self) -> Result<Keys, VaultError> {
        match self {
            Self::File { path, own: true } if !path.exists() => {
                let keys = Keys::of(MasterKey::drawn());
                write_file(path, &keys)?;
                Ok(keys)
            }
            _ => self.read(),
        }
    }

    /// Puts a new key before the present one.
    pub(super) fn begin(&self, keys: Keys) -> Result<Keys, VaultError> {
        let Self::File { path, .. } = self else { return Err(VaultError::NothingToRotate) };
        let keys = keys.with_new();
        write_file(path, &keys)?;
        Ok(keys)
    }

    /// Leaves the key in force alone, where the keys are ours to write.
    pub(super) fn finish(&self, keys: Keys) -> Result<(Keys, bool), VaultError> {
        let Self::File { path, .. } = self else { return Ok((keys, false)) };
        let keys = keys.without_earlier();
        write_file(path, &keys)?;
        Ok((keys, true))
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => path.display().fmt(f),
            Self::Command(_) => f.write_str("the command of BAILIWICK_MASTER_KEY_COMMAND"),
        }
    }
}

/// The keys of a file; none if there is no file.
fn read_file(path: &Path) -> Result<Option<Keys>, VaultError> {
    let failed = |error| VaultError::io(path, error);
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    if file.metadata().map_err(failed)?.mode() & 0o077 != 0 {
        return Err(VaultError::KeyExposed { path: path.to_owned() });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(KEYS_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Keys::parse(&text, &path.display()).map(Some)
}

/// Writes a file of keys, whole or not at all, for its owner alone.
fn write_file(path: &Path, keys: &Keys) -> Result<(), VaultError> {
    let failed = |error| VaultError::io(path, error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // Made with mode 0600.
    let mut staged = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    staged.write_all(keys.text().as_bytes()).and_then(|()| staged.as_file().sync_all()).map_err(failed)?;
    staged.persist(path).map_err(|error| failed(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// What a command prints. What it says besides goes to the hub's own standard error, for the person who may have to answer it.
fn printed(command: &str) -> Result<Zeroizing<String>, VaultError> {
    let failed = |why: String| VaultError::Command { why };
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(format!("cannot be started: {error}")))?;
    let output = child.stdout.take().expect("it is piped");
    let reader = std::thread::spawn(move || {
        let mut text = Zeroizing::new(String::new());
        output.take(KEYS_BYTES_MAX).read_to_string(&mut text).map(|_| text)
    });
    let until = Instant::now() + COMMAND_TIME_MAX;
    let status = loop {
        match child.try_wait().map_err(|error| failed(format!("cannot be waited for: {error}")))? {
            Some(status) => break status,
            None if Instant::now() >= until => {
                // It may have ended in this moment.
                drop(child.kill());
                drop(child.wait());
                return Err(failed(format!("did not answer within {} s", COMMAND_TIME_MAX.as_secs())));
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    if !status.success() {
        return Err(failed(format!("failed ({status})")));
    }
    let text = reader.join().expect("reading does not panic");
    text.map_err(|_| failed("printed something that is no text".to_owned()))
}
