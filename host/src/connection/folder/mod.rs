//! Files in a folder: which are there to be taken, and how one is taken whole.
//!
//! Names are looked at one by one within the folder and links are not followed, so that nothing outside it is ever read.

use std::fs::{self, File, Metadata};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use crate::connection::artefacts::{Artefacts, Side, Stored};
use crate::connection::error::ConnectionError;
use crate::connection::listing::{FoundFile, LeftAlone, Listing, Seen, WhyLeft, is_unfinished, matcher};
use crate::model::outcome::misleads;

/// When a file counts as finished.
#[derive(Debug, Clone, Copy)]
pub(in crate::connection) struct Settled {
    pub(in crate::connection) now_ms: i64,
    /// How long it must have been left alone; with 0, its time is not looked at.
    pub(in crate::connection) settle_ms: u64,
}

impl Settled {
    fn has(self, modified_ms: i64) -> bool {
        let until = modified_ms.saturating_add(i64::try_from(self.settle_ms).unwrap_or(i64::MAX));
        self.settle_ms == 0 || until <= self.now_ms
    }
}

/// Lists a folder. Hidden files and files whose names say that they are unfinished are passed over in silence.
pub(in crate::connection) fn list(folder: &Path, pattern: &str, settled: Settled) -> Result<Listing, ConnectionError> {
    let matcher = matcher(pattern)?;
    let failed = |error| ConnectionError::at(folder, "read", error);
    let mut listing = Listing::default();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let lossy = name.to_string_lossy();
        if !matcher.is_match(&*lossy) || is_unfinished(&lossy) {
            continue;
        }
        let Some(text) = name.to_str() else {
            listing.left.push(LeftAlone::new(&lossy, WhyLeft::NameNotText));
            continue;
        };
        if text.contains(misleads) {
            listing.left.push(LeftAlone::new(text, WhyLeft::NameMisleads));
            continue;
        }
        // Of the name itself, not of what a link leads to. It may have been taken away since.
        let Ok(metadata) = entry.metadata() else { continue };
        match judged(&metadata, settled) {
            Ok(seen) => listing.files.push(FoundFile {
                name: text.to_owned(),
                size: seen.size,
                modified_ms: modified_ms(&metadata),
                seen,
                mark: None,
            }),
            Err(why) => listing.left.push(LeftAlone::new(text, why)),
        }
    }
    Ok(listing.sorted())
}

fn judged(metadata: &Metadata, settled: Settled) -> Result<Seen, WhyLeft> {
    if !metadata.is_file() {
        Err(WhyLeft::NotAPlainFile)
    } else if !settled.has(modified_ms(metadata)) {
        Err(WhyLeft::NotSettled)
    } else if metadata.len() == 0 {
        Err(WhyLeft::Empty)
    } else {
        Ok(Seen::of(metadata))
    }
}

fn modified_ms(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000).saturating_add(metadata.mtime_nsec() / 1_000_000)
}

impl Seen {
    fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino(), size: metadata.len(), modified: (metadata.mtime(), metadata.mtime_nsec()) }
    }
}

/// Copies a listed file. It is compared before and after, by its open handle and by its name: neither a writer that
/// goes on nor another file put in its place gets through.
pub(in crate::connection) fn pull(folder: &Path, file: &FoundFile, artefacts: &Artefacts) -> Result<Stored, ConnectionError> {
    let path = folder.join(&file.name);
    let changed = || ConnectionError::StillBeingWritten { name: file.name.clone() };
    let mut source = open_plain(&path, file)?;
    if seen(&source, &path)? != file.seen {
        return Err(changed());
    }
    let mut writer = artefacts.writer()?;
    let copied = writer.take_all(&mut source).map_err(|(side, error)| match side {
        Side::Source => ConnectionError::Transfer { path: path.clone(), action: "read", source: error },
        Side::Sink => ConnectionError::store(&artefacts.path(&crate::model::ids::Digest::new([0; 32])), error),
    })?;
    let named = fs::symlink_metadata(&path).map_err(|_| changed())?;
    if copied != file.size || seen(&source, &path)? != file.seen || Seen::of(&named) != file.seen {
        return Err(changed());
    }
    writer.commit()
}

/// Opens a file and no link; a pipe, without waiting for its other end.
fn open_plain(path: &Path, file: &FoundFile) -> Result<File, ConnectionError> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).expect("the flags of open fit its argument");
    let not_plain = || ConnectionError::NotAPlainFile { name: file.name.clone() };
    if file.name.contains('/') || file.name == ".." {
        return Err(not_plain());
    }
    let opened = fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| match error.kind() {
        // How a link shows itself when links are not followed.
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => not_plain(),
        std::io::ErrorKind::NotFound => ConnectionError::StillBeingWritten { name: file.name.clone() },
        _ => ConnectionError::Transfer { path: path.to_owned(), action: "read", source: error },
    })?;
    let metadata = opened.metadata().map_err(|error| ConnectionError::at(path, "read", error))?;
    if metadata.is_file() { Ok(opened) } else { Err(not_plain()) }
}

fn seen(file: &File, path: &Path) -> Result<Seen, ConnectionError> {
    file.metadata().map(|metadata| Seen::of(&metadata)).map_err(|error| ConnectionError::at(path, "read", error))
}
