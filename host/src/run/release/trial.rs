//! A release tried on real input before it is trusted: runs that closed are done again with it, beside the active one, delivering
//! nothing; where it comes to something else, the run is held with the difference, and a person who can explain it releases it.

use serde_json::{Value, json};

use crate::ledger::{By, Ledger, NewRun, Outcome, ReleaseKey, Run, RunFilter, RunState, Scope, Trigger};
use crate::model::ids::{JobName, RunId};
use crate::model::job::Job;
use crate::model::manifest::{Kind, Manifest};
use crate::model::personal::Sight;
use crate::run::conduct::shows;
use crate::run::failure::RunError;
use crate::run::{Hub, Look};

use super::ReleaseError;
use super::differences::{self, ColumnDifference, Example, OutputDifference, Recorded};

/// Most runs that one request tries a release on.
pub const TRIALS_MAX: u32 = 100;

/// Runs that are looked at once while those that delivered are sought.
const PAGE: u32 = 200;

/// A run done again with another release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// The run that delivered.
    pub origin: RunId,
    /// The one that tries the release on its inputs.
    pub run: RunId,
}

/// Where a trial came to something else than the run that delivered.
#[derive(Debug)]
pub struct Differences {
    /// The run that delivered.
    pub origin: RunId,
    /// Each output that is another, in the manifest's order.
    pub outputs: Vec<OutputDifference>,
    /// Rejects and warnings: how many there were, and how many there are.
    pub rejects: (u64, u64),
    /// Warnings likewise.
    pub warnings: (u64, u64),
    /// Sums that are others: port, total, what it was and is.
    pub totals: Vec<(String, String, String, String)>,
}

impl Hub {
    /// Puts runs in the queue that try a release on the inputs of the last runs that delivered, of one job or of all jobs that show how the
    /// plugin does.
    ///
    /// # Errors
    /// [`ReleaseError::NothingToTry`] if no run has delivered whose inputs are still kept; [`ReleaseError::JobsUnfit`] if a job does not
    /// fit the release.
    pub async fn try_release(&self, key: &ReleaseKey, (job, runs): (Option<&JobName>, u32), by: &By) -> Result<Vec<Trial>, RunError> {
        self.fits_its_jobs(key).await?;
        let scope = Scope::Partner(&key.partner);
        let mut trials = Vec::new();
        let declared = self.configuration_of(&key.partner).await?;
        for showing in declared.jobs.iter().filter(|declared| shows(declared, &key.plugin)) {
            if job.is_some_and(|wanted| *wanted != showing.name) {
                continue;
            }
            for origin in delivered(self.ledger(), scope, (&showing.name, runs.clamp(1, TRIALS_MAX))).await? {
                if self.ledger().expired_at_ms(scope, origin.id).await?.is_some() {
                    continue;
                }
                let new = NewRun {
                    partner: key.partner.clone(),
                    job: showing.name.clone(),
                    trigger: Trigger::Replay(origin.id),
                    slot: None,
                    logical_ms: origin.enqueued.logical_ms,
                    calendar: origin.enqueued.calendar.clone(),
                    dry_run: true,
                    release: Some(key.digest),
                };
                trials.push(Trial { origin: origin.id, run: self.ledger().enqueue(&new, by).await?.run });
            }
        }
        if trials.is_empty() {
            return Err(ReleaseError::NothingToTry { plugin: key.plugin.clone() }.into());
        }
        Ok(trials)
    }

    /// Where a trial, or any replay, came to something else than the run that it does again. Personal values are dots, unless they are
    /// looked at as they are, which the audit trail then says.
    ///
    /// # Errors
    /// [`ReleaseError::NotATrial`] if it is none, or has not come so far; [`RunError::Expired`] if the files are no longer kept.
    pub async fn differences(&self, trial: RunId, look: Look<'_>) -> Result<Differences, RunError> {
        self.seen(trial, look).await?;
        self.compared(look.scope, trial, look.sight).await
    }

    /// The same, for whoever keeps it, or has seen to it that it is noted who looks.
    pub(super) async fn compared(&self, scope: Scope<'_>, trial: RunId, sight: Sight) -> Result<Differences, RunError> {
        let not = || ReleaseError::NotATrial { run: trial.to_string() };
        let run = self.ledger().run(scope, trial).await?.ok_or_else(not)?;
        let Trigger::Replay(origin) = run.trigger() else { return Err(not().into()) };
        self.refuse_expired(scope, origin).await?;
        self.refuse_expired(scope, trial).await?;
        let before = self.ledger().processed(scope, origin).await?.ok_or_else(not)?;
        let now = self.ledger().processed(scope, trial).await?.ok_or_else(not)?;
        let (job, manifest) = self.tried(&run).await?;
        let totals = differences::totals(&before.totals, &now.totals);
        let (rejects, warnings) = ((before.rejects, now.rejects), (before.warnings, now.warnings));
        let artefacts = self.artefacts(run.partner()).await?;
        let pairs: Vec<Recorded> = before
            .outputs
            .iter()
            .filter_map(|was| Some((was, now.outputs.iter().find(|is| is.port == was.port)?)))
            .filter(|(was, is)| was.artefact != is.artefact)
            .map(|(was, is)| Recorded {
                port: was.port.clone(),
                shape: match &manifest.kind {
                    Kind::Adapter(shape) => shape.outputs.iter().find(|port| port.name == was.port).cloned(),
                    Kind::RuleSet(_) | Kind::Format(_) | Kind::Connector(_) => None,
                },
                format: job.outputs.iter().find(|output| output.port == was.port).map(|output| output.format.clone()),
                files: (was.artefact, is.artefact),
                artefacts: artefacts.clone(),
                rows: (was.rows, is.rows),
                sight,
            })
            .collect();
        let read = tokio::task::spawn_blocking(move || pairs.iter().map(differences::of_output).collect::<Result<Vec<_>, _>>());
        let outputs = read.await.expect("comparing does not panic")?;
        Ok(Differences { origin, outputs, rejects, warnings, totals })
    }

    /// The job as the run's own file declares it, and the manifest of its release.
    async fn tried(&self, run: &Run) -> Result<(Job, std::sync::Arc<Manifest>), RunError> {
        let not = || ReleaseError::NotATrial { run: run.id.to_string() };
        let pins = run.pins.as_ref().ok_or_else(not)?;
        let configuration = self.configuration_with(run.partner(), pins.definition).await?;
        let job = configuration.jobs.into_iter().next().ok_or_else(not)?;
        let plugin = self.plugin(pins.release.ok_or_else(not)?).await?;
        Ok((job, std::sync::Arc::clone(&plugin.manifest)))
    }
}

impl Differences {
    /// The kinds of difference, each a word that a person may explain: `return.employee_expected`, `return.rows`, `rejects`.
    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        let mut kinds = Vec::new();
        for output in &self.outputs {
            kinds.extend(output.columns.keys().map(|column| format!("{}.{column}", output.output)));
            if output.only != (0, 0) || output.rows.0 != output.rows.1 {
                kinds.push(format!("{}.rows", output.output));
            }
            if output.note.is_some() {
                kinds.push(format!("{}.file", output.output));
            }
        }
        let counts = [("rejects", self.rejects), ("warnings", self.warnings)];
        kinds.extend(counts.iter().filter(|(_, (was, is))| was != is).map(|(kind, _)| (*kind).to_owned()));
        // Sums differ with the rows that they are of; alone, they are a difference of their own.
        if kinds.is_empty() && !self.totals.is_empty() {
            kinds.push("totals".to_owned());
        }
        kinds
    }

    /// All of it as JSON, as whoever looked sees it.
    #[must_use]
    pub fn told(&self) -> Value {
        let output = |output: &OutputDifference| {
            let column = |(name, column): (&String, &ColumnDifference)| {
                (name.clone(), json!({ "rows": column.rows, "change": column.change.map(|change| change.to_string()) }))
            };
            let example = |example: &Example| json!({ "row": example.row, "column": example.column, "was": example.was, "is": example.is });
            json!({
                "output": output.output, "rows": [output.rows.0, output.rows.1], "changed": output.changed,
                "only-before": output.only.0, "only-now": output.only.1,
                "columns": output.columns.iter().map(column).collect::<serde_json::Map<_, _>>(),
                "examples": output.examples.iter().map(example).collect::<Vec<_>>(), "note": output.note,
            })
        };
        let total = |(port, name, was, is): &(String, String, String, String)| json!({ "port": port, "total": name, "was": was, "is": is });
        json!({
            "origin": self.origin.to_string(),
            "outputs": self.outputs.iter().map(output).collect::<Vec<_>>(),
            "totals": self.totals.iter().map(total).collect::<Vec<_>>(),
            "rejects": [self.rejects.0, self.rejects.1],
            "warnings": [self.warnings.0, self.warnings.1],
        })
    }
}

/// The last runs of a job that delivered, newest first.
async fn delivered(ledger: &Ledger, scope: Scope<'_>, (job, wanted): (&JobName, u32)) -> Result<Vec<Run>, RunError> {
    let mut filter = RunFilter { job: Some(job.clone()), state: Some(RunState::Closed), before: None };
    let mut found = Vec::new();
    loop {
        let page = ledger.runs(scope, &filter, PAGE).await?;
        found.extend(page.items.into_iter().filter(|run| run.outcome == Some(Outcome::Delivered)));
        found.truncate(wanted as usize);
        match page.next {
            Some(next) if found.len() < wanted as usize => filter.before = Some(next),
            _ => return Ok(found),
        }
    }
}
