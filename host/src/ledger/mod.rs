//! The ledger: everything durable, and the only room that knows the database.
//!
//! ```text
//!  declared   partners, connections, jobs, releases, tables      what was declared
//!  runs       queue → lease → events → findings, receipts        what happened, and how it stands
//!  audit      who did what, each entry chained to the last
//!  tokens     who may call
//!  people     who may sign in, what they are where, who is signed in
//!  answers    what was answered to requests with a key, for a day
//!  outside    sealed credentials of connections, marks of pulls, deliveries that were begun, exchanges with providers, notices,
//!             messages to partners' own addresses
//!  together   what is asked at the same time shares a transaction
//!  alike      what is asked alike at the same time is read once
//!  figures    how it stands and which hubs there are, for whoever watches one
//! ```
//!
//! The log is the truth: what happens to a run is an event that is never changed, and the run's row is the fold of its events,
//! folded again by [`Ledger::open`] wherever the two disagree. Every write is one transaction, refused as a whole or done as a whole,
//! and durable when its method answers. The wall clock is nowhere read here: every moment comes from the caller.
//!
//! What it must not know: files, plugins, schedules, HTTP. It keeps texts and digests of them.

mod alike;
mod answers;
mod audit;
mod declared;
mod error;
mod figures;
mod outside;
mod people;
mod repair;
mod runs;
mod store;
mod together;
mod tokens;
mod who;

#[cfg(test)]
mod tests;

use crate::model::ids::{Digest, RunId};

pub use answers::{KeptAnswer, KeyedRequest, Repeat};
pub use audit::{
    Act, AuditCheck, AuditEntry, AuditSought, BrokenEntry, ContentDigest, NewCheckpoint, NewHubKey, RowFault, RowsCheck, StoredCheckpoint,
    StoredHubKey, Words as AuditWords,
};
pub use declared::{
    Applied, AppliedWhole, Bounds as CanaryBounds, Candidate, Change, ChangeState, Changed, DecidesBy, Declaration, DeclaredConnection,
    DeclaredJob, DeclaredWebhook, Explanation, Judgement, NewCandidate, NewChange, NewRelease, NewSigningKey, NewTable, NewTrial, Paused,
    ProofState, Release, ReleaseKey, ReleaseSignature, Retired, SigningKey, Source, Standing as ReleaseStanding, StoredChange,
    StoredConnection, StoredJob, StoredTable, Trial as StoredTrial, TrialOutcome, Verdict, Way as CandidateWay, Whole,
};
pub use error::LedgerError;
pub use figures::{DatabaseFacts, OfJob, QueueStanding, StoredHub};
pub use outside::{
    BegunDelivery, Exchange, MarkOf, MessagePlace, MessageState, MessagesSought, NewSecret, Notice, SessionOf, StoredDataKey, StoredSecret,
    WebhookMessage,
};
pub use people::{Counted, Guess, LiveSession, NewPerson, NewRole, NewSession, NewSignIn, PasswordKept, Person, Refused, StoredSession};
pub use runs::{
    Chosen, Claim, Claimed, Closed, Cut, Cutting, DELIVERY_UNCERTAIN, Delivered, Due, DueSlot, DuplicateOf, Enqueued, Failed, FileQuestion,
    FindingId, FormatUsed, Found, FoundEffect, Instruction, Keeping, Lease, LeftQuarantine, LimitUse, LogLine, LoggedEvent, NewFinding,
    NewResubmission, NewRun, NotAFindingId, NotAState, Outcome, Overdue, Partition, PartitionClaim, PartitionEnd, PartitionLease,
    Partitioned, Pins, Processed, Pulled, PulledFile, Quarantine, QuarantineFilter, Quarantined, Queued, Reason, Receipt, ResendAsk,
    ResendBegun, Resent, Resubmitted, Retried, Run, RunEvent, RunFilter, RunRows, RunState, RunTotals, Session, Settled, StagedOutput,
    Standing, StateChange, StateCount, Step, StoredFinding, TableUsed, TakenFile, Trigger, Waiting, WaitingGroup, Word,
};
pub use store::{Database, HeldName};
pub use tokens::{NewToken, Token};
pub use who::{Actor, AsOf, By, HubId, PAGE_ITEMS_MAX, Page, Scope};

/// Everything durable. Cheap to clone; all clones are the same ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: store::Store,
    /// Runs that are put into the queue at the same time.
    arrivals: runs::Arrivals,
    /// Small steps of runs that are written at the same time.
    steps: runs::Steps,
    /// Tokens that are shown at the same time.
    tokens: alike::Alike<Digest, Option<Token>>,
    /// What is decided by, asked at the same time.
    deciding: declared::Deciding,
    /// Who was refused what, within the hour.
    refusals: people::Refusals,
}

impl Ledger {
    /// Opens the ledger, making its file and folder if need be, brings its tables up to date,
    /// and sets right every run whose row does not agree with its log.
    ///
    /// # Errors
    /// [`LedgerError::CannotOpen`] if its file or its server cannot be used; [`LedgerError::Corrupt`] if a log cannot be read.
    pub async fn open(database: &Database) -> Result<Self, LedgerError> {
        Self::open_and_repair(database).await.map(|(ledger, _)| ledger)
    }

    /// The same, and says which runs were set right.
    ///
    /// # Errors
    /// As for [`Ledger::open`].
    pub async fn open_and_repair(database: &Database) -> Result<(Self, Vec<RunId>), LedgerError> {
        let store = store::Store::open(database).await?;
        let repaired = repair::repair(&store).await?;
        for run in &repaired {
            tracing::warn!(%run, "the row of a run did not agree with its log, and was worked out again");
        }
        Ok((Self::over(store), repaired))
    }

    fn over(store: store::Store) -> Self {
        let (arrivals, steps) = (runs::arrivals(&store), runs::steps(&store));
        let (tokens, deciding) = (alike::Alike::default(), alike::Alike::default());
        Self { arrivals, steps, tokens, deciding, refusals: people::Refusals::default(), store }
    }

    /// Answers when there may be work to claim: something came into the queue or ended, here or, while somebody listens, on another hub.
    pub async fn work_arrived(&self) {
        self.store.bell().heard().await;
    }

    /// Answers when what others were writing is durable, or taken back: whoever found nothing left to do may have found it done by one of them.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn settled(&self) -> Result<(), LedgerError> {
        self.store.settled().await
    }

    /// Wakes who waits for [`Ledger::work_arrived`] in this process.
    pub fn wake(&self) {
        self.store.bell().ring_here();
    }

    /// Hears of work that comes in through other hubs, for as long as this is waited for. It never answers.
    pub async fn listen(&self) {
        self.store.listen().await;
    }

    /// What tells this ledger from any other: drawn when its tables were made, and the same in every copy of it.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn identity(&self) -> Result<String, LedgerError> {
        Ok(store::query_scalar("SELECT identity FROM ledger_identity WHERE one = 1").fetch_one(&self.store).await?)
    }

    /// Takes the name of a hub, so that no other works under it; none if one does.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn hold_name(&self, hub: &HubId) -> Result<Option<HeldName>, LedgerError> {
        self.store.hold_name(hub.as_str()).await
    }

    /// Copies all that is committed into a new file, as it was at one moment, while others go on writing. Answers false where the ledger
    /// is on a server, which has tools of its own for that.
    ///
    /// # Errors
    /// What the database failed of: there is no room, or the file is there already.
    pub async fn copy_to(&self, path: &std::path::Path) -> Result<bool, LedgerError> {
        self.store.copy_to(path).await
    }

    /// The kind of database that it is in: `sqlite` or `postgres`.
    #[must_use]
    pub const fn database(&self) -> &'static str {
        match self.store {
            store::Store::Sqlite(_) => "sqlite",
            store::Store::Postgres(_) => "postgres",
        }
    }

    /// Closes the ledger once all that was begun has ended. What was answered is durable without it.
    pub async fn close(&self) {
        self.store.close().await;
    }
}
