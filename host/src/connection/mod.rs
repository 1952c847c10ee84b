//! The outside world: files pulled from places, files delivered to places, and the store of artefacts in between.
//!
//! Everything here is synchronous and streams. A place's kind is matched once, here; each kind has its own file.
//! Nothing here knows formats, jobs, plugins, the database or what time it is.

mod artefacts;
mod deliver;
mod error;
mod folder;
#[cfg(test)]
mod tests;

pub use artefacts::{Artefacts, StagedWriter, Stored};
pub use deliver::{Delivery, Receipt, check_file_name};
pub use error::ConnectionError;
pub use folder::{FoundFile, LeftAlone, Listing, WhyLeft, check_pattern};

use crate::model::job::Place;

/// The files of a place whose names match a pattern, in the order of their names; and those that match and are left alone, with why.
///
/// # Errors
/// [`ConnectionError::Pattern`] and [`ConnectionError::FolderUnusable`], for the operator; [`ConnectionError::Transfer`] to try again.
pub fn list(place: &Place, pattern: &str, now_ms: i64) -> Result<Listing, ConnectionError> {
    match place {
        Place::Folder { path, settle_ms } => folder::list(path, pattern, folder::Settled { now_ms, settle_ms: *settle_ms }),
    }
}

/// Copies a listed file into the store of artefacts. The file itself stays where it is, untouched.
///
/// # Errors
/// [`ConnectionError::StillBeingWritten`] if the file changed since it was listed or while it was copied: list again later.
pub fn pull(place: &Place, file: &FoundFile, artefacts: &Artefacts) -> Result<Stored, ConnectionError> {
    match place {
        Place::Folder { path, .. } => folder::pull(path, file, artefacts),
    }
}

/// Looks whether a delivery can be made, and makes nothing: true if the very bytes are there under its name already.
///
/// # Errors
/// [`ConnectionError::TargetTaken`] if another file has the name; otherwise as [`deliver`].
pub fn check_target(place: &Place, delivery: &Delivery<'_>) -> Result<bool, ConnectionError> {
    match place {
        Place::Folder { path, .. } => deliver::check_target(path, delivery),
    }
}

/// Puts an artefact into a place, whole or not at all, and never over another file. The same delivery may be repeated
/// after a crash at any moment: the receiver sees one file.
///
/// # Errors
/// [`ConnectionError::TargetTaken`] if another file has the name; [`ConnectionError::FileName`] if it is no name for a file;
/// [`ConnectionError::Transfer`] to try again.
pub fn deliver(place: &Place, delivery: &Delivery<'_>, artefacts: &Artefacts) -> Result<Receipt, ConnectionError> {
    match place {
        Place::Folder { path, .. } => deliver::to_folder(path, delivery, artefacts),
    }
}
