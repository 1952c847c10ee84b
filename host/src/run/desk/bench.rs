//! Cases run again and again in the real sandbox: how long they take, and how close they come to each limit.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::civil::Date;

use super::rehearse::{Stage, batches};
use crate::model::grant::Grant;
use crate::model::limits::{Limit, Limits, Usage};
use crate::model::manifest::{AdapterShape, FormatShape, Kind, Manifest};
use crate::model::rows::{Batch, PortShape};
use crate::registry::cases::{self, AdapterCase, ConnectorCase, FormatCase, RuleSetCase};
use crate::run::conduct::limits;
use crate::run::failure::RunError;
use crate::run::shelf::Plugin;
use crate::sandbox::{AdapterRun, CallError, FailedCall, Sandbox, Setup, Worker};

/// What is run.
#[derive(Debug, Clone)]
pub struct BenchInput {
    /// Files of cases of a rule set; of a format cases' folders; of an adapter a case's folder, as `bailiwick plugin test` takes them, or CSV files named after inputs.
    pub paths: Vec<PathBuf>,
    /// With CSV files alone: the adapter's settings, a JSON object.
    pub settings: serde_json::Value,
    /// With CSV files alone: the day on which it runs.
    pub today: Date,
}

/// How often cases are run.
#[derive(Debug, Clone, Copy)]
pub struct BenchRounds {
    /// So many times, at most.
    pub times: usize,
    /// No longer than this for one case, once it has run three times.
    pub at_most: Duration,
}

/// What running cases came to.
#[derive(Debug)]
pub struct Benched {
    /// The plugin.
    pub manifest: Arc<Manifest>,
    /// One for each case.
    pub cases: Vec<BenchedCase>,
    /// For every limit, in the order in which people read them.
    pub limits: Vec<LimitShare>,
}

/// One case.
#[derive(Debug)]
pub struct BenchedCase {
    /// Its name.
    pub name: String,
    /// Rows of all inputs; none for a rule set.
    pub rows: Option<u64>,
    /// What each time took, shortest first; never empty. Reading files is not in it.
    pub took: Vec<Duration>,
    /// Linear memory of the instance.
    pub memory_bytes: u64,
}

/// A limit and the most that any case used of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitShare {
    /// Which.
    pub limit: Limit,
    /// The most that was used; none where the hub enforces it without measuring.
    pub used: Option<u64>,
    /// What is in force for the component.
    pub allowed: u64,
}

impl BenchedCase {
    /// The time within which so many of a thousand ended: 500 is the median.
    #[must_use]
    pub fn per_mille(&self, part: usize) -> Duration {
        let place = (self.took.len() * part).div_ceil(1_000).saturating_sub(1);
        self.took.get(place).copied().unwrap_or_default()
    }
}

impl LimitShare {
    /// How much of the limit was used, in tenths of a percent, rounded up: what is used at all is not nothing.
    #[must_use]
    pub fn tenths_of_percent(&self) -> Option<u64> {
        let tenths = (u128::from(self.used?) * 1_000).div_ceil(u128::from(self.allowed.max(1)));
        Some(u64::try_from(tenths).unwrap_or(u64::MAX))
    }
}

/// Runs cases in fresh sandboxes, each some times over.
///
/// # Errors
/// [`RunError`] if the component is refused, the cases cannot be read, or a case stops at anything but a failure that the plugin answers.
pub async fn bench(component: &[u8], input: &BenchInput, rounds: BenchRounds, sandbox: &Sandbox) -> Result<Benched, RunError> {
    let began = Instant::now();
    let plugin = Arc::new(Plugin::install(component, sandbox)?);
    let compile_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (manifest, limits) = (Arc::clone(&plugin.manifest), limits(&plugin.manifest, &[], &Grant::default()));
    let stage = Stage { plugin, until: None };
    let cases = match &manifest.kind {
        Kind::Adapter(shape) => {
            let (shape, case) = (shape.clone(), adapter_case(input, shape)?);
            sandbox.on_run_thread(move |worker| stage.time_adapter(worker, (&shape, &case), rounds)).await??
        }
        Kind::RuleSet(shape) => {
            let files = input.paths.iter().map(|path| cases::rule_set_file(path, shape)).collect::<Result<Vec<_>, _>>()?;
            sandbox.on_decision_thread(move |worker| stage.time_rule_set(worker, &files, rounds)).await??
        }
        Kind::Format(shape) => {
            let shape = shape.clone();
            let cases = input.paths.iter().map(|path| cases::format_case_folder(path, &shape)).collect::<Result<Vec<_>, _>>()?;
            sandbox.on_run_thread(move |worker| stage.time_format(worker, &shape, &cases, rounds)).await??
        }
        Kind::Connector(shape) => {
            let cases = input.paths.iter().map(|path| cases::connector_case_folder(path, shape)).collect::<Result<Vec<_>, _>>()?;
            sandbox.on_run_thread(move |worker| stage.time_connector(worker, &cases, rounds)).await??
        }
    };
    let mut usage = Usage::default();
    cases.iter().for_each(|(_, used)| used.iter().for_each(|(limit, amount)| usage.raise(limit, amount)));
    usage.raise(Limit::ComponentBytes, component.len() as u64);
    usage.raise(Limit::CompileMs, compile_ms);
    Ok(Benched { manifest, cases: cases.into_iter().map(|(case, _)| case).collect(), limits: shares(&limits, &usage) })
}

/// Times that every case is run, however long it takes.
const TIMES_LEAST: usize = 3;

/// Limits that the runtime enforces without telling how near they were.
const NOT_MEASURED: &[Limit] = &[Limit::Instances, Limit::StackBytes, Limit::HostCallBytes, Limit::CompileBytes];

fn shares(limits: &Limits, usage: &Usage) -> Vec<LimitShare> {
    let share = |(limit, allowed)| {
        let used = if NOT_MEASURED.contains(&limit) { None } else { Some(usage.get(limit).unwrap_or(0)) };
        LimitShare { limit, used, allowed }
    };
    limits.iter().map(share).collect()
}

fn adapter_case(input: &BenchInput, shape: &AdapterShape) -> Result<AdapterCase, RunError> {
    Ok(match &input.paths[..] {
        [folder] if folder.is_dir() => cases::adapter_case_folder(folder, shape)?,
        files => cases::adapter_files(files, shape, (&input.settings, input.today))?,
    })
}

/// A case, and what it used.
type Timed = (BenchedCase, Usage);

impl Stage {
    fn time_adapter(
        &self,
        worker: &Worker,
        (shape, case): (&AdapterShape, &AdapterCase),
        rounds: BenchRounds,
    ) -> Result<Vec<Timed>, RunError> {
        let setup = Arc::new(self.adapter_setup(shape, case));
        let path = |port: &PortShape| case.inputs.iter().find(|(name, _)| *name == port.name).map(|(_, path)| path);
        let read = |port: &PortShape| path(port).map_or_else(|| Ok(Vec::new()), |path| batches(port, path));
        let inputs: Vec<Vec<Batch>> = shape.inputs.iter().map(read).collect::<Result<_, _>>()?;
        let rows = inputs.iter().flatten().map(|batch| batch.rows as u64).sum();
        Ok(vec![time((&case.name, Some(rows)), rounds, || through(worker, &setup, &inputs))?])
    }

    /// A case as `bailiwick plugin test` plays it: its rows to the file, its file to rows, and both compared.
    fn time_format(&self, worker: &Worker, shape: &FormatShape, cases: &[FormatCase], rounds: BenchRounds) -> Result<Vec<Timed>, RunError> {
        let play = |case: &FormatCase| Ok(self.format_cases(worker, shape, std::slice::from_ref(case))?.usage);
        cases.iter().map(|case| time((&case.name, None), rounds, || play(case))).collect()
    }

    fn time_connector(&self, worker: &Worker, cases: &[ConnectorCase], rounds: BenchRounds) -> Result<Vec<Timed>, RunError> {
        let play = |case: &ConnectorCase| Ok(self.connector_cases(worker, std::slice::from_ref(case))?.usage);
        cases.iter().map(|case| time((&case.name, None), rounds, || play(case))).collect()
    }

    fn time_rule_set(&self, worker: &Worker, files: &[RuleSetCase], rounds: BenchRounds) -> Result<Vec<Timed>, RunError> {
        let mut timed = Vec::new();
        for file in files {
            let setup = Arc::new(self.rule_set_setup(file));
            for case in &file.cases {
                let (name, text) = (format!("{}: {}", file.name, case.name), case.case.to_string());
                timed.push(time((&name, None), rounds, || match worker.decide(&setup, &text) {
                    Ok((_, report)) => Ok(report.usage),
                    Err(failed) => answered(*failed),
                })?);
            }
        }
        Ok(timed)
    }
}

/// Does it once to warm up, and then as often as is asked for.
fn time(
    (name, rows): (&str, Option<u64>),
    rounds: BenchRounds,
    mut once: impl FnMut() -> Result<Usage, RunError>,
) -> Result<Timed, RunError> {
    let mut usage = once()?;
    let (began, mut took) = (Instant::now(), Vec::new());
    while took.len() < rounds.times.max(1) && (took.len() < TIMES_LEAST || began.elapsed() < rounds.at_most) {
        let began = Instant::now();
        let used = once()?;
        took.push(began.elapsed());
        used.iter().for_each(|(limit, amount)| usage.raise(limit, amount));
    }
    took.sort_unstable();
    let memory_bytes = usage.get(Limit::MemoryBytes).unwrap_or(0);
    Ok((BenchedCase { name: name.to_owned(), rows, took, memory_bytes }, usage))
}

/// A run over the inputs in one instance; its answers are dropped.
fn through(worker: &Worker, setup: &Arc<Setup>, inputs: &[Vec<Batch>]) -> Result<Usage, RunError> {
    let mut run = match worker.open_adapter(setup) {
        Ok(run) => run,
        Err(failed) => return answered(*failed),
    };
    let fed = feed(&mut run, inputs);
    let report = run.close();
    match fed {
        Ok(()) => Ok(report.usage),
        Err(error) => answered(FailedCall { error, report }),
    }
}

fn feed(run: &mut AdapterRun, inputs: &[Vec<Batch>]) -> Result<(), CallError> {
    for (place, batches) in inputs.iter().enumerate() {
        for batch in batches {
            run.push(place, batch)?;
        }
        run.end(place)?;
    }
    while !run.finish()?.1 {}
    Ok(())
}

/// A failure that the plugin answers is an answer; a limit or a trap ends the measurement.
fn answered(failed: FailedCall) -> Result<Usage, RunError> {
    match failed.error {
        CallError::Failed(_) => Ok(failed.report.usage),
        error => Err(error.into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where by itself")]
mod tests {
    use super::*;

    fn case(took: impl Iterator<Item = u64>) -> BenchedCase {
        BenchedCase { name: String::new(), rows: None, took: took.map(Duration::from_nanos).collect(), memory_bytes: 0 }
    }

    #[test]
    fn parts_of_a_thousand_are_times_that_were_taken() {
        let hundred = case(1..=100);
        assert_eq!([500, 990, 1_000, 0].map(|part| hundred.per_mille(part).as_nanos()), [50, 99, 100, 1]);
        let three = case([5, 6, 9].into_iter());
        assert_eq!([500, 990].map(|part| three.per_mille(part).as_nanos()), [6, 9]);
    }

    #[test]
    fn a_share_is_rounded_up_and_nothing_is_nothing() {
        let share = |used, allowed| LimitShare { limit: Limit::LogBytes, used, allowed }.tenths_of_percent();
        assert_eq!(share(Some(1), 1_000_000), Some(1));
        assert_eq!(share(Some(0), 1_000_000), Some(0));
        assert_eq!(share(Some(67_108_864), 67_108_864), Some(1_000));
        assert_eq!(share(Some(131), 1_000), Some(131));
        assert_eq!(share(Some(5), 0), Some(5_000));
        assert_eq!(share(None, 10), None);
    }

    #[test]
    fn a_case_is_run_as_often_as_asked_and_at_least_three_times() {
        for (rounds, expected) in [((7, Duration::MAX), 7), ((7, Duration::ZERO), 3), ((2, Duration::MAX), 2), ((0, Duration::MAX), 1)] {
            let mut calls = 0;
            let once = || {
                calls += 1;
                let mut used = Usage::default();
                used.raise(Limit::MemoryBytes, calls);
                Ok(used)
            };
            let (timed, usage) = time(("", None), BenchRounds { times: rounds.0, at_most: rounds.1 }, once).unwrap();
            assert_eq!(timed.took.len(), expected);
            assert_eq!(usage.get(Limit::MemoryBytes), Some(expected as u64 + 1), "the warm-up counts as use, not as time");
            assert!(timed.took.is_sorted());
        }
    }
}
