//! Puts a file into a folder of a server, whole or not at all.
//!
//! ```text
//! write a hidden name ── flush ── its size ── note the hidden name ── rename, which does not overwrite ── receipt
//!        │                                                               │
//!   cut off here: the leftover is                           cut off here: a new connection or the next attempt looks; the file
//!   removed by the next attempt                             is there with its digest, or the hidden one is; or neither, and
//!                                                           nobody can tell
//! ```

use std::io::Read as _;

use russh_sftp::client::SftpSession;
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::client::fs::{File, Metadata};
use russh_sftp::protocol::{OpenFlags, StatusCode};
use sha2::Digest as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::session::{Session, in_all, in_time, name, unreachable};
use super::{FOLDER, PLAIN_FILE, READ_BYTES, answered, each_entry, is_kind, path};
use crate::connection::artefacts::Artefacts;
use crate::connection::check::PROBE_PREFIX;
use crate::connection::deliver::{Delivery, Receipt, check_file_name, hidden_prefix};
use crate::connection::error::{ConnectionError, Step};
use crate::connection::outside::Credentials;
use crate::model::ids::Digest;
use crate::model::job::SftpPlace;

/// A delivery that needs its name only.
pub(in crate::connection) enum Staged {
    /// It has it: an earlier attempt gave it.
    Before(Receipt),
    /// It stands under a hidden name.
    Now(Box<Hidden>),
}

/// A file that nobody sees yet.
pub(in crate::connection) struct Hidden {
    /// Its name.
    pub(in crate::connection) name: String,
    size: u64,
    files: SftpSession,
    session: Session,
}

/// Writes the hidden file, unless the delivery is there already, or an attempt of whose end nothing is known left one.
pub(in crate::connection) async fn stage(
    place: &SftpPlace,
    credentials: Credentials<'_>,
    (delivery, earlier): (&Delivery<'_>, Option<&str>),
    artefacts: &Artefacts,
) -> Result<Staged, ConnectionError> {
    check_file_name(delivery.name)?;
    let session = Session::open(place, credentials, &mut |_, _| {}).await?;
    let staging = async {
        let files = session.files().await?;
        if let Some(name) = earlier {
            match left(place, &files, (delivery, name)).await? {
                Left::Named(receipt) => return Ok(Err(receipt)),
                Left::Hidden(size) => return Ok(Ok((name.to_owned(), size, files))),
                Left::Nothing => {}
            }
        }
        remove_leftovers(place, &session, delivery.key).await;
        if let Some(receipt) = already_there(place, &files, delivery).await? {
            return Ok(Err(receipt));
        }
        let name = format!("{}{:08x}.tmp", hidden_prefix(delivery.key), chance());
        let hidden = path(place, &name);
        match in_all(place, Step::Write, upload(place, &files, (&hidden, delivery), artefacts)).await {
            Ok(size) => Ok(Ok((name, size, files))),
            Err(error) => {
                // If this cannot be done, the next attempt does it.
                if !session.is_lost() {
                    drop(files.remove_file(hidden).await);
                }
                Err(error)
            }
        }
    };
    match session.unless_lost(Step::Write, staging).await? {
        Err(receipt) => Ok(Staged::Before(receipt)),
        Ok((name, size, files)) => Ok(Staged::Now(Box::new(Hidden { name, size, files, session }))),
    }
}

/// Gives the hidden file its name. Where it is not certain that it has none, it stays for the next attempt.
pub(in crate::connection) async fn publish(
    place: &SftpPlace,
    credentials: Credentials<'_>,
    delivery: &Delivery<'_>,
    hidden: Box<Hidden>,
) -> Result<Receipt, ConnectionError> {
    let Hidden { name, size, files, session } = *hidden;
    let at = path(place, &name);
    let renaming = async { Ok(files.rename(at.as_str(), path(place, delivery.name)).await) };
    match session.unless_lost(Step::Rename, renaming).await {
        Ok(Ok(())) => Ok(Receipt { target: target(place, delivery), size, digest: delivery.digest, already_there: false, said: None }),
        Ok(Err(SftpError::Status(status))) => {
            match already_there(place, &files, delivery).await {
                Ok(None) if status.status_code == StatusCode::NoSuchFile && !is_there(place, &files, &at).await? => {
                    Err(neither(place, delivery))
                }
                Ok(None) => Err(answered(place, Step::Rename, delivery.name, SftpError::Status(status))),
                // The name was taken in this moment.
                Ok(Some(receipt)) => {
                    drop(files.remove_file(at).await);
                    Ok(receipt)
                }
                Err(error) => {
                    if matches!(error, ConnectionError::TargetTaken { .. }) {
                        drop(files.remove_file(at).await);
                    }
                    Err(error)
                }
            }
        }
        Ok(Err(_)) | Err(_) => after_a_lost_answer(place, credentials, (delivery, &at)).await,
    }
}

/// What an attempt of whose end nothing is known left.
enum Left {
    /// The file under its name.
    Named(Receipt),
    /// So many bytes, the whole of it, under the hidden one.
    Hidden(u64),
    /// Nothing of use, and nothing was delivered.
    Nothing,
}

async fn left(place: &SftpPlace, files: &SftpSession, (delivery, name): (&Delivery<'_>, &str)) -> Result<Left, ConnectionError> {
    let at = path(place, name);
    if let Some(receipt) = already_there(place, files, delivery).await? {
        drop(files.remove_file(at).await);
        return Ok(Left::Named(receipt));
    }
    // Whoever takes the hidden file away decides: once it is gone, no other attempt can give it its name.
    let gone = match files.open(at.as_str()).await {
        Err(SftpError::Status(status)) if status.status_code == StatusCode::NoSuchFile => true,
        opened => {
            if let Ok(mut file) = opened {
                let (digest, size) = in_all(place, Step::Read, digest_of(place, &mut file)).await?;
                if digest == delivery.digest {
                    return Ok(Left::Hidden(size));
                }
            }
            match files.remove_file(at.as_str()).await {
                Ok(()) => false,
                Err(SftpError::Status(status)) if status.status_code == StatusCode::NoSuchFile => true,
                Err(error) => return Err(answered(place, Step::Remove, name, error)),
            }
        }
    };
    if !gone {
        return Ok(Left::Nothing);
    }
    already_there(place, files, delivery).await?.map(Left::Named).ok_or_else(|| neither(place, delivery))
}

/// Whether the very bytes are there under the delivery's name; an error if another file has it.
pub(in crate::connection) async fn check_target(
    place: &SftpPlace,
    credentials: Credentials<'_>,
    delivery: &Delivery<'_>,
) -> Result<bool, ConnectionError> {
    check_file_name(delivery.name)?;
    let session = Session::open(place, credentials, &mut |_, _| {}).await?;
    let files = session.files().await?;
    let folder = files.metadata(place.folder.as_str()).await;
    let folder = folder.map_err(|error| answered(place, Step::List, &format!("the folder {}", place.folder), error))?;
    if !is_kind(&folder, FOLDER) {
        let why = format!("{} is no folder", place.folder);
        return Err(ConnectionError::Refused { place: name(place), step: Step::List, why });
    }
    already_there(place, &files, delivery).await.map(|receipt| receipt.is_some())
}

/// Writes a small hidden file, renames it as a delivery is renamed, and removes it.
pub(super) async fn probe(place: &SftpPlace, files: &SftpSession, done: &mut dyn FnMut(Step, String)) -> Result<(), ConnectionError> {
    let number = chance();
    let [first, second] = ["a", "b"].map(|part| path(place, &format!("{PROBE_PREFIX}{number:08x}-{part}.tmp")));
    let flags = OpenFlags::CREATE | OpenFlags::EXCLUDE | OpenFlags::WRITE;
    let failed = |step| move |error| answered(place, step, &format!("a file in {}", place.folder), error);
    let mut file = files.open_with_flags(first.as_str(), flags).await.map_err(failed(Step::Write))?;
    let written = in_time(place, Step::Write, async {
        file.write_all(b"bailiwick connection check\n").await?;
        file.close().await
    });
    let written = written.await.and_then(|written| written.map_err(|error| unreachable(place, Step::Write, &error)));
    let renamed = match written {
        Ok(()) => {
            done(Step::Write, String::new());
            files.rename(first.as_str(), second.as_str()).await.map_err(failed(Step::Rename))
        }
        Err(error) => Err(error),
    };
    let last = if renamed.is_ok() { &second } else { &first };
    let removed = files.remove_file(last.as_str()).await.map_err(failed(Step::Remove));
    renamed?;
    done(Step::Rename, String::new());
    removed?;
    done(Step::Remove, String::new());
    Ok(())
}

/// What became of a rename whose answer was lost: a new connection looks. What keeps it from looking says nothing of the delivery.
async fn after_a_lost_answer(
    place: &SftpPlace,
    credentials: Credentials<'_>,
    (delivery, at): (&Delivery<'_>, &str),
) -> Result<Receipt, ConnectionError> {
    let looking = async {
        let session = Session::open(place, credentials, &mut |_, _| {}).await?;
        let files = session.files().await?;
        // First the hidden name: what has it now may be given its own in the next moment, and not the other way about.
        let hidden = is_there(place, &files, at).await?;
        Ok((hidden, already_there(place, &files, delivery).await))
    };
    let blind = |error: ConnectionError| {
        unreachable(place, Step::Rename, &format!("the connection was lost while the file was given its name, and then: {error}"))
    };
    match looking.await.map_err(blind)? {
        (_, Ok(Some(receipt))) => Ok(Receipt { already_there: false, ..receipt }),
        (true, Ok(None)) => Err(unreachable(place, Step::Rename, &"the connection was lost before the file had its name")),
        (true, Err(error @ ConnectionError::TargetTaken { .. })) => Err(error),
        (false, Ok(None) | Err(ConnectionError::TargetTaken { .. })) => Err(neither(place, delivery)),
        (_, Err(error @ ConnectionError::Uncertain { .. })) => Err(error),
        (_, Err(error)) => Err(blind(error)),
    }
}

async fn is_there(place: &SftpPlace, files: &SftpSession, at: &str) -> Result<bool, ConnectionError> {
    match files.symlink_metadata(at).await {
        Ok(_) => Ok(true),
        Err(SftpError::Status(status)) if status.status_code == StatusCode::NoSuchFile => Ok(false),
        Err(error) => Err(answered(place, Step::Rename, at, error)),
    }
}

fn neither(place: &SftpPlace, delivery: &Delivery<'_>) -> ConnectionError {
    ConnectionError::Uncertain {
        target: target(place, delivery),
        why: "an attempt was cut off while the file was given its name, and it is there neither under that name nor under its hidden one"
            .to_owned(),
    }
}

fn target(place: &SftpPlace, delivery: &Delivery<'_>) -> String {
    format!("{}/{}", name(place), path(place, delivery.name).trim_start_matches('/'))
}

/// Eight digits by chance, so that two attempts never write into one file.
fn chance() -> u32 {
    getrandom::u32().expect("the system gives random numbers")
}

/// Removes what attempts of the same key left, where the server shows its folder. What cannot be removed disturbs nobody.
async fn remove_leftovers(place: &SftpPlace, session: &Session, key: &str) {
    let Ok(files) = session.requests().await else { return };
    let (prefix, mut leftovers) = (hidden_prefix(key), Vec::new());
    let each = |name: String, _: &Metadata| {
        if name.starts_with(&prefix) && !name.contains('/') {
            leftovers.push(name);
        }
    };
    // Of a folder that is too large, or whose listing does not end, what was seen until then.
    drop(in_all(place, Step::List, each_entry(place, &files, each)).await);
    for name in leftovers {
        drop(files.remove(path(place, &name)).await);
    }
}

/// The receipt, if the very bytes are there; nothing, if the name is free.
async fn already_there(place: &SftpPlace, files: &SftpSession, delivery: &Delivery<'_>) -> Result<Option<Receipt>, ConnectionError> {
    let at = path(place, delivery.name);
    let attributes = match files.symlink_metadata(at.as_str()).await {
        Err(SftpError::Status(status)) if status.status_code == StatusCode::NoSuchFile => return Ok(None),
        found => found.map_err(|error| answered(place, Step::Write, delivery.name, error))?,
    };
    let taken = || ConnectionError::TargetTaken { target: target(place, delivery) };
    if !is_kind(&attributes, PLAIN_FILE) {
        return Err(taken());
    }
    let mut file = match files.open(at.as_str()).await {
        // Its receiver took it away in this moment.
        Err(SftpError::Status(status)) if status.status_code == StatusCode::NoSuchFile => return Ok(None),
        Err(SftpError::Status(status)) if status.status_code == StatusCode::PermissionDenied => {
            let why = "a file of that name is there, and this user may not read whether it is the same".to_owned();
            return Err(ConnectionError::Uncertain { target: target(place, delivery), why });
        }
        opened => opened.map_err(|error| answered(place, Step::Read, delivery.name, error))?,
    };
    let (digest, size) = in_all(place, Step::Read, digest_of(place, &mut file)).await?;
    if digest != delivery.digest {
        return Err(taken());
    }
    Ok(Some(Receipt { target: target(place, delivery), size, digest, already_there: true, said: None }))
}

async fn digest_of(place: &SftpPlace, file: &mut File) -> Result<(Digest, u64), ConnectionError> {
    let (mut hasher, mut size, mut buffer) = (sha2::Sha256::new(), 0, vec![0; READ_BYTES]);
    loop {
        let read = in_time(place, Step::Read, file.read(&mut buffer)).await?;
        match read.map_err(|error| unreachable(place, Step::Read, &error))? {
            0 => return Ok((Digest::new(hasher.finalize().into()), size)),
            read => {
                hasher.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
}

/// Writes the artefact under its hidden name, and sees that all of it arrived.
async fn upload(
    place: &SftpPlace,
    files: &SftpSession,
    (hidden, delivery): (&str, &Delivery<'_>),
    artefacts: &Artefacts,
) -> Result<u64, ConnectionError> {
    let failed = |error| answered(place, Step::Write, delivery.name, error);
    let broken = |error: std::io::Error| unreachable(place, Step::Write, &error);
    let mut source = artefacts.read(&delivery.digest)?;
    let mut sink = files.open_with_flags(hidden, OpenFlags::CREATE | OpenFlags::EXCLUDE | OpenFlags::WRITE).await.map_err(failed)?;
    let (mut hasher, mut size, mut buffer) = (sha2::Sha256::new(), 0, vec![0; READ_BYTES]);
    loop {
        let read = source.read(&mut buffer).map_err(|error| artefacts.failed(&delivery.digest, error))?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        size += read as u64;
        in_time(place, Step::Write, sink.write_all(&buffer[..read])).await?.map_err(broken)?;
    }
    let found = Digest::new(hasher.finalize().into());
    if found != delivery.digest {
        return Err(ConnectionError::ArtefactDamaged { digest: delivery.digest, found });
    }
    in_time(place, Step::Write, sink.flush()).await?.map_err(broken)?;
    sink.sync_all().await.map_err(failed)?;
    let arrived = sink.metadata().await.map_err(failed)?.len();
    in_time(place, Step::Write, sink.close()).await?.map_err(broken)?;
    if arrived == size { Ok(size) } else { Err(unreachable(place, Step::Write, &format!("{arrived} of {size} bytes arrived"))) }
}
