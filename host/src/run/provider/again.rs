//! A replay's sessions: what a connector fetched then must come of what was answered then, and nobody is called.

use std::sync::Arc;

use super::fetch::fetch;
use super::line::Recorded;
use super::{Ended, SessionWith};
use crate::ledger::{Claim, Exchange, PulledFile, SessionOf};
use crate::model::ids::RunId;
use crate::run::Hub;
use crate::run::conduct::Pinned;
use crate::run::failure::RunError;
use crate::sandbox::Worker;

impl Hub {
    /// Where a replay's connectors come to something else than they did in its origin, if they do.
    pub(in crate::run) async fn fetched_otherwise(
        &self,
        (claim, pinned): (&Claim, &Pinned),
        origin: RunId,
    ) -> Result<Option<String>, RunError> {
        for file in self.stored_inputs(&claim.run, origin).await?.inputs {
            let connector = pinned.job.inputs.iter().find(|input| input.port == file.port).and_then(|input| input.connector.as_ref());
            if let Some(connector) = connector {
                let with = SessionWith { claim, pinned, connector, port: &file.port };
                if let Some(difference) = self.fetch_again(with, origin, &file).await? {
                    return Ok(Some(format!("input {}, by the connector {}: {difference}", file.port, connector.plugin)));
                }
            }
        }
        Ok(None)
    }

    async fn fetch_again(&self, with: SessionWith<'_>, origin: RunId, file: &PulledFile) -> Result<Option<String>, RunError> {
        let Some(session) = &file.session else { return Ok(None) };
        let of = SessionOf { run: origin, ..with.of("pull") };
        let exchanges: Vec<Exchange> = self.exchanges_of(&of).await?.into_iter().filter(|one| one.lease == session.lease).collect();
        let artefacts = self.artefacts(&of.partner).await?;
        if let Some(gone) = exchanges.iter().filter_map(|exchange| exchange.body).find(|body| !artefacts.holds(body)) {
            return Ok(Some(format!("what was answered then is not in the store any more (artefact {})", gone.short())));
        }
        let line = Arc::new(Recorded::new(artefacts.clone(), exchanges));
        let setup = with.setup(Arc::clone(&line) as Arc<_>);
        let (name, cursor) = (file.path.clone(), session.cursor.clone());
        let work = move |worker: &Worker| fetch(worker, &setup, (&name, cursor.as_deref()), &artefacts);
        let Ended { result, .. } = self.shared.sandbox.on_run_thread(work).await?;
        Ok(match (line.differs(), result) {
            (Some(difference), _) => Some(difference),
            (None, Err(error)) => Some(error.to_string()),
            (None, Ok((stored, _))) if stored.digest != file.digest => {
                Some(format!("it fetched {} bytes, and {} other ones then", stored.size, file.size_bytes))
            }
            (None, Ok(_)) => None,
        })
    }
}
