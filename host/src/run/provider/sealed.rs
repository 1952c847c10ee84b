//! What is asked and answered lies sealed in the ledger: an address may name a person, and an answer's headers may hold anything.

use serde::{Deserialize, Serialize};

use crate::ledger::{Exchange, SessionOf};
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::vault::{DataKeys, VaultError};

/// What is sealed of an exchange. Later versions must read it: a field keeps its name and meaning.
#[derive(Serialize, Deserialize)]
struct Sealed {
    target: String,
    answer: String,
}

impl Hub {
    /// The exchanges of a session under every lease, in their order, as they were.
    ///
    /// # Errors
    /// [`RunError::Vault`] if what is kept was altered, or its key is gone.
    pub async fn exchanges_of(&self, of: &SessionOf) -> Result<Vec<Exchange>, RunError> {
        let (kept, keys) = (self.ledger().exchanges_of(of).await?, self.keys(&of.partner).await?);
        Ok(kept.into_iter().map(|exchange| open(exchange, of, &keys)).collect::<Result<_, _>>()?)
    }
}

pub(super) fn seal(exchange: Exchange, of: &SessionOf, keys: &DataKeys) -> Exchange {
    let what = what(&exchange, of);
    let Exchange { target, answer, .. } = exchange;
    let text = serde_json::to_vec(&Sealed { target, answer }).expect("texts are JSON");
    Exchange { target: String::new(), answer: String::new(), sealed: Some(keys.seal(&what, &text)), ..exchange }
}

/// One from before exchanges were sealed is as it was.
fn open(exchange: Exchange, of: &SessionOf, keys: &DataKeys) -> Result<Exchange, VaultError> {
    let Some(sealed) = &exchange.sealed else { return Ok(exchange) };
    let what = what(&exchange, of);
    let altered =
        |why: serde_json::Error| VaultError::Damaged { partner: of.partner.to_string(), what: what.clone(), why: why.to_string() };
    let Sealed { target, answer } = serde_json::from_slice(&keys.open(&what, sealed)?).map_err(altered)?;
    Ok(Exchange { target, answer, sealed: None, ..exchange })
}

fn what(exchange: &Exchange, of: &SessionOf) -> String {
    format!("exchange {} of {} of run {} under lease {}", exchange.seq, of.session, of.run, exchange.lease)
}
