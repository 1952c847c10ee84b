//! From uploaded bytes to a release that any worker can run: inspected, initialised, compiled, linked, sealed.
//!
//! It must not know where the bytes come from, who may upload them or whether anyone has approved them.

mod cache;
mod child;
mod compile;
mod snapshot;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

pub use compile::compile_component;
pub use snapshot::of_started as snapshot_started;

use super::contract;
use super::error::{CallError, SandboxError};
use super::inspect::{self, World};
use super::runtime;
use super::worker::{Pulse, Threads, Worker};
use crate::model::ids::Digest;
use crate::model::limits::{Limit, Limits, MESSAGE_BYTES_MAX};
use crate::model::manifest::{Manifest, Wants};
use cache::{Cache, Compiled};

/// The export that starts a plugin, before its snapshot.
const INITIALIZE: &str = "initialize";

/// What the sandbox needs to work.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Folder of compiled components. It is made private to the hub's user, and nothing else should be in it.
    pub cache_dir: PathBuf,
    /// Program that compiles, run as `<compiler> compile-component IN OUT`: the hub's own.
    pub compiler: PathBuf,
    /// Threads for runs of adapters.
    pub run_threads: usize,
    /// Threads for decisions, so that they do not wait for runs.
    pub decision_threads: usize,
}

/// One immutable version of a plugin, compiled and ready. Clones are cheap.
#[derive(Debug, Clone)]
pub struct Release {
    /// SHA-256 of the uploaded bytes: its name.
    pub digest: Digest,
    /// What it says of itself.
    pub manifest: Arc<Manifest>,
    /// Whether instances begin from a snapshot of the started guest.
    pub initialised: bool,
    /// Why they do not.
    pub not_initialised_because: Option<String>,
    /// What its component imports.
    imports: Arc<[String]>,
    pub(super) compiled: Arc<Compiled>,
}

impl Release {
    /// Interfaces that its component imports and that are not lent to it.
    #[must_use]
    pub fn imports_beyond(&self, lent: &Wants) -> Vec<&str> {
        let names = self.imports.iter().map(|import| {
            let name = import.rsplit_once('/').map_or(import.as_str(), |(_, name)| name);
            name.split_once('@').map_or(name, |(name, _)| name)
        });
        // One table of several is kept back where it is opened.
        let any = |name: &str| name == "lookup" && !self.manifest.wants.lookup.is_empty();
        names.filter(|name| !any(name) && asked_for(name, lent).is_none_or(|(lent, _)| !lent)).collect()
    }
}

/// The sandbox. Clones share one set of threads.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    cache: Cache,
    compiler: PathBuf,
    /// Held while a component is compiled: one at a time.
    compiling: Mutex<()>,
    pulse: Arc<Pulse>,
    runs: Threads,
    decisions: Threads,
}

impl Sandbox {
    /// Opens the cache and starts the threads.
    ///
    /// # Errors
    /// [`SandboxError::Cache`] and [`SandboxError::ThreadsStopped`].
    pub fn new(options: SandboxOptions) -> Result<Self, SandboxError> {
        let failed = |detail: String| SandboxError::ThreadsStopped { detail };
        let engine = runtime::compiler().map_err(|error| failed(format!("{error:#}")))?;
        let cache = Cache::open(options.cache_dir, &engine)?;
        let pulse = Pulse::start().map_err(|error| failed(error.to_string()))?;
        let runs = Threads::start("sandbox-run", options.run_threads, &pulse)?;
        let decisions = Threads::start("sandbox-decision", options.decision_threads, &pulse)?;
        Ok(Self { shared: Arc::new(Shared { cache, compiler: options.compiler, compiling: Mutex::new(()), pulse, runs, decisions }) })
    }

    /// Makes a release of a component: checks it against its manifest, and compiles it unless the cache has it.
    /// Blocks while it compiles.
    ///
    /// # Errors
    /// Any but [`SandboxError::Panicked`]: what the component must not be, what the compiler made of it, what is wrong with the cache.
    pub fn install(&self, wasm: &[u8], manifest: &Manifest) -> Result<Release, SandboxError> {
        let limits = asked_limits(manifest)?;
        let allowed = limits.get(Limit::ComponentBytes);
        if wasm.len() as u64 > allowed {
            return Err(SandboxError::TooLarge { bytes: wasm.len() as u64, allowed });
        }
        let digest = Digest::of(wasm);
        if let Some(kept) = self.kept(digest, manifest)? {
            return Ok(kept);
        }
        let found = inspect::inspect(wasm)?;
        check_permissions((&found.imports, &found.exports), manifest)?;
        let _one_at_a_time = self.shared.compiling.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = self.kept(digest, manifest)? {
            return Ok(kept);
        }
        // Only the child checks that it is valid: types may be nested so deep that checking them ends the process.
        let made = child::compile(&self.shared.compiler, &self.shared.cache, wasm, &limits)?;
        self.try_out(release(digest, manifest, (made.untried(), &found.imports)), limits)?;
        Ok(release(digest, manifest, (self.shared.cache.keep(digest, made, &found)?, &found.imports)))
    }

    /// The release from the cache, if it is there. What its component imports and exports is in what the seal vouches for.
    fn kept(&self, digest: Digest, manifest: &Manifest) -> Result<Option<Release>, SandboxError> {
        let Some((compiled, note)) = self.shared.cache.find(digest) else { return Ok(None) };
        check_permissions((&note.imports, &note.exports), manifest)?;
        Ok(Some(release(digest, manifest, (compiled, &note.imports))))
    }

    /// Does the data phase of a run on a thread that is meant for it.
    ///
    /// # Errors
    /// [`SandboxError::Panicked`] if the work panicked, [`SandboxError::ThreadsStopped`] at shutdown.
    pub async fn on_run_thread<R: Send + 'static>(&self, work: impl FnOnce(&Worker) -> R + Send + 'static) -> Result<R, SandboxError> {
        self.shared.runs.run(work).await
    }

    /// Decides cases on a thread that is meant for it.
    ///
    /// # Errors
    /// [`SandboxError::Panicked`] if the work panicked, [`SandboxError::ThreadsStopped`] at shutdown.
    pub async fn on_decision_thread<R: Send + 'static>(&self, work: impl FnOnce(&Worker) -> R + Send + 'static) -> Result<R, SandboxError> {
        self.shared.decisions.run(work).await
    }

    /// Does something on a thread of its own, for which no run and no decision waits.
    ///
    /// # Errors
    /// As for [`Sandbox::on_run_thread`].
    pub async fn on_own_thread<R: Send + 'static>(&self, work: impl FnOnce(&Worker) -> R + Send + 'static) -> Result<R, SandboxError> {
        Threads::start("sandbox-cases", 1, &self.shared.pulse)?.run(work).await
    }

    /// Types that do not fit the contract, and instances that cannot even begin, show here, before anything is kept.
    fn try_out(&self, release: Release, limits: Limits) -> Result<(), SandboxError> {
        let worker =
            Worker::new(Arc::clone(&self.shared.pulse)).map_err(|error| SandboxError::ThreadsStopped { detail: format!("{error:#}") })?;
        let plugin = release.manifest.name.clone();
        worker.try_out(release, limits).map_err(|failed| {
            let told = match failed.error {
                // Nothing of the hub's has failed: the component is one that no worker can load.
                CallError::HubFault { detail, .. } => detail,
                error => error.to_string(),
            };
            SandboxError::DoesNotLink { plugin, detail: contract::text::clean(told, MESSAGE_BYTES_MAX, &mut 0) }
        })
    }
}

fn release(digest: Digest, manifest: &Manifest, (compiled, imports): (Compiled, &[String])) -> Release {
    let not_initialised_because = compiled.not_initialised_because.clone();
    let initialised = not_initialised_because.is_none();
    let (manifest, imports) = (Arc::new(manifest.clone()), imports.into());
    Release { digest, manifest, initialised, not_initialised_because, imports, compiled: Arc::new(compiled) }
}

fn asked_limits(manifest: &Manifest) -> Result<Limits, SandboxError> {
    let mut limits = Limits::default();
    for (limit, wanted) in &manifest.limits {
        limits
            .set(*limit, *wanted)
            .map_err(|above| SandboxError::LimitAboveCeiling { plugin: manifest.name.clone(), detail: above.to_string() })?;
    }
    Ok(limits)
}

/// The import section is the permission list: nothing but the contract's interfaces, and of those only what the
/// manifest asks for, because that is what a person approves.
fn check_permissions((imports, exports): (&[String], &[String]), manifest: &Manifest) -> Result<(), SandboxError> {
    for import in imports {
        let Some(name) = import.strip_prefix("bailiwick:plugin/") else {
            return Err(SandboxError::ForbiddenImport { interface: import.clone() });
        };
        let (interface, version) = name.split_once('@').unwrap_or((name, ""));
        let served = contract::served(interface);
        if version != served {
            return Err(SandboxError::ContractVersion { interface: import.clone(), served });
        }
        let Some((wanted, want)) = asked_for(interface, &manifest.wants) else {
            return Err(SandboxError::ForbiddenImport { interface: import.clone() });
        };
        if !wanted {
            return Err(SandboxError::ImportNotWanted { plugin: manifest.name.clone(), interface: import.clone(), want });
        }
    }
    let kind = World::of(manifest);
    for export in [kind.export(), INITIALIZE] {
        if !exports.iter().any(|has| has == export) {
            return Err(SandboxError::ExportMissing { plugin: manifest.name.clone(), kind, export });
        }
    }
    Ok(())
}

/// Whether the hub calls an export, of a plugin of any kind.
fn is_called(export: &str) -> bool {
    export == INITIALIZE || World::ALL.iter().any(|world| world.export() == export)
}

/// Whether a manifest asks for an interface, and how it would; none for an interface that the hub does not have.
/// What everybody has is not asked for.
#[must_use]
pub fn asked_for(interface: &str, wants: &Wants) -> Option<(bool, &'static str)> {
    Some(match interface {
        "types" | "settings" => (true, ""),
        "log" => (wants.log, "log = true"),
        "clock" => (wants.clock, "clock = true"),
        "random" => (wants.random, "random = true"),
        "state" => (wants.state, "state = true"),
        "http" => (wants.http, "http = true"),
        "lookup" => (!wants.lookup.is_empty(), "lookup = [\"table\"]"),
        _ => return None,
    })
}
