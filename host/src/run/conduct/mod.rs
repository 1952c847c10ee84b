//! One run from claim to close: the lines of "Life of a run" and little else.

mod count;
mod deliver;
mod forms;
mod record;

pub(super) use forms::{PinnedFormat, formats_of, shows};

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use count::counted;
use deliver::is_delivered;
pub(super) use deliver::{delivered, delivery_key};
use forms::{Formats, form, used};
pub(super) use record::log_lines;
use record::{all_accounted, event, found, input_files, output_forms, why_held, why_other};

use tracing::Instrument as _;

use super::Hub;
use super::failure::{Next, RunError, WRITTEN_HOURS_MAX, pause_after, pause_while_written};
use super::process::{self, Progress, Work};
use super::provider::moment;
use super::pull::refuse_duplicates;
use super::release::{none_fits, refuse_beyond};
use super::shelf::Plugin;
use crate::config::{self, Configuration};
use crate::ledger::{
    Claim, Closed, Failed, Found, LedgerError, LimitUse, Outcome, Pins, Processed as ProcessedEvent, Pulled, Reason, Run, RunEvent,
    RunState, Scope, StagedOutput, Step, Trigger,
};
use crate::model::grant::Grant;
use crate::model::ids::{Digest, PartnerName, RunId};
use crate::model::job::{Connection, Job};
use crate::model::limits::{Limit, Limits};
use crate::model::manifest::{Kind, Manifest};
use crate::model::table::TableSet;
use crate::sandbox::Setup;

/// Attempts of a run whose job cannot be read.
const ATTEMPTS_UNKNOWN_JOB: u64 = 5;

/// What a run is done with, by the hub that has it or by one that has a part of it.
#[derive(Clone, Copy)]
pub(super) struct Basis<'a> {
    pub(super) run: &'a Run,
    pub(super) pins: &'a Pins,
    pub(super) pulled: Option<&'a Pulled>,
}

impl<'a> Basis<'a> {
    const fn of(claim: &'a Claim) -> Self {
        Self { run: &claim.run, pins: &claim.pins, pulled: claim.pulled.as_ref() }
    }
}

/// What a run works with, as it is pinned.
pub(super) struct Pinned {
    pub(super) job: Job,
    pub(super) connections: Vec<Connection>,
    pub(super) plugin: Arc<Plugin>,
    /// What it is lent.
    grant: Grant,
    tables: Arc<TableSet>,
    /// The plugins that its files go through.
    pub(super) formats: Formats,
}

impl Hub {
    /// Takes a claimed run to its end, whatever that is. Only the ledger failing, or the lease being lost, is an error.
    #[tracing::instrument(name = "run", skip_all, fields(run = %claim.lease.run, job = %claim.run.job(), partner = %claim.run.partner(),
        hub = %self.id(), attempt = claim.run.attempt))]
    pub(super) async fn conduct(&self, claim: Claim) -> Result<RunState, LedgerError> {
        let began = Instant::now();
        self.count_claim(&claim);
        let progress = Arc::new(Progress::default());
        self.shared.progress.lock().expect("nobody panics while holding the progress").insert(claim.lease.run, Arc::clone(&progress));
        let known = OnceLock::new();
        let work = async {
            let pinned = self.pinned(Basis::of(&claim)).instrument(tracing::info_span!("claim")).await?;
            let attempts_max = u64::from(pinned.job.attempts_max);
            known.get_or_init(|| (attempts_max, limits(&pinned.plugin.manifest, &pinned.job.limits, &pinned.grant)));
            // Attempts that failed say why themselves, and the last of them is not followed by another.
            if claim.run.attempt > attempts_max && self.ended_with_hub(&claim).await? >= attempts_max {
                return Err(RunError::TooManyAttempts { attempts_max });
            }
            self.work(&claim, &pinned, &progress).await
        };
        let ended = tokio::select! {
            ended = work => ended,
            lost = self.heartbeat(&claim, &progress) => Err(RunError::Ledger(lost)),
        };
        self.shared.progress.lock().expect("nobody panics while holding the progress").remove(&claim.lease.run);
        let state = match ended {
            Ok(state) => state,
            Err(RunError::Ledger(lost @ LedgerError::LeaseLost { .. })) => return Err(lost),
            Err(error) => {
                self.count_limit(&claim, &error);
                let (attempts_max, limits) = known.get().cloned().unwrap_or_else(|| (ATTEMPTS_UNKNOWN_JOB, Limits::default()));
                self.fail(&claim, &error, attempts_max, progress.left().map(|left| (left, &limits))).await?
            }
        };
        self.figures().run_ended(counted(&claim.run), state.as_str(), began.elapsed());
        Ok(state)
    }

    /// Pull, process, deliver, close: each from where an earlier attempt left it.
    async fn work(&self, claim: &Claim, pinned: &Pinned, progress: &Arc<Progress>) -> Result<RunState, RunError> {
        let processed = match &claim.processed {
            Some(processed) => processed.clone(),
            None => {
                let pulled = self.pulled((claim, pinned), progress).await?;
                let (event, found) = self.processed(claim, pinned, (&pulled, progress)).await?;
                self.append(claim, Step::Processed(Box::new(event.clone()), found)).await?;
                self.remove_pieces(claim.lease.run);
                event
            }
        };
        if let Trigger::Replay(origin) = claim.run.trigger() {
            return self.compare((claim, pinned), origin, &processed).await;
        }
        // Judged by every attempt: one that was killed after its rows were processed has not said yet that the run is held.
        if let Some(reason) = why_held(&processed, &pinned.job).filter(|_| !claim.run.released) {
            return self.append(claim, Step::Held(reason)).await;
        }
        if claim.run.enqueued.dry_run {
            return self.append(claim, Step::Closed(Closed { outcome: Outcome::DryRun, state: Vec::new() })).await;
        }
        let waiting: Vec<&StagedOutput> = processed.outputs.iter().filter(|output| !is_delivered(claim, output)).collect();
        self.check_targets((claim, pinned), &waiting).await?;
        for output in waiting {
            let delivered = self.deliver((claim, pinned), output, progress).await?;
            self.append(claim, Step::Delivered(delivered)).await?;
        }
        self.append(claim, Step::Closed(Closed { outcome: Outcome::Delivered, state: processed.state })).await
    }

    /// Ends a replay: it closes if it came to what its origin came to, and is held if not.
    async fn compare(&self, (claim, pinned): (&Claim, &Pinned), origin: RunId, processed: &ProcessedEvent) -> Result<RunState, RunError> {
        let before = self.ledger().processed(Scope::Partner(claim.run.partner()), origin).await?;
        // Of a release that is tried, a person may know why it comes to something else, and says so by releasing the run.
        let explained = claim.run.released && claim.run.enqueued.release.is_some();
        let difference = match before.and_then(|before| why_other(&before, processed)) {
            None => self.fetched_otherwise((claim, pinned), origin).await?,
            other => other,
        };
        self.keep_trial((claim, pinned), difference.is_some()).await?;
        let step = match difference.filter(|_| !explained) {
            Some(difference) => {
                let (what, code) = match claim.run.enqueued.release {
                    Some(release) => (format!("Release {}, tried on run {origin},", release.short()), "trial-differs"),
                    None => (format!("This replay of run {origin}"), "replay-differs"),
                };
                Step::Held(Reason { code: code.to_owned(), sentence: format!("{what} came to something else: {difference}.") })
            }
            None => Step::Closed(Closed { outcome: Outcome::DryRun, state: Vec::new() }),
        };
        self.append(claim, step).await
    }

    /// Renews the lease until it is lost.
    async fn heartbeat(&self, claim: &Claim, progress: &Progress) -> LedgerError {
        loop {
            tokio::time::sleep(self.shared.sharing.heartbeat).await;
            match self.ledger().heartbeat(&claim.lease, self.clock().now_ms(), self.shared.sharing.lease_ms()).await {
                Ok(true) => {}
                Ok(false) => {
                    progress.stop();
                    return self.lease_lost(claim).await;
                }
                // The ledger may answer again before the lease runs out; every write is fenced in any case.
                Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
            }
        }
    }

    /// That a lease is lost, with how the run stands by now, as far as the ledger says.
    async fn lease_lost(&self, claim: &Claim) -> LedgerError {
        let (run, lease) = (claim.lease.run, claim.lease.number);
        match self.ledger().run(Scope::Partner(claim.run.partner()), run).await {
            Ok(Some(now)) => LedgerError::LeaseLost { run, lease, current: now.lease, state: now.state },
            Ok(None) => LedgerError::LeaseLost { run, lease, current: lease, state: claim.run.state },
            Err(error) => error,
        }
    }

    /// How many attempts of a run, since a person last sent it on its way, ended without a word: with their hub.
    async fn ended_with_hub(&self, claim: &Claim) -> Result<u64, RunError> {
        let events = self.ledger().events(Scope::Partner(claim.run.partner()), claim.lease.run, 0).await?;
        let (mut ended, mut under_way) = (0, false);
        for logged in events.iter().filter(|logged| logged.lease < claim.lease.number) {
            match logged.event {
                RunEvent::Retried(_) | RunEvent::Released(_) => (ended, under_way) = (0, false),
                RunEvent::Claimed(_) => {
                    ended += u64::from(under_way);
                    under_way = true;
                }
                RunEvent::Failed(_) | RunEvent::Held(_) => under_way = false,
                _ => {}
            }
        }
        Ok(ended + u64::from(under_way))
    }

    pub(super) async fn pinned(&self, basis: Basis<'_>) -> Result<Pinned, RunError> {
        let Basis { run, pins, .. } = basis;
        let partner = run.partner();
        let configuration = self.configuration_with(partner, pins.definition).await?;
        let job = configuration
            .jobs
            .into_iter()
            .next()
            .ok_or_else(|| LedgerError::NoSuchJob { partner: partner.clone(), job: run.job().clone() })?;
        let release = pins.release.ok_or_else(|| none_fits(&job))?;
        let plugin = self.plugin(release).await?;
        let grant = self.granted(partner, (&plugin, &configuration.ceiling)).await?;
        refuse_beyond(&grant, &job, &plugin)?;
        let formats = self.formats(basis, (&job, &configuration.ceiling)).await?;
        let manifests: Vec<&Manifest> = formats.values().map(|format| format.plugin.manifest.as_ref()).collect();
        let findings = config::check_job(&job, &plugin.manifest, &manifests);
        if !findings.is_empty() {
            return Err(RunError::JobUnfit { job: job.name.to_string(), findings });
        }
        let tables = self.shared.shelf.tables(self.ledger(), partner, &plugin, pins.tables_through).await?;
        Ok(Pinned { job, connections: configuration.connections, plugin, grant, tables, formats })
    }

    /// What a partner has declared, with one job as one of its files declares it.
    pub(super) async fn configuration_with(&self, partner: &PartnerName, definition: Digest) -> Result<Configuration, RunError> {
        let mut texts: BTreeMap<String, String> =
            self.ledger().sources(partner).await?.into_iter().map(|source| (source.name, source.text)).collect();
        texts.retain(|name, _| !name.starts_with("jobs/"));
        let text = self.ledger().definition(partner, definition).await?.unwrap_or_default();
        texts.insert("jobs/pinned.toml".to_owned(), text);
        Ok(config::reload(&texts)?)
    }

    /// The plugin of a release; compiled off the async threads if it is not at hand.
    pub(in crate::run) async fn plugin(&self, release: Digest) -> Result<Arc<Plugin>, RunError> {
        let hub = self.clone();
        tokio::task::spawn_blocking(move || hub.shared.shelf.plugin(release)).await.expect("installing does not panic")
    }

    #[tracing::instrument(name = "pull", skip_all)]
    async fn pulled(&self, (claim, pinned): (&Claim, &Pinned), progress: &Arc<Progress>) -> Result<Pulled, RunError> {
        let pulled = match &claim.pulled {
            Some(pulled) => pulled.clone(),
            None => {
                let mut pulled = match claim.run.trigger() {
                    Trigger::Replay(origin) => self.stored_inputs(&claim.run, origin).await?,
                    Trigger::Resubmission(origin) => self.corrected_inputs(claim, &pinned.job, origin).await?,
                    _ => self.pull((claim, pinned), progress).await?,
                };
                pulled.formats = used(&pinned.formats);
                // A duplicate is taken all the same: the next run must not find it again.
                self.ledger().take(&claim.lease, self.clock().now_ms(), pulled).await?
            }
        };
        // Judged by every attempt: one that was killed in between has taken the file and not refused it.
        refuse_duplicates(&pulled)?;
        Ok(pulled)
    }

    #[tracing::instrument(name = "process", skip_all)]
    async fn processed(
        &self,
        claim: &Claim,
        pinned: &Pinned,
        (pulled, progress): (&Pulled, &Arc<Progress>),
    ) -> Result<(ProcessedEvent, Found), RunError> {
        let work = Arc::new(self.whole(Basis::of(claim), (pinned, pulled), progress).await?);
        let setup = Arc::clone(&work.setup);
        let mut processed = match self.in_partitions(claim, (&pinned.job, &work), last_input_bytes(pinned, pulled)).await? {
            Some(joined) => joined,
            None => self.shared.sandbox.on_run_thread(move |worker| process::process(worker, &work)).await?,
        };
        if let Some(error) = processed.error.take() {
            return Err(error.into());
        }
        let brought_back = match claim.run.trigger() {
            Trigger::Resubmission(_) => Some(all_accounted(self.resubmitted(claim).await?, &processed)?),
            _ => None,
        };
        let mut found = found(&mut processed, brought_back.as_ref());
        found.log.splice(..0, pulled.inputs.iter().filter_map(|file| file.session.as_ref()).flat_map(|session| session.log.clone()));
        let found = self.seal(claim, &pinned.plugin.manifest.kind, found).await?;
        Ok((event(processed, claim, (pinned, pulled, &setup))?, found))
    }

    /// All that is to be done with a run's rows.
    pub(super) async fn whole(
        &self,
        basis: Basis<'_>,
        (pinned, pulled): (&Pinned, &Pulled),
        progress: &Arc<Progress>,
    ) -> Result<Work, RunError> {
        let setup = Arc::new(self.setup(basis.run, pinned, pulled).await?);
        let manifest = Arc::clone(&pinned.plugin.manifest);
        Ok(Work {
            inputs: input_files(&manifest, &pinned.job, pulled, &|format, port| form(format, port, (pinned, &setup))),
            outputs: output_forms(&manifest, &pinned.job, &|format, port| form(format, port, (pinned, &setup))),
            case_schema: pinned.plugin.case_schema.clone(),
            artefacts: self.artefacts(basis.run.partner()).await?,
            spill: self.shared.data.join("spill"),
            progress: Arc::clone(progress),
            setup,
        })
    }

    async fn setup(&self, run: &Run, pinned: &Pinned, pulled: &Pulled) -> Result<Setup, RunError> {
        let (job, manifest) = (&pinned.job, &pinned.plugin.manifest);
        let (now, today) = moment(job, run.enqueued.logical_ms);
        let lent = pinned.grant.lend(&manifest.wants);
        let (inputs_present, outputs_present) = match &manifest.kind {
            Kind::Adapter(shape) => (
                shape.inputs.iter().map(|port| pulled.inputs.iter().any(|file| file.port == port.name)).collect(),
                shape.outputs.iter().map(|port| job.outputs.iter().any(|output| output.port == port.name)).collect(),
            ),
            Kind::RuleSet(_) | Kind::Format(_) | Kind::Connector(_) => (Vec::new(), Vec::new()),
        };
        let state = match run.trigger() {
            _ if !lent.state => BTreeMap::new(),
            Trigger::Replay(origin) => self.state_before(run, origin).await?,
            _ => self.ledger().job_state(&job.partner, &job.name).await?.into_iter().collect(),
        };
        Ok(Setup {
            release: pinned.plugin.release.clone(),
            lent,
            partner: job.partner.clone(),
            job: job.name.clone(),
            inputs_present,
            outputs_present,
            settings: job.settings.to_string(),
            now,
            today,
            seed: *Digest::of(&run.enqueued.seed.to_be_bytes()).bytes(),
            tables: Arc::clone(&pinned.tables),
            state,
            http: None,
            limits: limits(manifest, &job.limits, &pinned.grant),
        })
    }

    async fn fail(
        &self,
        claim: &Claim,
        error: &RunError,
        attempts_max: u64,
        left: Option<(&process::Left, &Limits)>,
    ) -> Result<RunState, LedgerError> {
        let (limits, log) = match error {
            RunError::Partition { failed, .. } => (failed.limits.clone(), failed.log.clone()),
            _ => (
                left.map(|(left, limits)| LimitUse::all(limits, &left.usage)).unwrap_or_default(),
                left.map(|(left, _)| log_lines(&left.log).collect()).unwrap_or_default(),
            ),
        };
        let mut reason = Reason { code: error.code().to_owned(), sentence: error.to_string() };
        let now_ms = self.clock().now_ms();
        let next = error.next();
        let waited = now_ms.saturating_sub(claim.run.started_at_ms.unwrap_or(now_ms));
        let waiting = match next {
            Next::Nothing => return Ok(self.ledger().append(&claim.lease, now_ms, Step::Skipped(reason)).await?.state),
            Next::Wait => pause_while_written(Duration::from_millis(u64::try_from(waited).unwrap_or(0)), claim.run.enqueued.seed),
            Next::Retry | Next::Person => None,
        };
        let again = matches!(next, Next::Retry | Next::Wait) && claim.run.attempt < attempts_max;
        let pause = waiting
            .or_else(|| again.then(|| pause_after(claim.run.attempt, claim.run.enqueued.seed).max(error.not_before().unwrap_or_default())));
        let retry_at_ms = pause.map(|pause| now_ms.saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)));
        if next == Next::Wait && retry_at_ms.is_none() {
            reason.sentence += &format!(". After {WRITTEN_HOURS_MAX} hours of that: `bailiwick retry` the run when the upload is done");
        }
        tracing::warn!(code = reason.code, retry = retry_at_ms.is_some(), "{}", reason.sentence);
        let failed = Failed { reason, retry_at_ms, waits: waiting.is_some(), limits, log };
        Ok(self.ledger().append(&claim.lease, now_ms, Step::Failed(failed)).await?.state)
    }
}

/// The bytes of the input that may be cut.
fn last_input_bytes(pinned: &Pinned, pulled: &Pulled) -> u64 {
    let Kind::Adapter(shape) = &pinned.plugin.manifest.kind else { return 0 };
    let last = shape.inputs.last().and_then(|port| pulled.inputs.iter().find(|file| file.port == port.name));
    last.map_or(0, |file| file.size_bytes)
}

/// The limits in force: the default, what the plugin asks for, what the operator says for this job, and none above what is granted.
pub(super) fn limits(manifest: &Manifest, of_job: &[(Limit, u64)], grant: &Grant) -> Limits {
    let mut limits = Limits::default();
    for (limit, amount) in manifest.limits.iter().chain(of_job) {
        limits.set(*limit, *amount).expect("manifest and job were checked against the ceilings");
    }
    grant.cap(&limits)
}
