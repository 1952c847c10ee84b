//! What was staged is sent: every name looked at before anything is, each output once.

use std::cell::Cell;
use std::sync::Arc;

use super::Pinned;
use crate::connection::{self, ConnectionError, Delivery, Notes, Outside};
use crate::ledger::{BegunDelivery, Claim, Delivered, Receipt, Scope, StagedOutput};
use crate::model::ids::{ConnectionName, Digest, RunId};
use crate::model::job::{FilePlugin, Job};
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::run::process::Progress;
use crate::run::provider::SessionWith;
use crate::run::pull::Places;

impl Hub {
    /// Sees that every name is free before anything is sent, so that a run is not delivered in part.
    pub(super) async fn check_targets(&self, (claim, pinned): (&Claim, &Pinned), outputs: &[&StagedOutput]) -> Result<(), RunError> {
        for (place, output) in outputs.iter().enumerate() {
            if outputs[..place].iter().any(|other| (&other.connection, &other.target) == (&output.connection, &output.target)) {
                return Err(RunError::SameTarget { connection: output.connection.clone(), target: output.target.clone() });
            }
            let (connection, staged, key) =
                (output.connection.clone(), (*output).clone(), delivery_key(claim.lease.run, &output.port, output.artefact));
            let to = self.outside(Places { connections: &pinned.connections }.get(&connection)?).await?;
            if connector_of(&pinned.job, output).is_some() {
                // What a provider has under a name, nobody can look at.
                continue;
            }
            let check = move || connection::check_target(&to, &Delivery { digest: staged.artefact, name: &staged.target, key: &key });
            let checked = tokio::task::spawn_blocking(check).await.expect("looking does not panic");
            if checked.map_err(|error| RunError::Connection { connection, error })? {
                self.refuse_anothers(claim, output).await?;
            }
        }
        Ok(())
    }

    /// Refuses to take another run's file for this one's, though the bytes are the same: the receiver would see one where two were sent.
    async fn refuse_anothers(&self, claim: &Claim, output: &StagedOutput) -> Result<(), RunError> {
        let sent = self.ledger().receipts_of_content(Scope::Partner(claim.run.partner()), output.artefact).await?;
        let same = |receipt: &&Receipt| receipt.delivered.connection == output.connection && receipt.delivered.target == output.target;
        match sent.iter().filter(same).find(|receipt| receipt.run != claim.lease.run) {
            Some(receipt) => Err(RunError::TargetOfAnotherRun { target: output.target.clone(), run: receipt.run.to_string() }),
            None => Ok(()),
        }
    }

    #[tracing::instrument(name = "deliver", skip_all, fields(output = output.port, connection = %output.connection))]
    pub(super) async fn deliver(
        &self,
        (claim, pinned): (&Claim, &Pinned),
        output: &StagedOutput,
        progress: &Arc<Progress>,
    ) -> Result<Delivered, RunError> {
        let places = Places { connections: &pinned.connections };
        let place = places.get(&output.connection)?;
        if let Some(connector) = connector_of(&pinned.job, output) {
            let with = SessionWith { claim, pinned, connector, port: &output.port };
            return self
                .send_through(with, (output, place), (&delivery_key(claim.lease.run, &output.port, output.artefact), progress))
                .await;
        }
        let outside = self.outside(place).await?;
        let failed = |error| RunError::Connection { connection: output.connection.clone(), error };
        let earlier = match claim.lease.number {
            1 => None,
            _ => self.ledger().begun_delivery(&claim.lease, &output.port).await?,
        };
        if earlier.is_some() && !outside.place.recognises_repeats() {
            let why = "an earlier attempt began to send it, and its end is not known".to_owned();
            return Err(failed(ConnectionError::Uncertain { target: output.target.clone(), why }));
        }
        // A refusal says nothing of what an earlier attempt sent, unless that would have been found.
        let resolves = earlier.is_none() || outside.place.gives_names();
        let sent = self.send(claim, output, (outside, earlier.and_then(|earlier| earlier.hidden))).await?;
        if let Sent { receipt: Err(error), begun: true } = &sent
            && error.is_certain()
            && resolves
        {
            self.ledger().forget_delivery(&claim.lease, &output.port).await?;
        }
        let receipt = sent.receipt.map_err(failed)?;
        Ok(delivered((&output.port, &output.connection, &output.target), receipt))
    }

    /// Sends an output, and writes down that this begins before its receiver could see any of it.
    async fn send(&self, claim: &Claim, output: &StagedOutput, (to, earlier): (Outside, Option<String>)) -> Result<Sent, RunError> {
        let (hub, lease, staged, key) =
            (self.clone(), claim.lease.clone(), output.clone(), delivery_key(claim.lease.run, &output.port, output.artefact));
        let (runtime, artefacts) = (tokio::runtime::Handle::current(), self.artefacts(claim.run.partner()).await?);
        let send = move || {
            let (begun, unnoted) = (Cell::new(false), Cell::new(None));
            let begin = |hidden: Option<&str>| {
                let (port, hidden) = (staged.port.clone(), hidden.map(str::to_owned));
                let begins = BegunDelivery { port, digest: Some(staged.artefact), hidden };
                runtime.block_on(hub.ledger().begin_delivery(&lease, hub.clock().now_ms(), &begins)).map_err(|error| {
                    let why = error.to_string();
                    unnoted.set(Some(error));
                    ConnectionError::NotNoted { why }
                })?;
                begun.set(true);
                Ok(())
            };
            let notes = Notes { earlier: earlier.as_deref(), begin: &begin };
            let delivery = Delivery { digest: staged.artefact, name: &staged.target, key: &key };
            let receipt = connection::deliver_noting(&to, &delivery, &artefacts, notes);
            unnoted.take().map_or_else(|| Ok(Sent { receipt, begun: begun.get() }), |error| Err(RunError::Ledger(error)))
        };
        tokio::task::spawn_blocking(send).await.expect("delivering does not panic")
    }
}

/// What came of sending.
struct Sent {
    receipt: Result<connection::Receipt, ConnectionError>,
    /// Whether it was written down that it began.
    begun: bool,
}

fn connector_of<'a>(job: &'a Job, output: &StagedOutput) -> Option<&'a FilePlugin> {
    job.outputs.iter().find(|declared| declared.port == output.port)?.connector.as_ref()
}

pub(super) fn is_delivered(claim: &Claim, output: &StagedOutput) -> bool {
    claim.delivered.iter().any(|delivered| delivered.port == output.port && delivered.target == output.target)
}

/// The same for every attempt of a delivery, and for no other: other content of the same output is another delivery.
pub(in crate::run) fn delivery_key(run: RunId, port: &str, content: Digest) -> String {
    format!("{run}-{port}-{}", content.short())
}

/// A delivery as it is written down: of which output, to where, under which name, and what the receiver said.
pub(in crate::run) fn delivered((port, connection, target): (&str, &ConnectionName, &str), receipt: connection::Receipt) -> Delivered {
    let said = receipt.said.map(|said| format!(", answered {said}")).unwrap_or_default();
    Delivered {
        port: port.to_owned(),
        connection: connection.clone(),
        target: target.to_owned(),
        digest: receipt.digest,
        size_bytes: receipt.size,
        receipt: format!("{} with SHA-256 {}{said}", receipt.target, receipt.digest),
        already_there: receipt.already_there,
        session: None,
    }
}
