//! Senders that stop in the middle, and senders that send again.

use std::fs::{self, File};
use std::io::Write as _;
use std::time::{Duration, Instant};

use bailiwick::clock::Clock;
use bailiwick::ledger::RunState;

use super::books::Books;
use super::trial::Trial;
use super::world::{Ends, FLOW, PARTNER, World, all_runs, folder, to_rest, until_done};
use crate::support::*;

/// How long a file must have been left alone.
const SETTLE: Duration = Duration::from_millis(400);

#[test]
fn files_half_written() {
    let mut trial = Trial::of("files half written while the hub looks");
    let world = World::new(&Ends { from: folder("in", u64::try_from(SETTLE.as_millis()).unwrap()), ..Ends::folders() });
    wait(async {
        let hub = world.hub("main", &Clock::machine()).await;
        for round in 0..trial.times(4) {
            let name = format!("lines-half-{round}.csv");
            let text = world.lines(&name, 60, false);
            let mut file = File::create(world.site.path(&format!("in/{name}"))).unwrap();
            // Cut where nobody would: within rows, within fields. The sender pauses for less than the hub waits.
            let mut rest = text.as_bytes();
            while !rest.is_empty() {
                let (now, later) = rest.split_at((1 + trial.below(700) as usize).min(rest.len()));
                file.write_all(now).unwrap();
                rest = later;
                tokio::time::sleep(trial.within(SETTLE / 4)).await;
                if trial.once_in(3) {
                    request(&hub, PARTNER, FLOW).await;
                    drain(&hub).await;
                }
            }
            trial.tried();
            drop(file);
            let whole = Instant::now();
            tokio::time::sleep(SETTLE).await;
            to_rest(&hub).await;
            trial.recovered(whole.elapsed());
        }
        until_done(&hub).await;
        trial.end(&Books::ask(&world, &hub).await);
        hub.ledger().close().await;
    });
}

#[test]
fn files_sent_twice() {
    let mut trial = Trial::of("files sent twice: under their name, another name, all at once");
    let world = World::new(&Ends::folders());
    wait(async {
        let clock = clock_at("2026-11-18T09:00:00Z");
        let hub = world.hub("main", &clock).await;
        let mut refused = 0;
        for round in 0..trial.times(12) {
            let file = format!("in/lines-{round}.csv");
            world.place(&round.to_string(), 40, trial.once_in(8));
            let bytes = world.site.read(&file);
            let (renamed, at_once) = (trial.once_in(2), trial.once_in(2));
            if !at_once {
                to_rest(&hub).await;
            }
            if renamed {
                world.copied(&format!("lines-{round}.csv"), &format!("lines-{round}-copy.csv"));
                world.site.write(&format!("in/lines-{round}-copy.csv"), bytes);
            } else {
                fs::remove_file(world.site.path(&file)).unwrap();
                world.site.write(&file, bytes);
            }
            trial.tried();
            let began = Instant::now();
            to_rest(&hub).await;
            trial.recovered(began.elapsed());
            refused = all_runs(&hub).await.iter().filter(|run| run.state == RunState::Failed && reason(run).0 == "duplicate-file").count();
        }
        assert!(refused > 0 || trial.times(12) < 12, "no copy was noticed");
        trial.end(&Books::ask(&world, &hub).await);
        hub.ledger().close().await;
    });
}
