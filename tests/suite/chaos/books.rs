//! Where each row is in the end: what a person would ask after a bad night, answered from the files, the receivers and the ledger.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick::ledger::{By, FoundEffect, Run, RunEvent, RunState, Scope};
use bailiwick::model::personal::Sight;
use bailiwick::run::{Hub, Look};

use super::world::{World, all_runs, waits};
use crate::support::*;

/// Which rows were put into which file.
pub(crate) type Placed = BTreeMap<String, Vec<u64>>;

/// What the question came to.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) rows: usize,
    /// Rows that are nowhere.
    pub(crate) lost: Vec<u64>,
    /// Rows that are in two places, or in one twice.
    pub(crate) doubled: Vec<u64>,
    /// Runs whose delivery waits for a person to ask the receiver.
    pub(crate) uncertain: usize,
}

impl Books {
    /// Asks of a site whose outbox is a folder, once its hub has come to rest.
    pub(crate) async fn ask(world: &World, hub: &Hub) -> Self {
        Self::of((&delivered(&world.site), &world.placed()), hub).await
    }

    /// Asks where a receiver has some files, and rows were placed in others.
    pub(super) async fn of((delivered, placed): (&[Vec<u8>], &Placed), hub: &Hub) -> Self {
        let all: BTreeSet<u64> = placed.values().flatten().copied().collect();
        let mut places: BTreeMap<u64, usize> = BTreeMap::new();
        for id in delivered.iter().flat_map(|file| ids(file)) {
            *places.entry(id).or_default() += 1;
        }
        let at_receiver = places.clone();
        let mut books = Self { rows: all.len(), ..Self::default() };
        for run in all_runs(hub).await {
            assert!(!waits(&run), "the hub is not at rest: {run:?}");
            for id in books.beside(hub, &run, (placed, &at_receiver)).await {
                *places.entry(id).or_default() += 1;
            }
        }
        books.lost = all.iter().filter(|id| !places.contains_key(id)).copied().collect();
        books.doubled = places.iter().filter(|(_, places)| **places > 1).map(|(id, _)| *id).collect();
        assert!(places.keys().all(|id| all.contains(id)), "rows came out that nobody sent");
        let check = hub.ledger().verify_audit().await.expect("the ledger answers");
        assert!(check.is_sound(), "{check:?}");
        books
    }

    /// With what another time came to.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.rows += other.rows;
        self.lost.extend(other.lost);
        self.doubled.extend(other.doubled);
        self.uncertain += other.uncertain;
        self
    }

    /// The rows that a run keeps: its rejects if it closed, all of them if it waits for a person.
    async fn beside(&mut self, hub: &Hub, run: &Run, (placed, delivered): (&Placed, &BTreeMap<u64, usize>)) -> Vec<u64> {
        match (run.state, reason(run).0) {
            (RunState::Closed, _) => rejects(hub, run).await,
            (RunState::Held, _) => taken(hub, run, placed).await,
            (RunState::Failed, "delivery-uncertain") => {
                self.uncertain += 1;
                let rejects = rejects(hub, run).await;
                // What the receiver has is there; of what it has not, a person will say so.
                taken(hub, run, placed).await.into_iter().filter(|id| rejects.contains(id) || !delivered.contains_key(id)).collect()
            }
            // Nothing was taken, or what another run has.
            (RunState::Skipped | RunState::Cancelled, _) | (RunState::Failed, "duplicate-file") => Vec::new(),
            (state, code) => panic!("a run is {state} for {code}: {:?}", run.reason),
        }
    }
}

/// The files in a site's outbox that have their names.
pub(super) fn delivered(site: &Site) -> Vec<Vec<u8>> {
    site.names("out").into_iter().filter(|name| !name.starts_with('.')).map(|name| site.read(&format!("out/{name}"))).collect()
}

async fn rejects(hub: &Hub, run: &Run) -> Vec<u64> {
    let found = hub.ledger().findings((Scope::Hub, run.id), FoundEffect::Reject, None, 1_000).await.expect("the ledger answers");
    let by = By::hub(hub.id(), 0);
    let view = hub.view(run.id, Look { scope: Scope::Hub, sight: Sight::Full, by: &by }).await.expect("rejects can be looked at");
    let raw = |finding| view.raw(finding).expect("it opens").unwrap_or_default();
    found.items.iter().flat_map(|finding| ids(&raw(finding))).collect()
}

/// The rows of the file that a run took.
async fn taken(hub: &Hub, run: &Run, placed: &Placed) -> Vec<u64> {
    let events = hub.ledger().events(Scope::Hub, run.id, 0).await.expect("the ledger answers");
    let pulled = events.iter().rev().find_map(|event| match &event.event {
        RunEvent::Pulled(pulled) => Some(pulled),
        _ => None,
    });
    pulled.into_iter().flat_map(|pulled| &pulled.inputs).flat_map(|file| placed[&file.path].clone()).collect()
}

/// The numbers of the rows in a file, or in a record.
fn ids(bytes: &[u8]) -> Vec<u64> {
    let text = String::from_utf8_lossy(bytes);
    let of_field = |field: &str| field.trim().trim_matches('"').strip_prefix("row-").and_then(|id| id.parse().ok());
    text.split([',', '\n', '\r']).filter_map(of_field).collect()
}
