//! A plugin's own cases in the real sandbox: what `bailiwick plugin test` runs, and what a component that is handed in is judged by.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::format::{Decoder, Encoder, FormatError};
use crate::model::grant::Grant;
use crate::model::ids::{JobName, PartnerName};
use crate::model::job::{CsvFormat, DateStyle, Encoding, Format};
use crate::model::limits::{BATCH_ROWS, Usage};
use crate::model::manifest::{AdapterShape, Kind};
use crate::model::outcome::{Outcome, PluginFailure};
use crate::model::rows::{Batch, PortShape};
use crate::model::table::{Table, TableSet};
use crate::registry::cases::{self, AdapterCase, AdapterHappened, ConnectorCase, Difference, FormatCase, RuleSetCase};
use crate::run::conduct::limits;
use crate::run::failure::RunError;
use crate::run::process::ProcessError;
use crate::run::process::aggregate::Aggregate;
use crate::run::shelf::Plugin;
use crate::sandbox::{CallError, Sandbox, Setup, Worker};

/// How one case came out.
#[derive(Debug)]
pub struct CaseOutcome {
    /// The case's name; for a rule set the file's and the case's.
    pub name: String,
    /// What differs from what is expected; nothing if it passed.
    pub differences: Vec<Difference>,
}

/// How a plugin's cases came out.
#[derive(Debug, Default)]
pub struct Rehearsal {
    /// One for each case.
    pub cases: Vec<CaseOutcome>,
    /// The most that any case used of each limit.
    pub usage: Usage,
}

/// The cases of a plugin of some kind.
enum Cases {
    Adapter(Vec<AdapterCase>),
    RuleSet(Vec<RuleSetCase>),
    Format(Vec<FormatCase>),
    Connector(Vec<ConnectorCase>),
}

/// Runs every case in a plugin's folder against a component, each in a fresh sandbox.
///
/// # Errors
/// [`RunError`] if the component is refused, or the cases cannot be read.
pub async fn rehearse(component: &[u8], folder: &Path, sandbox: &Sandbox) -> Result<Rehearsal, RunError> {
    let plugin = Arc::new(Plugin::install(component, sandbox)?);
    let play = Stage { plugin, until: None }.play(folder)?;
    sandbox.on_run_thread(play).await?
}

/// A plugin on which cases are played.
pub(super) struct Stage {
    pub(super) plugin: Arc<Plugin>,
    /// When no further case is begun, and how long that is from the beginning.
    pub(super) until: Option<(Instant, Duration)>,
}

impl Stage {
    /// Reads the cases in a plugin's folder, and answers what plays them.
    pub(super) fn play(self, folder: &Path) -> Result<impl FnOnce(&Worker) -> Result<Rehearsal, RunError> + Send + 'static, RunError> {
        let cases = match &self.plugin.manifest.kind {
            Kind::Adapter(shape) => Cases::Adapter(cases::adapter_cases(folder, shape)?),
            Kind::RuleSet(shape) => Cases::RuleSet(cases::rule_set_cases(folder, shape)?),
            Kind::Format(shape) => Cases::Format(cases::format_cases(folder, shape)?),
            Kind::Connector(shape) => Cases::Connector(cases::connector_cases(folder, shape)?),
        };
        Ok(move |worker: &Worker| match (&self.plugin.manifest.kind, &cases) {
            (Kind::Adapter(shape), Cases::Adapter(cases)) => self.adapter_cases(worker, shape, cases),
            (Kind::Format(shape), Cases::Format(cases)) => self.format_cases(worker, shape, cases),
            (Kind::RuleSet(_), Cases::RuleSet(files)) => self.rule_set_cases(worker, files),
            (Kind::Connector(_), Cases::Connector(cases)) => self.connector_cases(worker, cases),
            _ => unreachable!("they were read as its kind has them"),
        })
    }

    /// Refuses to begin another case when the time is over.
    pub(super) fn in_time(&self) -> Result<(), RunError> {
        match self.until {
            Some((until, within)) if Instant::now() >= until => Err(RunError::NotInTime { within }),
            _ => Ok(()),
        }
    }

    fn adapter_cases(&self, worker: &Worker, shape: &AdapterShape, cases: &[AdapterCase]) -> Result<Rehearsal, RunError> {
        let mut rehearsal = Rehearsal::default();
        for case in cases {
            self.in_time()?;
            let setup = Arc::new(self.adapter_setup(shape, case));
            let mut happened = AdapterHappened::default();
            if let Err(error) = play(worker, (&setup, shape, case), (&mut happened, &mut rehearsal.usage)) {
                happened.failure = Some(plugin_failure(error)?);
            }
            rehearsal.cases.push(CaseOutcome { name: case.name.clone(), differences: cases::compare_adapter(case, &happened, shape) });
        }
        Ok(rehearsal)
    }

    fn rule_set_cases(&self, worker: &Worker, files: &[RuleSetCase]) -> Result<Rehearsal, RunError> {
        let mut rehearsal = Rehearsal::default();
        let schema = self.plugin.case_schema.as_deref().expect("a rule set has a schema");
        for file in files {
            let setup = Arc::new(self.rule_set_setup(file));
            for case in &file.cases {
                self.in_time()?;
                let name = format!("{}: {}", file.name, case.name);
                if let Some(violation) = schema.violations(&case.case).into_iter().next() {
                    let text = format!("the case does not fit the schema: {}", violation.message);
                    rehearsal.cases.push(CaseOutcome { name, differences: vec![Difference { place: violation.pointer, text }] });
                    continue;
                }
                let happened = match worker.decide(&setup, &case.case.to_string()) {
                    Ok((decision, report)) => {
                        report.usage.iter().for_each(|(limit, amount)| rehearsal.usage.raise(limit, amount));
                        Ok(decision)
                    }
                    Err(failed) => Err(plugin_failure(failed.error.into())?),
                };
                rehearsal.cases.push(CaseOutcome { name, differences: cases::compare_rule_set(case, &happened) });
            }
        }
        Ok(rehearsal)
    }

    pub(super) fn adapter_setup(&self, shape: &AdapterShape, case: &AdapterCase) -> Setup {
        let present = shape.inputs.iter().map(|port| case.inputs.iter().any(|(name, _)| *name == port.name)).collect();
        self.setup((case.today, &case.settings), &case.tables, (present, vec![true; shape.outputs.len()]))
    }

    pub(super) fn rule_set_setup(&self, file: &RuleSetCase) -> Setup {
        self.setup((file.today, &file.settings), &[], (Vec::new(), Vec::new()))
    }

    pub(super) fn setup(
        &self,
        (today, settings): (Date, &serde_json::Value),
        extra: &[Table],
        (inputs, outputs): (Vec<bool>, Vec<bool>),
    ) -> Setup {
        let mut tables = TableSet::default();
        self.plugin.tables.iter().for_each(|table| tables.add(Arc::clone(table)));
        for table in extra {
            let copy = Table::new(table.version.clone(), table.source.clone(), table.digest, table.columns.clone(), table.rows.clone());
            tables.add(Arc::new(copy));
        }
        let name = "rehearsal";
        Setup {
            release: self.plugin.release.clone(),
            lent: self.plugin.manifest.wants.clone(),
            partner: name.parse::<PartnerName>().expect("this is a name"),
            job: name.parse::<JobName>().expect("this is a name"),
            inputs_present: inputs,
            outputs_present: outputs,
            settings: settings.to_string(),
            now: today.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).map_or(jiff::Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp()),
            today,
            seed: [7; 32],
            tables: Arc::new(tables),
            state: BTreeMap::new(),
            http: None,
            limits: limits(&self.plugin.manifest, &[], &Grant::default()),
        }
    }
}

/// A failure that the plugin answered is what a case may expect; anything else is an error of the rehearsal.
pub(super) fn plugin_failure(error: RunError) -> Result<PluginFailure, RunError> {
    match error {
        RunError::Call(CallError::Failed(failure)) => Ok(failure),
        error => Err(error),
    }
}

fn play(
    worker: &Worker,
    (setup, shape, case): (&Arc<Setup>, &AdapterShape, &AdapterCase),
    (happened, usage): (&mut AdapterHappened, &mut Usage),
) -> Result<(), RunError> {
    let mut run = worker.open_adapter(setup).map_err(|failed| failed.error)?;
    let mut take = Take::new(shape);
    for (place, port) in shape.inputs.iter().enumerate() {
        if let Some((_, path)) = case.inputs.iter().find(|(name, _)| *name == port.name) {
            for batch in batches(port, path)? {
                take.outcome(run.push(place, &batch)?, happened)?;
            }
        }
        take.outcome(run.end(place)?, happened)?;
    }
    loop {
        let (outcome, done) = run.finish()?;
        take.outcome(outcome, happened)?;
        if done {
            break;
        }
    }
    run.close().usage.iter().for_each(|(limit, amount)| usage.raise(limit, amount));
    happened.outputs = take.finish(shape)?;
    Ok(())
}

/// The rows of a case's input, which are in order: a row that the hub refuses never reaches a plugin.
pub(super) fn batches(port: &PortShape, path: &Path) -> Result<Vec<Batch>, RunError> {
    let unreadable = |error: FormatError| RunError::from(ProcessError::Input { input: port.name.clone(), error });
    let mut decoder = Decoder::open(&case_format(), port, File::open(path)?).map_err(unreadable)?;
    let mut batches = Vec::new();
    while let Some(decoded) = decoder.next_batch().map_err(unreadable)? {
        if let Some(reject) = decoded.rejects.first() {
            let why = reject.reasons.first().map_or("", |reason| reason.message.as_str());
            return Err(RunError::CaseUnreadable { file: path.display().to_string(), line: reject.line, why: why.to_owned() });
        }
        batches.push(decoded.batch);
    }
    Ok(batches)
}

/// Outputs as CSV in memory.
struct Take {
    outputs: Vec<(Option<Aggregate>, Encoder<Vec<u8>>)>,
}

impl Take {
    fn new(shape: &AdapterShape) -> Self {
        let open = |port: &PortShape| {
            let encoder = Encoder::open(&case_format(), port, Vec::new()).expect("plain CSV fits every port");
            (Aggregate::for_port(port), encoder)
        };
        Self { outputs: shape.outputs.iter().map(open).collect() }
    }

    fn outcome(&mut self, outcome: Outcome, happened: &mut AdapterHappened) -> Result<(), RunError> {
        happened.findings.extend(outcome.findings);
        for (output, batch) in &outcome.outputs {
            match &mut self.outputs[*output] {
                (Some(aggregate), _) => aggregate.add(batch)?,
                (None, encoder) => encoder.write(batch).map_err(unwritable)?,
            }
        }
        Ok(())
    }

    fn finish(self, shape: &AdapterShape) -> Result<Vec<(String, Vec<u8>)>, RunError> {
        let mut written = Vec::new();
        for ((aggregate, mut encoder), port) in self.outputs.into_iter().zip(&shape.outputs) {
            if let Some(aggregate) = aggregate {
                for batch in aggregate.into_batches(BATCH_ROWS)? {
                    encoder.write(&batch).map_err(unwritable)?;
                }
            }
            written.push((port.name.clone(), encoder.finish().map_err(unwritable)?.0));
        }
        Ok(written)
    }
}

pub(super) fn unwritable(error: FormatError) -> RunError {
    RunError::from(ProcessError::Output { output: "of the case".to_owned(), error })
}

/// The one form of case files.
pub(super) fn case_format() -> Format {
    Format::Csv(CsvFormat {
        encoding: Encoding::Utf8,
        delimiter: b',',
        dates: DateStyle::Iso,
        headings: Vec::new(),
        other_columns_ignored: false,
    })
}
