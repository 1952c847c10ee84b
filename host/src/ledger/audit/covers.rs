//! Digests of the rows that an act leaves, put into its entry of the trail: what a run's log says, its totals and receipts, which release
//! is active, who approved it, which keys are trusted.
//!
//! The last entry that speaks of something says what its rows are now. What is not named here is not covered: `SECURITY.md` says which.
//! Must not know what the rows mean.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::parts;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, count, query, to_stored};
use crate::model::ids::{Digest, PartnerName, RunId};

/// Where an entry's `after` has them.
pub(super) const FIELD: &str = "covers";

/// Which kinds of things there were when an entry was written: from the first entry of a form on, all of its kinds are covered.
pub(super) const FORM: u64 = 3;

/// Highest text of all, in the order of bytes.
pub(super) const LAST_KEY: &str = "\u{10FFFF}";

/// Rows that are read at one time of a run's rejects, of which there may be very many.
const REJECTS_AT_ONCE: i64 = 1_000;

/// A kind of thing whose rows are covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::ledger) enum CoveredKind {
    /// The log of a run, up to an event.
    Log,
    /// An ended run: its row with its totals, its receipts, the files that it took.
    Run,
    /// The rejects of an ended run.
    Rejects,
    /// What a job remembers from one run to the next.
    State,
    /// What a partner declared.
    Declared,
    /// A release, and what people said of it.
    Release,
    /// Which release of a plugin is active, and which were.
    Active,
    /// A sealed credential.
    Secret,
    /// The key of a signer.
    SigningKey,
    /// A token.
    Token,
    /// Versions of a partner's tables.
    Tables,
    /// A proposed change.
    Change,
    /// A person, and what they are at each partner.
    Person,
    /// Who is signed in by what.
    Session,
    /// The sealed keys of a partner.
    DataKeys,
    /// The key with which a hub signs checkpoints.
    HubKey,
    /// That a release was given up.
    Retired,
    /// Which releases of a plugin stood beside the active one, and which does.
    Candidates,
    /// What a run came to that was done again with another release.
    Trial,
    /// What people said of the differences of a release.
    Explanations,
    /// That a job stands still.
    Paused,
    /// That it was noted that somebody saw personal values.
    Sight,
    /// What became of the rejects of a run after it ended.
    Fates,
    /// What a run asked of providers, and the marks of what it pulled.
    Outside,
    /// Deliveries that a run which stands still began and that nobody knows the end of.
    Begun,
    /// The corrected rows that a run reads.
    Resubmission,
    /// Every text that a partner ever declared something by.
    Definitions,
    /// Why a run stands still.
    Reason,
}

impl CoveredKind {
    pub(super) const ALL: [Self; 28] = [
        Self::Log,
        Self::Run,
        Self::Rejects,
        Self::State,
        Self::Declared,
        Self::Release,
        Self::Active,
        Self::Secret,
        Self::SigningKey,
        Self::Token,
        Self::Tables,
        Self::Change,
        Self::Person,
        Self::Session,
        Self::DataKeys,
        Self::HubKey,
        Self::Retired,
        Self::Candidates,
        Self::Trial,
        Self::Explanations,
        Self::Paused,
        Self::Sight,
        Self::Fates,
        Self::Outside,
        Self::Begun,
        Self::Resubmission,
        Self::Definitions,
        Self::Reason,
    ];

    /// The word for it in an entry.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "run-log",
            Self::Run => "run",
            Self::Rejects => "run-rejects",
            Self::State => "job-state",
            Self::Declared => "declaration",
            Self::Release => "release",
            Self::Active => "active-release",
            Self::Secret => "secret",
            Self::SigningKey => "signing-key",
            Self::Token => "token",
            Self::Tables => "tables",
            Self::Change => "change",
            Self::Person => "person",
            Self::Session => "session",
            Self::DataKeys => "data-keys",
            Self::HubKey => "hub-key",
            Self::Retired => "retired-release",
            Self::Candidates => "candidates",
            Self::Trial => "trial",
            Self::Explanations => "explanations",
            Self::Paused => "paused-job",
            Self::Sight => "sight",
            Self::Fates => "reject-fates",
            Self::Outside => "run-outside",
            Self::Begun => "begun-deliveries",
            Self::Resubmission => "resubmission",
            Self::Definitions => "definitions",
            Self::Reason => "run-reason",
        }
    }

    /// Its place among all of them.
    pub(super) fn place(self) -> u8 {
        let place = Self::ALL.into_iter().position(|kind| kind == self).expect("all are there");
        u8::try_from(place).expect("there are few")
    }

    pub(super) fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether its rows are found by a run's id.
    pub(super) const fn is_of_run(self) -> bool {
        matches!(
            self,
            Self::Log | Self::Run | Self::Rejects | Self::Fates | Self::Outside | Self::Begun | Self::Resubmission | Self::Reason
        )
    }

    /// The form of entries from which on there are digests of it: a hub that is older has rows from before.
    pub(super) const fn since(self) -> u64 {
        match self {
            Self::Log
            | Self::Run
            | Self::Rejects
            | Self::State
            | Self::Declared
            | Self::Release
            | Self::Active
            | Self::Secret
            | Self::SigningKey
            | Self::Token
            | Self::Tables
            | Self::Change => 1,
            Self::Definitions | Self::Reason => 3,
            _ => 2,
        }
    }

    /// Whether its rows go of themselves, and nobody gains by taking one out.
    pub(super) const fn goes(self) -> bool {
        matches!(self, Self::Session | Self::Sight)
    }

    /// Its rows, each with what it belongs to, its place there, and its columns as one text; of keys from `$1` to `$2`.
    pub(super) const fn parts(self) -> &'static [&'static str] {
        match self {
            Self::Log => parts::LOG,
            Self::Run => parts::RUN,
            Self::Rejects => parts::REJECTS,
            Self::State => parts::STATE,
            Self::Declared => parts::DECLARED,
            Self::Release => parts::RELEASE,
            Self::Active => parts::ACTIVE,
            Self::Secret => parts::SECRET,
            Self::SigningKey => parts::SIGNING_KEY,
            Self::Token => parts::TOKEN,
            Self::Tables => parts::TABLES,
            Self::Change => parts::CHANGE,
            Self::Person => parts::PERSON,
            Self::Session => parts::SESSION,
            Self::DataKeys => parts::DATA_KEYS,
            Self::HubKey => parts::HUB_KEY,
            Self::Retired => parts::RETIRED,
            Self::Candidates => parts::CANDIDATES,
            Self::Trial => parts::TRIAL,
            Self::Explanations => parts::EXPLANATIONS,
            Self::Paused => parts::PAUSED,
            Self::Sight => parts::SIGHT,
            Self::Fates => parts::FATES,
            Self::Outside => parts::OUTSIDE,
            Self::Begun => parts::BEGUN,
            Self::Resubmission => parts::RESUBMISSION,
            Self::Definitions => parts::DEFINITIONS,
            Self::Reason => parts::REASON,
        }
    }
}

impl fmt::Display for CoveredKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A thing whose rows an act leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ledger) struct Covered {
    pub(super) kind: CoveredKind,
    pub(super) key: String,
    /// Of a log, the last event.
    pub(super) through: Option<u64>,
    /// The digest of its rows as the act found them. Whoever changed them before is found by it, though the act covers what they left.
    pub(super) was: Option<Digest>,
}

impl Covered {
    /// A run's log up to its last event.
    pub(in crate::ledger) fn log(run: RunId, through: u64) -> Self {
        Self { kind: CoveredKind::Log, key: run.to_string(), through: Some(through), was: None }
    }

    /// Something else of a run.
    pub(in crate::ledger) fn run(kind: CoveredKind, run: RunId) -> Self {
        Self { kind, key: run.to_string(), through: None, was: None }
    }

    /// What a partner has one of.
    pub(in crate::ledger) fn partner(kind: CoveredKind, partner: &PartnerName) -> Self {
        Self { kind, key: partner.to_string(), through: None, was: None }
    }

    /// One of those that a partner has.
    pub(in crate::ledger) fn named(kind: CoveredKind, partner: &PartnerName, name: &str) -> Self {
        Self { kind, key: format!("{partner}/{name}"), through: None, was: None }
    }

    /// What is no partner's.
    pub(in crate::ledger) fn of_hub(kind: CoveredKind, name: impl Into<String>) -> Self {
        Self { kind, key: name.into(), through: None, was: None }
    }

    /// Whether both are of the same rows.
    pub(in crate::ledger) fn is_of_the_same(&self, other: &Self) -> bool {
        (self.kind, &self.key) == (other.kind, &other.key)
    }

    /// The same, with its rows as they are now: asked before the act changes them, and with whatever is locked for it.
    pub(in crate::ledger) async fn found_before(mut self, transaction: &mut Transaction) -> Result<Self, LedgerError> {
        self.was = Some(digest_of(transaction, &self).await?);
        Ok(self)
    }
}

/// What is said of something in an entry; and whether a log tells of dealings outside of which more is kept.
pub(super) async fn said(transaction: &mut Transaction, covered: &Covered) -> Result<(Value, bool), LedgerError> {
    let folded = folded(transaction, covered).await?;
    let mut said = json!({ "what": covered.kind.as_str(), "of": covered.key, "sha256": folded.digest().to_string(), "form": FORM });
    if let Some(through) = covered.through {
        said["through"] = through.into();
    }
    if let Some(was) = covered.was {
        said["was"] = was.to_string().into();
    }
    Ok((said, folded.dealt_outside))
}

/// SHA-256 of the rows of one thing; of no rows, where there are none.
pub(in crate::ledger) async fn digest_of(transaction: &mut Transaction, covered: &Covered) -> Result<Digest, LedgerError> {
    folded(transaction, covered).await.map(|folded| folded.digest())
}

async fn folded(transaction: &mut Transaction, covered: &Covered) -> Result<Folded, LedgerError> {
    let through = |key: &str| (key == covered.key).then_some(covered.through).flatten();
    let found = digests(transaction, covered.kind, (&covered.key, &covered.key), through).await?;
    Ok(found.into_values().next().unwrap_or_default())
}

/// Of each key in a range, the rows that are there now.
pub(super) async fn digests(
    transaction: &mut Transaction,
    kind: CoveredKind,
    (first, last): (&str, &str),
    through: impl Fn(&str) -> Option<u64>,
) -> Result<BTreeMap<String, Folded>, LedgerError> {
    let mut found: BTreeMap<String, Folded> = BTreeMap::new();
    for (part, sql) in kind.parts().iter().enumerate() {
        // One key has its rejects read bit by bit; nothing else has so many rows.
        let paged = kind == CoveredKind::Rejects && first == last;
        let mut place = -1;
        loop {
            let mut ask = query(sql);
            if paged {
                ask.push(" AND findings.number > $3 ORDER BY 1, 2 LIMIT $4");
            }
            let ask = ask.bind(first).bind(last);
            let ask = if paged { ask.bind(place).bind(REJECTS_AT_ONCE) } else { ask };
            let mut rows: Vec<(String, i64, String)> = ask.fetch_all(&mut *transaction).await?;
            // Here, as the two databases need not agree on the order of texts.
            rows.sort_unstable();
            let full = paged && rows.len() as i64 == REJECTS_AT_ONCE;
            place = rows.last().map_or(place, |(_, place, _)| *place);
            for (key, place, line) in rows {
                let through = through(&key);
                found.entry(key).or_default().take(part, (count(place), &line), through);
            }
            if !full {
                break;
            }
        }
    }
    Ok(found)
}

/// The rows of one thing, as they are read.
#[derive(Debug, Clone, Default)]
pub(super) struct Folded {
    hash: Sha256,
    /// Of a log, the last event that is there.
    pub(super) last: u64,
    /// Of a log, whether a connector was at it, a file came with a mark, or an attempt came to grief and may have asked something.
    dealt_outside: bool,
}

/// What the log of such a run holds. Found where it means something else, it costs a question that has no answer.
const OUTSIDE_WORDS: [&str; 6] = ["\"session\":", "\"marked\":true", "4:held", "6:failed", "7:settled", "7:retried"];

impl Folded {
    fn take(&mut self, part: usize, (place, line): (u64, &str), through: Option<u64>) {
        self.last = self.last.max(place);
        self.dealt_outside = self.dealt_outside || OUTSIDE_WORDS.iter().any(|word| line.contains(word));
        if through.is_some_and(|through| place > through) {
            return;
        }
        self.hash.update(to_stored(part as u64).to_be_bytes());
        self.hash.update((line.len() as u64).to_be_bytes());
        self.hash.update(line.as_bytes());
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::new(self.hash.clone().finalize().into())
    }
}
