//! Rejected rows out to a clerk, and corrected ones back in as a run of their own.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Read, Seek, SeekFrom};

use tokio::sync::mpsc;

use crate::config::Configuration;
use crate::connection::{ArtefactFile, Handed, Incoming, StagedWriter};
use crate::format::{CorrectionError, read_corrected, record_of, write_rejected};
use crate::ledger::{
    By, Claim, FindingId, LedgerError, NewResubmission, Pulled, PulledFile, QuarantineFilter, Resubmitted, Run, Scope, StoredFinding,
};
use crate::model::ids::{Digest, RunId};
use crate::model::job::{FileFormat, Format, Job, Take};
use crate::model::limits::{CORRECTED_BYTES_MAX, RECORD_BYTES_MAX, REJECT_RAW_BYTES_MAX};
use crate::model::manifest::{Kind, Manifest};
use crate::model::personal::Sight;
use crate::run::failure::RunError;
use crate::run::{Hub, Look, View};

/// Rejects that are read at once, while as many wait to be written and are being written: each may hold two long texts.
const PAGE: u32 = 16;

/// Rows of a file beyond those that its run rejected, of which each is looked for.
const ROWS_OVER: u64 = 1_000;

/// Room for the number and the reason before a record that is written out.
const BEFORE_BYTES: usize = 64 << 10;

/// Rejected rows as a clerk corrects them.
#[derive(Debug)]
pub struct ForCorrection {
    /// The input that they stood in.
    pub port: String,
    /// A name for the file.
    pub name: String,
    /// The file: on the disk, sealed and without a name, and gone with this.
    pub content: Handed,
    /// Rows in it.
    pub rows: u64,
    /// Rows that are not, as they are longer than a record may be.
    pub left_out: u64,
}

/// Corrected rows that somebody hands in.
pub struct Corrections {
    /// The input; none where only one has rejects that can come back.
    pub port: Option<String>,
    /// The file, as it was exported and then corrected. It is read once, from its beginning to its end, and never held whole.
    pub content: Box<dyn Read + Send>,
    /// Whether it runs with the job, release and tables in force now, and not with those of the first run.
    pub afresh: bool,
}

impl Hub {
    /// The rejects of a run that wait, in the input's own format, with number and reason before each.
    /// It holds personal data as it stood in the file, so that it was written out is noted in the audit trail.
    ///
    /// # Errors
    /// [`RunError::NotCorrected`] if none waits, or they cannot come back; [`RunError::InputGone`] if the input is not kept any more.
    pub async fn rejects_for_correction(
        &self,
        scope: Scope<'_>,
        run: RunId,
        port: Option<&str>,
        by: &By,
    ) -> Result<ForCorrection, RunError> {
        self.rejects_written(scope, run, (port, None), by).await
    }

    /// The same, of some numbers alone, or of all.
    pub(in crate::run) async fn rejects_written(
        &self,
        scope: Scope<'_>,
        run: RunId,
        (port, only): (Option<&str>, Option<&[u64]>),
        by: &By,
    ) -> Result<ForCorrection, RunError> {
        let run = self.run_seen(scope, run).await?;
        let (ports, job) = (self.ledger().ports_waiting(scope, run.id).await?, self.job_of(&run).await?);
        let port = chosen_port(&run, &job, &ports, port)?;
        let format = built_in(&run, &job, &port)?;
        let input = self.stored_inputs(&run, run.id).await?.inputs.into_iter().find(|file| file.port == port);
        let input = input.ok_or_else(|| not_corrected(&run, format!("it had no file for input {port}")))?;
        // All that stands in them is handed out: that is in the audit trail as an export, and needs no other entry.
        let view = self.view(run.id, Look { scope, sight: Sight::Masked, by }).await?;
        let (artefacts, name) = (self.artefacts(run.partner()).await?, format!("rejects-of-{}", input.path));
        let (give, mut take) = mpsc::channel(1);
        let writing = tokio::task::spawn_blocking(move || {
            let files = (artefacts.read(&input.digest)?, artefacts.read(&input.digest)?);
            let mut out = BufWriter::new(artefacts.incoming()?);
            let rejects = std::iter::from_fn(|| take.blocking_recv()).flatten();
            let (rows, left_out) = write(&format, files, rejects, &mut out)?;
            let written: Incoming = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            Ok::<_, RunError>((written.whole()?, rows, left_out))
        });
        self.give_waiting(scope, (&run, &port, only), (&view, give)).await?;
        let (content, rows, left_out) = writing.await.expect("writing does not panic")?;
        self.ledger().note_export(&run, (&port, rows), by).await?;
        Ok(ForCorrection { port, name, content, rows, left_out })
    }

    /// Gives the rejects of an input that wait and are in nobody's hands to whoever writes them, as fast as they are written.
    async fn give_waiting(
        &self,
        scope: Scope<'_>,
        (run, port, only): (&Run, &str, Option<&[u64]>),
        (view, give): (&View, mpsc::Sender<Vec<Reject>>),
    ) -> Result<(), RunError> {
        let filter = QuarantineFilter { run: Some(run.id), ..QuarantineFilter::default() };
        let mut after: Option<FindingId> = None;
        loop {
            let page = self.ledger().waiting(scope, &filter, after, PAGE).await?;
            let wanted = |finding: &StoredFinding| {
                finding.found.port == port
                    && finding.quarantine.resubmitted_by.is_none()
                    && only.is_none_or(|only| only.contains(&finding.id.number))
            };
            let findings = page.items.into_iter().map(|item| item.finding).filter(wanted);
            let rejects = findings.map(|finding| Reject::new(finding, view)).collect::<Result<_, _>>()?;
            // Whoever failed of writing says why themselves.
            let (Ok(()), Some(next)) = (give.send(rejects).await, page.next) else { return Ok(()) };
            if only.is_some_and(|only| only.iter().all(|wanted| *wanted <= next.number)) {
                return Ok(());
            }
            after = Some(next);
        }
    }

    /// Puts a run in the queue that brings rejected rows back corrected: the same job, for the same time, with the same release,
    /// settings and tables unless the person wants those in force now.
    ///
    /// # Errors
    /// [`RunError::NotCorrected`] if the file cannot be taken; [`RunError::Ledger`] names the first row that is no reject of the run
    /// that waits.
    pub async fn resubmit(&self, scope: Scope<'_>, origin: RunId, corrections: Corrections, by: &By) -> Result<RunId, RunError> {
        let Corrections { port, content, afresh } = corrections;
        let run = self.run_seen(scope, origin).await?;
        let (ports, job) = (self.ledger().ports_waiting(scope, origin).await?, self.job_of(&run).await?);
        let port = chosen_port(&run, &job, &ports, port.as_deref())?;
        let job = if afresh { self.job_now(&run).await? } else { job };
        let format = built_in(&run, &job, &port)?;
        self.refuse_used_up(&run, &job, &port).await?;
        let artefacts = self.artefacts(run.partner()).await?;
        // The ledger names the row that is too much, unless a file has far more than there can be.
        let rows_max = run.rows.rejected.saturating_add(ROWS_OVER);
        let taken = tokio::task::spawn_blocking(move || take_off(&format, (content, artefacts.writer()?), rows_max));
        let (rows, staged) = match taken.await.expect("reading does not panic")? {
            Ok(taken) => taken,
            Err(CorrectionError::Disk(error)) => return Err(error.into()),
            Err(error) => return Err(not_corrected(&run, error.to_string())),
        };
        // Before it is in the store: of what is refused nothing is left.
        self.ledger().may_resubmit(scope, origin, (&port, &rows)).await?;
        let stored = tokio::task::spawn_blocking(move || staged.commit()).await.expect("storing does not panic")?;
        // Refused at the last moment, it goes with the next artefacts that go.
        self.ledger().artefact_passes(stored.digest, run.partner()).await?;
        let new = NewResubmission { origin, port, artefact: stored.digest, size_bytes: stored.size, rows, afresh };
        Ok(self.ledger().resubmit(scope, &new, by).await?)
    }

    /// What a run reads that brings rows back: the corrected rows first, and beside them what its origin read that is not used up.
    pub(in crate::run) async fn corrected_inputs(&self, claim: &Claim, job: &Job, origin: RunId) -> Result<Pulled, RunError> {
        let resubmitted = self.resubmitted(claim).await?;
        let before = self.stored_inputs(&claim.run, origin).await?;
        let of_port = |port: &str| before.inputs.iter().find(|file| file.port == port);
        let first = of_port(&resubmitted.port);
        let gone = || RunError::InputGone {
            run: claim.lease.run.to_string(),
            input: resubmitted.port.clone(),
            file: "the file of corrected rows".to_owned(),
        };
        let kept = self.has(claim.run.partner(), resubmitted.artefact).await?;
        let first = first.filter(|_| kept).ok_or_else(gone)?;
        let corrected = PulledFile {
            size_bytes: resubmitted.size_bytes,
            modified_ms: claim.run.enqueued_at_ms,
            digest: resubmitted.artefact,
            taken: false,
            ..first.clone()
        };
        let others = job.inputs.iter().filter(|input| input.port != resubmitted.port && input.take == Take::Latest);
        let inputs = std::iter::once(corrected).chain(others.filter_map(|input| of_port(&input.port).cloned())).collect();
        Ok(Pulled { inputs, formats: Vec::new() })
    }

    /// The rows that a run brings back.
    pub(in crate::run) async fn resubmitted(&self, claim: &Claim) -> Result<Resubmitted, RunError> {
        let kept = self.ledger().resubmitted(Scope::Partner(claim.run.partner()), claim.lease.run).await?;
        kept.ok_or_else(|| LedgerError::NotFound { what: "corrected rows of run", name: claim.lease.run.to_string() }.into())
    }

    async fn run_seen(&self, scope: Scope<'_>, run: RunId) -> Result<Run, RunError> {
        let missing = || LedgerError::NotFound { what: "run", name: run.to_string() };
        Ok(self.ledger().run(scope, run).await?.ok_or_else(missing)?)
    }

    /// The job of a run as it was pinned.
    async fn job_of(&self, run: &Run) -> Result<Job, RunError> {
        let pins = run.pins.as_ref().ok_or_else(|| not_corrected(run, "it has not run".to_owned()))?;
        self.job_by(run, pins.definition).await
    }

    /// The job of a run as it is declared now.
    async fn job_now(&self, run: &Run) -> Result<Job, RunError> {
        let stored = self.ledger().job(run.partner(), run.job()).await?;
        self.job_by(run, stored.definition).await
    }

    async fn job_by(&self, run: &Run, definition: Digest) -> Result<Job, RunError> {
        let Configuration { jobs, .. } = self.configuration_with(run.partner(), definition).await?;
        let missing = || LedgerError::NoSuchJob { partner: run.partner().clone(), job: run.job().clone() };
        Ok(jobs.into_iter().next().ok_or_else(missing)?)
    }

    /// Refuses a job that needs another input besides, which its first run used up.
    async fn refuse_used_up(&self, run: &Run, job: &Job, port: &str) -> Result<(), RunError> {
        let release = run.pins.as_ref().and_then(|pins| pins.release);
        let Some(release) = release else { return Ok(()) };
        let plugin = self.plugin(release).await?;
        let needed =
            job.inputs.iter().find(|input| input.port != port && input.take == Take::Next && !optional(&plugin.manifest, &input.port));
        match needed {
            None => Ok(()),
            Some(input) => {
                let why = format!(
                    "the job needs a file for input {} besides, and the first run has used up the one there was: put a corrected file where the job takes it from",
                    input.port
                );
                Err(not_corrected(run, why))
            }
        }
    }
}

fn optional(manifest: &Manifest, port: &str) -> bool {
    match &manifest.kind {
        Kind::Adapter(shape) => shape.inputs.iter().any(|input| input.name == port && input.optional),
        Kind::RuleSet(_) | Kind::Format(_) | Kind::Connector(_) => false,
    }
}

fn not_corrected(run: &Run, why: String) -> RunError {
    RunError::NotCorrected { run: run.id.to_string(), why }
}

/// Of each row its number and where it begins, and what is left of them all.
type TakenOff = (Vec<(u64, u64)>, StagedWriter);

/// Takes off what was put before each row, on the way into the store; or says what the clerk mends.
fn take_off(
    format: &Format,
    (content, mut staged): (Box<dyn Read + Send>, StagedWriter),
    rows_max: u64,
) -> Result<Result<TakenOff, CorrectionError>, RunError> {
    let mut content = content.take(CORRECTED_BYTES_MAX + 1);
    let taken = read_corrected(format, &mut content, &mut staged, rows_max);
    if content.limit() == 0 {
        return Err(RunError::FileTooLarge { bytes_max: CORRECTED_BYTES_MAX });
    }
    Ok(taken.map(|taken| (taken.rows, staged)))
}

/// The input that is meant: the one that was named, or the only one with rejects that can come back.
fn chosen_port(run: &Run, job: &Job, waiting: &BTreeSet<String>, named: Option<&str>) -> Result<String, RunError> {
    let has_rejects = |port: &str| waiting.contains(port);
    let used_up = |port: &str| job.inputs.iter().any(|input| input.port == port && input.take == Take::Next);
    if let Some(port) = named {
        return match (used_up(port), has_rejects(port)) {
            (true, true) => Ok(port.to_owned()),
            (false, true) => {
                let why = format!("each run reads input {port} anew: have it corrected at its source, and dismiss these rejects");
                Err(not_corrected(run, why))
            }
            (_, false) => Err(not_corrected(run, format!("no reject of input {port} waits"))),
        };
    }
    let mut ports = job.inputs.iter().map(|input| input.port.as_str()).filter(|port| used_up(port) && has_rejects(port));
    match (ports.next(), ports.next()) {
        (Some(port), None) => Ok(port.to_owned()),
        (Some(one), Some(other)) => Err(not_corrected(run, format!("inputs {one} and {other} have rejects that wait: say which is meant"))),
        (None, _) => Err(not_corrected(run, "no reject of it waits that could come back corrected".to_owned())),
    }
}

/// The format of an input, if the hub itself can tell its records apart.
fn built_in(run: &Run, job: &Job, port: &str) -> Result<Format, RunError> {
    match job.inputs.iter().find(|input| input.port == port).map(|input| &input.format) {
        Some(FileFormat::BuiltIn(format)) => Ok(format.clone()),
        Some(FileFormat::Plugin(format)) => {
            let why = format!(
                "input {port} is read by the format {}, whose records the hub cannot tell apart: have the file corrected at its source",
                format.plugin
            );
            Err(not_corrected(run, why))
        }
        None => Err(not_corrected(run, format!("the job has no input {port}"))),
    }
}

/// A reject with its record as it stood in the file.
struct Reject {
    finding: StoredFinding,
    raw: Option<Vec<u8>>,
}

impl Reject {
    fn new(finding: StoredFinding, view: &View) -> Result<Self, RunError> {
        Ok(Self { raw: view.open(&finding)?.0, finding })
    }
}

/// Writes rejects in their own format, one after the other. Answers how many rows that are, and how many are too long for it.
fn write(
    format: &Format,
    (input, mut again): (ArtefactFile, ArtefactFile),
    rejects: impl Iterator<Item = Reject>,
    out: &mut dyn io::Write,
) -> io::Result<(u64, u64)> {
    let (mut rows, mut left_out) = (0, 0);
    let mut records = rejects.filter_map(|Reject { finding, raw }| {
        let found = finding.found;
        let raw = match raw.filter(|raw| !raw.is_empty() && raw.len() < REJECT_RAW_BYTES_MAX) {
            Some(raw) => raw,
            None => match record_at(format, &mut again, found.byte_offset.unwrap_or_default()) {
                Ok(Some(raw)) => raw,
                Ok(None) => {
                    left_out += 1;
                    return None;
                }
                Err(error) => return Some(Err(error)),
            },
        };
        rows += 1;
        let reason = |reason: &crate::model::outcome::Reason| {
            let column = reason.column.as_ref().map_or_else(String::new, |column| format!("{column}: "));
            format!("{column}{}", reason.message)
        };
        Some(Ok((finding.id.number, found.reasons.iter().map(reason).collect::<Vec<_>>().join(" "), raw)))
    });
    write_rejected(format, input, &mut records, out)?;
    drop(records);
    Ok((rows, left_out))
}

/// The record that begins at an offset; none if it is longer than one may be that comes back with what stands before it.
fn record_at(format: &Format, input: &mut ArtefactFile, offset: u64) -> io::Result<Option<Vec<u8>>> {
    input.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    input.take(RECORD_BYTES_MAX as u64 + 2).read_to_end(&mut bytes)?;
    let record = record_of(format, &bytes);
    Ok((record.len() <= RECORD_BYTES_MAX - BEFORE_BYTES).then(|| record.to_vec()))
}
