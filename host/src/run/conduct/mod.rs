//! One run from claim to close: the lines of "Life of a run" and little else.

mod record;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use record::{event, found, input_files, output_formats, why_held};

use super::Hub;
use super::failure::{Next, RunError, pause_after};
use super::process::{self, Progress, Work};
use super::pull::Places;
use super::shelf::Plugin;
use crate::config;
use crate::connection::{self, Delivery};
use crate::ledger::{
    Claim, Closed, Delivered, Failed, Found, LedgerError, LimitUse, Outcome, Processed as ProcessedEvent, Pulled, Reason, RunState,
    StagedOutput, StateChange, Step,
};
use crate::model::ids::{Digest, RunId};
use crate::model::job::{Connection, Job};
use crate::model::limits::Limits;
use crate::model::manifest::{Kind, Manifest};
use crate::model::table::TableSet;
use crate::sandbox::Setup;

/// How long a claim holds without a word from its holder.
pub(super) const LEASE_MS: i64 = 15_000;
/// How often the holder gives word.
const HEARTBEAT: Duration = Duration::from_secs(4);

/// Attempts of a run whose job cannot be read.
const ATTEMPTS_UNKNOWN_JOB: u64 = 5;

/// What a run works with, as it is pinned.
struct Pinned {
    job: Job,
    connections: Vec<Connection>,
    plugin: Arc<Plugin>,
    tables: Arc<TableSet>,
}

impl Hub {
    /// Takes a claimed run to its end, whatever that is. Only the ledger failing, or the lease being lost, is an error.
    #[tracing::instrument(skip_all, fields(run = %claim.lease.run, job = %claim.run.job(), partner = %claim.run.partner()))]
    pub(super) async fn conduct(&self, claim: Claim) -> Result<RunState, LedgerError> {
        let progress = Arc::new(Progress::default());
        self.shared.progress.lock().expect("nobody panics while holding the progress").insert(claim.lease.run, Arc::clone(&progress));
        let pinned = self.pinned(&claim).await;
        let attempts_max = pinned.as_ref().map_or(ATTEMPTS_UNKNOWN_JOB, |pinned| u64::from(pinned.job.attempts_max));
        let limits_in_force =
            pinned.as_ref().map_or_else(|_| Limits::default(), |pinned| limits(&pinned.plugin.manifest, &pinned.job.limits));
        let work = async { self.work(&claim, &pinned?, &progress).await };
        let ended = tokio::select! {
            ended = work => ended,
            lost = self.heartbeat(&claim, &progress) => Err(RunError::Ledger(lost)),
        };
        self.shared.progress.lock().expect("nobody panics while holding the progress").remove(&claim.lease.run);
        match ended {
            Ok(state) => Ok(state),
            Err(RunError::Ledger(lost @ LedgerError::LeaseLost { .. })) => Err(lost),
            Err(error) => {
                let limits = progress.used().map(|used| LimitUse::all(&limits_in_force, used)).unwrap_or_default();
                self.fail(&claim, &error, (attempts_max, limits)).await
            }
        }
    }

    /// Pull, process, deliver, close: each from where an earlier attempt left it.
    async fn work(&self, claim: &Claim, pinned: &Pinned, progress: &Arc<Progress>) -> Result<RunState, RunError> {
        let processed = match &claim.processed {
            Some(processed) => processed.clone(),
            None => {
                let pulled = self.pulled(claim, pinned).await?;
                let (event, found) = self.processed(claim, pinned, (&pulled, progress)).await?;
                self.append(claim, Step::Processed(Box::new(event.clone()), found)).await?;
                event
            }
        };
        // Judged by every attempt: one that was killed after its rows were processed has not said yet that the run is held.
        if let Some(reason) = why_held(&processed, &pinned.job).filter(|_| !claim.run.released) {
            return self.append(claim, Step::Held(reason)).await;
        }
        if claim.run.enqueued.dry_run {
            return self.close(claim, pinned, Outcome::DryRun).await;
        }
        for output in &processed.outputs {
            let done = |delivered: &Delivered| delivered.port == output.port && delivered.target == output.target;
            if !claim.delivered.iter().any(done) {
                let delivered = self.deliver(claim.lease.run, output, &pinned.connections).await?;
                self.append(claim, Step::Delivered(delivered)).await?;
            }
        }
        self.close(claim, pinned, Outcome::Delivered).await
    }

    async fn append(&self, claim: &Claim, step: Step) -> Result<RunState, RunError> {
        Ok(self.ledger().append(&claim.lease, self.clock().now_ms(), step).await?.state)
    }

    /// Renews the lease until it is lost.
    async fn heartbeat(&self, claim: &Claim, progress: &Progress) -> LedgerError {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            match self.ledger().heartbeat(&claim.lease, self.clock().now_ms(), LEASE_MS).await {
                Ok(true) => {}
                Ok(false) => {
                    progress.stop();
                    let (run, lease) = (claim.lease.run, claim.lease.number);
                    return LedgerError::LeaseLost { run, lease, current: lease, state: claim.run.state };
                }
                // The ledger may answer again before the lease runs out; every write is fenced in any case.
                Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
            }
        }
    }

    async fn pinned(&self, claim: &Claim) -> Result<Pinned, RunError> {
        let partner = claim.run.partner();
        let mut texts: BTreeMap<String, String> =
            self.ledger().sources(partner).await?.into_iter().map(|source| (source.name, source.text)).collect();
        texts.retain(|name, _| !name.starts_with("jobs/"));
        let text = self.ledger().definition(partner, claim.pins.definition).await?.unwrap_or_default();
        texts.insert("jobs/pinned.toml".to_owned(), text);
        let configuration = config::reload(&texts).map_err(|error| match error {
            config::ConfigError::Wrong(problems) => RunError::Configuration(problems),
            config::ConfigError::Unreadable { path, why } => RunError::ConfigurationUnreadable { path, why },
        })?;
        let job = configuration
            .jobs
            .into_iter()
            .next()
            .ok_or_else(|| LedgerError::NoSuchJob { partner: partner.clone(), job: claim.run.job().clone() })?;
        let release = claim.pins.release.ok_or_else(|| RunError::NoRelease { partner: partner.clone(), plugin: job.plugin.clone() })?;
        let plugin = self.plugin(release).await?;
        let findings = config::check_job(&job, &plugin.manifest);
        if !findings.is_empty() {
            return Err(RunError::JobUnfit { job: job.name.to_string(), findings });
        }
        let tables = self.shared.shelf.tables(self.ledger(), partner, &plugin, claim.pins.tables_through).await?;
        Ok(Pinned { job, connections: configuration.connections, plugin, tables })
    }

    /// The plugin of a release; compiled off the async threads if it is not at hand.
    pub(super) async fn plugin(&self, release: Digest) -> Result<Arc<Plugin>, RunError> {
        let hub = self.clone();
        tokio::task::spawn_blocking(move || hub.shared.shelf.plugin(release)).await.expect("installing does not panic")
    }

    async fn pulled(&self, claim: &Claim, pinned: &Pinned) -> Result<Pulled, RunError> {
        let pulled = match &claim.pulled {
            Some(pulled) => pulled.clone(),
            None => {
                let places = Places { connections: &pinned.connections };
                let takes = !claim.run.enqueued.dry_run;
                let pulled = self.pull(&pinned.job, &pinned.plugin.manifest, &places, takes).await?;
                // A duplicate is taken all the same: the next run must not find it again.
                self.append(claim, Step::Pulled(pulled.clone())).await?;
                pulled
            }
        };
        // Judged by every attempt: one that was killed in between has taken the file and not refused it.
        self.refuse_duplicates(&pinned.job, claim.lease.run, &pulled).await?;
        Ok(pulled)
    }

    async fn processed(
        &self,
        claim: &Claim,
        pinned: &Pinned,
        (pulled, progress): (&Pulled, &Arc<Progress>),
    ) -> Result<(ProcessedEvent, Found), RunError> {
        let setup = Arc::new(self.setup(claim, pinned, pulled).await?);
        let manifest = Arc::clone(&pinned.plugin.manifest);
        let work = Work {
            inputs: input_files(&manifest, &pinned.job, pulled),
            outputs: output_formats(&manifest, &pinned.job),
            case_schema: pinned.plugin.case_schema.clone(),
            artefacts: self.shared.artefacts.clone(),
            spill: self.shared.data.join("spill"),
            progress: Arc::clone(progress),
            setup: Arc::clone(&setup),
        };
        let processed = self.shared.sandbox.on_run_thread(move |worker| process::process(worker, &work)).await?;
        let mut processed = processed;
        if let Some(error) = processed.error.take() {
            return Err(error.into());
        }
        if let Some(left) = processed.report.state.take() {
            self.keep_state(claim, &setup.state, left)?;
        }
        let found = found(&processed);
        Ok((event(processed, claim, (pinned, pulled, &setup)), found))
    }

    async fn setup(&self, claim: &Claim, pinned: &Pinned, pulled: &Pulled) -> Result<Setup, RunError> {
        let (job, manifest) = (&pinned.job, &pinned.plugin.manifest);
        let now = Timestamp::from_millisecond(claim.run.enqueued.logical_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let today = now.in_tz(&job.zone).map_or_else(|_| now.to_zoned(jiff::tz::TimeZone::UTC).date(), |zoned| zoned.date());
        let (inputs_present, outputs_present) = match &manifest.kind {
            Kind::Adapter(shape) => (
                shape.inputs.iter().map(|port| pulled.inputs.iter().any(|file| file.port == port.name)).collect(),
                shape.outputs.iter().map(|port| job.outputs.iter().any(|output| output.port == port.name)).collect(),
            ),
            Kind::RuleSet(_) => (Vec::new(), Vec::new()),
        };
        let state = if manifest.wants.state {
            self.ledger().job_state(&job.partner, &job.name).await?.into_iter().collect()
        } else {
            BTreeMap::new()
        };
        Ok(Setup {
            release: pinned.plugin.release.clone(),
            partner: job.partner.clone(),
            job: job.name.clone(),
            inputs_present,
            outputs_present,
            settings: job.settings.to_string(),
            now,
            today,
            seed: *Digest::of(&claim.run.enqueued.seed.to_be_bytes()).bytes(),
            tables: Arc::clone(&pinned.tables),
            state,
            limits: limits(manifest, &job.limits),
        })
    }

    async fn deliver(&self, run: RunId, output: &StagedOutput, connections: &[Connection]) -> Result<Delivered, RunError> {
        let place = Places { connections }.get(&output.connection)?.place.clone();
        let (artefacts, staged, key) = (self.shared.artefacts.clone(), output.clone(), format!("{}-{}", run, output.port));
        let send = move || connection::deliver(&place, &Delivery { digest: staged.artefact, name: &staged.target, key: &key }, &artefacts);
        let receipt = tokio::task::spawn_blocking(send)
            .await
            .expect("delivering does not panic")
            .map_err(|error| RunError::Connection { connection: output.connection.clone(), error })?;
        Ok(Delivered {
            port: output.port.clone(),
            connection: output.connection.clone(),
            target: output.target.clone(),
            digest: receipt.digest,
            size_bytes: receipt.size,
            receipt: format!("{} with SHA-256 {}", receipt.target.display(), receipt.digest),
            already_there: receipt.already_there,
        })
    }

    async fn close(&self, claim: &Claim, pinned: &Pinned, outcome: Outcome) -> Result<RunState, RunError> {
        let state = match outcome {
            Outcome::Delivered => self.state_changes(claim, pinned)?,
            Outcome::DryRun => Vec::new(),
        };
        self.append(claim, Step::Closed(Closed { outcome, state })).await
    }

    /// Keeps what the plugin changed of the job's state beside the staged outputs, until the run closes.
    fn keep_state(&self, claim: &Claim, before: &BTreeMap<String, Vec<u8>>, left: BTreeMap<String, Vec<u8>>) -> Result<(), RunError> {
        let mut changes: BTreeMap<String, Option<Vec<u8>>> =
            before.keys().filter(|key| !left.contains_key(*key)).map(|key| (key.clone(), None)).collect();
        changes.extend(left.into_iter().filter(|(key, value)| before.get(key) != Some(value)).map(|(key, value)| (key, Some(value))));
        let folder = self.shared.data.join("state");
        std::fs::create_dir_all(&folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&folder)?;
        serde_json::to_writer(&mut file, &changes).map_err(std::io::Error::from)?;
        file.as_file().sync_all()?;
        file.persist(folder.join(claim.lease.run.to_string())).map_err(|error| error.error)?;
        Ok(())
    }

    /// What the plugin left to be remembered, kept beside the staged outputs until the run closes.
    fn state_changes(&self, claim: &Claim, pinned: &Pinned) -> Result<Vec<StateChange>, RunError> {
        if !pinned.plugin.manifest.wants.state {
            return Ok(Vec::new());
        }
        let kept = self.shared.data.join("state").join(claim.lease.run.to_string());
        let text = match std::fs::read_to_string(kept) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let left: BTreeMap<String, Option<Vec<u8>>> = serde_json::from_str(&text).expect("the hub wrote this file itself");
        Ok(left.into_iter().map(|(key, value)| StateChange { key, value }).collect())
    }

    async fn fail(&self, claim: &Claim, error: &RunError, (attempts_max, limits): (u64, Vec<LimitUse>)) -> Result<RunState, LedgerError> {
        let reason = Reason { code: error.code().to_owned(), sentence: error.to_string() };
        let now_ms = self.clock().now_ms();
        let retry_at_ms = match error.next() {
            Next::Nothing => return Ok(self.ledger().append(&claim.lease, now_ms, Step::Skipped(reason)).await?.state),
            Next::Retry if claim.run.attempt < attempts_max => {
                let pause = pause_after(claim.run.attempt, claim.run.enqueued.seed);
                Some(now_ms.saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)))
            }
            Next::Retry | Next::Person => None,
        };
        tracing::warn!(code = reason.code, retry = retry_at_ms.is_some(), "{}", reason.sentence);
        Ok(self.ledger().append(&claim.lease, now_ms, Step::Failed(Failed { reason, retry_at_ms, limits })).await?.state)
    }
}

/// The limits in force: the default, what the plugin asks for, what the operator says for this job.
pub(super) fn limits(manifest: &Manifest, of_job: &[(crate::model::limits::Limit, u64)]) -> Limits {
    let mut limits = Limits::default();
    for (limit, amount) in manifest.limits.iter().chain(of_job) {
        limits.set(*limit, *amount).expect("manifest and job were checked against the ceilings");
    }
    limits
}
