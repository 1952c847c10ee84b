//! A large input, shared between hubs: the hub that has the run cuts it, any hub processes a partition, and the first joins them.
//!
//! ```text
//! cut      the input read through once: where partitions lie, which rows repeat an earlier one
//! result   what a partition came to, as a file
//! join     the results in the order of the input → what one hub would have come to
//! ```
//!
//! A partition has a lease of its own. A hub that is killed in the middle of one leaves nothing: it is done again from its start.

mod cut;
mod join;
mod result;

use std::io::BufReader;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::Hub;
use super::conduct::{Basis, log_lines};
use super::failure::{Next, RunError};
use super::process::{self, ProcessError, Processed, Progress, Repeats, Work};
use crate::connection::Artefacts;
use crate::ledger::{
    Claim, Cutting, Failed, LedgerError, LimitUse, PartitionClaim, PartitionEnd, PartitionLease, Partitioned, Reason, Run, Scope, Step,
};
use crate::model::ids::{Digest, RunId};
use crate::model::job::Job;
use crate::model::limits::Limits;
use crate::model::manifest::Kind;
use cut::ToCut;
use result::PartitionResult;

/// How often the hub that has the run looks whether partitions are done that others are at.
const LOOK: Duration = Duration::from_millis(100);

/// Claims of one partition in one attempt of its run. Each ended with its hub but the last, so it may be the partition that ends them.
const CLAIMS_MAX: u64 = 5;

/// Stops the work on a sandbox thread when nobody waits for it any more.
struct StopsWhenDropped(Arc<Progress>);

impl Drop for StopsWhenDropped {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Hub {
    /// Processes a run's rows in partitions, with whatever hubs take a part in it; none if they are not to be cut.
    pub(super) async fn in_partitions(
        &self,
        claim: &Claim,
        (job, work): (&Job, &Arc<Work>),
        input_bytes: u64,
    ) -> Result<Option<Processed>, RunError> {
        // Pieces stand in a folder, which hubs that share a bucket do not have in common: there one hub does it all, to the same bytes.
        if self.shared.store.is_shared() {
            return Ok(None);
        }
        let began = Instant::now();
        let Some(cutting) = self.cutting(claim, (job, work), input_bytes).await? else { return Ok(None) };
        let results = self.all_done(claim, &work.progress, &cutting).await?;
        let (work, pieces) = (Arc::clone(work), self.pieces(&claim.run).await?);
        let joined = self.shared.sandbox.on_run_thread(move |_| {
            let Kind::Adapter(shape) = &work.setup.release.manifest.kind else { unreachable!("only an adapter's input is cut") };
            join::join((&work, shape), (&pieces, &results), began)
        });
        Ok(Some(joined.await??))
    }

    /// How the run is cut: as an earlier attempt found, or as is found now.
    async fn cutting(&self, claim: &Claim, (job, work): (&Job, &Arc<Work>), input_bytes: u64) -> Result<Option<Cutting>, RunError> {
        if let Some(cutting) = &claim.cutting
            && self.still_has(claim, cutting).await?
        {
            self.ledger().go_on_with_partitions(&claim.lease, self.clock().now_ms()).await?;
            return Ok(Some(cutting.clone()));
        }
        let Some((port, size)) =
            ToCut::of(work).and_then(|input| Some((input.shape.name.clone(), cut::size(job.partitions, input_bytes)?)))
        else {
            return Ok(None);
        };
        let (work, pieces) = (Arc::clone(work), self.pieces(&claim.run).await?);
        let cut = self.shared.sandbox.on_run_thread(move |_| {
            let found = ToCut::of(&work).expect("it was looked at before").cut(size)?;
            let repeats = pieces.put(&*serde_json::to_vec(&found.repeats).expect("it has numbers only"))?;
            Ok::<_, ProcessError>((found.marks, repeats.digest))
        });
        let (marks, repeats) = cut.await??;
        if marks.len() < 2 {
            return Ok(None);
        }
        let at = Partitioned { port, cuts: cut::cuts(&marks), repeats };
        let run = self.ledger().append(&claim.lease, self.clock().now_ms(), Step::Partitioned(at.clone())).await?;
        Ok(Some(Cutting { event: run.last_event, at }))
    }

    /// Whether what an earlier attempt left is there: a ledger that was put back from a backup may speak of files that are gone.
    async fn still_has(&self, claim: &Claim, cutting: &Cutting) -> Result<bool, RunError> {
        let pieces = self.pieces(&claim.run).await?;
        let partitions = self.ledger().partitions(Scope::Partner(claim.run.partner()), claim.lease.run).await?;
        let results = partitions.iter().filter_map(|partition| partition.result.as_ref());
        Ok(results.chain([&cutting.at.repeats]).all(|digest| pieces.holds(digest)))
    }

    /// Takes part in the run's partitions until all are done. Answers their results in the order of the input.
    async fn all_done(&self, claim: &Claim, progress: &Progress, cutting: &Cutting) -> Result<Vec<Digest>, RunError> {
        let run = claim.lease.run;
        loop {
            let partitions = self.ledger().partitions(Scope::Partner(claim.run.partner()), run).await?;
            progress.reach(partitions.iter().map(|partition| partition.rows_read).sum());
            if let Some((partition, failed)) = partitions.iter().find_map(|partition| Some((partition, partition.failed.clone()?))) {
                let hub = partition.hub.as_ref().map(ToString::to_string).unwrap_or_default();
                return Err(RunError::Partition { number: partition.number, of: cutting.at.cuts.len(), hub, failed: Box::new(failed) });
            }
            if partitions.iter().any(|partition| partition.result.is_none() && partition.claims > CLAIMS_MAX) {
                return Err(RunError::TooManyAttempts { attempts_max: CLAIMS_MAX });
            }
            let results: Vec<Digest> = partitions.iter().filter_map(|partition| partition.result).collect();
            if results.len() == cutting.at.cuts.len() {
                return Ok(results);
            }
            let lease_ms = self.shared.sharing.lease_ms();
            match self.ledger().claim_partition(self.id(), self.clock().now_ms(), lease_ms, Some(run)).await? {
                Some(partition) => self.conduct_partition(partition).await?,
                None => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// Takes a claimed partition to its end. That its lease is lost is no error: then another hub has it, or nobody wants it.
    #[tracing::instrument(skip_all, fields(run = %claim.lease.run, partition = claim.lease.partition))]
    pub(super) async fn conduct_partition(&self, claim: PartitionClaim) -> Result<(), LedgerError> {
        let progress = Arc::new(Progress::default());
        let _stops = StopsWhenDropped(Arc::clone(&progress));
        let limits = OnceLock::new();
        let ended = tokio::select! {
            ended = self.process_partition(&claim, &progress, &limits) => ended,
            () = self.keep_partition(&claim.lease) => return Ok(()),
        };
        let now_ms = self.clock().now_ms();
        let end = match ended {
            Ok(done) => done,
            Err(RunError::Ledger(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(code = error.code(), "{error}");
                let left = progress.left().zip(limits.get());
                PartitionEnd::Failed(Failed {
                    reason: Reason { code: error.code().to_owned(), sentence: error.to_string() },
                    retry_at_ms: (error.next() == Next::Retry).then_some(now_ms),
                    waits: false,
                    limits: left.map(|(left, limits)| LimitUse::all(limits, &left.usage)).unwrap_or_default(),
                    log: left.map(|(left, _)| log_lines(&left.log).collect()).unwrap_or_default(),
                })
            }
        };
        match self.ledger().end_partition(&claim.lease, now_ms, &end).await {
            Err(LedgerError::LeaseLost { .. }) => {
                tracing::info!("another hub has taken the partition over; what was made of it here is not used");
                Ok(())
            }
            other => other,
        }
    }

    async fn process_partition(
        &self,
        claim: &PartitionClaim,
        progress: &Arc<Progress>,
        limits: &OnceLock<Limits>,
    ) -> Result<PartitionEnd, RunError> {
        let basis = Basis { run: &claim.run, pins: &claim.pins, pulled: Some(&claim.pulled) };
        let pinned = self.pinned(basis).await?;
        let work = self.whole(basis, (&pinned, &claim.pulled), progress).await?;
        limits.get_or_init(|| work.setup.limits.clone());
        let (cutting, number, pieces) = (claim.cutting.clone(), claim.lease.partition, self.pieces(&claim.run).await?);
        let done = self.shared.sandbox.on_run_thread(move |worker| {
            let repeats: Repeats =
                serde_json::from_reader(BufReader::new(pieces.read(&cutting.at.repeats)?)).map_err(std::io::Error::from)?;
            let (work, slice) = cut::slice_of(work, (&cutting, number), (repeats, &pieces));
            let mut processed = process::process(worker, &work);
            if let Some(error) = processed.error.take() {
                return Err(error);
            }
            let result = PartitionResult::new(processed, slice.take());
            let stored = pieces.put(&*serde_json::to_vec(&result).expect("it has only text keys"))?;
            Ok(PartitionEnd::Done { rows_read: result.rows_read(), result: stored.digest })
        });
        Ok(done.await??)
    }

    /// Renews the lease on a partition until it is lost.
    async fn keep_partition(&self, lease: &PartitionLease) {
        loop {
            tokio::time::sleep(self.shared.sharing.heartbeat).await;
            match self.ledger().keep_partition(lease, self.clock().now_ms(), self.shared.sharing.lease_ms()).await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::info!("the partition is not this hub's any more");
                    return;
                }
                // The ledger may answer again before the lease runs out; every write is fenced in any case.
                Err(error) => tracing::warn!(%error, "the lease on the partition could not be renewed"),
            }
        }
    }

    /// Where the partitions of a run leave what they come to, until it is joined. It is the run's alone, so that it may go.
    async fn pieces(&self, run: &Run) -> Result<Artefacts, RunError> {
        let pieces = Artefacts::open(self.shared.data.join("pieces").join(run.id.to_string()))?;
        Ok(pieces.sealed(run.partner(), self.keys(run.partner()).await?))
    }

    /// Removes what partitions of a run left, once it has been joined.
    pub(super) fn remove_pieces(&self, run: RunId) {
        let folder = self.shared.data.join("pieces").join(run.to_string());
        if let Err(error) = std::fs::remove_dir_all(folder)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, %run, "the pieces of a run could not be removed; the hub tries again when it next starts");
        }
    }

    /// Removes what partitions left of runs that nobody will join any more.
    pub(super) async fn sweep_pieces(&self) -> Result<(), RunError> {
        let folder = self.shared.data.join("pieces");
        std::fs::create_dir_all(&folder)?;
        for entry in std::fs::read_dir(folder)? {
            let Ok(run) = entry?.file_name().to_string_lossy().parse::<RunId>() else { continue };
            let found = self.ledger().run(Scope::Hub, run).await?;
            if found.is_none_or(|run| run.state.is_final() || run.standing.is_some()) {
                self.remove_pieces(run);
            }
        }
        Ok(())
    }
}
