//! Whatever hubs, people and schedules do in whatever order, what must always hold does; and SQLite and PostgreSQL answer alike.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::model::job::{Overlap, Priority};

#[derive(Debug, Clone)]
enum Move {
    Enqueue { job: &'static str, dry_run: bool, key: Option<u8> },
    Due { job: &'static str, slots: u8, skipped: bool, stale: bool },
    Overdue,
    Claim { hub: &'static str, most: usize },
    Heartbeat { lease: usize },
    Forget { hub: &'static str },
    Append { lease: usize, step: usize },
    Cut { lease: usize },
    Part { hub: &'static str },
    KeepPart { lease: usize },
    EndPart { lease: usize, end: usize },
    GoOn { lease: usize },
    Instruct { run: usize, instruction: usize },
    Pause { job: &'static str, resume: bool },
    Wait { ms: i64 },
}

/// Of this many runs, leases or steps back, or made up: what is stale is tried as often as what is in force.
fn moves() -> impl Strategy<Value = Move> {
    let hubs = || select(vec!["main", "second"]);
    let jobs = || select(vec!["lgps", "other"]);
    prop_oneof![
        3 => (jobs(), proptest::bool::weighted(0.2), proptest::option::weighted(0.3, 0..3_u8))
            .prop_map(|(job, dry_run, key)| Move::Enqueue { job, dry_run, key }),
        2 => (jobs(), 0..3_u8, any::<bool>(), proptest::bool::weighted(0.2))
            .prop_map(|(job, slots, skipped, stale)| Move::Due { job, slots, skipped, stale }),
        1 => Just(Move::Overdue),
        4 => (hubs(), 1..3_usize).prop_map(|(hub, most)| Move::Claim { hub, most }),
        1 => (0..4_usize).prop_map(|lease| Move::Heartbeat { lease }),
        1 => hubs().prop_map(|hub| Move::Forget { hub }),
        12 => ((0..4_usize), (0..9_usize)).prop_map(|(lease, step)| Move::Append { lease, step }),
        4 => (0..2_usize).prop_map(|lease| Move::Cut { lease }),
        4 => hubs().prop_map(|hub| Move::Part { hub }),
        1 => (0..4_usize).prop_map(|lease| Move::KeepPart { lease }),
        3 => ((0..4_usize), (0..3_usize)).prop_map(|(lease, end)| Move::EndPart { lease, end }),
        1 => (0..4_usize).prop_map(|lease| Move::GoOn { lease }),
        3 => ((0..4_usize), (0..4_usize)).prop_map(|(run, instruction)| Move::Instruct { run, instruction }),
        1 => (jobs(), any::<bool>()).prop_map(|(job, resume)| Move::Pause { job, resume }),
        2 => (1..20_000_i64).prop_map(|ms| Move::Wait { ms }),
    ]
}

struct Play {
    house: House,
    now_ms: i64,
    runs: Vec<RunId>,
    seeds: Vec<u64>,
    leases: Vec<Lease>,
    parts: Vec<PartitionLease>,
}

/// The one that was made `back` before the last.
fn recent<T: Clone>(items: &[T], back: usize) -> Option<T> {
    items.len().checked_sub(back + 1).map(|place| items[place].clone())
}

impl Play {
    async fn new(on: Kind) -> Self {
        let house = House::new(on).await;
        let mut declared = declaration("police", &["lgps", "other"]);
        declared.jobs[0].queue = Queue { runs_at_once: 2, priority: Priority::High, overlap: Overlap::CancelOlder, overdue_minutes: None };
        declared.jobs[1].queue = Queue { overlap: Overlap::Skip, overdue_minutes: Some(1), ..Queue::default() };
        declared.jobs.iter_mut().for_each(|job| job.title = "Another".to_owned());
        house.ledger.apply(&declared, &person(2)).await.unwrap();
        Self { house, now_ms: 10, runs: Vec::new(), seeds: Vec::new(), leases: Vec::new(), parts: Vec::new() }
    }

    /// Makes a move, and tells what was answered, with runs by their number.
    async fn make(&mut self, next: &Move) -> String {
        self.now_ms += 1;
        let (by, ledger) = (person(self.now_ms), self.house.ledger.clone());
        let answer = match next {
            Move::Enqueue { job, dry_run, key } => {
                let new = NewRun { dry_run: *dry_run, ..request(job, key.map(|key| format!("key-{key}")).as_deref()) };
                let queued = ledger.enqueue(&new, &by).await.unwrap();
                self.began(if queued.new { vec![queued.run] } else { Vec::new() }).await;
                format!("{queued:?}")
            }
            Move::Due { job, slots, skipped, stale } => {
                let runs = self.due(job, *slots, (*skipped, *stale)).await;
                self.began(runs.clone().unwrap_or_default()).await;
                format!("{runs:?}")
            }
            Move::Overdue => format!("{:?}", ledger.record_overdue(&by).await.unwrap()),
            Move::Claim { hub: id, most } => {
                self.settled().await;
                let claims = ledger.claim_some(&hub(id), self.now_ms, LEASE_MS, *most).await.unwrap();
                self.leases.extend(claims.iter().map(|claim| claim.lease.clone()));
                format!("{claims:?}")
            }
            Move::Heartbeat { lease } => match recent(&self.leases, *lease) {
                Some(lease) => {
                    let run = self.house.run(lease.run).await;
                    let kept = ledger.heartbeat(&lease, self.now_ms, LEASE_MS).await.unwrap();
                    assert_eq!(kept, run.lease == lease.number && run.state.is_leased());
                    kept.to_string()
                }
                None => String::new(),
            },
            Move::Forget { hub: id } => ledger.forget_leases(&hub(id), self.now_ms).await.unwrap().to_string(),
            Move::Append { lease, step } => match recent(&self.leases, *lease) {
                Some(lease) => self.append(&lease, *step).await,
                None => String::new(),
            },
            Move::Cut { .. } | Move::Part { .. } | Move::KeepPart { .. } | Move::EndPart { .. } | Move::GoOn { .. } => {
                self.part(next).await
            }
            Move::Instruct { run, instruction } => match recent(&self.runs, *run) {
                Some(run) => self.instruct(run, *instruction, &by).await,
                None => String::new(),
            },
            Move::Pause { job, resume } => {
                let (police, job) = (police(), name(job));
                let job = (&police, &job);
                let changed = if *resume { ledger.resume(job, &by).await } else { ledger.pause(job, "why", &by).await };
                changed.unwrap().to_string()
            }
            Move::Wait { ms } => {
                self.now_ms += ms;
                String::new()
            }
        };
        self.by_number(answer)
    }

    /// A move of partitions.
    async fn part(&mut self, next: &Move) -> String {
        let ledger = self.house.ledger.clone();
        match next {
            Move::Cut { lease } => match recent(&self.leases, *lease) {
                Some(lease) => self.cut(&lease).await,
                None => String::new(),
            },
            Move::Part { hub: id } => {
                self.settled().await;
                let claim = ledger.claim_partition(&hub(id), self.now_ms, LEASE_MS, None).await.unwrap();
                self.parts.extend(claim.iter().map(|claim| claim.lease.clone()));
                format!("{claim:?}")
            }
            Move::KeepPart { lease } => match recent(&self.parts, *lease) {
                Some(lease) => ledger.keep_partition(&lease, self.now_ms, LEASE_MS).await.unwrap().to_string(),
                None => String::new(),
            },
            Move::EndPart { lease, end } => match recent(&self.parts, *lease) {
                Some(lease) => self.end_part(&lease, *end).await,
                None => String::new(),
            },
            Move::GoOn { lease } => match recent(&self.leases, *lease) {
                Some(lease) => format!("{:?}", ledger.go_on_with_partitions(&lease, self.now_ms).await),
                None => String::new(),
            },
            _ => unreachable!("a move of runs"),
        }
    }

    /// Waits until what was refused is taken back, which PostgreSQL does after the answer: a claim passes over what somebody keeps.
    async fn settled(&self) {
        let Database::Postgres(url) = &self.house.database else { return };
        let open = "SELECT COUNT(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'";
        let mut raw = PgConnection::connect(url).await.unwrap();
        while sqlx::query_scalar::<_, i64>(open).fetch_one(&mut raw).await.unwrap() > 0 {
            tokio::task::yield_now().await;
        }
        raw.close().await.unwrap();
    }

    async fn began(&mut self, runs: Vec<RunId>) {
        for run in runs {
            self.runs.push(run);
            self.seeds.push(self.house.run(run).await.enqueued.seed);
        }
    }

    async fn due(&self, job: &str, slots: u8, (skipped, stale): (bool, bool)) -> Option<Vec<RunId>> {
        let stored = self.house.ledger.job(&police(), &name(job)).await.unwrap();
        let slot = |number: u8| DueSlot {
            key: format!("{}-{number}", self.now_ms),
            logical_ms: self.now_ms,
            trigger: Trigger::Schedule,
            skip: (skipped && number == 0).then(|| reason("caught-up")),
        };
        let due = Due {
            partner: police(),
            job: name(job),
            since_ms: stored.scheduled_through_ms - i64::from(stale),
            through_ms: self.now_ms,
            next_ms: self.now_ms + 500,
            calendar: "2026".to_owned(),
            slots: (0..slots).map(slot).collect(),
        };
        let runs = self.house.ledger.record_due(&due, &By::hub(&hub("main"), self.now_ms)).await.unwrap();
        assert_eq!(runs.is_some(), !stale && stored.paused.is_none());
        runs
    }

    async fn instruct(&self, run: RunId, instruction: usize, by: &By) -> String {
        let instruction = match instruction {
            0 => Instruction::Release { why: String::new() },
            1 => Instruction::Retry { afresh: true, why: String::new() },
            2 => Instruction::Retry { afresh: false, why: String::new() },
            _ => Instruction::Cancel { why: String::new() },
        };
        let result = self.house.ledger.instruct(Scope::Hub, run, instruction, by).await;
        assert!(matches!(result, Ok(_) | Err(LedgerError::WrongState { .. })), "{result:?}");
        format!("{result:?}")
    }

    async fn append(&self, lease: &Lease, step: usize) -> String {
        let before = self.house.run(lease.run).await;
        let step = match step {
            0 => pulled(&format!("file {}", self.now_ms % 5)),
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
        match &result {
            Ok(run) => assert!(in_force && *run == after && run.last_event == before.last_event + 1),
            Err(LedgerError::LeaseLost { .. }) => assert!(!in_force && before == after),
            Err(LedgerError::WrongState { .. } | LedgerError::FileTaken { .. }) => assert!(in_force && before == after),
            Err(other) => panic!("{other}"),
        }
        format!("{result:?}")
    }

    /// Cuts a run's input, if it has one.
    async fn cut(&self, lease: &Lease) -> String {
        let events = self.house.ledger.events(Scope::Hub, lease.run, 0).await.unwrap();
        let fetched = events.iter().rev().find_map(|logged| match logged.event {
            RunEvent::Pulled(_) => Some(true),
            RunEvent::Retried(_) => Some(false),
            _ => None,
        });
        if fetched != Some(true) {
            return String::new();
        }
        format!("{:?}", self.house.ledger.append(lease, self.now_ms, partitioned(2)).await)
    }

    /// Ends a partition: only the hub that has it, and while its run is under way.
    async fn end_part(&self, lease: &PartitionLease, end: usize) -> String {
        let Step::Failed(failed) = failed(None) else { unreachable!("it is one") };
        let end = if end > 0 { PartitionEnd::Done { rows_read: 100, result: Digest::of(b"done") } } else { PartitionEnd::Failed(failed) };
        let (run, before) = (self.house.run(lease.run).await, self.partitions(lease.run).await);
        let result = self.house.ledger.end_partition(lease, self.now_ms, &end).await;
        let changed = self.partitions(lease.run).await != before;
        assert_eq!(result.is_ok(), changed);
        assert!(!changed || run.state == RunState::Running);
        format!("{result:?}")
    }

    async fn partitions(&self, run: RunId) -> Vec<Partition> {
        self.house.ledger.partitions(Scope::Hub, run).await.unwrap()
    }

    /// Checks what must always hold.
    async fn check(&self) {
        let mut at_work = Vec::new();
        for run in &self.runs {
            let mut stored = self.house.run(*run).await;
            let events = self.house.ledger.events(Scope::Hub, *run, 0).await.unwrap();
            let folded = Run::fold(*run, &events).unwrap().unwrap();
            if stored.state.is_leased() {
                // Renewing or forgetting a lease is no event: it says when to look again, not what happened.
                stored.claimable_at_ms = folded.claimable_at_ms;
                at_work.push(stored.job().to_string());
            }
            assert_eq!(stored, folded);
            let receipts = self.house.ledger.receipts(Scope::Hub, *run).await.unwrap().len() as u64;
            assert_eq!(receipts, stored.deliveries());
            assert!(!stored.enqueued.dry_run || receipts == 0, "a dry run delivers nothing");
            assert_eq!(stored.claimable_at_ms.is_some(), stored.state == RunState::Queued || stored.state.is_leased());
        }
        for (job, most) in [("lgps", 2), ("other", 1)] {
            assert!(at_work.iter().filter(|other| *other == job).count() <= most, "too many runs of {job} at one time");
        }
        let check = self.house.ledger.verify_audit().await.unwrap();
        assert!(check.is_sound() && check.rows.uncovered == 0, "{check:?}");
    }

    /// All that can be seen.
    async fn picture(&self) -> String {
        let ledger = &self.house.ledger;
        let mut seen = vec![format!("{:#?} {:?}", ledger.jobs(Scope::Hub).await.unwrap(), ledger.run_counts(Scope::Hub).await.unwrap())];
        for run in &self.runs {
            seen.push(format!("{:#?}", self.house.run(*run).await));
            seen.push(format!("{:#?}", ledger.events(Scope::Hub, *run, 0).await.unwrap()));
            seen.push(format!("{:#?}", ledger.receipts(Scope::Hub, *run).await.unwrap()));
            seen.push(format!("{:#?}", self.partitions(*run).await));
        }
        for job in ["lgps", "other"] {
            seen.push(format!("{:?}", ledger.job_state(&police(), &name(job)).await.unwrap()));
        }
        for entry in ledger.audit(Scope::Hub, None, 1_000).await.unwrap().items {
            // Hashes and digests cover the runs' ids, which are chance.
            let none = Digest::new([0; 32]);
            let after = entry.after.as_deref().map(|after| {
                let mut after: serde_json::Value = serde_json::from_str(after).unwrap();
                after.as_object_mut().unwrap().remove("covers");
                after.to_string()
            });
            seen.push(format!("{:?}", AuditEntry { hash: none, previous: none, after, ..entry }));
        }
        self.by_number(seen.join("\n"))
    }

    /// A text in which runs and seeds, which are chance, are called by their number.
    fn by_number(&self, mut text: String) -> String {
        for (number, (run, seed)) in self.runs.iter().zip(&self.seeds).enumerate() {
            text = text.replace(&run.to_string(), &format!("run-{number}")).replace(&seed.to_string(), &format!("seed-{number}"));
        }
        text
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn both_databases_answer_alike_in_any_order(moves in proptest::collection::vec(moves(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut sqlite, mut postgres) = (Play::new(Kind::Sqlite).await, Play::new(Kind::Postgres).await);
            for next in &moves {
                assert_eq!(sqlite.make(next).await, postgres.make(next).await, "{next:?}");
            }
            assert_eq!(sqlite.picture().await, postgres.picture().await);
            for play in [&mut sqlite, &mut postgres] {
                play.check().await;
                let before = play.picture().await;
                assert!(play.house.reopen().await.is_empty());
                assert_eq!(play.picture().await, before);
                play.house.ledger.close().await;
            }
        });
    }
}
