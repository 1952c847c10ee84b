//! Pages of a partner with ten thousand runs: they ask the same few questions as with ten.

use std::time::{Duration, Instant};

use super::*;
use bailiwick::ledger::{Due, DueSlot, Reason, Scope, Trigger};

const HOME: &str = "/p/staffordshire-police";
const RUNS: i64 = 10_000;

/// What a page may take here, in a build that is not optimised, on a machine that does other things: many times what it takes.
const WITHIN: Duration = Duration::from_secs(3);

#[test]
fn ten_thousand_runs_slow_no_page_down() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = closed_run(&console.hub).await;
        let ledger = console.hub.ledger();
        let job = ledger.job(&partner(POLICE), &job(LGPS)).await.unwrap();
        let now_ms = console.hub.clock().now_ms();
        let slot = |number: i64| DueSlot {
            key: format!("2026-11-18T08:00[{number}]"),
            logical_ms: now_ms,
            trigger: Trigger::Schedule,
            skip: Some(Reason { code: "missed".to_owned(), sentence: "It was missed.".to_owned() }),
        };
        let due = Due {
            partner: job.partner.clone(),
            job: job.name.clone(),
            since_ms: job.scheduled_through_ms,
            through_ms: now_ms,
            next_ms: now_ms + 1,
            calendar: "test".to_owned(),
            slots: (0..RUNS).map(slot).collect(),
        };
        ledger.record_due(&due, &operator(&console.hub)).await.unwrap();
        let counted: u64 = ledger.run_counts(Scope::Hub).await.unwrap().iter().map(|(_, runs)| runs).sum();
        assert_eq!(counted, RUNS as u64 + 1);
        for path in [
            HOME.to_owned(),
            format!("{HOME}/jobs"),
            format!("{HOME}/jobs/{LGPS}"),
            format!("{HOME}/runs"),
            format!("{HOME}/runs?state=closed"),
            format!("{HOME}/runs/{run}"),
            format!("{HOME}/rejects"),
        ] {
            console.get(VIEWER, &path).await.is(200);
            let began = Instant::now();
            console.get(VIEWER, &path).await.is(200);
            let took = began.elapsed();
            println!("{path}: {took:?}");
            assert!(took < WITHIN, "{path} took {took:?}");
        }
        // From page to page to the last one.
        let (mut path, mut pages) = (format!("{HOME}/runs?state=skipped"), 0);
        loop {
            let page = console.get(VIEWER, &path).await;
            pages += 1;
            let Some((before, _)) = page.text.split_once("\" rel=\"next\"") else { break };
            path = before.rsplit_once("href=\"").unwrap().1.replace("&amp;", "&");
        }
        assert_eq!(pages, RUNS / 50);
    });
}
