//! The outside world: files pulled from places, files delivered to places, and the store of artefacts in between.
//!
//! Everything here is synchronous and streams; a kind that needs async has the caller's runtime do it, so these functions are called
//! where waiting is allowed. A place's kind is matched once, here; each kind has its own file or room.
//! Nothing here knows formats, jobs, plugins, the database, who sealed a credential, or what time it is.

mod api;
mod artefacts;
mod check;
mod deliver;
mod error;
mod folder;
mod https;
mod listing;
mod mail;
pub mod oci;
mod outside;
mod s3;
mod sftp;
mod sql;
#[cfg(test)]
mod tests;

pub use api::{Api, Bounds, Post, PostError, TokenSlot, post};
pub use artefacts::{ArtefactFile, Artefacts, Handed, Incoming, StagedWriter, Stored};
pub use check::{Checked, Trial, advice, check};
pub use deliver::{Delivery, Notes, Receipt, check_file_name};
pub use error::{ConnectionError, Step};
pub use listing::{Fetched, FoundFile, LeftAlone, Listing, Looking, WhyLeft, check_pattern};
pub use mail::{Mail, send};
pub use outside::Outside;
pub use s3::{Moment, Shared as SharedArtefacts};

use crate::model::job::{ApiPlace, Place};
use outside::Credentials;

/// The files of a place whose names match a pattern, in the order of their names; and those that match and are left alone, with why.
///
/// # Errors
/// [`ConnectionError::Pattern`], [`ConnectionError::FolderUnusable`] and [`ConnectionError::Refused`], for the operator;
/// [`ConnectionError::Transfer`] and [`ConnectionError::Unreachable`] to try again.
pub fn list(outside: &Outside, looking: &Looking<'_>) -> Result<Listing, ConnectionError> {
    let credentials = Credentials(&outside.credentials);
    match &outside.place {
        Place::Folder { path, settle_ms } => {
            folder::list(path, looking.pattern, folder::Settled { now_ms: looking.now_ms, settle_ms: *settle_ms })
        }
        Place::Sftp(place) => on_runtime(sftp::list(place, credentials, looking.pattern)),
        Place::Https(place) => Ok(https::list(place, looking)),
        Place::Api(place) => Err(no_files(place)),
        Place::S3(place) => s3::list(place, outside.opened(), looking.pattern),
        Place::Sql(_) => Ok(sql::list(looking)),
        Place::Smtp(_) => Ok(Listing::default()),
    }
}

/// Copies a listed file into the store of artefacts. The file itself stays where it is, untouched. None if it turns out that there
/// is nothing new in it since its mark.
///
/// # Errors
/// [`ConnectionError::StillBeingWritten`] if the file changed since it was listed or while it was copied: list again later.
pub fn pull(outside: &Outside, file: &FoundFile, artefacts: &Artefacts) -> Result<Option<Fetched>, ConnectionError> {
    let credentials = Credentials(&outside.credentials);
    match &outside.place {
        Place::Folder { path, .. } => folder::pull(path, file, artefacts).map(Fetched::whole),
        Place::Sftp(place) => on_runtime(sftp::pull(place, credentials, file, artefacts)).map(Fetched::whole),
        Place::Https(place) => https::pull(place, credentials, file, artefacts),
        Place::Api(place) => Err(no_files(place)),
        Place::S3(place) => s3::pull(place, outside.opened(), file, artefacts).map(Fetched::whole),
        Place::Sql(place) => on_runtime(sql::pull(place, credentials, file, artefacts)),
        Place::Smtp(_) => Ok(None),
    }
}

/// Looks whether a delivery can be made, and makes nothing: true if the very bytes are there under its name already.
///
/// # Errors
/// [`ConnectionError::TargetTaken`] if another file has the name; otherwise as [`deliver`].
pub fn check_target(outside: &Outside, delivery: &Delivery<'_>) -> Result<bool, ConnectionError> {
    let credentials = Credentials(&outside.credentials);
    match &outside.place {
        Place::Folder { path, .. } => deliver::check_target(path, delivery),
        Place::Sftp(place) => on_runtime(sftp::check_target(place, credentials, delivery)),
        Place::Https(place) => https::check_target(place, credentials, delivery),
        Place::Api(place) => Err(no_files(place)),
        Place::S3(place) => s3::check_target(place, outside.opened(), delivery),
        Place::Sql(_) | Place::Smtp(_) => Err(takes_no_files(delivery)),
    }
}

/// Puts an artefact into a place, whole or not at all, and never over another file. The same delivery may be repeated
/// after a crash at any moment: the receiver sees one file.
///
/// # Errors
/// [`ConnectionError::TargetTaken`] if another file has the name; [`ConnectionError::FileName`] if it is no name for a file;
/// [`ConnectionError::Transfer`] and [`ConnectionError::Unreachable`] to try again; [`ConnectionError::Uncertain`] where a person must ask.
pub fn deliver(outside: &Outside, delivery: &Delivery<'_>, artefacts: &Artefacts) -> Result<Receipt, ConnectionError> {
    deliver_noting(outside, delivery, artefacts, Notes { earlier: None, begin: &|_| Ok(()) })
}

/// The same, with notes: one is made before anything is sent that a receiver could see, and after an attempt of whose end nothing is
/// known, its note says what to look for. What may have been taken away by its receiver already is not delivered again.
///
/// # Errors
/// As for [`deliver`].
pub fn deliver_noting(
    outside: &Outside,
    delivery: &Delivery<'_>,
    artefacts: &Artefacts,
    notes: Notes<'_>,
) -> Result<Receipt, ConnectionError> {
    // A file is seen once it is given its name, which is noted there. Anywhere else the first byte may be acted on.
    if !outside.place.gives_names() {
        (notes.begin)(None)?;
    }
    let credentials = Credentials(&outside.credentials);
    match &outside.place {
        Place::Folder { path, .. } => deliver::to_folder(path, delivery, artefacts, notes),
        Place::Sftp(place) => {
            let staged = match on_runtime(sftp::stage(place, credentials, (delivery, notes.earlier), artefacts))? {
                sftp::Staged::Before(receipt) => return Ok(receipt),
                sftp::Staged::Now(staged) => staged,
            };
            (notes.begin)(Some(&staged.name))?;
            on_runtime(sftp::publish(place, credentials, delivery, staged))
        }
        Place::Https(place) => https::deliver(place, credentials, delivery, artefacts),
        Place::Api(place) => Err(no_files(place)),
        Place::S3(place) => s3::deliver(place, outside.opened(), (delivery, notes), artefacts),
        Place::Sql(_) | Place::Smtp(_) => Err(takes_no_files(delivery)),
    }
}

/// An API is spoken by a connector, which the configuration is checked for.
fn no_files(place: &ApiPlace) -> ConnectionError {
    ConnectionError::NeedsConnector { place: place.url.clone() }
}

/// No configuration gets so far.
fn takes_no_files(delivery: &Delivery<'_>) -> ConnectionError {
    ConnectionError::FileName { name: delivery.name.to_owned(), message: "nothing is delivered to this kind of connection" }
}

/// Waits on the runtime of the caller, who is on a thread that may wait.
fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Handle::current().block_on(work)
}
