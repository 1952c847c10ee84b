//! What is done again, or late: replays give the same bytes whatever has changed since, and each slot of days gone by runs once.

use bailiwick::ledger::{Outcome, Run, RunEvent, RunState, Scope};
use bailiwick::run::Hub;
use jiff::civil::{Date, date};

use crate::support::*;

const NOVEMBER: &str = "2026-11-18T09:00:00Z";

async fn replayed(hub: &Hub, origin: &Run) -> Run {
    let run = hub.replay(Scope::Partner(origin.partner()), origin.id, &operator(hub)).await.expect("it can be replayed");
    drain(hub).await;
    ended(hub, run).await
}

#[test]
fn a_replay_gives_the_same_bytes_whatever_has_changed_since() {
    let site = Site::staffordshire();
    wait(async {
        let clock = clock_at(NOVEMBER);
        let hub = site.hub(&clock).await;
        let mut origins = Vec::new();
        for stored in hub.ledger().jobs(Scope::Hub).await.unwrap() {
            origins.push(finished(&hub, stored.partner.as_str(), stored.name.as_str()).await);
        }
        assert!(origins.len() == 4 && origins.iter().all(|run| run.state == RunState::Closed));
        let delivered = site.delivered();

        // Another time, other settings, and nothing left of what was read.
        clock.advance(jiff::SignedDuration::from_hours(24 * 100));
        site.edit(&format!("jobs/{LGPS}.toml"), "rows-max = 100", "rows-max = 1");
        site.edit(&format!("jobs/{LGPS}.toml"), "dates = \"dd/mm/yyyy\"", "dates = \"iso\"");
        for folder in ["payroll", "claims", "suppliers", "apportionment"] {
            std::fs::remove_dir_all(site.path(&format!("data/{folder}"))).unwrap();
            std::fs::create_dir(site.path(&format!("data/{folder}"))).unwrap();
        }
        site.apply(&hub).await;
        for origin in &origins {
            let replay = replayed(&hub, origin).await;
            assert_eq!((replay.state, replay.outcome), (RunState::Closed, Some(Outcome::DryRun)), "{}: {:?}", origin.job(), replay.reason);
            assert_eq!(replay.trigger().origin(), Some(origin.id));
            assert_eq!((replay.rows, &replay.pins, replay.enqueued.seed), (origin.rows, &origin.pins, origin.enqueued.seed));
            // A replay of a replay is one of the first.
            assert_eq!(replayed(&hub, &replay).await.trigger().origin(), Some(origin.id));
        }
        assert!(site.delivered() == delivered, "a replay delivers nothing");
    });
}

#[test]
fn a_replay_that_comes_to_something_else_is_held_with_the_difference() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let origin = finished(&hub, POLICE, LGPS).await;
        let events = hub.ledger().events(Scope::Hub, origin.id, 0).await.unwrap();
        let pulled = events.into_iter().find_map(|event| if let RunEvent::Pulled(pulled) = event.event { Some(pulled) } else { None });
        let payroll = pulled.unwrap().inputs.into_iter().find(|file| file.port == "payroll").unwrap();

        // What no hub does: the stored input is not what it was.
        let bytes = content(&hub, &partner(POLICE), payroll.digest).await.unwrap();
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        forge(&hub, &partner(POLICE), payroll.digest, &lines[..lines.len() - 1].concat()).await;
        let other = replayed(&hub, &origin).await;
        assert_eq!((other.state, reason(&other).0), (RunState::Held, "replay-differs"), "{:?}", other.reason);
        assert!(
            reason(&other).1.contains(&origin.id.to_string()) && reason(&other).1.contains("output return had 1450 rows"),
            "{:?}",
            other.reason
        );

        std::fs::remove_file(hub.artefact_path(&partner(POLICE), payroll.digest)).unwrap();
        let gone = replayed(&hub, &origin).await;
        assert_eq!((gone.state, reason(&gone).0), (RunState::Failed, "input-gone"));
        assert!(reason(&gone).1.contains(&payroll.path), "{:?}", gone.reason);
    });
}

#[test]
fn what_processed_no_rows_is_not_replayed() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        finished(&hub, POLICE, LGPS).await;
        let nothing_there = finished(&hub, POLICE, LGPS).await;
        assert_eq!(nothing_there.state, RunState::Skipped);
        let refused = hub.replay(Scope::Hub, nothing_there.id, &operator(&hub)).await.unwrap_err().to_string();
        assert!(refused.contains("is skipped and has processed no rows"), "{refused}");
        let of_another = hub.replay(Scope::Partner(&partner(FIRE)), nothing_there.id, &operator(&hub)).await;
        assert!(of_another.is_err_and(|error| error.to_string().contains("no run")));
    });
}

async fn backfilled(hub: &Hub, name: &str, days: (Date, Date)) -> Vec<(String, bool)> {
    let stored = hub.ledger().job(&partner(POLICE), &job(name)).await.unwrap();
    let slots = hub.backfill(&stored, days, false, &operator(hub)).await.expect("it can be backfilled");
    drain(hub).await;
    slots.into_iter().map(|each| (each.slot.wall.date().to_string(), each.new)).collect()
}

#[test]
fn each_slot_of_days_gone_by_runs_once() {
    let site = Site::staffordshire();
    wait(async {
        // A Wednesday, before and after the hour at which the job is due.
        let clock = clock_at("2026-11-18T05:00:00Z");
        let hub = site.hub(&clock).await;
        let days = (date(2026, 11, 13), date(2026, 11, 18));
        let made = |days: &[(&str, bool)]| days.iter().map(|(day, new)| ((*day).to_owned(), *new)).collect::<Vec<_>>();
        let first = backfilled(&hub, "claim-routing", days).await;
        assert_eq!(first, made(&[("2026-11-13", true), ("2026-11-16", true), ("2026-11-17", true)]), "working days whose time has come");
        let runs = runs_of(&hub, "claim-routing").await;
        assert!(runs.iter().all(|run| run.trigger().kind() == "backfill"));
        let closed: Vec<_> =
            runs.iter().filter(|run| run.state == RunState::Closed).map(|run| run.enqueued.slot.clone().unwrap()).collect();
        assert_eq!(closed, ["2026-11-13T06:00[Europe/London]"], "the first took the file that was there");
        assert_eq!(site.names("out/insurance"), ["claim-decisions-2026-11-13.jsonl"], "named for the day that it makes up for");

        clock.advance(jiff::SignedDuration::from_hours(4));
        hub.tick().await.unwrap();
        let by_schedule = runs_of(&hub, "claim-routing").await.into_iter().filter(|run| run.trigger().kind() == "catch-up").count();
        assert_eq!(by_schedule, 1, "the day's own slot is the schedule's");
        let again = backfilled(&hub, "claim-routing", days).await;
        assert_eq!(again, made(&[("2026-11-13", false), ("2026-11-16", false), ("2026-11-17", false), ("2026-11-18", false)]));
    });
}

#[test]
fn a_slot_that_was_missed_is_made_up_for_once() {
    let site = Site::staffordshire();
    site.edit("jobs/claim-routing.toml", "catch-up = \"once\"", "catch-up = \"skip\"");
    wait(async {
        let clock = clock_at("2026-11-16T12:00:00Z");
        let hub = site.hub(&clock).await;
        clock.advance(jiff::SignedDuration::from_hours(48));
        hub.tick().await.unwrap();
        let missed = runs_of(&hub, "claim-routing").await;
        assert!(missed.len() == 2 && missed.iter().all(|run| reason(run).0 == "missed"));
        let days = (date(2026, 11, 17), date(2026, 11, 17));
        assert_eq!(backfilled(&hub, "claim-routing", days).await, [("2026-11-17".to_owned(), true)]);
        assert_eq!(backfilled(&hub, "claim-routing", days).await, [("2026-11-17".to_owned(), false)]);
        let runs = runs_of(&hub, "claim-routing").await;
        let told = |run: &Run| (run.trigger().kind(), run.state);
        let mut told: Vec<_> = runs.iter().map(told).map(|(kind, state)| (kind, state.as_str())).collect();
        told.sort_unstable();
        assert_eq!(told, [("backfill", "closed"), ("catch-up", "skipped"), ("catch-up", "skipped")]);
    });
}

#[test]
fn senseless_days_are_refused_with_a_reason() {
    let site = Site::staffordshire();
    site.edit("jobs/supplier-onboarding.toml", "cron = ", "# cron = ");
    site.edit("jobs/claim-routing.toml", "cron = \"0 6 * * 1-5\"", "cron = \"* * * * *\"");
    let text = String::from_utf8(site.read("jobs/supplier-onboarding.toml")).unwrap();
    let (before, rest) = text.split_once("[schedule]").expect("it has a schedule");
    site.write("jobs/supplier-onboarding.toml", format!("{before}{}", &rest[rest.find("\n[").expect("more follows")..]));
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        for (name, days, told) in [
            ("claim-routing", (date(2026, 11, 17), date(2026, 11, 16)), "2026-11-17 is after 2026-11-16"),
            ("claim-routing", (date(2026, 11, 2), date(2026, 11, 6)), "7200 times, and 1000 can be asked for at once"),
            ("supplier-onboarding", (date(2026, 11, 2), date(2026, 11, 6)), "use `bailiwick run supplier-onboarding`"),
        ] {
            let stored = hub.ledger().job(&partner(POLICE), &job(name)).await.unwrap();
            let refused = hub.backfill(&stored, days, false, &operator(&hub)).await.unwrap_err().to_string();
            assert!(refused.contains(told), "{refused}");
            assert!(runs_of(&hub, name).await.is_empty(), "nothing is put in the queue");
        }
    });
}
