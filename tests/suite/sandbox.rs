//! The sandbox against guests that misbehave: each dies of exactly the limit that it exceeds, and no other notices.

mod adapter;
mod connector;
mod ends;
mod forgeries;
mod format;
mod install;
mod lent;
mod misdeeds;
mod rule_set;
mod soak;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bailiwick::model::ids::Digest;
use bailiwick::model::limits::{Limit, Limits};
use bailiwick::model::manifest::{AdapterShape, Kind, Manifest, RuleSetShape, Wants};
use bailiwick::model::outcome::Outcome;
use bailiwick::model::rows::{Batch, BatchBuilder, ColumnKind, ColumnShape, PortShape};
use bailiwick::model::table::{Table, TableSet, TableVersion};
use bailiwick::sandbox::{CallError, Release, Report, Sandbox, SandboxError, SandboxOptions, Setup, Worker};
use jiff::civil::date;
use tempfile::TempDir;

use crate::support::{compiler_path, hostile_adapter, hostile_rule_set};

/// A sandbox whose cache lies in a folder, with some threads for runs.
pub(crate) fn sandbox_in(folder: &Path, run_threads: usize) -> Result<Sandbox, SandboxError> {
    Sandbox::new(SandboxOptions { cache_dir: folder.to_owned(), compiler: compiler_path(), run_threads, decision_threads: 1 })
}

/// The sandbox that most tests share: a hostile guest must not be noticed by its neighbours.
fn sandbox() -> &'static Sandbox {
    static SHARED: OnceLock<(Sandbox, TempDir)> = OnceLock::new();
    &SHARED
        .get_or_init(|| {
            let folder = tempfile::tempdir().expect("a temporary folder");
            (sandbox_in(folder.path(), 2).expect("the sandbox starts"), folder)
        })
        .0
}

pub(crate) fn adapter() -> Release {
    static RELEASE: OnceLock<Release> = OnceLock::new();
    RELEASE.get_or_init(|| sandbox().install(hostile_adapter(), &adapter_manifest()).expect("it installs")).clone()
}

pub(crate) fn rule_set() -> Release {
    static RELEASE: OnceLock<Release> = OnceLock::new();
    RELEASE.get_or_init(|| sandbox().install(hostile_rule_set(), &rule_set_manifest()).expect("it installs")).clone()
}

fn on_run_thread<R: Send + 'static>(work: impl FnOnce(&Worker) -> R + Send + 'static) -> R {
    wait(sandbox().on_run_thread(work)).expect("the thread answers")
}

fn on_decision_thread<R: Send + 'static>(work: impl FnOnce(&Worker) -> R + Send + 'static) -> R {
    wait(sandbox().on_decision_thread(work)).expect("the thread answers")
}

pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

/// A whole run of an adapter over one batch: the outcomes of its calls together, or why it stopped; and the report.
pub(crate) fn adapter_run(worker: &Worker, setup: &Arc<Setup>, rows: &Batch) -> (Result<Outcome, CallError>, Report) {
    let mut run = match worker.open_adapter(setup) {
        Ok(run) => run,
        Err(failed) => return (Err(failed.error), failed.report),
    };
    let mut all = Outcome::default();
    let result = (|| {
        let mut add = |outcome: Outcome| {
            all.outputs.extend(outcome.outputs);
            all.findings.extend(outcome.findings);
        };
        add(run.push(0, rows)?);
        add(run.end(0)?);
        add(run.end(1)?);
        loop {
            let (outcome, done) = run.finish()?;
            add(outcome);
            if done {
                return Ok(());
            }
        }
    })();
    if result.is_err() {
        assert!(matches!(run.push(0, rows), Err(CallError::Spent { .. })), "a store that failed is not used again");
    }
    (result.map(|()| all), run.close())
}

/// Does a test's work in a process of its own, where no other test takes memory or time.
fn alone(test: &str, work: impl FnOnce()) {
    const ALONE: &str = "BAILIWICK_SUITE_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return work();
    }
    let this = std::env::current_exe().expect("it runs");
    let mut child = std::process::Command::new(this);
    let ended = child.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(ALONE, "1").output().expect("it starts");
    let told = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success() && told.contains("1 passed"), "{told}");
}

fn manifest(kind: Kind) -> Manifest {
    Manifest {
        name: "hostile".parse().expect("a name"),
        version: "1.0.0".to_owned(),
        title: "Hostile".to_owned(),
        about: String::new(),
        contract: "0.1.0".to_owned(),
        wants: Wants { log: true, clock: true, random: true, state: true, lookup: vec!["rates".to_owned()], http: false },
        limits: Vec::new(),
        settings_schema: None,
        balances: Vec::new(),
        kind,
    }
}

pub(crate) fn adapter_manifest() -> Manifest {
    let port = |name: &str, optional| PortShape {
        name: name.to_owned(),
        about: String::new(),
        optional,
        columns: columns(),
        unique: Vec::new(),
        aggregate_by: None,
    };
    manifest(Kind::Adapter(AdapterShape {
        inputs: vec![port("lines", false), port("extra", true)],
        outputs: vec![port("passed-on", false)],
        independent_rows: true,
    }))
}

fn rule_set_manifest() -> Manifest {
    manifest(Kind::RuleSet(RuleSetShape {
        case_schema: serde_json::json!({ "type": "object" }),
        case_order: Vec::new(),
        reference: "/reference".to_owned(),
        amounts: Vec::new(),
        personal: Vec::new(),
        outcomes: vec!["fund".to_owned()],
        figures: vec!["fund_share".to_owned()],
    }))
}

/// One column of each type; all but the first may be absent.
fn columns() -> Vec<ColumnShape> {
    [
        ("number", ColumnKind::Integer),
        ("pay", ColumnKind::Money { scale: 2 }),
        ("joined", ColumnKind::Date),
        ("name", ColumnKind::Text),
        ("casual", ColumnKind::Boolean),
    ]
    .into_iter()
    .map(|(name, kind)| ColumnShape {
        name: name.to_owned(),
        kind,
        required: name == "number",
        personal: false,
        length_max: None,
        about: String::new(),
    })
    .collect()
}

/// Some rows that are in order.
pub(crate) fn rows(first_row: u64, count: usize) -> Batch {
    let mut builder = BatchBuilder::new(&columns());
    for row in 0..count {
        let number = i64::try_from(row).expect("few rows");
        builder.columns[0].push_number(number);
        builder.columns[1].push_number(-100 * number);
        builder.columns[2].push_date(20_000);
        builder.columns[3].push_text("Zoë");
        builder.columns[4].push_boolean(row % 3 == 0);
        builder.end_row();
    }
    builder.take(first_row)
}

pub(crate) fn setup(release: Release, misbehave: &str) -> Setup {
    Setup {
        lent: release.manifest.wants.clone(),
        release,
        partner: "staffordshire".parse().expect("a name"),
        job: "pensions".parse().expect("a name"),
        inputs_present: vec![true, false],
        outputs_present: vec![true],
        settings: serde_json::json!({ "misbehave": misbehave }).to_string(),
        now: "2026-10-19T06:30:00.25Z".parse().expect("a moment"),
        today: date(2026, 10, 19),
        seed: [3; 32],
        tables: Arc::new(tables()),
        state: BTreeMap::from([("count".to_owned(), vec![41])]),
        http: None,
        limits: Limits::default(),
    }
}

pub(crate) fn with_limits(mut setup: Setup, limits: &[(Limit, u64)]) -> Arc<Setup> {
    for (limit, amount) in limits {
        setup.limits.set(*limit, *amount).expect("below the ceiling");
    }
    Arc::new(setup)
}

/// A table `rates` of 1,500 rows, all of the band `all`, and a table that is not granted.
fn tables() -> TableSet {
    let version = |table: &str| TableVersion {
        table: table.to_owned(),
        version: "2026-27".to_owned(),
        effective_from: date(2026, 4, 1),
        effective_to: Some(date(2027, 3, 31)),
        published: None,
    };
    let names = ["first rate", "second rate"];
    let row = |place: usize| vec!["all".to_owned(), names.get(place).map_or_else(|| format!("rate {place}"), ToString::to_string)];
    let columns = || vec!["band".to_owned(), "name".to_owned()];
    let mut set = TableSet::default();
    for (name, rows) in [("rates", 1_500), ("secrets", 1)] {
        let rows = (0..rows).map(row).collect();
        set.add(Arc::new(Table::new(version(name), String::new(), Digest::of(name.as_bytes()), columns(), rows)));
    }
    set
}
