//! Puts a file into a folder of a server, whole or not at all.
//!
//! ```text
//! write a hidden name ── flush ── its size ── rename, which does not overwrite ── receipt
//!        │                                         │
//!   cut off here: the leftover is             cut off here: a new connection looks; the file is there with its digest,
//!   removed by the next attempt               or the hidden one is; or neither, and nobody can tell
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

/// Delivers to a server.
pub(in crate::connection) async fn deliver(
    place: &SftpPlace,
    credentials: Credentials<'_>,
    delivery: &Delivery<'_>,
    artefacts: &Artefacts,
) -> Result<Receipt, ConnectionError> {
    check_file_name(delivery.name)?;
    let session = Session::open(place, credentials, &mut |_, _| {}).await?;
    let hidden = path(place, &format!("{}{:08x}.tmp", hidden_prefix(delivery.key), chance()));
    let staged = session.unless_lost(Step::Write, stage(place, &session, (&hidden, delivery), artefacts)).await?;
    let (files, size) = match staged {
        Staged::Before(receipt) => return Ok(receipt),
        Staged::Now(files, size) => (files, size),
    };
    let renaming = async { Ok(files.rename(hidden.as_str(), path(place, delivery.name)).await) };
    match session.unless_lost(Step::Rename, renaming).await {
        Ok(Ok(())) => Ok(Receipt { target: target(place, delivery), size, digest: delivery.digest, already_there: false, said: None }),
        // The name was taken in this moment, or the server does not say why.
        Ok(Err(SftpError::Status(status))) => {
            drop(files.remove_file(hidden.as_str()).await);
            match already_there(place, &files, delivery).await? {
                Some(receipt) => Ok(receipt),
                None => Err(answered(place, Step::Rename, delivery.name, SftpError::Status(status))),
            }
        }
        Ok(Err(_)) | Err(_) => after_a_lost_answer(place, credentials, (delivery, &hidden)).await,
    }
}

/// A delivery that needs its name only.
enum Staged {
    /// It has it: an earlier attempt gave it.
    Before(Receipt),
    /// So many bytes stand under a hidden name.
    Now(SftpSession, u64),
}

/// Writes the hidden file, unless the delivery is there already.
async fn stage(
    place: &SftpPlace,
    session: &Session,
    (hidden, delivery): (&str, &Delivery<'_>),
    artefacts: &Artefacts,
) -> Result<Staged, ConnectionError> {
    remove_leftovers(place, session, delivery.key).await;
    let files = session.files().await?;
    if let Some(receipt) = already_there(place, &files, delivery).await? {
        return Ok(Staged::Before(receipt));
    }
    match in_all(place, Step::Write, upload(place, &files, (hidden, delivery), artefacts)).await {
        Ok(size) => Ok(Staged::Now(files, size)),
        Err(error) => {
            // If this cannot be done, the next attempt does it.
            if !session.is_lost() {
                drop(files.remove_file(hidden).await);
            }
            Err(error)
        }
    }
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

/// What became of a rename whose answer was lost: a new connection looks.
async fn after_a_lost_answer(
    place: &SftpPlace,
    credentials: Credentials<'_>,
    (delivery, hidden): (&Delivery<'_>, &str),
) -> Result<Receipt, ConnectionError> {
    let session = Session::open(place, credentials, &mut |_, _| {}).await?;
    let files = session.files().await?;
    if let Some(receipt) = already_there(place, &files, delivery).await? {
        return Ok(Receipt { already_there: false, ..receipt });
    }
    match files.symlink_metadata(hidden).await {
        Ok(_) => Err(unreachable(place, Step::Rename, &"the connection was lost before the file had its name")),
        Err(SftpError::Status(status)) if status.status_code == StatusCode::NoSuchFile => Err(ConnectionError::Uncertain {
            target: target(place, delivery),
            why: "the connection was lost while the file was given its name, and it is there neither under that name nor under its hidden one"
                .to_owned(),
        }),
        Err(error) => Err(answered(place, Step::Rename, delivery.name, error)),
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
        let read = source.read(&mut buffer).map_err(|error| ConnectionError::store(&artefacts.path(&delivery.digest), error))?;
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
