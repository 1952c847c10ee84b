//! A component that comes in piece by piece: on the disk until it is whole, and never beyond its limit.
//!
//! It must not know where the pieces come from.

use std::sync::LazyLock;

use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;

use super::{Push, Pushed};
use crate::ledger::By;
use crate::model::ids::PartnerName;
use crate::model::limits::{Limit, Limits};
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::sandbox::SandboxError;

/// Components that are whole in memory at one time, for the moment in which they are compiled; others wait on the disk.
static IN_MEMORY: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(1));

/// A component on its way. It is gone if it is dropped.
#[derive(Debug)]
pub struct Upload {
    file: tempfile::NamedTempFile,
    out: tokio::fs::File,
    bytes: u64,
}

impl Hub {
    /// Begins to take a component.
    ///
    /// # Errors
    /// [`RunError::Disk`] if the hub's folder cannot be written.
    pub fn begin_upload(&self) -> Result<Upload, RunError> {
        let file = tempfile::NamedTempFile::new_in(self.data().join("spill"))?;
        let out = tokio::fs::File::from_std(file.reopen()?);
        Ok(Upload { file, out, bytes: 0 })
    }

    /// Takes up a component that has come in whole, as [`Hub::push_release`] does.
    ///
    /// # Errors
    /// As for [`Hub::push_release`].
    pub async fn push_upload(
        &self,
        (partner, signature): (&PartnerName, Option<String>),
        upload: Upload,
        by: &By,
    ) -> Result<Pushed, RunError> {
        let _turn = IN_MEMORY.acquire().await.expect("it is never closed");
        let Upload { file, mut out, .. } = upload;
        out.flush().await?;
        let component = tokio::fs::read(file.path()).await?;
        self.push_release(&Push { partner, component: &component, signature }, by).await
    }
}

impl Upload {
    /// Takes the next piece.
    ///
    /// # Errors
    /// [`RunError::Sandbox`] if it is more than a component may have; [`RunError::Disk`].
    pub async fn take(&mut self, piece: &[u8]) -> Result<(), RunError> {
        let allowed = Limits::default().get(Limit::ComponentBytes);
        self.bytes += piece.len() as u64;
        if self.bytes > allowed {
            return Err(SandboxError::TooLarge { bytes: self.bytes, allowed }.into());
        }
        Ok(self.out.write_all(piece).await?)
    }

    /// Bytes so far.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}
