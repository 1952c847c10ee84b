//! A file fetched from a provider: the connector's pages, one after the other, into an artefact.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use tokio::runtime::Handle;

use super::line::{Keeper, Live};
use super::{Ended, SessionWith};
use crate::connection::{Artefacts, Stored};
use crate::ledger::{MarkOf, PulledFile};
use crate::model::job::{Connection, JobInput, Take};
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::run::process::Progress;
use crate::sandbox::{CallError, Setup, Worker};

/// What a fetch came to, blocking part: the artefact and where the next one goes on.
pub(super) type PulledThrough = (Stored, Option<String>);

impl Hub {
    /// Fetches the file of an input through its connector. None if there is nothing new.
    pub(in crate::run) async fn fetch_through(
        &self,
        with: SessionWith<'_>,
        (input, place): (&JobInput, &Connection),
        progress: &Arc<Progress>,
    ) -> Result<Option<PulledFile>, RunError> {
        let (job, run) = (&with.pinned.job, with.claim.lease.run);
        let of = MarkOf { partner: &job.partner, job: &job.name, connection: &input.connection, file: &input.file };
        let cursor = match input.take {
            Take::Next => self.ledger().mark(of, run).await?,
            // Whoever wants what is there now wants all of it.
            Take::Latest => None,
        };
        let line = Live::new(
            self.api(place).await?,
            self.keeper(with, "pull").await?,
            Vec::new(),
            (place.place.recognises_repeats(), Arc::clone(progress)),
        );
        let (setup, file) = (with.setup(Arc::new(line)), input.file.clone());
        let (artefacts, from) = (self.artefacts(&with.pinned.job.partner).await?, cursor.clone());
        let work = move |worker: &Worker| fetch(worker, &setup, (&file, from.as_deref()), &artefacts);
        let Ended { result, report } = self.shared.sandbox.on_run_thread(work).await?;
        if result.is_err() {
            progress.leave(&report);
        }
        let (stored, next) = result.map_err(|error| with.failed(error))?;
        if stored.size == 0 {
            return Ok(None);
        }
        if let Some(next) = next.filter(|_| input.take == Take::Next) {
            self.ledger().note_mark(of, run, &next).await?;
        }
        Ok(Some(PulledFile {
            port: input.port.clone(),
            connection: input.connection.clone(),
            path: input.file.clone(),
            size_bytes: stored.size,
            modified_ms: self.clock().now_ms(),
            digest: stored.digest,
            taken: !with.claim.run.enqueued.dry_run && input.take == Take::Next,
            marked: false,
            duplicate_of: None,
            session: Some(with.told(&report, cursor)),
        }))
    }

    pub(super) async fn keeper(&self, with: SessionWith<'_>, way: &str) -> Result<Keeper, RunError> {
        let partner = &with.pinned.job.partner;
        Ok(Keeper {
            ledger: self.ledger().clone(),
            artefacts: self.artefacts(partner).await?,
            keys: self.keys(partner).await?,
            clock: self.clock().clone(),
            runtime: Handle::current(),
            of: with.of(way),
            lease: with.claim.lease.number,
            seq: Mutex::new(0),
        })
    }
}

/// The connector's pages, to the last.
pub(super) fn fetch(
    worker: &Worker,
    setup: &Arc<Setup>,
    (file, cursor): (&str, Option<&str>),
    artefacts: &Artefacts,
) -> Ended<PulledThrough> {
    let mut fetching = match worker.open_fetching(setup, file, cursor) {
        Ok(fetching) => fetching,
        Err(failed) => return Ended::unopened(*failed),
    };
    let disk = |detail: String| CallError::HubFault { plugin: setup.release.manifest.name.clone(), detail };
    let result = (|| {
        let mut writer = artefacts.writer().map_err(|error| disk(error.to_string()))?;
        let mut next = None;
        loop {
            let page = fetching.next_page()?;
            writer.write_all(&page.content).map_err(|error| disk(error.to_string()))?;
            next = page.cursor.or(next);
            if page.done {
                return Ok((writer.commit().map_err(|error| disk(error.to_string()))?, next));
            }
        }
    })();
    Ended { result, report: fetching.close() }
}
