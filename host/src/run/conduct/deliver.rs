//! What was staged is sent: every name looked at before anything is, each output once.

use crate::connection::{self, ConnectionError, Delivery};
use crate::ledger::{Claim, Delivered, Receipt, Scope, StagedOutput};
use crate::model::ids::{ConnectionName, RunId};
use crate::model::job::Connection;
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::run::pull::Places;

impl Hub {
    /// Sees that every name is free before anything is sent, so that a run is not delivered in part.
    pub(super) async fn check_targets(&self, claim: &Claim, outputs: &[&StagedOutput], connections: &[Connection]) -> Result<(), RunError> {
        for (place, output) in outputs.iter().enumerate() {
            if outputs[..place].iter().any(|other| (&other.connection, &other.target) == (&output.connection, &output.target)) {
                return Err(RunError::SameTarget { connection: output.connection.clone(), target: output.target.clone() });
            }
            let (connection, staged, key) = (output.connection.clone(), (*output).clone(), delivery_key(claim.lease.run, &output.port));
            let to = self.outside(Places { connections }.get(&connection)?).await?;
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

    pub(super) async fn deliver(&self, claim: &Claim, output: &StagedOutput, connections: &[Connection]) -> Result<Delivered, RunError> {
        let outside = self.outside(Places { connections }.get(&output.connection)?).await?;
        let failed = |error| RunError::Connection { connection: output.connection.clone(), error };
        let careful = !outside.place.recognises_repeats();
        if careful && self.ledger().begin_delivery(&claim.lease, &output.port, claim.run.attempt).await? {
            let why = "an earlier attempt began to send it, and its end is not known".to_owned();
            return Err(failed(ConnectionError::Uncertain { target: output.target.clone(), why }));
        }
        let (artefacts, staged, key) = (self.shared.artefacts.clone(), output.clone(), delivery_key(claim.lease.run, &output.port));
        let send =
            move || connection::deliver(&outside, &Delivery { digest: staged.artefact, name: &staged.target, key: &key }, &artefacts);
        let sent = tokio::task::spawn_blocking(send).await.expect("delivering does not panic");
        if careful && sent.as_ref().is_err_and(|error| !matches!(error, ConnectionError::Uncertain { .. })) {
            self.ledger().forget_delivery(&claim.lease, &output.port).await?;
        }
        let receipt = sent.map_err(failed)?;
        Ok(delivered((&output.port, &output.connection, &output.target), receipt))
    }
}

pub(super) fn is_delivered(claim: &Claim, output: &StagedOutput) -> bool {
    claim.delivered.iter().any(|delivered| delivered.port == output.port && delivered.target == output.target)
}

/// The same for every attempt of a delivery, and for no other.
pub(in crate::run) fn delivery_key(run: RunId, port: &str) -> String {
    format!("{run}-{port}")
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
    }
}
