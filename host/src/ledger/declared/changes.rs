//! Changes that take two persons: proposed by one, put in force or refused by another.
//!
//! What is put in force is what was proposed, on the state on which it was proposed. Must not know which changes are protected.

use std::fmt;
use std::str::FromStr;

use crate::ledger::Ledger;
use crate::ledger::audit::{self, Act, Covered, CoveredKind};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, count, parsed, query, query_scalar, to_stored};
use crate::ledger::tokens::refuse_own;
use crate::ledger::who::{Actor, By, Scope};
use crate::model::ids::{Digest, PartnerName};

use super::releases::How;
use super::whole::{AppliedWhole, Whole, put_whole};

/// A change that one person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChange {
    /// Whose.
    pub partner: PartnerName,
    /// All that would be in force, as JSON; the ledger does not look into it.
    pub content: String,
    /// What is different, a line each, for the person who decides.
    pub difference: Vec<String>,
}

/// What became of a proposed change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeState {
    /// It waits for another person.
    Proposed,
    /// It is, or was, in force.
    Approved,
    /// Somebody refused it, or took it back.
    Refused,
    /// Another was proposed in its place.
    Superseded,
}

impl ChangeState {
    /// The word for it, as stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Refused => "refused",
            Self::Superseded => "superseded",
        }
    }
}

impl fmt::Display for ChangeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ChangeState {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let all = [Self::Proposed, Self::Approved, Self::Refused, Self::Superseded];
        all.into_iter().find(|state| state.as_str() == word).ok_or_else(|| format!("{word:?} is no state of a change"))
    }
}

/// A change as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredChange {
    /// Whose.
    pub partner: PartnerName,
    /// 1, 2, 3 within its partner.
    pub number: u64,
    /// All that would be in force, as JSON.
    pub content: String,
    /// SHA-256 of that.
    pub digest: Digest,
    /// What was in force when it was proposed.
    pub base: Digest,
    /// What is different, a line each.
    pub difference: Vec<String>,
    /// When it was proposed.
    pub proposed_at_ms: i64,
    /// By whom.
    pub proposed_by: Actor,
    /// What became of it.
    pub state: ChangeState,
    /// When that was decided.
    pub decided_at_ms: Option<i64>,
    /// By whom.
    pub decided_by: Option<Actor>,
    /// Their reason.
    pub why: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    partner: String,
    number: i64,
    content: String,
    digest: String,
    base: String,
    difference: String,
    proposed_at_ms: i64,
    proposed_by: String,
    state: String,
    decided_at_ms: Option<i64>,
    decided_by: Option<String>,
    why: Option<String>,
}

const CHANGES: &str = "SELECT partner, number, content, digest, base, difference, proposed_at_ms, proposed_by, state, decided_at_ms,
    decided_by, why FROM proposed_changes";

impl TryFrom<Row> for StoredChange {
    type Error = LedgerError;

    fn try_from(row: Row) -> Result<Self, LedgerError> {
        Ok(Self {
            partner: parsed(&row.partner, "partner")?,
            number: count(row.number),
            content: row.content,
            digest: parsed(&row.digest, "digest of a change")?,
            base: parsed(&row.base, "digest of what was in force")?,
            difference: serde_json::from_str(&row.difference).unwrap_or_else(|_| vec![row.difference.clone()]),
            proposed_at_ms: row.proposed_at_ms,
            proposed_by: Actor::of_record(row.proposed_by),
            state: parsed(&row.state, "state of a change")?,
            decided_at_ms: row.decided_at_ms,
            decided_by: row.decided_by.map(Actor::of_record),
            why: row.why,
        })
    }
}

impl Ledger {
    /// Keeps a change until another person decides, in the place of any that still waits. The same on the same state is the same
    /// change. Answers it, and whether it is new.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn propose_change(&self, new: &NewChange, by: &By) -> Result<(StoredChange, bool), LedgerError> {
        let digest = Digest::of(new.content.as_bytes());
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                let partner = new.partner.as_str();
                lock(&mut transaction, &new.partner).await?;
                let base = in_force(&mut transaction, &new.partner).await?;
                let waiting = waiting(&mut transaction, &new.partner).await?;
                if let Some(same) = waiting.iter().find(|waiting| waiting.digest == digest && waiting.base == base) {
                    return Ok((same.clone(), false));
                }
                for older in &waiting {
                    let why = "another change was proposed in its place";
                    decide(&mut transaction, older, (ChangeState::Superseded, why), by).await?;
                }
                let last: Option<i64> = query_scalar("SELECT MAX(number) FROM proposed_changes WHERE partner = $1")
                    .bind(partner)
                    .fetch_one(&mut transaction)
                    .await?;
                let number = last.unwrap_or(0) + 1;
                query(
                    "INSERT INTO proposed_changes (partner, number, content, digest, base, difference, proposed_at_ms, proposed_by, state)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'proposed')",
                )
                .bind(partner)
                .bind(number)
                .bind(new.content.as_str())
                .bind(digest.to_string())
                .bind(base.to_string())
                .bind(serde_json::to_string(&new.difference).expect("texts are JSON"))
                .bind(by.now_ms)
                .bind(by.actor.as_str())
                .execute(&mut transaction)
                .await?;
                let after = serde_json::json!({ "digest": digest.to_string(), "difference": new.difference });
                let subject = format!("change:{number}");
                let act = Act { partner: Some(&new.partner), action: "change.propose", subject, before: None, after: Some(after) };
                audit::append_over(&mut transaction, act, &[covered(&new.partner, count(number))], by).await?;
                let kept = find(&mut transaction, &new.partner, count(number)).await?;
                transaction.commit().await?;
                Ok((kept, true))
            })
            .await
    }

    /// A digest of all that is in force for a partner: what it declared, and which releases are active.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn in_force(&self, partner: &PartnerName) -> Result<Digest, LedgerError> {
        in_force(&mut self.store.read().await?, partner).await
    }

    /// Proposed changes, newest first, decided ones too.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn changes(&self, scope: Scope<'_>, limit: u32) -> Result<Vec<StoredChange>, LedgerError> {
        let mut ask = query(CHANGES).bind(scope.text()).bind(i64::from(limit));
        let rows: Vec<Row> = ask
            .push(" WHERE $1 = '' OR partner = $1 ORDER BY proposed_at_ms DESC, partner, number DESC LIMIT $2")
            .fetch_all(&self.store)
            .await?;
        rows.into_iter().map(StoredChange::try_from).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`].
    pub async fn proposed_change(&self, partner: &PartnerName, number: u64) -> Result<StoredChange, LedgerError> {
        let mut transaction = self.store.read().await?;
        find(&mut transaction, partner, number).await
    }

    /// Puts a change in force, by another person than the one who proposed it, and on the state on which it was proposed.
    ///
    /// # Errors
    /// [`LedgerError::OwnWork`] or [`LedgerError::NotAPerson`] if not by such a person; [`LedgerError::StateMoved`] if something else
    /// has come into force since; [`LedgerError::NotFound`] if it does not wait; and as for [`Ledger::apply_all`].
    pub async fn approve_change(&self, change: &StoredChange, whole: &Whole<'_>, why: &str, by: &By) -> Result<AppliedWhole, LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                lock(&mut transaction, &change.partner).await?;
                let kept = waits(&mut transaction, change).await?;
                if !by.actor.is_person() {
                    return Err(LedgerError::NotAPerson { actor: by.actor.clone() });
                }
                refuse_own(&mut transaction, (&kept.proposed_by, "proposed this change"), by).await?;
                if in_force(&mut transaction, &kept.partner).await? != kept.base {
                    return Err(LedgerError::StateMoved { partner: kept.partner, number: kept.number });
                }
                let applied = put_whole(&mut transaction, whole, (How::Declared, by)).await?;
                decide(&mut transaction, &kept, (ChangeState::Approved, why), by).await?;
                transaction.commit().await?;
                Ok(applied)
            })
            .await
    }

    /// Refuses a change; whoever proposed it takes it back in the same way.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] if it does not wait.
    pub async fn refuse_change(&self, (partner, number): (&PartnerName, u64), why: &str, by: &By) -> Result<(), LedgerError> {
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                lock(&mut transaction, partner).await?;
                let change = find(&mut transaction, partner, number).await?;
                let kept = waits(&mut transaction, &change).await?;
                decide(&mut transaction, &kept, (ChangeState::Refused, why), by).await?;
                transaction.commit().await
            })
            .await
    }
}

/// Of two who propose or decide for one partner, one waits for the other.
async fn lock(transaction: &mut Transaction, partner: &PartnerName) -> Result<(), LedgerError> {
    let found: Option<String> =
        query_scalar("SELECT partner FROM partners WHERE partner = $1").bind(partner.as_str()).locked().fetch_optional(transaction).await?;
    found.map(drop).ok_or_else(|| LedgerError::NotFound { what: "partner", name: partner.to_string() })
}

/// A digest of all that is in force for a partner: what it declared, and which releases are active.
async fn in_force(transaction: &mut Transaction, partner: &PartnerName) -> Result<Digest, LedgerError> {
    let mut all = audit::digest_of(transaction, &Covered::partner(CoveredKind::Declared, partner)).await?.to_string();
    let plugins: Vec<String> = query_scalar("SELECT plugin FROM active_releases WHERE partner = $1 ORDER BY plugin")
        .bind(partner.as_str())
        .fetch_all(&mut *transaction)
        .await?;
    for plugin in plugins {
        let active = audit::digest_of(transaction, &Covered::named(CoveredKind::Active, partner, &plugin)).await?;
        all.push_str(&format!("\n{plugin} {active}"));
    }
    Ok(Digest::of(all.as_bytes()))
}

async fn find(transaction: &mut Transaction, partner: &PartnerName, number: u64) -> Result<StoredChange, LedgerError> {
    let mut ask = query(CHANGES).bind(partner.as_str()).bind(to_stored(number));
    let row: Option<Row> = ask.push(" WHERE partner = $1 AND number = $2").fetch_optional(transaction).await?;
    row.ok_or_else(|| LedgerError::NotFound { what: "change", name: format!("{number} of {partner}") })?.try_into()
}

async fn waiting(transaction: &mut Transaction, partner: &PartnerName) -> Result<Vec<StoredChange>, LedgerError> {
    let mut ask = query(CHANGES).bind(partner.as_str());
    let rows: Vec<Row> = ask.push(" WHERE partner = $1 AND state = 'proposed' ORDER BY number").fetch_all(transaction).await?;
    rows.into_iter().map(StoredChange::try_from).collect()
}

/// The change as it is kept now, if it still waits and is the one that was read.
async fn waits(transaction: &mut Transaction, read: &StoredChange) -> Result<StoredChange, LedgerError> {
    let kept = find(transaction, &read.partner, read.number).await?;
    if kept.state == ChangeState::Proposed && kept.content == read.content && Digest::of(kept.content.as_bytes()) == kept.digest {
        return Ok(kept);
    }
    let name = format!("{} of {} that waits: it is {}", kept.number, kept.partner, kept.state);
    Err(LedgerError::NotFound { what: "change", name })
}

async fn decide(
    transaction: &mut Transaction,
    change: &StoredChange,
    (state, why): (ChangeState, &str),
    by: &By,
) -> Result<(), LedgerError> {
    query(
        "UPDATE proposed_changes SET state = $3, decided_at_ms = $4, decided_by = $5, why = $6
         WHERE partner = $1 AND number = $2 AND state = 'proposed'",
    )
    .bind(change.partner.as_str())
    .bind(to_stored(change.number))
    .bind(state.as_str())
    .bind(by.now_ms)
    .bind(by.actor.as_str())
    .bind(why)
    .execute(&mut *transaction)
    .await?;
    let action = match state {
        ChangeState::Approved => "change.approve",
        ChangeState::Refused => "change.refuse",
        ChangeState::Proposed | ChangeState::Superseded => "change.supersede",
    };
    let after = serde_json::json!({ "proposed-by": change.proposed_by.as_str(), "digest": change.digest.to_string(), "why": why });
    let subject = format!("change:{}", change.number);
    let act = Act { partner: Some(&change.partner), action, subject, before: None, after: Some(after) };
    audit::append_over(transaction, act, &[covered(&change.partner, change.number)], by).await
}

fn covered(partner: &PartnerName, number: u64) -> Covered {
    Covered::named(CoveredKind::Change, partner, &number.to_string())
}
