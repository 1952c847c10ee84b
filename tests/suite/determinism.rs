//! The same release, input, settings, tables, seed and time give the same bytes: on another thread, on a replay, and however
//! the rows are cut into batches. Shown with the reference plugins, on inputs made of the rows and values of their cases.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bailiwick::format::{Decoder, Encoder};
use bailiwick::model::job::{CsvFormat, DateStyle, Encoding, Format};
use bailiwick::model::limits::Limits;
use bailiwick::model::manifest::{AdapterShape, Kind, Manifest};
use bailiwick::model::outcome::Outcome;
use bailiwick::model::rows::{Batch, PortShape};
use bailiwick::model::table::{Table, TableSet};
use bailiwick::registry::cases::{self, AdapterCase, RuleSetCase};
use bailiwick::registry::package;
use bailiwick::sandbox::{CallError, Release, Sandbox, Setup, Worker, read_section};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::sandbox::{sandbox_in, wait};
use crate::support::{plugin_path, root};

/// Runs of each property: each is three runs of a plugin.
const CASES: u32 = 24;

/// A reference plugin, installed.
struct Plugin {
    release: Release,
    manifest: Manifest,
    tables: Vec<Arc<Table>>,
    folder: PathBuf,
}

fn sandbox() -> &'static Sandbox {
    static SHARED: OnceLock<(Sandbox, tempfile::TempDir)> = OnceLock::new();
    let made = SHARED.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        (sandbox_in(folder.path(), 2).expect("it starts"), folder)
    });
    &made.0
}

fn plugin(name: &str) -> Plugin {
    let component = std::fs::read(plugin_path(name)).expect("it is built");
    let package = package::unpack(&read_section(&component).expect("a component").expect("a manifest")).expect("a package");
    let release = sandbox().install(&component, &package.manifest).expect("it installs");
    let tables = package.tables.into_iter().map(Arc::new).collect();
    Plugin { release, manifest: package.manifest, tables, folder: root().join("plugins").join(name) }
}

impl Plugin {
    fn setup(
        &self,
        (today, settings): (jiff::civil::Date, &serde_json::Value),
        ports: (Vec<bool>, Vec<bool>),
        more: &[Table],
    ) -> Arc<Setup> {
        let mut tables = TableSet::default();
        self.tables.iter().for_each(|table| tables.add(Arc::clone(table)));
        for table in more {
            let copy = Table::new(table.version.clone(), table.source.clone(), table.digest, table.columns.clone(), table.rows.clone());
            tables.add(Arc::new(copy));
        }
        let mut limits = Limits::default();
        self.manifest.limits.iter().for_each(|(limit, amount)| limits.set(*limit, *amount).expect("it was checked"));
        Arc::new(Setup {
            release: self.release.clone(),
            lent: self.manifest.wants.clone(),
            partner: "staffordshire".parse().expect("a name"),
            job: "replayed".parse().expect("a name"),
            inputs_present: ports.0,
            outputs_present: ports.1,
            settings: settings.to_string(),
            now: "2026-11-18T09:00:00Z".parse().expect("a moment"),
            today,
            seed: [5; 32],
            tables: Arc::new(tables),
            state: BTreeMap::new(),
            http: None,
            limits,
        })
    }
}

/// What fails is shrunk and told; it is not written beside the sources.
fn drawn(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

// ── adapters ────────────────────────────────────────────────────────────────

/// How the rows of a case are changed: which row comes next, and which of its values is taken from another row.
type Changes = Vec<(Index, Option<(Index, Index)>)>;

fn changes() -> impl Strategy<Value = (Index, Changes, [Vec<usize>; 2])> {
    let change = (any::<Index>(), prop::option::weighted(0.3, (any::<Index>(), any::<Index>())));
    let cuts = || prop::collection::vec(1_usize..40, 1..6);
    (any::<Index>(), prop::collection::vec(change, 0..80), [cuts(), cuts()])
}

/// An input of a case with its rows drawn anew.
fn changed(csv: &[u8], changes: &Changes) -> Vec<u8> {
    let mut reader = csv::Reader::from_reader(csv);
    let headings = reader.headers().expect("headings").clone();
    let records: Vec<Vec<String>> =
        reader.records().map(|record| record.expect("a record").iter().map(ToOwned::to_owned).collect()).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&headings).expect("memory takes it");
    for (row, value) in changes.iter().filter(|_| !records.is_empty()) {
        let mut record = row.get(&records).clone();
        if let Some((column, donor)) = value {
            let column = column.index(record.len());
            record[column].clone_from(&donor.get(&records)[column]);
        }
        writer.write_record(&record).expect("memory takes it");
    }
    writer.into_inner().expect("memory takes it")
}

/// The rows of an input that can be read, in one batch.
fn rows(port: &PortShape, csv: &[u8]) -> Batch {
    let mut decoder = Decoder::open(&plain(), port, csv).expect("plain CSV fits every port");
    let batch = decoder.next_batch().expect("it can be read").map(|decoded| decoded.batch);
    assert!(decoder.next_batch().expect("it can be read").is_none(), "one batch holds it");
    batch.unwrap_or_else(|| bailiwick::model::rows::BatchBuilder::new(&port.columns).take(0))
}

/// What came of a run, as bytes: every output, the findings in their order, what was logged, the tables that were used.
type Came = Result<(Vec<Vec<u8>>, String, String), CallError>;

fn run(worker: &Worker, (setup, shape): (&Arc<Setup>, &AdapterShape), inputs: &[Option<Batch>], cuts: &[usize]) -> Came {
    let mut run = worker.open_adapter(setup).map_err(|failed| failed.error)?;
    let mut all = Outcome::default();
    let mut add = |outcome: Outcome| {
        all.outputs.extend(outcome.outputs);
        all.findings.extend(outcome.findings);
    };
    for (place, input) in inputs.iter().enumerate() {
        if let Some(rows) = input {
            let mut start = 0;
            for size in cuts.iter().cycle() {
                if start >= rows.rows {
                    break;
                }
                let end = (start + size).min(rows.rows);
                add(run.push(place, &rows.slice(start, end))?);
                start = end;
            }
        }
        add(run.end(place)?);
    }
    loop {
        let (outcome, done) = run.finish()?;
        add(outcome);
        if done {
            break;
        }
    }
    let report = run.close();
    let outputs = shape.outputs.iter().enumerate().map(|(place, port)| output(port, place, &all)).collect();
    Ok((outputs, cases::findings_csv(shape, &all.findings), format!("{:?} {:?}", report.log, report.tables)))
}

/// An output as CSV; groups of an aggregate output added up.
fn output(port: &PortShape, place: usize, all: &Outcome) -> Vec<u8> {
    let mut encoder = Encoder::open(&plain(), port, Vec::new()).expect("plain CSV fits every port");
    let batches = all.outputs.iter().filter(|(output, _)| *output == place).map(|(_, batch)| batch);
    batches.for_each(|batch| encoder.write(batch).expect("memory takes it"));
    let bytes = encoder.finish().expect("memory takes it").0;
    let Some(key) = &port.aggregate_by else { return bytes };
    let mut groups: BTreeMap<Vec<String>, Vec<i128>> = BTreeMap::new();
    for record in csv::Reader::from_reader(bytes.as_slice()).records() {
        let record = record.expect("it was written just now");
        let named = |column: &usize| record[*column].to_owned();
        let sums = groups.entry(key.iter().map(named).collect()).or_default();
        let amounts = (0..record.len()).filter(|column| !key.contains(column)).map(|column| hundredths(&record[column]));
        for (place, amount) in amounts.enumerate() {
            if sums.len() <= place {
                sums.push(0);
            }
            sums[place] += amount;
        }
    }
    format!("{groups:?}").into_bytes()
}

/// A number as digits alone: columns of one scale add up all the same.
fn hundredths(text: &str) -> i128 {
    if text.is_empty() { 0 } else { text.replace('.', "").parse().expect("only numbers are added up") }
}

fn plain() -> Format {
    Format::Csv(CsvFormat {
        encoding: Encoding::Utf8,
        delimiter: b',',
        dates: DateStyle::Iso,
        headings: Vec::new(),
        other_columns_ignored: false,
    })
}

fn adapter_is_deterministic(name: &str) {
    let plugin = plugin(name);
    let Kind::Adapter(shape) = &plugin.manifest.kind else { panic!("{name} is an adapter") };
    let cases: Vec<AdapterCase> = cases::adapter_cases(&plugin.folder, shape).expect("its cases can be read");
    let (ran, failed) = (Cell::new(0), Cell::new(0));
    let mut runner = proptest::test_runner::TestRunner::new(drawn(CASES));
    let checked = runner.run(&changes(), |(case, changes, [some, other])| {
        let case = case.get(&cases);
        let read = |port: &PortShape| {
            let (_, path) = case.inputs.iter().find(|(input, _)| *input == port.name)?;
            Some(rows(port, &changed(&std::fs::read(path).expect("the case has it"), &changes)))
        };
        let inputs: Vec<Option<Batch>> = shape.inputs.iter().map(read).collect();
        let present = inputs.iter().map(Option::is_some).collect();
        let setup = plugin.setup((case.today, &case.settings), (present, vec![true; shape.outputs.len()]), &case.tables);
        let once = |cuts: &[usize]| {
            let (setup, shape, inputs, cuts) = (Arc::clone(&setup), shape.clone(), inputs.clone(), cuts.to_vec());
            wait(sandbox().on_run_thread(move |worker| run(worker, (&setup, &shape), &inputs, &cuts))).expect("the thread answers")
        };
        let first = once(&some);
        // A replay to the letter, and one with the rows cut otherwise.
        prop_assert_eq!(&once(&some), &first);
        prop_assert_eq!(&once(&other), &first);
        let counted = if first.is_ok() { &ran } else { &failed };
        counted.set(counted.get() + 1);
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(ran > failed, "most of what was made should run: {ran:?} did and {failed:?} did not");
}

#[test]
fn a_pension_return_is_the_same_on_every_replay() {
    adapter_is_deterministic("lgps-return");
}

#[test]
fn an_apportionment_is_the_same_on_every_replay() {
    adapter_is_deterministic("cost-apportionment");
}

// ── rule sets ───────────────────────────────────────────────────────────────

/// A case in which some values were taken from another case, or taken away.
fn spoiled(case: &serde_json::Value, other: &serde_json::Value, changes: &[(Index, bool)]) -> serde_json::Value {
    let mut case = case.clone();
    for (place, away) in changes {
        let pointers = leaves(&case, String::new());
        if pointers.is_empty() {
            break;
        }
        let pointer = place.get(&pointers);
        let (parent, key) = pointer.rsplit_once('/').expect("a leaf has a parent");
        match (away, other.pointer(pointer)) {
            (true, _) => drop(case.pointer_mut(parent).and_then(|parent| parent.as_object_mut()?.remove(key))),
            (false, Some(value)) => *case.pointer_mut(pointer).expect("it was found there") = value.clone(),
            (false, None) => {}
        }
    }
    case
}

fn leaves(value: &serde_json::Value, at: String) -> Vec<String> {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        serde_json::Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| leaves(value, format!("{at}/{}", escaped(key)))).collect()
        }
        serde_json::Value::Array(items) => {
            items.iter().enumerate().flat_map(|(place, item)| leaves(item, format!("{at}/{place}"))).collect()
        }
        _ => vec![at],
    }
}

fn rule_set_is_deterministic(name: &str) {
    let plugin = plugin(name);
    let Kind::RuleSet(shape) = &plugin.manifest.kind else { panic!("{name} is a rule set") };
    let files = cases::rule_set_cases(&plugin.folder, shape).expect("its cases can be read");
    let all: Vec<(&RuleSetCase, &serde_json::Value)> =
        files.iter().flat_map(|file| file.cases.iter().map(move |case| (file, &case.case))).collect();
    let strategy = (any::<Index>(), any::<Index>(), prop::collection::vec((any::<Index>(), any::<bool>()), 0..6));
    let decided = Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(drawn(10 * CASES));
    let checked = runner.run(&strategy, |(one, other, changes)| {
        let ((file, case), (_, other)) = (one.get(&all), other.get(&all));
        let case = spoiled(case, other, &changes).to_string();
        let setup = plugin.setup((file.today, &file.settings), (Vec::new(), Vec::new()), &[]);
        let decide = move |worker: &Worker| match worker.decide(&setup, &case) {
            Ok((decision, report)) => Ok(format!("{} {:?} {:?}", cases::decision_json(&decision), report.log, report.tables)),
            Err(failed) => Err(failed.error),
        };
        let again = decide.clone();
        let first = wait(sandbox().on_decision_thread(decide.clone())).expect("the thread answers");
        prop_assert_eq!(&wait(sandbox().on_decision_thread(decide)).expect("the thread answers"), &first);
        prop_assert_eq!(&wait(sandbox().on_run_thread(again)).expect("the thread answers"), &first);
        decided.set(decided.get() + u32::from(first.is_ok()));
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(decided.get() > 2 * CASES, "more of what was made should be decided: {decided:?}");
}

#[test]
fn a_claim_is_decided_the_same_on_every_replay() {
    rule_set_is_deterministic("claim-routing");
}

#[test]
fn a_supplier_is_judged_the_same_on_every_replay() {
    rule_set_is_deterministic("supplier-checks");
}
