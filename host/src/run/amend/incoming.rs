//! A file that somebody sends piece by piece: on the disk as it comes, sealed under their partner's key, and never beyond its limit.
//!
//! It must not know where the pieces come from.

use std::io::Write as _;

use crate::connection::{Handed, Incoming};
use crate::model::ids::PartnerName;
use crate::model::limits::CORRECTED_BYTES_MAX;
use crate::run::Hub;
use crate::run::failure::RunError;

/// Pieces are put to the disk when so much of them is held.
const HELD_BYTES: usize = 256 << 10;

/// A file on its way. It is gone if it is dropped.
#[derive(Debug)]
pub struct FileIn {
    /// None only while it is being written to, and after that has failed.
    incoming: Option<Incoming>,
    held: Vec<u8>,
    bytes: u64,
}

impl Hub {
    /// Begins to take a file of a partner's that is at most as large as one of corrected rows may be.
    ///
    /// # Errors
    /// [`RunError::Store`] if the hub's folder cannot be written; [`RunError::Vault`] if the partner's key cannot be opened.
    pub async fn begin_file(&self, partner: &PartnerName) -> Result<FileIn, RunError> {
        let artefacts = self.artefacts(partner).await?;
        let incoming = tokio::task::spawn_blocking(move || artefacts.incoming()).await.expect("making a file does not panic")?;
        Ok(FileIn { incoming: Some(incoming), held: Vec::new(), bytes: 0 })
    }
}

impl FileIn {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`RunError::FileTooLarge`]; [`RunError::Disk`].
    pub async fn take(&mut self, piece: &[u8]) -> Result<(), RunError> {
        self.bytes += piece.len() as u64;
        if self.bytes > CORRECTED_BYTES_MAX {
            return Err(RunError::FileTooLarge { bytes_max: CORRECTED_BYTES_MAX });
        }
        // A piece is as long as whoever sends it makes it.
        for part in piece.chunks(HELD_BYTES) {
            self.held.extend_from_slice(part);
            if self.held.len() >= HELD_BYTES {
                self.put().await?;
            }
        }
        Ok(())
    }

    /// Ends it.
    ///
    /// # Errors
    /// [`RunError::Disk`] and [`RunError::Store`].
    pub async fn whole(mut self) -> Result<Handed, RunError> {
        self.put().await?;
        let incoming = self.incoming.expect("it is put back by what was well");
        Ok(tokio::task::spawn_blocking(move || incoming.whole()).await.expect("ending a file does not panic")?)
    }

    async fn put(&mut self) -> Result<(), RunError> {
        let failed = || std::io::Error::other("the file could not be written before");
        let (mut incoming, held) = (self.incoming.take().ok_or_else(failed)?, std::mem::take(&mut self.held));
        let write = move || incoming.write_all(&held).map(|()| (incoming, held));
        let (incoming, mut held) = tokio::task::spawn_blocking(write).await.expect("writing does not panic")?;
        held.clear();
        (self.incoming, self.held) = (Some(incoming), held);
        Ok(())
    }
}
