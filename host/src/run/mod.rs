//! The conductor: one run from claim to close, and the duties of a hub around it.
//!
//! ```text
//! duty      what is due → the ledger's queue        conduct   claim → pull → process → deliver → close
//! declare   a configuration → what is in force      desk      a case → a decision, at once
//! shelf     releases and tables at hand             again     replays, and the slots of a time gone by
//! failure   what can go wrong with a run, and what comes next
//! amend     what a person puts right after a run
//! audit     the audit trail signed, checked and written out
//! outside   connections tried, credentials set, rotated, opened; people told of runs
//! backup    all that cannot be made again, copied while runs go on
//! look      what people look at of a run: files, another run beside it, rejects value by value
//! partition a large input, shared between hubs
//! provider  connectors: files fetched from APIs and sent to them
//! watch     whether the hub has what it needs; its figures
//! release   from upload to use: vouched for, tried on what ran, activated, rolled back
//! view      rows as people may see them
//! ```
//!
//! It must not know HTTP or the command line. Whatever it is asked for from there is enqueued or read.

mod again;
mod amend;
mod audit;
mod backup;
mod conduct;
mod declare;
mod desk;
mod duty;
mod failure;
mod look;
mod outside;
mod partition;
mod process;
mod provider;
mod pull;
mod release;
mod shelf;
mod view;
mod watch;

use std::collections::{HashMap, HashSet};
use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use secrecy::SecretString;

pub use crate::connection::Handed;
pub use crate::format::RecordCells;
pub use again::Backfilled;
pub use amend::{Corrections, FileIn, ForCorrection, Retained};
pub use audit::{
    AuditError, CHECKPOINT_ENTRIES, CHECKPOINT_MS, Checkpoint, Evidence, Export, ExportForm, Line as AuditLine, SignedCheckpoint, Verified,
    checkpoints_file, verify_file, verify_ledger,
};
pub use backup::Backup;
pub use declare::{DRIFT_EVERY_MS, Files, Installed, Plan, Proposed};
pub use desk::{
    BenchInput, BenchRounds, Benched, BenchedCase, CaseOutcome, Decided, LimitShare, Question, Rehearsal, RuleSetOffer, bench, rehearse,
};
pub use duty::Request;
pub use failure::RunError;
pub use look::{Preview, PreviewColumn, RejectRows, RunFile, Side, Verdict};
pub use outside::{CheckFailure, Checkup, ConnectionUse, Rotation, TestAnswer};
pub use process::{ProcessError, Progress};
pub use pull::Columns;
pub use release::{
    Approval, Ask, Bound, ColumnDifference, Differences, Example, OutputDifference, Push, Pushed, ReleaseError, Review, Reviewed,
    TRIALS_MAX, Trial, Upload,
};
pub use view::{Look, View};
pub use watch::{GONE_MS, Readiness};

use crate::clock::Clock;
use crate::connection::{Artefacts, ConnectionError, SharedArtefacts, TokenSlot};
use crate::ledger::{Database, HeldName, HubId, Ledger};
use crate::model::ids::{ConnectionName, Digest, PartnerName, RunId, WebhookName};
use crate::model::job::{S3Place, Schedule};
use crate::sandbox::{Sandbox, SandboxOptions};
use crate::telemetry::Figures;
use crate::vault::{DataKeys, KeySource, Vault};
use shelf::Shelf;

/// How long nothing has been written to a file that a killed hub left half made.
const ABANDONED: Duration = Duration::from_secs(24 * 3_600);

/// What a hub needs to open.
#[derive(Debug, Clone)]
pub struct HubOptions {
    /// The hub's folder: ledger, artefacts, releases, compiled components.
    pub data: PathBuf,
    /// Its name, the same whenever it starts again: runs that it left are taken up at once.
    pub name: String,
    /// The program that compiles components: the hub's own.
    pub compiler: PathBuf,
    /// Where it gets the time from.
    pub clock: Clock,
    /// Runs at one time.
    pub runs_at_once: usize,
    /// Whether it is to work, and not only to read and enqueue.
    pub works: bool,
}

/// How a hub shares its work with others.
#[derive(Debug, Clone)]
pub struct Sharing {
    /// Where the ledger is; none for a file in the hub's folder. Hubs on one database have names of their own, and share one folder, or
    /// a bucket.
    pub database: Option<Database>,
    /// Where artefacts and releases are; none for the hub's folder alone.
    pub artefacts: Option<ArtefactBucket>,
    /// How long a run stays with a hub that gives no word. After that another takes it over.
    pub lease: Duration,
    /// How often a hub gives word.
    pub heartbeat: Duration,
}

/// A bucket in which hubs with folders of their own keep artefacts and releases.
#[derive(Debug, Clone)]
pub struct ArtefactBucket {
    /// Which.
    pub place: S3Place,
    /// The secret access key. `Debug` does not show it.
    pub key: SecretString,
}

impl Default for Sharing {
    /// A run is taken over within eleven seconds of its hub's end, and a hub may miss three words before.
    fn default() -> Self {
        Self { database: None, artefacts: None, lease: Duration::from_secs(10), heartbeat: Duration::from_millis(2_500) }
    }
}

impl Sharing {
    fn lease_ms(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX)
    }
}

/// A hub. Clones are the same hub.
#[derive(Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

struct Shared {
    id: HubId,
    ledger: Ledger,
    sandbox: Sandbox,
    /// Where artefacts are: `Hub::artefacts` gives those of a partner, which are sealed.
    store: Artefacts,
    shelf: Shelf,
    /// Rule sets that are ready to decide.
    standing: desk::AllStanding,
    vault: Arc<Vault>,
    /// Keys of partners, as they were last opened.
    keys: Mutex<HashMap<PartnerName, Arc<DataKeys>>>,
    clock: Clock,
    data: PathBuf,
    runs_at_once: usize,
    /// Held while this process works under the hub's name: another that opens the folder does not take its runs away.
    lock: Option<(File, HeldName)>,
    sharing: Sharing,
    progress: Mutex<HashMap<RunId, Arc<Progress>>>,
    figures: Arc<Figures>,
    /// When the hub's duties last went round.
    turned: Mutex<Option<Instant>>,
    /// When it was opened.
    opened_at_ms: i64,
    /// When to give word again that this hub is there.
    present_at_ms: AtomicI64,
    /// When to look again for what retention gives up.
    retain_at_ms: AtomicI64,
    /// Partners' own addresses that are being told something.
    webhooks_at_work: Mutex<HashSet<(PartnerName, WebhookName)>>,
    /// From when on to look whether the audit trail is to be signed.
    checkpoint_at_ms: AtomicI64,
    /// Where checkpoints are left besides.
    checkpoints_outside: OnceLock<PathBuf>,
    /// The folder of configuration that is compared with what is in force.
    watched: OnceLock<PathBuf>,
    /// From when on to compare again.
    drift_at_ms: AtomicI64,
    /// What was different the last time.
    drift_seen: Mutex<Option<Digest>>,
    /// Tokens of connections, in memory alone: whoever starts again fetches them again.
    tokens: Mutex<HashMap<(PartnerName, ConnectionName), TokenSlot>>,
    /// Schedules by the digest of the file that declares them: read once, as such a file never changes.
    schedules: Mutex<HashMap<Digest, Option<Schedule>>>,
}

impl Hub {
    /// Opens the hub in its folder, making it if need be, and takes up what it left when it last ended.
    ///
    /// # Errors
    /// [`RunError`] if the ledger, the artefacts or the sandbox cannot be used.
    pub async fn open(options: HubOptions) -> Result<Self, RunError> {
        Self::open_shared(options, Sharing::default()).await
    }

    /// The same, with a say in how it shares its work with other hubs.
    ///
    /// # Errors
    /// As for [`Hub::open`].
    pub async fn open_shared(options: HubOptions, sharing: Sharing) -> Result<Self, RunError> {
        let data = std::path::absolute(&options.data)?;
        make_private(&data)?;
        let file = || Database::Sqlite(data.join("ledger.sqlite"));
        let ledger = Ledger::open(&sharing.database.clone().unwrap_or_else(file)).await?;
        let id = HubId::new(options.name);
        // Who only looks on, as when a person lists runs while the hub serves, takes nobody's runs away.
        let file = if options.works { hold(&data, &id)? } else { None };
        let name = if file.is_some() { ledger.hold_name(&id).await? } else { None };
        let lock = file.zip(name);
        if lock.is_some() {
            let left = ledger.forget_leases(&id, options.clock.now_ms()).await?;
            if left > 0 {
                tracing::info!(runs = left, "taking up runs that were under way when this hub last ended");
            }
        }
        let sandbox = Sandbox::new(SandboxOptions {
            cache_dir: data.join("compiled"),
            compiler: options.compiler,
            run_threads: options.runs_at_once,
            decision_threads: options.runs_at_once,
        })?;
        let artefacts = open_artefacts(&data, &sharing, &options.clock).await?;
        if lock.is_some() {
            artefacts.remove_abandoned(options.clock.now_ms(), ABANDONED)?;
        }
        std::fs::create_dir_all(data.join("spill"))?;
        let shared_releases = artefacts.is_shared().then(|| artefacts.clone());
        let shelf = Shelf::new(&data.join("releases"), sandbox.clone(), shared_releases);
        let shared = Shared {
            id,
            ledger,
            sandbox,
            store: artefacts,
            shelf,
            standing: desk::AllStanding::default(),
            vault: Arc::new(Vault::new(KeySource::from_environment(&data), &data)),
            keys: Mutex::default(),
            opened_at_ms: options.clock.now_ms(),
            present_at_ms: AtomicI64::new(0),
            clock: options.clock,
            data,
            runs_at_once: options.runs_at_once,
            lock,
            sharing,
            progress: Mutex::default(),
            figures: Arc::default(),
            turned: Mutex::default(),
            webhooks_at_work: Mutex::default(),
            retain_at_ms: AtomicI64::new(0),
            checkpoint_at_ms: AtomicI64::new(0),
            checkpoints_outside: OnceLock::new(),
            watched: OnceLock::new(),
            drift_at_ms: AtomicI64::new(0),
            drift_seen: Mutex::default(),
            tokens: Mutex::default(),
            schedules: Mutex::default(),
        };
        let hub = Self { shared: Arc::new(shared) };
        if hub.works() {
            hub.check_keys().await?;
            hub.sweep_pieces().await?;
        }
        Ok(hub)
    }

    /// Everything durable.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    /// Whether this process is the one that works under the hub's name. Another one may look on and enqueue.
    #[must_use]
    pub fn works(&self) -> bool {
        self.shared.lock.is_some()
    }

    /// Where it gets the time from.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Its folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.shared.data
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &HubId {
        &self.shared.id
    }

    /// How far a run has come that this hub is at.
    #[must_use]
    pub fn progress(&self, run: RunId) -> Option<Arc<Progress>> {
        self.shared.progress.lock().expect("nobody panics while holding the progress").get(&run).cloned()
    }

    /// Whether an artefact of a partner is in the store; then it is at hand.
    async fn has(&self, partner: &PartnerName, digest: Digest) -> Result<bool, RunError> {
        let artefacts = self.artefacts(partner).await?;
        match tokio::task::spawn_blocking(move || artefacts.read(&digest)).await.expect("reading does not panic") {
            Ok(_) => Ok(true),
            Err(ConnectionError::ArtefactMissing { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Where an artefact of a partner lies, sealed.
    #[must_use]
    pub fn artefact_path(&self, partner: &PartnerName, digest: Digest) -> PathBuf {
        self.shared.store.removable(partner).path(&digest)
    }
}

/// Makes a hub's folder, for the hub's user alone: ledger, artefacts and rejects are in it. One that is there stays as it is.
fn make_private(data: &Path) -> Result<(), RunError> {
    DirBuilder::new().recursive(true).mode(0o700).create(data)?;
    let mode = std::fs::metadata(data)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = data.display();
        tracing::warn!("other users can look into the hub's folder {path} (mode {mode:03o}): `chmod 700` it, unless that is meant");
    }
    Ok(())
}

/// Opens the store of artefacts, where it takes no async thread to wait for a bucket.
async fn open_artefacts(data: &Path, sharing: &Sharing, clock: &Clock) -> Result<Artefacts, ConnectionError> {
    let Some(bucket) = sharing.artefacts.clone() else { return Artefacts::open(data.join("artefacts")) };
    // Apart from what a hub without a bucket has, of which there is no other copy.
    let (folder, clock) = (data.join("copies"), clock.clone());
    let shared = SharedArtefacts::new(bucket.place, bucket.key, Box::new(move || clock.now_ms()));
    tokio::task::spawn_blocking(move || Artefacts::open_shared(folder, shared)).await.expect("opening does not panic")
}

/// Takes the lock of a hub's name in its folder; none if another process has it. It falls when the process ends, however it ends.
fn hold(data: &Path, id: &HubId) -> Result<Option<File>, RunError> {
    let lock = File::options().create(true).truncate(false).write(true).open(data.join(format!("{id}.lock")))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}
