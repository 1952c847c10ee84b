//! Rejected rows value by value: shown to be corrected, judged as the job and its plugin would judge them, and brought back.
//!
//! Judged means run: the corrected rows go through the decoder and the plugin as a run of their own would, and nothing is kept of it.

use std::io::Read as _;
use std::sync::Arc;

use crate::format::{RecordCells, cells_of, read_corrected, with_cells};
use crate::ledger::{By, LedgerError, Pulled, PulledFile, Run, Scope};
use crate::model::ids::RunId;
use crate::model::job::{FileFormat, Format, Job, Take};
use crate::model::outcome::{Effect, Reason};
use crate::run::Hub;
use crate::run::amend::Corrections;
use crate::run::conduct::Basis;
use crate::run::failure::RunError;
use crate::run::process::{self, Progress};

/// Rejected rows of one input of a run, as a form shows them.
#[derive(Debug, Clone)]
pub struct RejectRows {
    /// The input.
    pub port: String,
    /// The rows: the number of each reject, and each value with its heading.
    pub rows: Vec<RecordCells>,
}

/// What the job would make of a corrected row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The number of the reject.
    pub number: u64,
    /// Why it would be rejected again, each with the heading that it concerns; nothing if it would not.
    pub reasons: Vec<(Option<String>, Reason)>,
}

impl Hub {
    /// Some rejects of a run that wait, value by value, personal data and all: that they were shown is noted in the audit trail.
    ///
    /// # Errors
    /// [`RunError::NotCorrected`] if they cannot come back corrected; [`RunError::InputGone`] if the input is not kept any more.
    pub async fn rows_for_correction(&self, scope: Scope<'_>, run: RunId, numbers: &[u64], by: &By) -> Result<RejectRows, RunError> {
        let port = self.port_of_rejects(scope, run, numbers).await?;
        let written = self.rejects_written(scope, run, (port.as_deref(), Some(numbers)), by).await?;
        let (run, format) = self.format_of(scope, run, &written.port).await?;
        let mut content = Vec::new();
        written.content.read()?.read_to_end(&mut content)?;
        let rows = cells_of(&format, &content).map_err(|error| not_corrected(&run, error.to_string()))?;
        Ok(RejectRows { port: written.port, rows: rows.into_iter().filter(|row| numbers.contains(&row.number)).collect() })
    }

    /// What the job, its release and its tables would make of corrected rows, those of the first run. Nothing is
    /// delivered, and what was judged is removed with the next artefacts that go.
    ///
    /// # Errors
    /// [`RunError::NotCorrected`] if they cannot be read; or what the plugin failed of.
    pub async fn judge_rows(&self, scope: Scope<'_>, run: RunId, corrected: &RejectRows) -> Result<Vec<Verdict>, RunError> {
        let (run, format) = self.format_of(scope, run, &corrected.port).await?;
        let wrong = |error: &dyn std::fmt::Display| not_corrected(&run, error.to_string());
        let written = with_cells(&format, &corrected.rows).map_err(|error| wrong(&error))?;
        let mut content = Vec::new();
        let taken =
            read_corrected(&format, written.as_slice(), &mut content, corrected.rows.len() as u64).map_err(|error| wrong(&error))?;
        let artefacts = self.artefacts(run.partner()).await?;
        let size_bytes = content.len() as u64;
        let stored = tokio::task::spawn_blocking(move || artefacts.put(content.as_slice())).await.expect("storing does not panic")?;
        // Only to be judged: no run reads it, unless the very same rows are brought back.
        self.ledger().artefact_passes(stored.digest, run.partner()).await?;
        let before = self.stored_inputs(&run, run.id).await?;
        let missing = || wrong(&format_args!("it had no file for input {}", corrected.port));
        let first = before.inputs.iter().find(|file| file.port == corrected.port).ok_or_else(missing)?;
        let rows = PulledFile { size_bytes, digest: stored.digest, taken: false, ..first.clone() };
        let pins = run.pins.as_ref().ok_or_else(|| wrong(&"it has not run"))?;
        let pulled = Pulled { inputs: Vec::new(), formats: before.formats.clone() };
        let basis = Basis { run: &run, pins, pulled: Some(&pulled) };
        let pinned = self.pinned(basis).await?;
        let kept = |port: &str| pinned.job.inputs.iter().any(|input| input.port == port && input.take == Take::Latest);
        let others = before.inputs.iter().filter(|file| file.port != corrected.port && kept(&file.port)).cloned();
        let pulled = Pulled { inputs: std::iter::once(rows).chain(others).collect(), formats: before.formats.clone() };
        let mut work = self.whole(basis, (&pinned, &pulled), &Arc::new(Progress::default())).await?;
        // Told to the plugin as in a run, and written nowhere.
        work.outputs.iter_mut().for_each(|output| *output = None);
        let processed = self.shared.sandbox.on_run_thread(move |worker| process::process(worker, &work)).await?;
        if let Some(error) = processed.error {
            return Err(error.into());
        }
        let reasons = |offset: u64| {
            let noted = processed
                .noted
                .iter()
                .filter(|noted| noted.input == corrected.port && noted.effect == Effect::Reject && noted.byte_offset == offset);
            noted.flat_map(|noted| noted.reasons.clone()).collect()
        };
        let verdict = |(number, offset): &(u64, u64)| {
            let row = corrected.rows.iter().find(|row| row.number == *number);
            let reasons: Vec<Reason> = reasons(*offset);
            let headed = |reason: Reason| (heading_of(&format, row, reason.column.as_deref()), reason);
            Verdict { number: *number, reasons: reasons.into_iter().map(headed).collect() }
        };
        Ok(taken.rows.iter().map(verdict).collect())
    }

    /// Brings corrected rows back as a run of their own, as a corrected file does.
    ///
    /// # Errors
    /// As for [`Hub::resubmit`].
    pub async fn resubmit_rows(&self, scope: Scope<'_>, run: RunId, corrected: &RejectRows, by: &By) -> Result<RunId, RunError> {
        let (run, format) = self.format_of(scope, run, &corrected.port).await?;
        let content = with_cells(&format, &corrected.rows).map_err(|error| not_corrected(&run, error.to_string()))?;
        let content = Box::new(std::io::Cursor::new(content));
        let corrections = Corrections { port: Some(corrected.port.clone()), content, afresh: false };
        self.resubmit(scope, run.id, corrections, by).await
    }

    /// The one input that some rejects stand in; none if there is nothing to choose.
    async fn port_of_rejects(&self, scope: Scope<'_>, run: RunId, numbers: &[u64]) -> Result<Option<String>, RunError> {
        let filter = crate::ledger::QuarantineFilter { run: Some(run), ..crate::ledger::QuarantineFilter::default() };
        let after = numbers.iter().min().and_then(|first| first.checked_sub(1));
        let after = after.map(|number| crate::ledger::FindingId { run, lease: 0, number });
        let page = self.ledger().waiting(scope, &filter, after, 1).await?;
        Ok(page.items.into_iter().next().map(|waiting| waiting.finding.found.port))
    }

    /// A run, and the format in which one of its inputs is read, if the hub itself reads it.
    async fn format_of(&self, scope: Scope<'_>, run: RunId, port: &str) -> Result<(Run, Format), RunError> {
        let missing = || LedgerError::NotFound { what: "run", name: run.to_string() };
        let run = self.ledger().run(scope, run).await?.ok_or_else(missing)?;
        let definition = run.pins.as_ref().map(|pins| pins.definition).ok_or_else(|| not_corrected(&run, "it has not run".to_owned()))?;
        let job: Option<Job> = self.configuration_with(run.partner(), definition).await?.jobs.into_iter().next();
        let format = job.and_then(|job| job.inputs.into_iter().find(|input| input.port == port)).map(|input| input.format);
        match format {
            Some(FileFormat::BuiltIn(format)) => Ok((run, format)),
            _ => Err(not_corrected(&run, format!("the hub cannot tell the records of input {port} apart"))),
        }
    }
}

/// The heading above a column in the file: as the job declares it, or the one that reads the same.
fn heading_of(format: &Format, row: Option<&RecordCells>, column: Option<&str>) -> Option<String> {
    let column = column?;
    let declared = match format {
        Format::Csv(options) => options.headings.iter().find(|(name, _)| name == column).map(|(_, heading)| heading.as_str()),
        Format::JsonLines(_) | Format::FixedWidth(_) => None,
    };
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).map(|each| each.to_ascii_lowercase()).collect::<String>();
    let wanted = plain(declared.unwrap_or(column));
    row?.cells.iter().map(|(heading, _)| heading).find(|heading| plain(heading) == wanted).cloned()
}

fn not_corrected(run: &Run, why: String) -> RunError {
    RunError::NotCorrected { run: run.id.to_string(), why }
}
