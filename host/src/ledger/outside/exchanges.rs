//! What connectors asked of providers, and what was answered.

use crate::ledger::Ledger;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{count, parsed, parsed_option, query, to_stored};
use crate::ledger::who::Scope;
use crate::model::ids::{Digest, PartnerName, RunId};

/// A session of a connector, of which every attempt of a run has one of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOf {
    /// Whose.
    pub partner: PartnerName,
    /// The run.
    pub run: RunId,
    /// `pull:` and the input, or `push:` and the output.
    pub session: String,
}

/// One request and what was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The lease under which it was made.
    pub lease: u64,
    /// 1, 2, 3 within the session.
    pub seq: u64,
    /// SHA-256 of method, target, headers and body.
    pub request: Digest,
    /// `GET` and so on.
    pub method: String,
    /// Path and query below the connection's address.
    pub target: String,
    /// Status and headers, or why there is none, as JSON.
    pub answer: String,
    /// The artefact that holds the answer's body; none where it has none.
    pub body: Option<Digest>,
    /// Bytes of the request.
    pub sent_bytes: u64,
    /// Bytes of the answer's body.
    pub received_bytes: u64,
    /// How long it took.
    pub took_ms: u64,
    /// When it was answered.
    pub at_ms: i64,
    /// Target and answer, sealed; then these are empty.
    pub sealed: Option<Vec<u8>>,
}

#[derive(sqlx::FromRow)]
struct ExchangeRow {
    lease: i64,
    seq: i64,
    request: String,
    method: String,
    target: String,
    answer: String,
    body: Option<String>,
    sent_bytes: i64,
    received_bytes: i64,
    took_ms: i64,
    at_ms: i64,
    sealed: Option<Vec<u8>>,
}

impl TryFrom<ExchangeRow> for Exchange {
    type Error = LedgerError;

    fn try_from(row: ExchangeRow) -> Result<Self, LedgerError> {
        Ok(Self {
            lease: count(row.lease),
            seq: count(row.seq),
            request: parsed(&row.request, "request")?,
            method: row.method,
            target: row.target,
            answer: row.answer,
            body: parsed_option(row.body.as_deref(), "body")?,
            sent_bytes: count(row.sent_bytes),
            received_bytes: count(row.received_bytes),
            took_ms: count(row.took_ms),
            at_ms: row.at_ms,
            sealed: row.sealed,
        })
    }
}

impl Ledger {
    /// Keeps an exchange of a session. When this answers it is durable.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn put_exchange(&self, of: &SessionOf, new: &Exchange) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                query(
                    "INSERT INTO exchanges (partner, run, session, lease, seq, request, method, target, answer, body,
                                            sent_bytes, received_bytes, took_ms, at_ms, sealed)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
                )
                .bind(of.partner.as_str())
                .bind(of.run.to_string())
                .bind(of.session.as_str())
                .bind(to_stored(new.lease))
                .bind(to_stored(new.seq))
                .bind(new.request.to_string())
                .bind(new.method.as_str())
                .bind(new.target.as_str())
                .bind(new.answer.as_str())
                .bind(new.body.map(|body| body.to_string()))
                .bind(to_stored(new.sent_bytes))
                .bind(to_stored(new.received_bytes))
                .bind(to_stored(new.took_ms))
                .bind(new.at_ms)
                .bind(new.sealed.as_deref())
                .execute(&mut transaction)
                .await?;
                transaction.commit().await?;
                Ok(())
            })
            .await
    }

    /// The exchanges of a session under every lease, in their order.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn exchanges_of(&self, of: &SessionOf) -> Result<Vec<Exchange>, LedgerError> {
        let rows: Vec<ExchangeRow> = query(
            "SELECT lease, seq, request, method, target, answer, body, sent_bytes, received_bytes, took_ms, at_ms, sealed FROM exchanges
             WHERE partner = $1 AND run = $2 AND session = $3 ORDER BY lease, seq",
        )
        .bind(of.partner.as_str())
        .bind(of.run.to_string())
        .bind(of.session.as_str())
        .fetch_all(&self.store)
        .await?;
        rows.into_iter().map(Exchange::try_from).collect()
    }

    /// The sessions of a run that asked anything, by name.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn sessions(&self, scope: Scope<'_>, run: RunId) -> Result<Vec<SessionOf>, LedgerError> {
        let rows: Vec<(String, String)> =
            query("SELECT DISTINCT partner, session FROM exchanges WHERE ($1 = '' OR partner = $1) AND run = $2 ORDER BY session")
                .bind(scope.text())
                .bind(run.to_string())
                .fetch_all(&self.store)
                .await?;
        rows.into_iter().map(|(partner, session)| Ok(SessionOf { partner: parsed(&partner, "partner")?, run, session })).collect()
    }
}
