//! What the plugin makes, on its way to the outputs. In a long run it is encoded and staged on a thread of its own.
//!
//! What goes wrong there is told as if every batch had been written before the plugin was asked for the next: it is earlier than
//! whatever went wrong since.

use std::panic::resume_unwind;
use std::thread::{Builder, Scope, ScopedJoinHandle};

use super::belt::{Gone, Loader, Room, Unloader, belt};
use crate::connection::Stored;
use crate::model::rows::Batch;
use crate::model::totals::PortTotals;
use crate::run::process::ProcessError;
use crate::run::process::outlet::Outlets;
use crate::sandbox::thread_stack_bytes;

/// Batches that wait to be written, of all outputs together.
const BEHIND: Room = Room { things: 4, bytes: 8 << 20 };

/// The outputs of a run.
pub(super) struct Outflow<'scope> {
    /// On this thread; none while they are on their own.
    outlets: Option<Outlets>,
    behind: Option<Behind<'scope>>,
}

struct Behind<'scope> {
    belt: Loader<(usize, Batch)>,
    thread: ScopedJoinHandle<'scope, Result<Outlets, ProcessError>>,
}

impl<'scope> Outflow<'scope> {
    /// Written when rows are given.
    pub(super) const fn new(outlets: Outlets) -> Self {
        Self { outlets: Some(outlets), behind: None }
    }

    /// Goes on writing on a thread of its own.
    pub(super) fn behind<'env>(&mut self, scope: &'scope Scope<'scope, 'env>) -> Result<(), ProcessError> {
        if let Some(outlets) = self.outlets.take() {
            let (loader, unloader) = belt(BEHIND);
            let thread = Builder::new().name("run-writing".to_owned()).stack_size(thread_stack_bytes());
            let thread = thread.spawn_scoped(scope, move || write_on(outlets, &unloader)).map_err(ProcessError::Thread)?;
            self.behind = Some(Behind { belt: loader, thread });
        }
        Ok(())
    }

    /// Takes some rows for an output. What goes wrong with them may be told by a later call.
    pub(super) fn write(&mut self, output: usize, batch: Batch) -> Result<(), ProcessError> {
        if let Some(outlets) = &mut self.outlets {
            return outlets.write(output, &batch);
        }
        let behind = self.behind.as_ref().expect("they are on the one thread or on the other");
        let bytes = batch.bytes();
        behind.belt.put((output, batch), bytes).or_else(|Gone| self.rejoin())
    }

    /// Forgets what was given so far.
    pub(super) fn start_over(&mut self, outlets: Outlets) -> Result<(), ProcessError> {
        self.rejoin()?;
        self.outlets = Some(outlets);
        Ok(())
    }

    /// Ends every file and stores it, if the run came `through`.
    pub(super) fn finish(mut self, through: Result<(), ProcessError>) -> Result<(Vec<Option<Stored>>, Vec<PortTotals>), ProcessError> {
        self.rejoin()?;
        through?;
        self.outlets.take().expect("they are on this thread again").finish()
    }

    /// Waits until all is written that was given.
    fn rejoin(&mut self) -> Result<(), ProcessError> {
        if let Some(Behind { belt, thread }) = self.behind.take() {
            drop(belt);
            self.outlets = Some(thread.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(())
    }
}

fn write_on(mut outlets: Outlets, belt: &Unloader<(usize, Batch)>) -> Result<Outlets, ProcessError> {
    while let Some((output, batch)) = belt.take() {
        outlets.write(output, &batch)?;
    }
    Ok(outlets)
}
