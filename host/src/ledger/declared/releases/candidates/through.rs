//! Formats and connectors: the releases that a run's files went through, beside the release that its job's rows went through.
//!
//! It must not know why they are asked for.

use crate::ledger::error::{LedgerError, corrupt};
use crate::ledger::runs::{FormatUsed, Run, RunEvent};
use crate::ledger::store::{Transaction, query_scalar, to_stored};
use crate::model::ids::{Digest, PartnerName};

/// What a run's files went through, by its log: the processing that stands, or the last attempt where none does.
pub(in crate::ledger::declared::releases) async fn through(
    transaction: &mut Transaction,
    run: &Run,
) -> Result<Vec<FormatUsed>, LedgerError> {
    let before = run.standing.map_or(i64::MAX, |standing| to_stored(standing.event));
    let body: Option<String> =
        query_scalar("SELECT body FROM run_events WHERE run = $1 AND kind = 'pulled' AND seq < $2 ORDER BY seq DESC LIMIT 1")
            .bind(run.id.to_string())
            .bind(before)
            .fetch_optional(transaction)
            .await?;
    let Some(body) = body else { return Ok(Vec::new()) };
    match RunEvent::read("pulled", &body).map_err(|why| corrupt(format!("an event of run {}", run.id), &why))? {
        RunEvent::Pulled(pulled) => Ok(pulled.formats),
        _ => Ok(Vec::new()),
    }
}

/// Whether two releases of a partner are known to be of two plugins.
pub(in crate::ledger::declared::releases) async fn of_two_plugins(
    transaction: &mut Transaction,
    partner: &PartnerName,
    (one, other): (Digest, Digest),
) -> Result<bool, LedgerError> {
    let found: Option<i64> = query_scalar(
        "SELECT CAST(1 AS BIGINT) FROM releases JOIN releases AS other ON other.partner = releases.partner AND other.plugin <> releases.plugin
         WHERE releases.partner = $1 AND releases.digest = $2 AND other.digest = $3 LIMIT 1",
    )
    .bind(partner.as_str())
    .bind(one.to_string())
    .bind(other.to_string())
    .fetch_optional(transaction)
    .await?;
    Ok(found.is_some())
}
