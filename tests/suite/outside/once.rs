//! What may have arrived at a web server is not sent again, whatever people and the job's next run do.

use std::collections::BTreeSet;

use bailiwick::ledger::{Instruction, RunState, Scope};

use super::https::{moved_to, trusted};
use crate::support::*;

#[test]
fn what_may_have_arrived_is_not_sent_by_the_next_run() {
    for (idempotent, code) in [(false, "delivery-uncertain"), (true, "connection-failed")] {
        let site = Site::staffordshire();
        let clock = clock_at("2026-10-19T06:00:00Z");
        site.edit(&format!("jobs/{LGPS}.toml"), "zone = ", "attempts-max = 1\nzone = ");
        wait(async {
            let web = Web::start(|_, before| (if before == 0 { 500 } else { 201 }, Vec::new(), Vec::new()));
            moved_to(&web, &site, ("pension-fund", &format!("idempotent = {idempotent}")));
            let hub = trusted(&site, &clock).await;
            let run = finished(&hub, POLICE, LGPS).await;
            assert_eq!((run.state, reason(&run).0), (RunState::Failed, code), "{:?}", run.reason);
            let afresh = Instruction::Retry { afresh: true, why: "with what is in force now".to_owned() };
            let refused = hub.ledger().instruct(Scope::Hub, run.id, afresh, &operator(&hub)).await.unwrap_err().to_string();
            assert!(refused.contains("may have been delivered"), "{refused}");
            let cancel = Instruction::Cancel { why: "they have it".to_owned() };
            hub.ledger().instruct(Scope::Hub, run.id, cancel, &operator(&hub)).await.unwrap();
            let next = finished(&hub, POLICE, LGPS).await;
            assert_eq!((next.state, reason(&next).0), (RunState::Skipped, "no-input"), "{:?}", next.reason);
            assert_eq!(web.asked().len(), 1, "it is not sent under another key");
        });
    }
}

#[test]
fn what_is_refused_leaves_its_file_to_the_next_run() {
    let site = Site::staffordshire();
    let clock = clock_at("2026-10-19T06:00:00Z");
    wait(async {
        let web = Web::start(|_, before| (if before == 0 { 400 } else { 201 }, Vec::new(), Vec::new()));
        moved_to(&web, &site, ("pension-fund", "idempotent = false"));
        let hub = trusted(&site, &clock).await;
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Failed, "connection-failed"), "{:?}", run.reason);
        let cancel = Instruction::Cancel { why: "the fund wants it otherwise".to_owned() };
        hub.ledger().instruct(Scope::Hub, run.id, cancel, &operator(&hub)).await.unwrap();
        assert_eq!(finished(&hub, POLICE, LGPS).await.state, RunState::Closed);
        let keys: BTreeSet<String> = web.asked().iter().map(|asked| asked.header("idempotency-key").to_owned()).collect();
        assert_eq!(keys.len(), 3, "every delivery has a key of its own: {keys:?}");
    });
}

#[test]
fn what_is_being_sent_is_not_cancelled() {
    let site = Site::staffordshire();
    let clock = clock_at("2026-10-19T06:00:00Z");
    wait(async {
        let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
        let (answer, answers) = std::sync::mpsc::channel::<()>();
        let answers = std::sync::Mutex::new(answers);
        let web = Web::start(move |_, before| {
            if before == 0 {
                arrived.send(()).unwrap();
                tokio::task::block_in_place(|| answers.lock().unwrap().recv().unwrap());
            }
            (201, Vec::new(), Vec::new())
        });
        moved_to(&web, &site, ("pension-fund", "idempotent = false"));
        let hub = trusted(&site, &clock).await;
        let run = request(&hub, POLICE, LGPS).await;
        let working = tokio::spawn({
            let hub = hub.clone();
            async move { drain(&hub).await }
        });
        arrivals.recv().await.unwrap();
        let cancel = Instruction::Cancel { why: "no longer wanted".to_owned() };
        let refused = hub.ledger().instruct(Scope::Hub, run, cancel, &operator(&hub)).await.unwrap_err().to_string();
        answer.send(()).unwrap();
        assert!(refused.contains("is being sent"), "{refused}");
        working.await.unwrap();
        assert_eq!(ended(&hub, run).await.state, RunState::Closed);
    });
}
