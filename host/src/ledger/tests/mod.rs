//! Tests of the ledger, each on a database of its own, and nearly all on SQLite and on PostgreSQL. This file holds what they share: a partner with a job, and the steps of a run.
#![allow(clippy::unwrap_used)]

/// Makes each test two: one on either database.
macro_rules! on_both {
    ($($test:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(super::Kind::Sqlite).await;
                }
            )+
        }

        mod on_postgres {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(super::Kind::Postgres).await;
                }
            )+
        }
    };
}

mod amend;
mod audit;
mod declared;
mod findings;
mod life;
mod log;
mod look;
mod outside;
mod people;
#[expect(dead_code, reason = "a server of its own is what the suite harms")]
#[path = "../../../../tests/suite/support/postgres.rs"]
mod postgres;
mod queue;
mod random;
mod releases;

use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use tempfile::TempDir;

use super::*;
use crate::model::ids::{Digest, JobName, PartnerName};
use crate::model::job::{ChangePolicy, Partner, Proofs, Queue, ReleaseChoice, ReleasePolicy, Retention, Told, WebhookEvent};
use crate::model::rows::Amount;
use crate::model::totals::{BalanceResult, ControlTotals, PortTotals, RowCounts};

const LEASE_MS: i64 = 10_000;
const FOR_EVER: i64 = 1 << 50;

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn hub(id: &str) -> HubId {
    HubId::new(id)
}

fn person(now_ms: i64) -> By {
    By { actor: Actor::person("j.smith"), hub: hub("main"), from: None, now_ms, as_of: None }
}

/// Where a test keeps its ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

/// A ledger in a database of its own, with a partner that has the jobs `lgps` and `other`.
struct House {
    folder: TempDir,
    database: Database,
    ledger: Ledger,
}

impl House {
    async fn new(on: Kind) -> Self {
        let folder = TempDir::new().unwrap();
        let database = match on {
            Kind::Sqlite => Database::Sqlite(folder.path().join("data/ledger.db")),
            Kind::Postgres => Database::Postgres(postgres::Postgres::shared().database().await),
        };
        let ledger = Ledger::open(&database).await.unwrap();
        ledger.apply(&declaration("police", &["lgps", "other"]), &person(1)).await.unwrap();
        Self { folder, database, ledger }
    }

    async fn reopen(&mut self) -> Vec<RunId> {
        self.ledger.close().await;
        let (ledger, repaired) = Ledger::open_and_repair(&self.database).await.unwrap();
        self.ledger = ledger;
        repaired
    }

    /// Does something past the ledger, as somebody with a database tool does.
    async fn raw(&self, sql: &str) -> Result<(), sqlx::Error> {
        match &self.database {
            Database::Sqlite(path) => {
                let mut raw = SqliteConnectOptions::new().filename(path).connect().await?;
                raw.execute(AssertSqlSafe(sql)).await?;
                raw.close().await
            }
            Database::Postgres(url) => {
                let mut raw = PgConnection::connect(url).await?;
                raw.execute(AssertSqlSafe(sql)).await?;
                raw.close().await
            }
        }
    }

    /// The same, by somebody who is ready to take the guards of a table away.
    async fn harm(&self, table: &str, sql: &str) {
        let harm = match self.database {
            Database::Sqlite(_) => {
                let guard = |word: &str, act: &str| {
                    format!("CREATE TRIGGER {table}_{word} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, 'append-only'); END;")
                };
                let (verb, changed, removed) = (if table == "audit" { "is" } else { "are" }, "not_changed", "not_removed");
                let (changed, removed) = (format!("{verb}_{changed}"), format!("{verb}_{removed}"));
                format!(
                    "PRAGMA foreign_keys = OFF; DROP TRIGGER {table}_{changed}; DROP TRIGGER {table}_{removed}; {sql}; {} {}",
                    guard(&changed, "UPDATE"),
                    guard(&removed, "DELETE")
                )
            }
            // As a superuser may: neither triggers nor foreign keys are looked at.
            Database::Postgres(_) => format!("SET session_replication_role = replica; {sql};"),
        };
        self.raw(&harm).await.unwrap_or_else(|error| panic!("{harm}: {error}"));
    }

    async fn enqueue(&self, now_ms: i64) -> RunId {
        self.ledger.enqueue(&request("lgps", None), &person(now_ms)).await.unwrap().run
    }

    async fn claim(&self, now_ms: i64) -> Claim {
        self.ledger.claim(&hub("main"), now_ms, LEASE_MS).await.unwrap().unwrap()
    }

    async fn append(&self, claim: &Claim, now_ms: i64, step: Step) -> Run {
        self.ledger.append(&claim.lease, now_ms, step).await.unwrap()
    }

    async fn run(&self, run: RunId) -> Run {
        self.ledger.run(Scope::Hub, run).await.unwrap().unwrap()
    }

    async fn kinds(&self, run: RunId) -> Vec<&'static str> {
        self.ledger.events(Scope::Hub, run, 0).await.unwrap().iter().map(|logged| logged.event.kind()).collect()
    }

    /// Does what is left of a run to do, as a conductor would.
    async fn finish(&self, claim: &Claim, now_ms: i64) -> Run {
        if claim.pulled.is_none() && claim.processed.is_none() {
            self.append(claim, now_ms, pulled("pay.csv")).await;
        }
        if claim.processed.is_none() {
            self.append(claim, now_ms, processed(&["return", "ctr1"])).await;
        }
        for port in ["return", "ctr1"] {
            if !claim.delivered.iter().any(|delivered| delivered.port == port) {
                self.append(claim, now_ms, delivered(port)).await;
            }
        }
        self.append(claim, now_ms, closed()).await
    }
}

fn declaration(partner: &str, jobs: &[&str]) -> Declaration {
    let source = Source { name: "partner.toml".to_owned(), text: format!("{partner} {jobs:?}") };
    let definition = Digest::of(source.text.as_bytes());
    let job = |job: &&str| DeclaredJob {
        name: name(job),
        title: format!("Job {job}"),
        plugin: name("lgps-return"),
        release: ReleaseChoice::Active,
        schedule: Some("0 6 19 * * (Europe/London)".to_owned()),
        queue: Queue::default(),
        rejects_overdue_days: 5,
        notices: Told::ALL.to_vec(),
        connections: [name("inbox")].into(),
        definition,
    };
    Declaration {
        partner: Partner {
            name: name(partner),
            title: partner.to_owned(),
            runs_at_once: None,
            releases: ReleasePolicy::Open,
            proofs: Proofs::default(),
            changes: ChangePolicy::OnePerson,
            retention: Retention::default(),
        },
        sources: vec![source],
        connections: vec![DeclaredConnection { name: name("inbox"), definition, runs_at_once: None }],
        webhooks: Vec::new(),
        jobs: jobs.iter().map(job).collect(),
    }
}

fn request(job: &str, slot: Option<&str>) -> NewRun {
    NewRun {
        partner: name("police"),
        job: name(job),
        trigger: Trigger::Request,
        slot: slot.map(str::to_owned),
        logical_ms: 500,
        calendar: "2026".to_owned(),
        dry_run: false,
        release: None,
    }
}

fn police() -> PartnerName {
    name("police")
}

fn lgps() -> JobName {
    name("lgps")
}

fn pulled(path: &str) -> Step {
    let file = PulledFile {
        port: "payroll".to_owned(),
        connection: name("inbox"),
        path: path.to_owned(),
        size_bytes: 82,
        modified_ms: 7,
        digest: Digest::of(path.as_bytes()),
        taken: true,
        marked: true,
        duplicate_of: None,
        session: None,
    };
    Step::Pulled(Pulled { inputs: vec![file], formats: Vec::new() })
}

/// The last input, cut every hundred rows.
fn partitioned(partitions: u64) -> Step {
    let cut = |place: u64| Cut { first_row: place * 100, byte_offset: 40 + place * 4_000, line: 2 + place * 100 };
    Step::Partitioned(Partitioned { port: "payroll".to_owned(), cuts: (0..partitions).map(cut).collect(), repeats: Digest::of(b"repeats") })
}

fn staged(port: &str) -> StagedOutput {
    StagedOutput {
        port: port.to_owned(),
        artefact: Digest::of(port.as_bytes()),
        size_bytes: 10,
        rows: 2,
        connection: name("outbox"),
        target: format!("{port}.csv"),
    }
}

fn processed(ports: &[&str]) -> Step {
    processed_with(ports, Found::default())
}

fn processed_with(ports: &[&str], found: Found) -> Step {
    let rows = RowCounts { read: 4, accepted: 2, rejected: 1, skipped: 1 };
    let sums = vec![("pay".to_owned(), Amount::new(-123_456, 2))];
    let output =
        |port: &&str| PortTotals { port: (*port).to_owned(), rows: RowCounts { accepted: 2, ..RowCounts::default() }, sums: Vec::new() };
    let processed = Processed {
        totals: ControlTotals {
            inputs: vec![PortTotals { port: "payroll".to_owned(), rows, sums }],
            outputs: ports.iter().map(output).collect(),
        },
        balances: vec![BalanceResult {
            name: "pay".to_owned(),
            equation: "sum(payroll.pay) = sum(return.pay)".to_owned(),
            left: Amount::new(-123_456, 2),
            right: Amount { coefficient: i128::from(i64::MAX) * 1_000, scale: 18 },
        }],
        outputs: ports.iter().map(|port| staged(port)).collect(),
        rejects: 1,
        warnings: 3,
        limits: vec![LimitUse { limit: "memory-bytes".to_owned(), allowed: 64 << 20, used: Some(1 << 20) }],
        tables: vec![TableUsed { table: "bands".to_owned(), version: "2026-27".to_owned(), digest: Digest::of(b"bands") }],
        took_ms: 12,
        log_lines_dropped: 0,
        state: Vec::new(),
    };
    Step::Processed(Box::new(processed), found)
}

fn delivered(port: &str) -> Step {
    let StagedOutput { port, artefact, size_bytes, connection, target, .. } = staged(port);
    Step::Delivered(Delivered {
        port,
        connection,
        target,
        digest: artefact,
        size_bytes,
        receipt: "renamed".to_owned(),
        already_there: false,
        session: None,
    })
}

fn closed() -> Step {
    let change = |key: &str, value: &[u8]| StateChange { key: key.to_owned(), value: Some(value.to_vec()) };
    Step::Closed(Closed { outcome: Outcome::Delivered, state: vec![change("last", b"2026-03"), change("bytes", &[0, 255])] })
}

fn failed(retry_at_ms: Option<i64>) -> Step {
    Step::Failed(Failed { reason: reason("remote-away"), retry_at_ms, waits: false, limits: Vec::new(), log: Vec::new() })
}

fn reason(code: &str) -> Reason {
    Reason { code: code.to_owned(), sentence: "The other side did not answer.".to_owned() }
}
