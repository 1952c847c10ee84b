//! What plugins and runs must not share: memory, globals, state, random numbers, places in the pool, secrets of the hub.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::api;
use bailiwick::ledger::RunState;
use bailiwick::model::limits::Limit;
use bailiwick::run::{Decided, Question, RunError};
use bailiwick::sandbox::{AdapterRun, CallError, Release, Sandbox, Setup, Worker};

use crate::faults::{again, both, site};
use crate::sandbox::{adapter_manifest, adapter_run, rows, sandbox_in, setup, wait as done, with_limits};
use crate::support::*;

/// Bytes as the guest is told them: not as they are, so that telling it does not put them into its memory.
fn masked(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{:02x}", byte ^ 0x5a)).collect()
}

/// A sandbox of one thread for runs, with the hostile adapter.
fn one_thread() -> (Sandbox, Release, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sandbox = sandbox_in(folder.path(), 1).expect("it starts");
    let release = sandbox.install(hostile_adapter(), &adapter_manifest()).expect("it installs");
    (sandbox, release, folder)
}

/// What the guest says in the failure that it answers with.
fn told(error: CallError) -> String {
    match error {
        CallError::Failed(failure) => failure.to_string(),
        other => panic!("{other}"),
    }
}

/// As many runs at one time as the thread has room for.
fn fill(worker: &Worker, setup: &Arc<Setup>) -> (Vec<AdapterRun>, CallError) {
    let mut runs = Vec::new();
    loop {
        match worker.open_adapter(setup) {
            Ok(run) => runs.push(run),
            Err(failed) => return (runs, failed.error),
        }
        assert!(runs.len() < 10_000, "the pool has no bounds");
    }
}

#[test]
fn no_run_finds_what_another_left_in_memory() {
    let (sandbox, release, _folder) = one_thread();
    let mark = masked(b"left by one run for the next");
    let (leave, seek) = (setup(release.clone(), &format!("leave-mark:{mark}")), setup(release.clone(), &format!("seek-mark:{mark}")));
    // The guest's own partner stands in its memory: it can look.
    let control = setup(release, &format!("seek-mark:{}", masked(b"staffordshire")));
    let (leave, seek, control) = (Arc::new(leave), Arc::new(seek), Arc::new(control));
    let found = done(sandbox.on_run_thread(move |worker| {
        let seen = told(adapter_run(worker, &control, &rows(0, 1)).0.expect_err("it tells"));
        assert!(!seen.contains("0 (found)"), "{seen}");
        // Every slot of the pool is used by a run that leaves marks, and then by one that looks for them.
        let (mut leaving, full) = fill(worker, &leave);
        assert!(matches!(full, CallError::HubFault { .. }), "{full}");
        for run in &mut leaving {
            run.push(0, &rows(0, 1)).expect("it leaves its mark");
        }
        let slots = leaving.len();
        drop(leaving);
        let (mut seeking, _) = fill(worker, &seek);
        assert_eq!(seeking.len(), slots, "every slot is free again");
        seeking.iter_mut().map(|run| told(run.push(0, &rows(0, 1)).expect_err("it tells"))).collect::<Vec<_>>()
    }));
    let found = found.expect("the thread answers");
    assert!(found.len() >= 16 && found.iter().all(|told| told.contains("0 (found)")), "{found:?}");
}

#[test]
fn no_partner_and_no_run_sees_the_globals_of_another() {
    let (sandbox, release, _folder) = one_thread();
    let of = |partner: &str| {
        let mut setup = setup(release.clone(), "count-calls");
        setup.partner = partner.parse().expect("a name");
        Arc::new(setup)
    };
    for setup in [of("staffordshire"), of("cleveland"), of("staffordshire"), of("cleveland")] {
        let (result, _) = done(sandbox.on_run_thread(move |worker| adapter_run(worker, &setup, &rows(0, 1)))).expect("the thread answers");
        assert!(told(result.expect_err("it tells")).contains("0 (called-before)"));
    }
}

#[test]
fn random_numbers_come_from_the_seed_alone() {
    let (sandbox, release, _folder) = one_thread();
    let draw = |partner: &str, seed: u8| {
        let mut setup = setup(release.clone(), "tell-what-is-lent");
        setup.partner = partner.parse().expect("a name");
        setup.seed = [seed; 32];
        let setup = Arc::new(setup);
        let run = done(sandbox.on_run_thread(move |worker| adapter_run(worker, &setup, &rows(0, 1)).0));
        told(run.expect("the thread answers").expect_err("it tells"))
    };
    let first = draw("staffordshire", 1);
    let flood = Arc::new(setup(release.clone(), "random-flood"));
    let flooded = done(sandbox.on_run_thread(move |worker| adapter_run(worker, &flood, &rows(0, 1)).0));
    assert!(matches!(flooded, Ok(Err(CallError::LimitReached { limit: Limit::RandomBytes, .. }))), "{flooded:?}");
    // A replay draws the same, whoever drew in between; another seed gives others.
    assert_eq!(draw("cleveland", 1), first);
    assert_ne!(draw("staffordshire", 2), first);
}

#[test]
fn a_guest_that_does_not_end_gives_its_place_up() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sandbox = sandbox_in(folder.path(), 2).expect("it starts");
    let release = sandbox.install(hostile_adapter(), &adapter_manifest()).expect("it installs");
    let run = |misbehave: &str| {
        let (sandbox, setup) = (sandbox.clone(), with_limits(setup(release.clone(), misbehave), &[(Limit::CpuMs, 100)]));
        std::thread::spawn(move || done(sandbox.on_run_thread(move |worker| adapter_run(worker, &setup, &rows(0, 3)).0)))
    };
    // Six that do not end for two threads, and then one that is in order.
    let endless: Vec<_> = (0..6).map(|_| run("endless-loop")).collect();
    std::thread::sleep(Duration::from_millis(50));
    let begun = Instant::now();
    assert!(matches!(run("").join(), Ok(Ok(Ok(_)))));
    // Three times 100 ms for each thread; the rest is for a busy machine.
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    for run in endless {
        let ended = run.join().expect("no panic");
        assert!(matches!(ended, Ok(Err(CallError::LimitReached { limit: Limit::CpuMs, .. }))), "{ended:?}");
    }
}

#[test]
fn no_guest_has_a_secret_of_the_hub_in_its_memory() {
    let site = site("", "");
    wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        let mut canaries = Vec::new();
        for partner_name in ["restless", "quiet"] {
            canaries.push(api::make_token(&hub, &partner(partner_name), "canary", &operator(&hub)).await.expect("a token"));
        }
        let mut canaries: Vec<Vec<u8>> = canaries.into_iter().map(String::into_bytes).collect();
        // Where connections lead, where the hub keeps its things, what seals its code, its environment, its neighbour.
        canaries.push(site.path("in").to_str().expect("text").as_bytes().to_vec());
        canaries.push(site.data().to_str().expect("text").as_bytes().to_vec());
        canaries.push(std::fs::read(site.data().join("compiled/key")).expect("the key"));
        canaries.push(std::env::var("PATH").expect("there is a path").into_bytes());
        canaries.push(b"quiet".to_vec());
        canaries.push(b"lines-1.csv".to_vec());
        for canary in canaries {
            let run = again(&site, &hub, &format!("seek-mark:{}", masked(&canary)), "").await;
            let (code, sentence) = reason(&run);
            assert_eq!((run.state, code), (RunState::Failed, "input-unusable"), "{sentence}");
            assert!(sentence.contains("0 (found)"), "{:?}: {sentence}", String::from_utf8_lossy(&canary));
        }
        let run = again(&site, &hub, &format!("seek-mark:{}", masked(b"restless-job")), "").await;
        assert!(!reason(&run).1.contains(": 0 (found)"), "it knows its own job: {:?}", run.reason);
    });
}

#[test]
fn the_state_of_one_job_is_not_that_of_another() {
    let site = site("state-kept", "");
    wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        let run = both(&site, &hub).await;
        assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
        let state = async |owner: &str| hub.ledger().job_state(&partner(owner), &job(&format!("{owner}-job"))).await.expect("it answers");
        assert_eq!(state("restless").await, [("count".to_owned(), vec![1])]);
        assert_eq!(state("quiet").await, []);
        // What a run that fails has written is not kept.
        let failed = again(&site, &hub, "state-count", "").await;
        assert_eq!(failed.state, RunState::Failed);
        assert_eq!(state("restless").await, [("count".to_owned(), vec![1])]);
    });
}

const RULES: &str = r#"
name = "hostile"
version = "1.0.0"
kind = "rule-set"
contract = "0.1.0"
title = "Hostile"
about = "Does as its case says."

[wants]
log = true

[limits]
cpu-ms = 200

[case]
schema = "case.schema.json"
reference = "/misbehave"

[decision]
outcomes = ["fund"]
figures = ["fund_share"]
"#;

/// A site with a rule set that does as its case says.
fn site_with_rules() -> Site {
    let site = Site::bare();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plugin.toml"), RULES).unwrap();
    let schema = r#"{"type":"object","properties":{"misbehave":{"type":"string"}},"additionalProperties":false}"#;
    std::fs::write(folder.path().join("case.schema.json"), schema).unwrap();
    site.write("hostile.wasm", component_of(hostile_rule_set(), folder.path()));
    site.write("partners.toml", "[[partner]]\nname = \"restless\"\ntitle = \"Restless\"\n");
    site.write("plugins.toml", "[[plugin]]\npartner = \"restless\"\nname = \"hostile\"\ncomponent = \"hostile.wasm\"\n");
    site.write("connections.toml", "");
    site
}

#[test]
fn a_request_for_decisions_shares_its_thread_and_comes_to_an_end() {
    let site = site_with_rules();
    wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        let question = |within: Duration| Question {
            partner: partner("restless"),
            plugin: "hostile".parse().unwrap(),
            settings: serde_json::json!({}),
            within,
        };
        let endless = || vec![serde_json::json!({ "misbehave": "endless-loop" }); 100];
        let codes = |answers: Vec<Result<Decided, RunError>>| answers.into_iter().map(|answer| answer.err().map(|error| error.to_string()));
        let begun = Instant::now();
        let late: Vec<String> = codes(hub.decide(&question(Duration::from_millis(500)), endless()).await.unwrap()).flatten().collect();
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert_eq!(late.len(), 100);
        assert!(late[0].contains("cpu-ms") && late[99].contains("0.5 s of the request were over"), "{} {}", late[0], late[99]);
        // Both threads have twenty seconds of work, and another partner's case waits for one turn.
        let busy: Vec<_> = (0..2)
            .map(|_| {
                let (hub, question) = (hub.clone(), question(Duration::from_secs(60)));
                tokio::spawn(async move { hub.decide(&question, endless()).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let begun = Instant::now();
        let sound = hub.decide(&question(Duration::from_secs(60)), vec![serde_json::json!({})]).await.unwrap();
        assert!(sound[0].is_ok() && begun.elapsed() < Duration::from_secs(5), "{:?} {:?}", sound[0], begun.elapsed());
        // Whoever asks no longer is not worked for.
        busy.iter().for_each(tokio::task::JoinHandle::abort);
        tokio::time::sleep(Duration::from_millis(500)).await;
        let begun = Instant::now();
        assert!(hub.decide(&question(Duration::from_secs(60)), vec![serde_json::json!({})]).await.unwrap()[0].is_ok());
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    });
}
