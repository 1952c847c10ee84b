//! Whatever hubs, people and schedules do in whatever order, what must always hold does.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

#[derive(Debug, Clone)]
enum Move {
    Enqueue { job: &'static str, dry_run: bool },
    Claim { hub: &'static str },
    Heartbeat { lease: usize },
    Forget { hub: &'static str },
    Append { lease: usize, step: usize },
    Instruct { run: usize, instruction: usize },
    Wait { ms: i64 },
}

fn moves() -> impl Strategy<Value = Move> {
    let hubs = || select(vec!["main", "second"]);
    prop_oneof![
        2 => (select(vec!["lgps", "other"]), proptest::bool::weighted(0.2)).prop_map(|(job, dry_run)| Move::Enqueue { job, dry_run }),
        4 => hubs().prop_map(|hub| Move::Claim { hub }),
        1 => (0..4_usize).prop_map(|lease| Move::Heartbeat { lease }),
        1 => hubs().prop_map(|hub| Move::Forget { hub }),
        10 => ((0..4_usize), (0..9_usize)).prop_map(|(lease, step)| Move::Append { lease, step }),
        3 => ((0..4_usize), (0..4_usize)).prop_map(|(run, instruction)| Move::Instruct { run, instruction }),
        2 => (1..20_000_i64).prop_map(|ms| Move::Wait { ms }),
    ]
}

struct Play {
    house: House,
    now_ms: i64,
    runs: Vec<RunId>,
    leases: Vec<Lease>,
}

/// The one that was made `back` before the last.
fn recent<T: Clone>(items: &[T], back: usize) -> Option<T> {
    items.len().checked_sub(back + 1).map(|place| items[place].clone())
}

impl Play {
    async fn make(&mut self, next: &Move) {
        self.now_ms += 1;
        let by = person(self.now_ms);
        match next {
            Move::Enqueue { job, dry_run } => {
                let new = NewRun { dry_run: *dry_run, ..request(job, None) };
                self.runs.push(self.house.ledger.enqueue(&new, &by).await.unwrap().run);
            }
            Move::Claim { hub: id } => {
                if let Some(claim) = self.house.ledger.claim(&hub(id), self.now_ms, LEASE_MS).await.unwrap() {
                    self.leases.push(claim.lease);
                }
            }
            Move::Heartbeat { lease } => {
                if let Some(lease) = recent(&self.leases, *lease) {
                    let run = self.house.run(lease.run).await;
                    let kept = self.house.ledger.heartbeat(&lease, self.now_ms, LEASE_MS).await.unwrap();
                    assert_eq!(kept, run.lease == lease.number && run.state.is_leased());
                }
            }
            Move::Forget { hub: id } => {
                self.house.ledger.forget_leases(&hub(id), self.now_ms).await.unwrap();
            }
            Move::Append { lease, step } => {
                if let Some(lease) = recent(&self.leases, *lease) {
                    self.append(&lease, *step).await;
                }
            }
            Move::Instruct { run, instruction } => {
                if let Some(run) = recent(&self.runs, *run) {
                    let instruction = match instruction {
                        0 => Instruction::Release { why: String::new() },
                        1 => Instruction::Retry { afresh: true, why: String::new() },
                        2 => Instruction::Retry { afresh: false, why: String::new() },
                        _ => Instruction::Cancel { why: String::new() },
                    };
                    let result = self.house.ledger.instruct(Scope::Hub, run, instruction, &by).await;
                    assert!(matches!(result, Ok(_) | Err(LedgerError::WrongState { .. })), "{result:?}");
                }
            }
            Move::Wait { ms } => self.now_ms += ms,
        }
    }

    async fn append(&self, lease: &Lease, step: usize) {
        let before = self.house.run(lease.run).await;
        let step = match step {
            0 => pulled(&lease.run.to_string()),
            1 | 2 => processed_with(&["return"], Found::default()),
            3 | 4 => delivered("return"),
            5 => closed(),
            6 => Step::Held(reason("held")),
            7 => failed(Some(self.now_ms + 100)),
            _ => failed(None),
        };
        let result = self.house.ledger.append(lease, self.now_ms, step).await;
        let after = self.house.run(lease.run).await;
        let in_force = before.lease == lease.number && before.state.is_leased();
        match result {
            Ok(run) => assert!(in_force && run == after && run.last_event == before.last_event + 1),
            Err(LedgerError::LeaseLost { .. }) => assert!(!in_force && before == after),
            Err(LedgerError::WrongState { .. }) => assert!(in_force && before == after),
            Err(other) => panic!("{other}"),
        }
    }

    async fn check(&self) {
        let mut at_work = Vec::new();
        for run in &self.runs {
            let mut stored = self.house.run(*run).await;
            let events = self.house.ledger.events(Scope::Hub, *run, 0).await.unwrap();
            let folded = Run::fold(*run, &events).unwrap().unwrap();
            if stored.state.is_leased() {
                // Renewing or forgetting a lease is no event: it says when to look again, not what happened.
                stored.claimable_at_ms = folded.claimable_at_ms;
                at_work.push(stored.job().clone());
            }
            assert_eq!(stored, folded);
            let receipts = self.house.ledger.receipts(Scope::Hub, *run).await.unwrap().len() as u64;
            assert_eq!(receipts, stored.deliveries());
            assert!(!stored.enqueued.dry_run || receipts == 0, "a dry run delivers nothing");
            assert_eq!(stored.claimable_at_ms.is_some(), stored.state == RunState::Queued || stored.state.is_leased());
        }
        let jobs = at_work.len();
        at_work.sort();
        at_work.dedup();
        assert_eq!(at_work.len(), jobs, "one run of a job at a time");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn invariants_hold_in_any_order(moves in proptest::collection::vec(moves(), 1..50)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut play = Play { house: House::new(Kind::Sqlite).await, now_ms: 10, runs: Vec::new(), leases: Vec::new() };
            for next in &moves {
                play.make(next).await;
            }
            play.check().await;
            assert!(play.house.reopen().await.is_empty());
            assert_eq!(play.house.ledger.verify_audit().await.unwrap().broken, None);
            play.check().await;
        });
    }
}
