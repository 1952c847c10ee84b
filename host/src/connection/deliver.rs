//! Puts a file into a folder, whole or not at all.
//!
//! ```text
//! copy to a hidden name ── fsync ── note the hidden name ── rename, unless the name is taken ── fsync the folder ── receipt
//!        │                   │              │                      │                                │
//!   killed here: the leftover is      killed here: the       killed here: the file is there with the same digest, and
//!   removed by the next attempt       next attempt finds     the next attempt answers `already_there`; or its receiver
//!   of the same key                   and renames it         has taken it away, and nobody can tell
//! ```

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use sha2::Digest as _;
use tempfile::{NamedTempFile, TempPath};

use super::artefacts::{Artefacts, Side, Stored, copy, digest_of, sync_folder};
use super::error::ConnectionError;
use crate::model::ids::Digest;
use crate::model::outcome::misleads;

/// Longest file name that file systems hold, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// What is to be delivered.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The artefact.
    pub digest: Digest,
    /// The file's name, without a folder.
    pub name: &'a str,
    /// The same for every attempt of this delivery, and no other: such as the run and its output.
    pub key: &'a str,
}

/// What is noted of a delivery, so that the attempt after one of whose end nothing is known has something to go by.
#[derive(Clone, Copy)]
pub struct Notes<'a> {
    /// The hidden name that such an attempt noted.
    pub earlier: Option<&'a str>,
    /// Told, before a receiver could see anything, that it may from now on: with the hidden name of a file that is about to be given
    /// its own. If it fails, nothing is sent.
    pub begin: &'a dyn Fn(Option<&str>) -> Result<(), ConnectionError>,
}

/// That it was delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What was delivered, and where.
    pub target: String,
    /// How many bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Whether an earlier attempt, or somebody else, had put the same bytes there.
    pub already_there: bool,
    /// What the receiver said, where it says anything.
    pub said: Option<String>,
}

/// Checks a name for a delivered file.
///
/// # Errors
/// [`ConnectionError::FileName`] says what is wrong with it.
pub fn check_file_name(name: &str) -> Result<(), ConnectionError> {
    let lower = name.to_ascii_lowercase();
    let message = if name.trim().is_empty() {
        "it is empty"
    } else if name.len() > NAME_BYTES_MAX {
        "it is longer than 255 bytes"
    } else if name.contains(['/', '\\']) {
        "it must not have a folder in it"
    } else if name.starts_with('.') {
        "it must not begin with a full stop, for such files are hidden"
    } else if name.contains(misleads) {
        "it has a character that cannot be seen"
    } else if name.trim() != name {
        "it must not begin or end with a space"
    } else if [".part", ".tmp", ".filepart"].iter().any(|ending| lower.ends_with(ending)) {
        "its ending says that it is not finished, so its reader would pass it over"
    } else {
        return Ok(());
    };
    Err(ConnectionError::FileName { name: name.to_owned(), message })
}

/// Delivers to a folder.
pub(super) fn to_folder(
    folder: &Path,
    delivery: &Delivery<'_>,
    artefacts: &Artefacts,
    notes: Notes<'_>,
) -> Result<Receipt, ConnectionError> {
    check_file_name(delivery.name)?;
    let target = folder.join(delivery.name);
    if let Some(hidden) = notes.earlier
        && let Some(receipt) = go_on(folder, (&folder.join(hidden), &target), &delivery.digest, notes)?
    {
        return Ok(receipt);
    }
    remove_leftovers(folder, delivery.key)?;
    if let Some(receipt) = already_there(folder, &target, &delivery.digest)? {
        return Ok(receipt);
    }
    let (staged, size) = stage(folder, delivery, artefacts)?;
    (notes.begin)(staged.path().file_name().and_then(|name| name.to_str()))?;
    // From here on it is what the next attempt looks for.
    let (_, hidden) = staged.keep().map_err(|error| transfer(&target, error.error))?;
    publish(folder, (&hidden, &target), Stored { digest: delivery.digest, size })
}

/// Goes on where an attempt was when nothing more was heard of it. Whoever renames the hidden file has delivered it, so that two
/// attempts cannot both. None if there is nothing to go on with, and nothing was delivered.
fn go_on(folder: &Path, (hidden, target): (&Path, &Path), digest: &Digest, notes: Notes<'_>) -> Result<Option<Receipt>, ConnectionError> {
    if let Some(receipt) = already_there(folder, target, digest)? {
        // Where a name is given by a link, the hidden one may have stayed.
        drop(fs::remove_file(hidden));
        return Ok(Some(receipt));
    }
    let found = match open_plain(hidden) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return gone(folder, target, digest).map(Some),
        opened => opened.and_then(|mut file| digest_of(&mut file)).map_err(|error| ConnectionError::at(hidden, "read", error))?,
    };
    if found.digest == *digest {
        (notes.begin)(notes.earlier)?;
        return publish(folder, (hidden, target), found).map(Some);
    }
    match fs::remove_file(hidden) {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => gone(folder, target, digest).map(Some),
        Err(error) => Err(ConnectionError::at(hidden, "removed", error)),
    }
}

/// The hidden file is gone, so it was given its name.
fn gone(folder: &Path, target: &Path, digest: &Digest) -> Result<Receipt, ConnectionError> {
    already_there(folder, target, digest)?.ok_or_else(|| ConnectionError::Uncertain {
        target: target.display().to_string(),
        why: "an earlier attempt gave the file its name, or was about to, and it is there neither under that name nor under its hidden one"
            .to_owned(),
    })
}

/// Whether the very bytes are there under the delivery's name; an error if another file has it.
pub(super) fn check_target(folder: &Path, delivery: &Delivery<'_>) -> Result<bool, ConnectionError> {
    check_file_name(delivery.name)?;
    fs::read_dir(folder).map_err(|error| ConnectionError::at(folder, "read", error))?;
    already_there(folder, &folder.join(delivery.name), &delivery.digest).map(|receipt| receipt.is_some())
}

/// What the hidden names of one key begin with.
pub(super) fn hidden_prefix(key: &str) -> String {
    format!(".bailiwick-{}-", &Digest::of(key.as_bytes()).to_string()[..32])
}

/// Removes what attempts of the same key left. One that is still at work finds its hidden name gone and fails, harmlessly.
fn remove_leftovers(folder: &Path, key: &str) -> Result<(), ConnectionError> {
    let prefix = hidden_prefix(key);
    let failed = |error| ConnectionError::at(folder, "read", error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&prefix)) {
            match fs::remove_file(entry.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(ConnectionError::at(&entry.path(), "removed", error)),
                _ => {}
            }
        }
    }
    Ok(())
}

/// The receipt, if the very bytes are there; nothing, if the name is free.
fn already_there(folder: &Path, target: &Path, digest: &Digest) -> Result<Option<Receipt>, ConnectionError> {
    let taken = || ConnectionError::TargetTaken { target: target.display().to_string() };
    let failed = |error| ConnectionError::at(target, "read", error);
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if !metadata.is_file() => return Err(taken()),
        Ok(_) => {}
    }
    let mut file = match open_plain(target) {
        // Its receiver took it away in this moment.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let stored = digest_of(&mut file).map_err(failed)?;
    if stored.digest != *digest {
        return Err(taken());
    }
    // The attempt that put it there may have been killed before it was durable.
    file.sync_all().and_then(|()| sync_folder(folder)).map_err(|error| ConnectionError::at(target, "written", error))?;
    Ok(Some(Receipt { target: target.display().to_string(), size: stored.size, digest: stored.digest, already_there: true, said: None }))
}

fn open_plain(path: &Path) -> io::Result<File> {
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).expect("the flags of open fit its argument");
    fs::OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Copies the artefact to a hidden name, on disk.
fn stage(folder: &Path, delivery: &Delivery<'_>, artefacts: &Artefacts) -> Result<(NamedTempFile, u64), ConnectionError> {
    let failed = |error| ConnectionError::at(folder, "written", error);
    let mut source = artefacts.read(&delivery.digest)?;
    let staged = tempfile::Builder::new()
        .prefix(&hidden_prefix(delivery.key))
        .suffix(".tmp")
        // What the hub's umask leaves of it, as of any new file: the receiver is somebody else.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(failed)?;
    let mut hasher = sha2::Sha256::new();
    let size = copy(&mut source, &mut staged.as_file(), &mut hasher).map_err(|(side, error)| match side {
        Side::Source => artefacts.failed(&delivery.digest, error),
        Side::Sink => failed(error),
    })?;
    let found = Digest::new(hasher.finalize().into());
    if found != delivery.digest {
        return Err(ConnectionError::ArtefactDamaged { digest: delivery.digest, found });
    }
    staged.as_file().sync_all().map_err(failed)?;
    Ok((staged, size))
}

/// Gives the hidden file its name, unless the name is taken. Where it is not certain that it has none, it stays for the next attempt.
fn publish(folder: &Path, (hidden, target): (&Path, &Path), stored: Stored) -> Result<Receipt, ConnectionError> {
    let staged = TempPath::try_from_path(hidden).map_err(|error| transfer(target, error))?;
    if let Err(refused) = staged.persist_noclobber(target) {
        drop(refused.path.keep());
        return match refused.error.kind() {
            io::ErrorKind::AlreadyExists => match already_there(folder, target, &stored.digest) {
                Ok(None) => Err(transfer(target, refused.error)),
                Ok(Some(receipt)) => {
                    drop(fs::remove_file(hidden));
                    Ok(receipt)
                }
                Err(error) => {
                    if matches!(error, ConnectionError::TargetTaken { .. }) {
                        drop(fs::remove_file(hidden));
                    }
                    Err(error)
                }
            },
            io::ErrorKind::NotFound => gone(folder, target, &stored.digest),
            _ => Err(transfer(target, refused.error)),
        };
    }
    sync_folder(folder).map_err(|error| transfer(target, error))?;
    Ok(Receipt { target: target.display().to_string(), size: stored.size, digest: stored.digest, already_there: false, said: None })
}

fn transfer(target: &Path, source: io::Error) -> ConnectionError {
    ConnectionError::Transfer { path: target.to_owned(), action: "written", source }
}

#[cfg(test)]
pub(super) mod steps {
    //! The steps one by one, for tests that stop between them as a kill does.

    use std::path::PathBuf;

    use super::*;

    pub(in crate::connection) fn killed_while_staged(folder: &Path, delivery: &Delivery<'_>, artefacts: &Artefacts) -> PathBuf {
        let (staged, _) = stage(folder, delivery, artefacts).expect("it can be staged");
        staged.keep().expect("it can be kept").1
    }

    /// What a hub does that slept before the last step.
    pub(in crate::connection) fn woken_before_the_name(
        folder: &Path,
        hidden: &Path,
        delivery: &Delivery<'_>,
    ) -> Result<Receipt, ConnectionError> {
        publish(folder, (hidden, &folder.join(delivery.name)), Stored { digest: delivery.digest, size: 4 })
    }
}
