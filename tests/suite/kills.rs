//! The program killed with no warning while it works on a large file, again and again, and then let be.

use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::support::*;

const KILLS: u32 = 6;

/// Large files one after the other, so that the time that one takes says something of the next.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How long a run takes that nobody disturbs, and what it delivers.
fn undisturbed() -> (Duration, Vec<(String, Vec<u8>)>) {
    let site = Site::large();
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    let began = Instant::now();
    let run = say(&site, &["run", LGPS, "--json"]);
    let took = began.elapsed();
    assert_eq!((run.code, &run.json()["rows"]["accepted"]), (Some(0), &Site::LARGE_LINES.into()), "{} {}", run.out, run.err);
    (took, site.delivered())
}

#[test]
fn a_program_that_is_killed_at_any_moment_delivers_once() {
    let _alone = alone();
    let (took, wanted) = undisturbed();
    let site = Site::large();
    // More attempts than kills: a run that takes the hub with it each time is otherwise left to a person.
    site.edit(&format!("jobs/{LGPS}.toml"), "zone = ", "attempts-max = 10\nzone = ");
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    let mut killed = 0;
    for kill in 1..=KILLS {
        let mut child = bailiwick(&site, &["run", LGPS]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // From its start to most of its way.
        std::thread::sleep(took * kill / 8);
        killed += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(killed >= KILLS / 2, "only {killed} kills met it at work, of a run of {took:?}");
    let last = say(&site, &["run", LGPS]);
    assert_eq!(last.code, Some(0), "{} {}", last.out, last.err);

    assert!(
        site.delivered() == wanted,
        "{:?}",
        site.delivered().iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect::<Vec<_>>()
    );
    let runs = say(&site, &["runs", "--json", "--limit", "100"]).json();
    let states: Vec<&str> = runs.as_array().unwrap().iter().map(|run| run["state"].as_str().unwrap()).collect();
    let closed = states.iter().filter(|state| **state == "closed").count();
    assert!(closed == 1 && states.iter().all(|state| ["closed", "skipped"].contains(state)), "{states:?}");
    assert_eq!(say(&site, &["audit", "verify"]).code, Some(0));
}

/// Commands that read open the same folder as a hub at work; they must not take its runs from it.
#[test]
fn looking_on_does_not_disturb_a_run() {
    let _alone = alone();
    let site = Site::large();
    let serving = Serving::start(&site);
    serving.run(LGPS);
    let (mut seen, began) = (0, Instant::now());
    let run = loop {
        let runs = say(&site, &["runs", "--json"]).json();
        match runs[0]["state"].as_str() {
            Some("running") => seen += 1,
            Some("queued" | "staged" | "delivering") => {}
            _ => break runs[0].clone(),
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it does not come to an end: {runs}");
    };
    assert!(seen > 2, "it was seen at work {seen} times");
    assert_eq!((&run["state"], &run["attempt"]), (&"closed".into(), &1.into()), "{run}");
}

#[test]
fn a_hub_that_is_told_to_stop_finishes_what_is_under_way() {
    let _alone = alone();
    let site = Site::large();
    let mut serving = Serving::start(&site);
    serving.run(LGPS);
    let began = Instant::now();
    while say(&site, &["runs", "--json"]).json()[0]["state"] != "running" {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not begin");
    }
    assert_eq!(serving.terminate(), Some(0));
    let run = &say(&site, &["runs", "--json"]).json()[0];
    assert_eq!((&run["state"], &run["attempt"], site.delivered().len()), (&"closed".into(), &1.into(), 2), "{run}");
}
