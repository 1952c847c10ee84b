//! A worker: one thread with an engine and a pool of its own, because two threads in one engine slow each other down.
//!
//! It makes a fresh instance for every decision, every run of an adapter, every file of a format and every session of a
//! connector, holds it to the setup's limits, and
//! throws it away. It knows neither rows nor cases; `contract` does.

mod instance;
mod linked;
mod meter;
mod pulse;
mod report;
mod runs;
mod threads;

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use wasmtime::component::Linker;
use wasmtime::{Engine, Store};

pub use report::{Report, Setup};
pub use runs::{AdapterRun, Fetching, FileReading, FileWriting, Sending};
pub(crate) use threads::stack_bytes as thread_stack_bytes;

pub(super) use instance::{InstanceState, Stop};
pub(super) use pulse::{Pulse, TICK};
pub(super) use threads::Threads;

use super::contract::{self, CallFault, Linked, OpenFetching, OpenReader, OpenRun, OpenSending, OpenWriter};
use super::error::{CallError, FailedCall};
use super::install::Release;
use super::runtime;
use crate::model::limits::{Limit, Limits};
use crate::model::manifest::Kind;
use crate::model::outcome::Decision;
use linked::LinkedReleases;

/// What runs plugins on one of the sandbox's threads.
///
/// Nothing passes from one call to another but compiled code: memory is fresh, and a store that failed is never used again.
pub struct Worker {
    engine: Engine,
    linker: Linker<InstanceState>,
    pulse: Arc<Pulse>,
    linked: RefCell<LinkedReleases>,
}

/// Handles that a run of an adapter needs for itself: the run, in the guest's table and the hub's, lent for a call.
const OWN_HANDLES: usize = 4;

impl Worker {
    pub(super) fn new(pulse: Arc<Pulse>) -> wasmtime::Result<Self> {
        let engine = runtime::worker()?;
        pulse.join(&engine);
        let linker = contract::linker(&engine)?;
        Ok(Self { engine, linker, pulse, linked: RefCell::default() })
    }

    /// Maps a release and links it, so that the first call of it costs no more than others.
    ///
    /// # Errors
    /// [`CallError::HubFault`].
    pub fn prepare(&self, release: &Release) -> Result<(), CallError> {
        self.linked(release).map(|_| ())
    }

    /// Decides a case in a fresh instance.
    ///
    /// # Errors
    /// Why it could not be decided, with what the instance had used and logged.
    pub fn decide(&self, setup: &Arc<Setup>, case: &str) -> Result<(Decision, Report), Box<FailedCall>> {
        let linked = self.granted(setup).map_err(before_instance)?;
        let (Linked::RuleSet(linked), Kind::RuleSet(shape)) = (&*linked, &setup.release.manifest.kind) else {
            return Err(before_instance(wrong_kind(&setup.release, "only a rule set decides cases")));
        };
        let mut store = self.store(setup);
        let decided = begin_call(&mut store).and_then(|()| guarded(|| contract::decide(linked, &mut store, shape, case)));
        match decided {
            Ok(decision) => Ok((decision, store.into_data().into_report())),
            Err(fault) => Err(failed(store, fault)),
        }
    }

    /// Begins a run of an adapter in a fresh instance.
    ///
    /// # Errors
    /// Why it could not begin, with what the instance had used and logged.
    pub fn open_adapter(&self, setup: &Arc<Setup>) -> Result<AdapterRun, Box<FailedCall>> {
        let linked = self.granted(setup).map_err(before_instance)?;
        let (Linked::Adapter(linked), Kind::Adapter(shape)) = (&*linked, &setup.release.manifest.kind) else {
            return Err(before_instance(wrong_kind(&setup.release, "only an adapter takes rows")));
        };
        let mut store = self.store(setup);
        let opened = begin_call(&mut store).and_then(|()| guarded(|| OpenRun::open(linked, &mut store, setup, shape)));
        match opened {
            Ok(open) => Ok(AdapterRun::new(Arc::clone(setup), store, open)),
            Err(fault) => Err(failed(store, fault)),
        }
    }

    /// Begins a file that a format writes, in a fresh instance.
    ///
    /// # Errors
    /// Why it could not begin, with what the instance had used and logged.
    pub fn open_writer(&self, setup: &Arc<Setup>) -> Result<FileWriting, Box<FailedCall>> {
        let linked = self.granted(setup).map_err(before_instance)?;
        let (Linked::Format(linked), Kind::Format(shape)) = (&*linked, &setup.release.manifest.kind) else {
            return Err(before_instance(wrong_kind(&setup.release, "only a format writes files")));
        };
        let mut store = self.store(setup);
        let opened = begin_call(&mut store).and_then(|()| guarded(|| OpenWriter::open(linked, &mut store, setup, shape)));
        match opened {
            Ok(open) => Ok(FileWriting::new(Arc::clone(setup), store, open)),
            Err(fault) => Err(failed(store, fault)),
        }
    }

    /// Begins a file that a format reads, in a fresh instance.
    ///
    /// # Errors
    /// Why it could not begin, with what the instance had used and logged.
    pub fn open_reader(&self, setup: &Arc<Setup>) -> Result<FileReading, Box<FailedCall>> {
        let linked = self.granted(setup).map_err(before_instance)?;
        let (Linked::Format(linked), Kind::Format(shape)) = (&*linked, &setup.release.manifest.kind) else {
            return Err(before_instance(wrong_kind(&setup.release, "only a format reads files")));
        };
        let mut store = self.store(setup);
        let opened = begin_call(&mut store).and_then(|()| guarded(|| OpenReader::open(linked, &mut store, setup, shape)));
        match opened {
            Ok(open) => Ok(FileReading::new(Arc::clone(setup), store, open)),
            Err(fault) => Err(failed(store, fault)),
        }
    }

    /// Begins to fetch a file of a name from a provider, in a fresh instance. The cursor is what the last run left.
    ///
    /// # Errors
    /// Why it could not begin, with what the instance had used and logged.
    pub fn open_fetching(&self, setup: &Arc<Setup>, file: &str, cursor: Option<&str>) -> Result<Fetching, Box<FailedCall>> {
        let linked = self.granted(setup).map_err(before_instance)?;
        let Linked::Connector(linked) = &*linked else {
            return Err(before_instance(wrong_kind(&setup.release, "only a connector fetches files")));
        };
        let mut store = self.store(setup);
        let opened = begin_call(&mut store).and_then(|()| guarded(|| OpenFetching::open(linked, &mut store, setup, (file, cursor))));
        match opened {
            Ok(open) => Ok(Fetching::new(Arc::clone(setup), store, open)),
            Err(fault) => Err(failed(store, fault)),
        }
    }

    /// Begins to send a file of a name to a provider, in a fresh instance. The key is the same for every attempt.
    ///
    /// # Errors
    /// Why it could not begin, with what the instance had used and logged.
    pub fn open_sending(&self, setup: &Arc<Setup>, file: &str, key: &str) -> Result<Sending, Box<FailedCall>> {
        let linked = self.granted(setup).map_err(before_instance)?;
        let Linked::Connector(linked) = &*linked else {
            return Err(before_instance(wrong_kind(&setup.release, "only a connector sends files")));
        };
        let mut store = self.store(setup);
        let opened = begin_call(&mut store).and_then(|()| guarded(|| OpenSending::open(linked, &mut store, setup, (file, key))));
        match opened {
            Ok(open) => Ok(Sending::new(Arc::clone(setup), store, open)),
            Err(fault) => Err(failed(store, fault)),
        }
    }

    /// Makes an instance of a release that nobody has used yet, and calls nothing but what instantiation calls.
    pub(super) fn try_out(&self, release: Release, limits: Limits) -> Result<(), Box<FailedCall>> {
        let linked = self.linked(&release).map_err(before_instance)?;
        let mut store = self.store(&Arc::new(Setup::for_trial(release, limits)));
        let made = begin_call(&mut store).and_then(|()| guarded(|| linked.instantiate(&mut store)));
        made.map_err(|fault| failed(store, fault))
    }

    /// The linked release, if all that it imports is lent.
    fn granted(&self, setup: &Setup) -> Result<std::rc::Rc<Linked>, CallError> {
        match setup.release.imports_beyond(&setup.lent).first() {
            None => self.linked(&setup.release),
            Some(interface) => {
                Err(CallError::NotGranted { plugin: setup.release.manifest.name.clone(), interface: (*interface).to_owned() })
            }
        }
    }

    fn linked(&self, release: &Release) -> Result<std::rc::Rc<Linked>, CallError> {
        self.linked.borrow_mut().get_or_link(&self.linker, release).map_err(|error| CallError::HubFault {
            plugin: release.manifest.name.clone(),
            detail: format!("the compiled component cannot be loaded: {error:#}"),
        })
    }

    fn store(&self, setup: &Arc<Setup>) -> Store<InstanceState> {
        let amount = |limit| usize::try_from(setup.limits.get(limit)).unwrap_or(usize::MAX);
        let mut store = Store::new(&self.engine, InstanceState::new(Arc::clone(setup), Arc::clone(&self.pulse)));
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(amount(Limit::HostCallBytes));
        // Tables are counted where they are opened. This is for handles that a guest makes of its own resources, and has
        // room for the run itself.
        store.set_max_component_handles(amount(Limit::Handles).saturating_add(OWN_HANDLES));
        store.epoch_deadline_callback(instance::on_tick);
        store
    }
}

fn begin_call(store: &mut Store<InstanceState>) -> Result<(), CallFault> {
    // From the next tick on, every tick looks at the time that the guest has used.
    store.set_epoch_deadline(1);
    store.data_mut().begin_call()
}

/// Calls, and makes a fault of a panic in the hub's own functions. The store it happened in is not used again.
fn guarded<R>(call: impl FnOnce() -> Result<R, CallFault>) -> Result<R, CallFault> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(CallFault::Hub(format!("it panicked: {}", panic_message(&*panic)))))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

fn failed(mut store: Store<InstanceState>, fault: CallFault) -> Box<FailedCall> {
    let error = store.data_mut().judge(fault);
    Box::new(FailedCall { error, report: store.into_data().into_report() })
}

fn before_instance(error: CallError) -> Box<FailedCall> {
    Box::new(FailedCall { error, report: Report::default() })
}

fn wrong_kind(release: &Release, detail: &str) -> CallError {
    CallError::HubFault { plugin: release.manifest.name.clone(), detail: detail.to_owned() }
}
