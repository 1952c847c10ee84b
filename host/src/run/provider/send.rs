//! A file sent to a provider: an artefact through its connector, with the key that every attempt has.

use std::io::Read as _;
use std::sync::Arc;

use super::line::Live;
use super::{Ended, SessionWith};
use crate::connection::{Artefacts, ConnectionError};
use crate::ledger::{BegunDelivery, Delivered, StagedOutput};
use crate::model::ids::Digest;
use crate::model::job::Connection;
use crate::model::outcome::Sent;
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::run::process::Progress;
use crate::sandbox::{CallError, Setup, Worker};

/// Bytes that a connector is given at once, as the contract says.
const SEND_BYTES: usize = 64 << 10;

impl Hub {
    /// Sends an output through its connector. What an earlier attempt had a yes to is not sent again.
    pub(in crate::run) async fn send_through(
        &self,
        with: SessionWith<'_>,
        (output, place): (&StagedOutput, &Connection),
        (key, progress): (&str, &Arc<Progress>),
    ) -> Result<Delivered, RunError> {
        let claim = with.claim;
        let failed = |error| RunError::Connection { connection: output.connection.clone(), error };
        let uncertain = |why: String| failed(ConnectionError::Uncertain { target: output.target.clone(), why });
        let careful = !place.place.recognises_repeats();
        let earlier = self.ledger().begun_delivery(&claim.lease, &output.port).await?;
        if careful && earlier.is_some() {
            return Err(uncertain("an earlier attempt began to send it, and its end is not known".to_owned()));
        }
        let size = self.verified(with, output.artefact).await?;
        let before = self.exchanges_of(&with.of("push")).await?;
        let line = Arc::new(Live::new(self.api(place).await?, self.keeper(with, "push").await?, before, (!careful, Arc::clone(progress))));
        let begins = BegunDelivery { port: output.port.clone(), digest: Some(output.artefact), hidden: None };
        self.ledger().begin_delivery(&claim.lease, self.clock().now_ms(), &begins).await?;
        let setup = with.setup(Arc::clone(&line) as Arc<_>);
        let (staged, artefacts, key) = (output.clone(), self.artefacts(&with.pinned.job.partner).await?, key.to_owned());
        let work = move |worker: &Worker| send(worker, &setup, (&staged.target, &key), (staged.artefact, &artefacts));
        let Ended { result, report } = self.shared.sandbox.on_run_thread(work).await?;
        let said = match result {
            Ok(Sent::Uncertain(why)) => return Err(uncertain(why)),
            Ok(said) => said,
            Err(error) if careful && line.doubtful() => {
                return Err(uncertain(format!("{error}; and this provider does not promise to recognise a repeat")));
            }
            Err(error) => {
                // Nothing that was sent had an effect, as far as all answers say.
                if earlier.is_none() && !line.acted() {
                    self.ledger().forget_delivery(&claim.lease, &output.port).await?;
                }
                progress.leave(&report);
                return Err(with.failed(error));
            }
        };
        let (said, already_there) = match said {
            Sent::HadBefore(said) => (said, true),
            Sent::Taken(said) | Sent::Uncertain(said) => (said, false),
        };
        let answered = if said.is_empty() { String::new() } else { format!(", answered {said}") };
        Ok(Delivered {
            port: output.port.clone(),
            connection: output.connection.clone(),
            target: output.target.clone(),
            digest: output.artefact,
            size_bytes: size,
            receipt: format!("{} with SHA-256 {}{answered}", output.target, output.artefact),
            already_there,
            session: Some(with.told(&report, None)),
        })
    }

    /// The size of an artefact that is what it was.
    async fn verified(&self, with: SessionWith<'_>, digest: Digest) -> Result<u64, RunError> {
        let artefacts = self.artefacts(&with.pinned.job.partner).await?;
        let verified = tokio::task::spawn_blocking(move || artefacts.verify(&digest)).await.expect("reading does not panic");
        Ok(verified?.size)
    }
}

fn send(worker: &Worker, setup: &Arc<Setup>, (file, key): (&str, &str), (digest, artefacts): (Digest, &Artefacts)) -> Ended<Sent> {
    let mut sending = match worker.open_sending(setup, file, key) {
        Ok(sending) => sending,
        Err(failed) => return Ended::unopened(*failed),
    };
    let disk = |detail: String| CallError::HubFault { plugin: setup.release.manifest.name.clone(), detail };
    let result = (|| {
        let mut content = artefacts.read(&digest).map_err(|error| disk(error.to_string()))?;
        let mut buffer = vec![0; SEND_BYTES];
        loop {
            match content.read(&mut buffer).map_err(|error| disk(error.to_string()))? {
                0 => return sending.finish(),
                read => sending.write(&buffer[..read])?,
            }
        }
    })();
    Ended { result, report: sending.close() }
}
