//! What the hub holds for one instance: its budget, its time, and why it was stopped.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{PoolConcurrencyLimitError, StoreContextMut, Trap, UpdateDeadline};

use super::super::contract::CallFault;
use super::super::contract::text::clean;
use super::super::error::CallError;
use super::super::lend::{HttpUse, KeptState, LogBook, OpenTables, RandomStream};
use super::meter::Meter;
use super::pulse::Pulse;
use super::report::{Report, Setup};
use crate::model::limits::{Limit, MESSAGE_BYTES_MAX, Usage};

/// Why the hub stopped an instance.
#[derive(Debug)]
pub(in crate::sandbox) enum Stop {
    /// It reached a limit.
    Limit { limit: Limit, allowed: u64, used: Option<u64> },
    /// It did what the contract says must trap.
    Trap(String),
    /// The hub could not go on.
    Fault(String),
}

/// The state of one instance.
pub(in crate::sandbox) struct InstanceState {
    pub(in crate::sandbox) setup: Arc<Setup>,
    pub(in crate::sandbox) log: LogBook,
    pub(in crate::sandbox) random: RandomStream,
    pub(in crate::sandbox) tables: OpenTables,
    pub(in crate::sandbox) kept: KeptState,
    pub(in crate::sandbox) http: HttpUse,
    /// Characters taken out of its texts.
    pub(in crate::sandbox) stripped: u64,
    pub(super) meter: Meter,
    pub(super) outputs: OutputCount,
    time: TimeSpent,
    stopped: Option<Stop>,
}

/// Rows and bytes of all outputs so far.
#[derive(Debug, Default)]
pub(super) struct OutputCount {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

struct TimeSpent {
    pulse: Arc<Pulse>,
    begun_ms: u64,
    /// The thread's time on the CPU when a tick was first met in the call at hand.
    cpu_at_first_tick: Option<Duration>,
    /// The longest call, as far as ticks saw it.
    cpu_most_ms: u64,
}

impl InstanceState {
    pub(super) fn new(setup: Arc<Setup>, pulse: Arc<Pulse>) -> Self {
        Self {
            log: LogBook::default(),
            random: RandomStream::new(setup.seed),
            tables: OpenTables::default(),
            kept: KeptState::default(),
            http: HttpUse::default(),
            stripped: 0,
            meter: Meter::new(&setup.limits),
            outputs: OutputCount::default(),
            time: TimeSpent { begun_ms: pulse.now_ms(), pulse, cpu_at_first_tick: None, cpu_most_ms: 0 },
            stopped: None,
            setup,
        }
    }

    /// Notes why the instance is to stop, and gives the error that stops it.
    pub(in crate::sandbox) fn stop(&mut self, stop: Stop) -> wasmtime::Error {
        self.stopped.get_or_insert(stop);
        wasmtime::Error::msg("stopped by the hub")
    }

    /// To be called first in every function that a guest calls: ticks do not reach a guest that waits for the hub.
    pub(in crate::sandbox) fn enter_host_call(&mut self) -> wasmtime::Result<()> {
        self.check_wall()
    }

    /// How long it may still live.
    pub(in crate::sandbox) fn wall_ms_left(&self) -> u64 {
        self.setup.limits.get(Limit::WallMs).saturating_sub(self.time.wall_ms())
    }

    /// To be called after anything was kept on the guest's behalf.
    pub(in crate::sandbox) fn check_retained(&mut self) -> wasmtime::Result<()> {
        let (used, allowed) = (self.retained_bytes(), self.setup.limits.get(Limit::RetainedBytes));
        if used > allowed {
            return Err(self.stop(Stop::Limit { limit: Limit::RetainedBytes, allowed, used: Some(used) }));
        }
        Ok(())
    }

    fn retained_bytes(&self) -> u64 {
        self.log.bytes + self.kept.bytes() + self.tables.bytes()
    }

    /// To be called before every call into the guest.
    pub(super) fn begin_call(&mut self) -> Result<(), CallFault> {
        self.time.cpu_at_first_tick = None;
        self.meter.refused = None;
        self.check_wall().map_err(CallFault::Wasm)
    }

    /// Counts what a call gave.
    pub(super) fn count_output(&mut self, rows: u64, bytes: u64) -> Result<(), CallFault> {
        self.outputs.rows = self.outputs.rows.saturating_add(rows);
        self.outputs.bytes = self.outputs.bytes.saturating_add(bytes);
        for (limit, used) in [(Limit::OutputRows, self.outputs.rows), (Limit::OutputBytes, self.outputs.bytes)] {
            let allowed = self.setup.limits.get(limit);
            if used > allowed {
                return Err(CallFault::Wasm(self.stop(Stop::Limit { limit, allowed, used: Some(used) })));
            }
        }
        Ok(())
    }

    fn check_wall(&mut self) -> wasmtime::Result<()> {
        let (used, allowed) = (self.time.wall_ms(), self.setup.limits.get(Limit::WallMs));
        if used > allowed {
            return Err(self.stop(Stop::Limit { limit: Limit::WallMs, allowed, used: Some(used) }));
        }
        Ok(())
    }

    /// A tick met the guest while it ran. Only its time on the CPU counts: not what it waits in host calls, and not
    /// what other threads take from it on a busy machine.
    fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        self.check_wall()?;
        let now = thread_cpu();
        let first = *self.time.cpu_at_first_tick.get_or_insert(now);
        let used = u64::try_from(now.saturating_sub(first).as_millis()).unwrap_or(u64::MAX);
        self.time.cpu_most_ms = self.time.cpu_most_ms.max(used);
        let allowed = self.setup.limits.get(Limit::CpuMs);
        if used >= allowed {
            return Err(self.stop(Stop::Limit { limit: Limit::CpuMs, allowed, used: Some(used) }));
        }
        Ok(UpdateDeadline::Continue(1))
    }

    /// Why a call failed, in words that name the limit.
    pub(super) fn judge(&mut self, fault: CallFault) -> CallError {
        let plugin = self.setup.release.manifest.name.clone();
        match fault {
            CallFault::Failed(failure) => CallError::Failed(failure),
            CallFault::Unsound(detail) => CallError::Unsound { plugin, detail },
            CallFault::Hub(detail) => CallError::HubFault { plugin, detail },
            CallFault::Wasm(error) => match self.stopped.take().unwrap_or_else(|| self.cause(&error)) {
                Stop::Limit { limit, allowed, used } => CallError::LimitReached { plugin, limit, allowed, used },
                Stop::Trap(message) => CallError::Trapped { plugin, message },
                Stop::Fault(detail) => CallError::HubFault { plugin, detail },
            },
        }
    }

    /// Why the runtime stopped it, where the hub did not.
    fn cause(&self, error: &wasmtime::Error) -> Stop {
        let reached = |limit, used| Stop::Limit { limit, allowed: self.setup.limits.get(limit), used };
        if error.is::<PoolConcurrencyLimitError>() {
            return Stop::Fault("the sandbox thread has no room for another instance".to_owned());
        }
        let trap = error.downcast_ref::<Trap>();
        match (trap, self.meter.refused) {
            (Some(Trap::StackOverflow), _) => return reached(Limit::StackBytes, None),
            // Either the guest's allocator gave up, or the instance could not even be made.
            (Some(Trap::UnreachableCodeReached) | None, Some((limit, wanted))) => return reached(limit, Some(wanted)),
            // The stack that compilers keep in linear memory ends where the memory begins.
            (Some(Trap::MemoryOutOfBounds), _) => {
                return Stop::Trap(format!("{}; recursion too deep does this too", Trap::MemoryOutOfBounds));
            }
            (Some(trap), _) => return Stop::Trap(trap.to_string()),
            (None, None) => {}
        }
        // The runtime has no types for these. Tests with hostile guests hold the texts.
        let text = format!("{error:#}");
        for (part, limit) in [
            ("fuel allocated for hostcalls", Limit::HostCallBytes),
            ("store handle limit exceeded", Limit::Handles),
            ("instance count too high", Limit::Instances),
            ("table count too high", Limit::TableEntries),
            ("memory count too high", Limit::MemoryBytes),
        ] {
            if text.contains(part) {
                return reached(limit, None);
            }
        }
        // The runtime's words may hold names from the component.
        Stop::Trap(clean(text, MESSAGE_BYTES_MAX, &mut 0))
    }

    /// What the instance has used so far.
    pub(super) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for (limit, used) in [
            (Limit::MemoryBytes, self.meter.memory_bytes.now),
            (Limit::TableEntries, self.meter.table_entries.now),
            (Limit::CpuMs, self.time.cpu_most_ms),
            (Limit::WallMs, self.time.wall_ms()),
            (Limit::RetainedBytes, self.retained_bytes()),
            (Limit::LogLines, self.log.notes.len() as u64),
            (Limit::LogBytes, self.log.bytes),
            (Limit::Handles, self.tables.open_most),
            (Limit::OutputRows, self.outputs.rows),
            (Limit::OutputBytes, self.outputs.bytes),
            (Limit::RandomBytes, self.random.drawn),
            (Limit::StateBytes, self.kept.bytes_most),
            (Limit::HttpRequests, self.http.requests),
            (Limit::HttpSentBytes, self.http.sent_bytes),
            (Limit::HttpReceivedBytes, self.http.received_bytes),
            (Limit::HttpRequestMs, self.http.longest_ms),
        ] {
            if used > 0 {
                usage.raise(limit, used);
            }
        }
        usage
    }

    /// What the instance used and left.
    pub(super) fn into_report(self) -> Report {
        Report {
            usage: self.usage(),
            log: self.log.notes,
            log_lines_max: self.setup.limits.get(Limit::LogLines),
            log_dropped: self.log.dropped,
            characters_stripped: self.stripped,
            tables: self.tables.versions(),
            state: self.kept.into_written(),
        }
    }
}

impl TimeSpent {
    fn wall_ms(&self) -> u64 {
        self.pulse.now_ms().saturating_sub(self.begun_ms)
    }
}

/// What the runtime calls when a tick has passed. It touches only the instance's state.
pub(super) fn on_tick(mut store: StoreContextMut<'_, InstanceState>) -> wasmtime::Result<UpdateDeadline> {
    store.data_mut().tick()
}

fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
