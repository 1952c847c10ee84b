//! Requests of somebody known that were refused: an entry of the trail that they belong to, and of the trail of whoever owns what they
//! asked for. The trail does not grow with how often they try.
//!
//! The first of its kind in an hour is an entry, and then the tenth, the hundredth, the thousandth, each with how many there were. They
//! are counted in memory: a hub that starts again begins anew.
//! It must not know what may be asked for, nor why it is refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use crate::ledger::Ledger;
use crate::ledger::audit::{Act, REFUSED, append};
use crate::ledger::error::LedgerError;
use crate::ledger::store::{parsed, query_scalar};
use crate::ledger::who::By;
use crate::model::ids::PartnerName;

const HOUR_MS: i64 = 3_600_000;

/// Kinds of refusals of one actor in an hour that have entries of their own; all others share one.
const KINDS_MAX: usize = 20;

/// Refusals at one time of which it is looked up whose it is that was asked for.
const LOOKED_UP_AT_ONCE: usize = 4;

/// Something that was asked for, and refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Whose trails say so: where the asker acts. None if they act at no partner: then it is the hub's own affair.
    pub at: Vec<PartnerName>,
    /// What was asked for, without names: `GET /api/v1/runs/{run}`.
    pub route: String,
    /// Why it was refused, in a word.
    pub why: &'static str,
    /// The permission that lacked, if that was why.
    pub needs: Option<&'static str>,
    /// The names in it, by what they are of. They are the asker's words: whoever makes this has looked at them.
    pub asked: Vec<(String, String)>,
}

impl Refused {
    fn name(&self, of: &str) -> Option<&str> {
        self.asked.iter().find(|(what, _)| what == of).map(|(_, name)| name.as_str())
    }

    fn subject(&self) -> String {
        let named = ["run", "release", "job", "plugin", "partner"].into_iter().find_map(|of| Some(format!("{of}:{}", self.name(of)?)));
        named.unwrap_or_else(|| format!("address:{}", self.route.split_once(' ').map_or(self.route.as_str(), |(_, address)| address)))
    }

    fn told(&self, why: &str, times: u64) -> Value {
        let asked: Map<String, Value> = self.asked.iter().map(|(of, name)| (of.clone(), name.as_str().into())).collect();
        let mut told = json!({ "route": self.route, "why": why, "asked": asked, "times": times });
        if let Some(needs) = self.needs {
            told["needs"] = needs.into();
        }
        told
    }
}

/// How often whom was refused what, in the hour that runs. Clones share their counts.
#[derive(Debug, Clone)]
pub(in crate::ledger) struct Refusals {
    tally: Arc<Mutex<Tally>>,
    turns: Arc<Semaphore>,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { tally: Arc::default(), turns: Arc::new(Semaphore::new(LOOKED_UP_AT_ONCE)) }
    }
}

#[derive(Debug, Default)]
struct Tally {
    hour: i64,
    /// By actor, and by kind.
    counts: HashMap<String, HashMap<Kind, u64>>,
}

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Kind {
    /// One route, refused for one reason.
    Of(String, &'static str),
    /// Whatever else an actor is refused who was refused very much.
    Besides,
    /// Something of another partner.
    Elsewhere(String),
}

impl Refusals {
    /// Counts a refusal. Answers how many there were, where that is to be noted.
    fn count(&self, kind: Kind, by: &By) -> Option<(u64, bool)> {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        let hour = by.now_ms.div_euclid(HOUR_MS);
        // What is looked up beside others may come a little late, and does not begin the hour anew.
        if hour > tally.hour || hour < tally.hour - 1 {
            *tally = Tally { hour, counts: HashMap::new() };
        }
        let kinds = tally.counts.entry(by.actor.as_str().to_owned()).or_default();
        let many = || kinds.keys().filter(|kind| matches!(kind, Kind::Of(..))).count() >= KINDS_MAX;
        let kind = if matches!(kind, Kind::Of(..)) && !kinds.contains_key(&kind) && many() { Kind::Besides } else { kind };
        let besides = kind == Kind::Besides;
        let times = kinds.entry(kind).or_default();
        *times += 1;
        (10_u64.pow(times.ilog10()) == *times).then_some((*times, besides))
    }
}

impl Ledger {
    /// Notes in the trails where the asker acts that they were refused, unless as much was noted within the hour.
    ///
    /// # Errors
    /// What the database failed of.
    pub async fn note_refused(&self, refused: &Refused, by: &By) -> Result<(), LedgerError> {
        let Some((times, besides)) = self.refusals.count(Kind::Of(refused.route.clone(), refused.why), by) else { return Ok(()) };
        let mut told = refused.told(refused.why, times);
        if besides {
            told["besides"] = true.into();
        }
        let all: Vec<_> = if refused.at.is_empty() { vec![None] } else { refused.at.iter().map(Some).collect() };
        let acts = all.into_iter().map(|partner| (partner, refused.subject(), told.clone())).collect();
        self.write_refusals(acts, by).await
    }

    /// Looks whose it is that was asked for, and notes it in the trails of those who have it and are not the asker's `own`. That is done
    /// after this has answered, so that neither words nor time tell the asker whether there is such a thing; this waits only where very
    /// many ask for what is not theirs, whatever they ask for.
    pub async fn tell_owners(&self, refused: Refused, own: Vec<PartnerName>, by: By) {
        let turn = Arc::clone(&self.refusals.turns).acquire_owned().await;
        let ledger = self.clone();
        // Ends by itself: a few look-ups and one transaction.
        tokio::spawn(async move {
            let _turn = turn;
            if let Err(error) = ledger.told_owners(&refused, &own, &by).await {
                tracing::warn!(%error, actor = %by.actor, "that somebody asked for what is another partner's could not be noted");
            }
        });
    }

    async fn told_owners(&self, refused: &Refused, own: &[PartnerName], by: &By) -> Result<(), LedgerError> {
        let mut owners: Vec<(PartnerName, String)> = Vec::new();
        for (of, sql) in [
            ("run", "SELECT partner FROM runs WHERE run = $1"),
            ("release", "SELECT partner FROM releases WHERE digest = $1"),
            ("partner", "SELECT partner FROM partners WHERE partner = $1"),
        ] {
            let Some(name) = refused.name(of) else { continue };
            let found: Vec<String> = query_scalar(sql).bind(name).fetch_all(&self.store).await?;
            for partner in found {
                let partner: PartnerName = parsed(&partner, "partner")?;
                if !own.contains(&partner) && owners.iter().all(|(owner, _)| *owner != partner) {
                    owners.push((partner, format!("{of}:{name}")));
                }
            }
        }
        let due = owners.iter().filter_map(|(partner, subject)| {
            let (times, _) = self.refusals.count(Kind::Elsewhere(partner.to_string()), by)?;
            Some((Some(partner), subject.clone(), refused.told("of-another-partner", times)))
        });
        let due: Vec<_> = due.collect();
        if due.is_empty() { Ok(()) } else { self.write_refusals(due, by).await }
    }

    async fn write_refusals(&self, acts: Vec<(Option<&PartnerName>, String, Value)>, by: &By) -> Result<(), LedgerError> {
        let acts = &acts;
        self.store
            .again(|| async move {
                let mut transaction = self.store.begin().await?;
                for (partner, subject, told) in acts {
                    let act = Act { partner: *partner, action: REFUSED, subject: subject.clone(), before: None, after: Some(told.clone()) };
                    append(&mut transaction, act, by);
                }
                transaction.commit().await?;
                Ok(())
            })
            .await
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where by itself")]
mod tests {
    use super::*;
    use crate::ledger::who::{Actor, HubId};

    fn at(actor: &str, now_ms: i64) -> By {
        By { actor: Actor::person(actor), hub: HubId::new("hub"), from: None, now_ms, as_of: None }
    }

    #[test]
    fn a_million_tries_are_a_few_entries_and_each_hour_begins_anew() {
        let refusals = Refusals::default();
        let route = |number: usize| Kind::Of(format!("GET /{number}"), "may-not");
        let noted: Vec<u64> = (0..1_000_000).filter_map(|_| refusals.count(route(0), &at("joan", 5))).map(|(times, _)| times).collect();
        assert_eq!(noted, [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]);
        assert_eq!(refusals.count(route(0), &at("amy", 5)), Some((1, false)), "each is counted by themselves");
        assert_eq!(refusals.count(Kind::Of("GET /0".to_owned(), "not-there"), &at("joan", 5)), Some((1, false)));
        let many: Vec<(u64, bool)> = (1..=500).filter_map(|number| refusals.count(route(number), &at("joan", 5))).collect();
        let own = KINDS_MAX - 2;
        assert!(many[..own].iter().all(|noted| *noted == (1, false)), "{many:?}");
        assert_eq!(many[own..], [(1, true), (10, true), (100, true)], "and all others together");
        assert_eq!(
            refusals.count(Kind::Elsewhere("police".to_owned()), &at("joan", 5)),
            Some((1, false)),
            "nothing hides what is another's"
        );
        assert_eq!(refusals.count(route(0), &at("joan", 5 + HOUR_MS)), Some((1, false)));
        assert_eq!(refusals.tally.lock().unwrap().counts.len(), 1, "what was counted before is forgotten");
    }
}
