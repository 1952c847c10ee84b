//! One delivery sent again from its artefact, because a person says so; never by the hub itself.

use crate::connection::{self, ConnectionError, Delivery, check_file_name};
use crate::ledger::{By, Delivered, LedgerError, Reason, ResendAsk, ResendBegun, Resent, Run, Scope};
use crate::model::ids::RunId;
use crate::run::Hub;
use crate::run::conduct::{delivered, delivery_key};
use crate::run::failure::RunError;
use crate::run::pull::Places;

impl Hub {
    /// Sends an output again that was delivered before: the same bytes, whose digest is looked at first, by the connection as it is
    /// declared now. The receiver takes it for the same delivery, unless the person says that it is to be a new one.
    /// That it begins is written down before its first byte is sent, and what came of it afterwards.
    ///
    /// # Errors
    /// [`RunError::NotResent`] if the name is none for a file, or the artefact is not what it was; [`RunError::Ledger`] if the output was not delivered before.
    /// That it could not be sent is no error: it is the answer.
    pub async fn resend(&self, scope: Scope<'_>, run: RunId, ask: ResendAsk, by: &By) -> Result<Resent, RunError> {
        let refused = |why: ConnectionError| RunError::NotResent { output: ask.port.clone(), why: why.to_string() };
        if let Some(name) = &ask.target {
            check_file_name(name).map_err(refused)?;
        }
        self.refuse_expired(scope, run).await?;
        let receipts = self.ledger().receipts(scope, run).await?;
        let missing = || LedgerError::NotFound { what: "run", name: run.to_string() };
        let partner = self.ledger().run(scope, run).await?.ok_or_else(missing)?.partner().clone();
        if let Some(receipt) = receipts.iter().find(|receipt| receipt.delivered.port == ask.port) {
            let (artefacts, digest) = (self.artefacts(&partner).await?, receipt.delivered.digest);
            tokio::task::spawn_blocking(move || artefacts.verify(&digest)).await.expect("reading does not panic").map_err(refused)?;
        }
        let (run, number, begun) = self.ledger().begin_resend(scope, run, &ask, by).await?;
        let (hub, by) = (self.clone(), by.clone());
        // Waited for here; it goes on though the one who asked goes away, so that what came of it is written down.
        let sending = tokio::spawn(async move {
            let resent = match hub.send_again(&run, &begun).await {
                Ok(delivered) => Resent { begun: number, delivered: Some(delivered), failed: None },
                Err(error) => {
                    let failed = Reason { code: error.code().to_owned(), sentence: error.to_string() };
                    Resent { begun: number, delivered: None, failed: Some(failed) }
                }
            };
            hub.ledger().end_resend(run.id, &resent, &By { now_ms: hub.clock().now_ms(), ..by }).await?;
            Ok(resent)
        });
        sending.await.expect("sending does not panic")
    }

    async fn send_again(&self, run: &Run, begun: &ResendBegun) -> Result<Delivered, RunError> {
        let configuration = self.in_force(run.partner()).await?;
        let outside = self.outside(Places { connections: &configuration.connections }.get(&begun.connection)?).await?;
        let key = match begun.new_key {
            None => delivery_key(run.id, &begun.port, begun.digest),
            Some(number) => format!("{}-again-{number}", delivery_key(run.id, &begun.port, begun.digest)),
        };
        let (artefacts, digest, target) = (self.artefacts(run.partner()).await?, begun.digest, begun.target.clone());
        let send = move || connection::deliver(&outside, &Delivery { digest, name: &target, key: &key }, &artefacts);
        let sent = tokio::task::spawn_blocking(send).await.expect("delivering does not panic");
        let receipt = sent.map_err(|error| RunError::Connection { connection: begun.connection.clone(), error })?;
        Ok(delivered((&begun.port, &begun.connection, &begun.target), receipt))
    }
}
