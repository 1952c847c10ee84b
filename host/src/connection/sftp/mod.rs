//! A folder on a server that is reached by SFTP.
//!
//! The server's clock is not trusted: a file is finished when it is the same at two looks, some time apart. Links are not followed.
//! Every step has a time limit; every name that a server gives is looked at before it is used.

mod deliver;
mod session;

use std::io::Write as _;
use std::time::Duration;

use globset::GlobMatcher;
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::client::fs::Metadata;
use russh_sftp::client::{RawSftpSession, SftpSession};
use russh_sftp::protocol::StatusCode;
use tokio::io::AsyncReadExt as _;

use super::artefacts::{Artefacts, StagedWriter, Stored};
use super::check::counted;
use super::error::{ConnectionError, Step};
use super::listing::{FoundFile, LeftAlone, Listing, Seen, WhyLeft, is_unfinished, matcher};
use super::outside::Credentials;
use crate::model::job::SftpPlace;
use crate::model::outcome::misleads;
use session::{Session, in_all, in_time, name, unreachable};

pub(super) use deliver::{Staged, check_target, publish, stage};

/// Most files in a folder. More are no folder to take files from, and would fill memory.
const ENTRIES_MAX: usize = 100_000;

/// Where a mode says what a file is, and what it says.
const KIND_BITS: u32 = 0o170_000;
const PLAIN_FILE: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

/// Read at a time.
const READ_BYTES: usize = 256 << 10;

/// Lists the folder twice, and counts as finished what is the same both times.
pub(super) async fn list(place: &SftpPlace, credentials: Credentials<'_>, pattern: &str) -> Result<Listing, ConnectionError> {
    let matcher = matcher(pattern)?;
    let session = Session::open(place, credentials, &mut |_, _| {}).await?;
    let looks = async {
        let files = session.requests().await?;
        let first = look(place, &files, &matcher).await?;
        if place.settle_ms == 0 || first.files.is_empty() {
            return Ok(first);
        }
        tokio::time::sleep(Duration::from_millis(place.settle_ms)).await;
        Ok(settled(&first, look(place, &files, &matcher).await?))
    };
    let mut listing = session.unless_lost(Step::List, looks).await?;
    let too_large: Vec<FoundFile> = listing.files.extract_if(.., |file| file.size > place.file_bytes_max).collect();
    listing.left.extend(too_large.into_iter().map(|file| LeftAlone { name: file.name, why: WhyLeft::TooLarge }));
    Ok(listing.sorted())
}

/// Tries the server step by step; `done` hears of each that succeeded.
pub(super) async fn check(
    place: &SftpPlace,
    credentials: Credentials<'_>,
    writes: bool,
    done: &mut dyn FnMut(Step, String),
) -> Result<(), ConnectionError> {
    let session = Session::open(place, credentials, done).await?;
    let listing = look(place, &session.requests().await?, &matcher("*")?).await?;
    done(Step::List, counted(listing.files.len()));
    if writes {
        deliver::probe(place, &session.files().await?, done).await?;
    }
    Ok(())
}

/// The second of two looks, with what changed since the first left alone.
fn settled(first: &Listing, mut second: Listing) -> Listing {
    let changed: Vec<FoundFile> = second.files.extract_if(.., |file| !first.files.contains(file)).collect();
    second.left.extend(changed.into_iter().map(|file| LeftAlone { name: file.name, why: WhyLeft::NotSettled }));
    second
}

async fn look(place: &SftpPlace, files: &RawSftpSession, matcher: &GlobMatcher) -> Result<Listing, ConnectionError> {
    let mut listing = Listing::default();
    let each = |name: String, attributes: &Metadata| {
        if matcher.is_match(&name) && !is_unfinished(&name) {
            judge(name, attributes, &mut listing);
        }
    };
    in_all(place, Step::List, each_entry(place, files, each)).await?;
    Ok(listing.sorted())
}

/// Goes through what is in the folder, as far as a folder may go.
async fn each_entry(place: &SftpPlace, files: &RawSftpSession, mut each: impl FnMut(String, &Metadata)) -> Result<(), ConnectionError> {
    let failed = |error| answered(place, Step::List, &format!("the folder {}", place.folder), error);
    let handle = files.opendir(place.folder.as_str()).await.map_err(failed)?.handle;
    let mut entries = 0;
    loop {
        let part = match files.readdir(handle.as_str()).await {
            Ok(part) => part.files,
            Err(SftpError::Status(status)) if status.status_code == StatusCode::Eof => break,
            Err(error) => return Err(failed(error)),
        };
        entries += part.len();
        // A part without entries would be asked for again without end.
        if entries > ENTRIES_MAX || part.is_empty() {
            let why = format!("the folder {} has more than {ENTRIES_MAX} files, or its listing has no end", place.folder);
            return Err(ConnectionError::Refused { place: name(place), step: Step::List, why });
        }
        for entry in part {
            each(entry.filename, &entry.attrs);
        }
    }
    files.close(handle).await.map_err(failed)?;
    Ok(())
}

fn judge(file: String, attributes: &Metadata, listing: &mut Listing) {
    // A name that is not text comes with signs that stand for what could not be read; one with a folder in it is a trick.
    let why = if file.contains(char::REPLACEMENT_CHARACTER) {
        Some(WhyLeft::NameNotText)
    } else if file.contains(misleads) {
        Some(WhyLeft::NameMisleads)
    } else if !is_kind(attributes, PLAIN_FILE) || file.contains('/') {
        Some(WhyLeft::NotAPlainFile)
    } else if attributes.is_empty() {
        Some(WhyLeft::Empty)
    } else {
        None
    };
    match why {
        Some(why) => listing.left.push(LeftAlone::new(&file, why)),
        None => {
            let seen = seen(attributes);
            listing.files.push(FoundFile {
                name: file,
                size: seen.size,
                modified_ms: seen.modified.0.saturating_mul(1_000),
                seen,
                mark: None,
            });
        }
    }
}

/// Whether something is of a kind. A server that does not say what its files are has plain files only.
fn is_kind(attributes: &Metadata, kind: u32) -> bool {
    attributes.permissions.is_none_or(|mode| mode & KIND_BITS == kind)
}

fn seen(attributes: &Metadata) -> Seen {
    Seen { device: 0, inode: 0, size: attributes.len(), modified: (i64::from(attributes.mtime.unwrap_or(0)), 0) }
}

/// Copies a listed file, and compares it by its name before and after.
pub(super) async fn pull(
    place: &SftpPlace,
    credentials: Credentials<'_>,
    file: &FoundFile,
    artefacts: &Artefacts,
) -> Result<Stored, ConnectionError> {
    let session = Session::open(place, credentials, &mut |_, _| {}).await?;
    let mut writer = artefacts.writer()?;
    let copying = async {
        let files = session.files().await?;
        let path = path(place, &file.name);
        unchanged(place, &files, (&path, file)).await?;
        in_all(place, Step::Read, copy(place, &files, (&path, file), &mut writer)).await?;
        unchanged(place, &files, (&path, file)).await
    };
    session.unless_lost(Step::Read, copying).await?;
    writer.commit()
}

/// Sees that a file is what it was when it was listed.
async fn unchanged(place: &SftpPlace, files: &SftpSession, (path, file): (&str, &FoundFile)) -> Result<(), ConnectionError> {
    let attributes = match files.symlink_metadata(path).await {
        Err(SftpError::Status(status)) if status.status_code == StatusCode::NoSuchFile => {
            return Err(ConnectionError::StillBeingWritten { name: file.name.clone() });
        }
        found => found.map_err(|error| answered(place, Step::Read, &file.name, error))?,
    };
    if !is_kind(&attributes, PLAIN_FILE) {
        return Err(ConnectionError::NotAPlainFile { name: file.name.clone() });
    }
    if seen(&attributes) == file.seen { Ok(()) } else { Err(ConnectionError::StillBeingWritten { name: file.name.clone() }) }
}

async fn copy(
    place: &SftpPlace,
    files: &SftpSession,
    (path, file): (&str, &FoundFile),
    writer: &mut StagedWriter,
) -> Result<(), ConnectionError> {
    let mut source = files.open(path).await.map_err(|error| answered(place, Step::Read, &file.name, error))?;
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = in_time(place, Step::Read, source.read(&mut buffer)).await?;
        let read = read.map_err(|error| unreachable(place, Step::Read, &error))?;
        if read == 0 {
            break;
        }
        if writer.size() + read as u64 > file.size {
            return Err(ConnectionError::StillBeingWritten { name: file.name.clone() });
        }
        writer.write_all(&buffer[..read]).map_err(|error| ConnectionError::store(std::path::Path::new("staging"), error))?;
    }
    if writer.size() == file.size { Ok(()) } else { Err(ConnectionError::StillBeingWritten { name: file.name.clone() }) }
}

/// Where a file of the place is.
fn path(place: &SftpPlace, file: &str) -> String {
    format!("{}/{file}", place.folder.trim_end_matches('/'))
}

/// What a server's answer means: what it refuses is the operator's, anything else may pass.
fn answered(place: &SftpPlace, step: Step, what: &str, error: SftpError) -> ConnectionError {
    let (place_name, refused) = (name(place), |why: &str| format!("{what}: {why}"));
    match error {
        SftpError::Status(status) => match status.status_code {
            StatusCode::NoSuchFile => ConnectionError::Refused { place: place_name, step, why: refused("there is no such file or folder") },
            StatusCode::PermissionDenied => {
                ConnectionError::Refused { place: place_name, step, why: refused("the server does not permit it to this user") }
            }
            code => ConnectionError::Unreachable { place: place_name, step, why: refused(&code.to_string()) },
        },
        SftpError::Timeout => {
            let why = refused(&format!("no answer within {} s", place.silence_seconds_max));
            ConnectionError::Unreachable { place: place_name, step, why }
        }
        other => ConnectionError::Unreachable { place: place_name, step, why: refused(&other.to_string()) },
    }
}
