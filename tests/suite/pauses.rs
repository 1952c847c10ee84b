//! A schedule that is paused and resumed, by whichever hub looks and whenever it looks: no slot is lost, and none comes twice.

use std::collections::BTreeMap;

use bailiwick::ledger::{RunFilter, Scope};
use bailiwick::model::job::CatchUp;
use bailiwick::run::Hub;
use bailiwick::schedule::{self, Calendar};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::select;

use crate::schedule::only;
use crate::support::*;

#[derive(Debug, Clone)]
enum Move {
    Look {
        hub: usize,
    },
    BothLook,
    Pause,
    Resume,
    /// The same file again: nothing changes by it.
    Apply,
    Wait {
        minutes: i64,
    },
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (0..2_usize).prop_map(|hub| Move::Look { hub }),
        1 => Just(Move::BothLook),
        2 => Just(Move::Pause),
        2 => Just(Move::Resume),
        1 => Just(Move::Apply),
        5 => select(vec![1_i64, 4, 14, 15, 16, 61, 500]).prop_map(|minutes| Move::Wait { minutes }),
    ]
}

async fn make(next: &Move, site: &Site, hubs: &[Hub; 2]) {
    let (police, lgps) = (partner(POLICE), job(LGPS));
    let (ledger, by) = (hubs[0].ledger(), operator(&hubs[0]));
    match next {
        Move::Look { hub } => drop(hubs[*hub].tick().await.unwrap()),
        Move::BothLook => {
            let (one, other) = tokio::join!(hubs[0].tick(), hubs[1].tick());
            assert!(one.is_ok() && other.is_ok());
        }
        Move::Pause => drop(ledger.pause((&police, &lgps), "year end", &by).await.unwrap()),
        Move::Resume => drop(ledger.resume((&police, &lgps), &by).await.unwrap()),
        Move::Apply => drop(site.apply(&hubs[0]).await),
        Move::Wait { minutes } => hubs[0].clock().advance(SignedDuration::from_mins(*minutes)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn each_slot_is_run_or_recorded_as_skipped_once(
        moves in proptest::collection::vec(moves(), 1..30),
        (catch_up, rule) in select(vec![("\"skip\"", CatchUp::Skip), ("\"once\"", CatchUp::Once), ("{ all = 3 }", CatchUp::All { slots_max: 3 })]),
    ) {
        let site = only(LGPS, catch_up);
        let file = format!("jobs/{LGPS}.toml");
        site.edit(&file, "cron = \"0 7 19 * *\"", "cron = \"*/15 * * * *\"");
        site.edit(&file, "working-day = \"before\"", "working-day = \"skip\"");
        wait(async {
            // A Friday, so that days off come into it.
            let clock = clock_at("2026-10-23T21:07:00Z");
            let hubs = [site.hub(&clock).await, site.reopen_as("second", &clock).await];
            let begun = clock.now();
            for next in &moves {
                make(next, &site, &hubs).await;
            }
            for last in [Move::Resume, Move::Look { hub: 1 }, Move::Look { hub: 0 }] {
                make(&last, &site, &hubs).await;
            }
            let stored = hubs[0].ledger().job(&partner(POLICE), &job(LGPS)).await.unwrap();
            let declared = hubs[0].schedule_of(&stored).await.unwrap().unwrap();
            assert_eq!(declared.catch_up, rule);
            let named = schedule::due(&declared, Calendar::england_and_wales(), begun, clock.now()).unwrap();
            let mut wanted: Vec<String> = named.slots.into_iter().chain(named.skipped.into_iter().map(|skipped| skipped.slot)).map(|slot| slot.key).collect();
            wanted.sort();

            let mut runs: BTreeMap<String, u32> = BTreeMap::new();
            let mut filter = RunFilter::default();
            loop {
                let page = hubs[0].ledger().runs(Scope::Hub, &filter, 1_000).await.unwrap();
                page.items.iter().for_each(|run| *runs.entry(run.enqueued.slot.clone().unwrap()).or_default() += 1);
                filter.before = page.next;
                if filter.before.is_none() {
                    break;
                }
            }
            assert!(runs.values().all(|times| *times == 1), "{runs:?}");
            assert_eq!(runs.into_keys().collect::<Vec<_>>(), wanted);
            for hub in &hubs {
                hub.ledger().close().await;
            }
        });
    }
}
