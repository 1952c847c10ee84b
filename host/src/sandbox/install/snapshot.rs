//! Runs a guest's `initialize` once and writes its memory back into the component, so that instances begin started.
//!
//! This runs untrusted code: in the compiler child, without imports, with little memory and time. Whatever goes wrong,
//! the component is used as it was.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use wasmtime::component::{Component, ComponentExportIndex, Instance, Lift, Linker, WasmList};
use wasmtime::{Engine, Store, StoreLimits, StoreLimitsBuilder};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

use crate::model::limits::{INITIALISE_MS_MAX, Limit};
use crate::sandbox::runtime;

const INITIALISE: &str = "initialize";

/// The component with the memory that it has after `initialize`: what instances begin from.
///
/// It runs the component's code in this process. The hub does so only in the compiler child.
///
/// # Errors
/// Why there can be no snapshot.
pub fn of_started(wasm: &[u8]) -> Result<Vec<u8>, String> {
    let started = catch_unwind(AssertUnwindSafe(|| start_and_snapshot(wasm)))
        .map_err(|_| "it cannot be snapshotted".to_owned())?
        .map_err(|error| format!("{error:#}"))?;
    let allowed = Limit::ComponentBytes.fact().ceiling;
    if started.len() as u64 > allowed {
        return Err(format!("its memory after `initialize` makes it {} bytes, and {allowed} are allowed", started.len()));
    }
    Ok(started)
}

fn start_and_snapshot(wasm: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let mut wizer = Wizer::new();
    // It stays an export: the contract has it.
    wizer.init_func(INITIALISE).keep_init_func(true);
    let (context, instrumented) = wizer.instrument_component(wasm)?;
    let engine = runtime::initialiser()?;
    let component = Component::new(&engine, &instrumented)?;
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let memory_bytes = usize::try_from(Limit::MemoryBytes.fact().default).unwrap_or(usize::MAX);
    let table_entries = usize::try_from(Limit::TableEntries.fact().default).unwrap_or(usize::MAX);
    let limits = StoreLimitsBuilder::new().memory_size(memory_bytes).table_elements(table_entries).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    store.set_epoch_deadline(1);
    end_later(&engine);
    let instance = linker.instantiate(&mut store, &component)?;
    instance.get_typed_func::<(), ()>(&mut store, INITIALISE)?.call(&mut store, ())?;
    finished(wizer.snapshot_component(&context, &mut Started { store, instance }))
}

/// Stops the guest if it is still at it when its time is over.
fn end_later(engine: &Engine) {
    let engine = engine.weak();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(INITIALISE_MS_MAX));
        if let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
        }
    });
}

/// The result of a future that never waits.
fn finished<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("the snapshot is taken by functions that do not wait"),
    }
}

/// A started instance, whose state the snapshot asks for through functions that were added to it.
struct Started {
    store: Store<StoreLimits>,
    instance: Instance,
}

impl Started {
    /// The snapshot's interface has no errors: what fails in here panics, and is caught above.
    fn read<R: Lift + 'static>(&mut self, instance: &str, function: &str) -> R {
        let found: Option<ComponentExportIndex> = self
            .instance
            .get_export_index(&mut self.store, None, instance)
            .and_then(|exports| self.instance.get_export_index(&mut self.store, Some(&exports), function));
        let function = found.expect("the instrumented component has the accessor that is asked for");
        let function = self.instance.get_typed_func::<(), (R,)>(&mut self.store, function).expect("the accessor has this type");
        function.call(&mut self.store, ()).expect("the accessor only reads").0
    }
}

impl ComponentInstanceState for Started {
    async fn call_func_ret_list_u8(&mut self, instance: &str, func: &str, contents: impl FnOnce(&[u8]) + Send) {
        let bytes: WasmList<u8> = self.read(instance, func);
        contents(bytes.as_le_slice(&self.store));
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.read(instance, func)
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.read(instance, func)
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.read::<f32>(instance, func).to_bits()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.read::<f64>(instance, func).to_bits()
    }
}
