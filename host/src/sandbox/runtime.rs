//! How the WebAssembly runtime is set up: one set of features everywhere, and three places to put instances.
//!
//! Everything that changes compiled code is in `code_config`, which the compiler child and the workers share.
//! It knows nothing of plugins.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, WasmFeatures};

use crate::model::limits::Limit;

/// How many instances a worker thread has room for. A decision lives for microseconds and a run has one or a few
/// instances, so the number is not for instances at one time: a slot keeps the memory image of the component that used
/// it last, and a component that meets its own slot again starts faster.
const SLOTS: u32 = 64;

/// Core instances for each slot: Rust plugins have 4.
const CORE_INSTANCES_PER_SLOT: u32 = 4;

/// Memory that a slot keeps between instances instead of giving it back to the system.
const MEMORY_KEPT_BYTES: usize = 128 << 10;
const TABLES_KEPT_BYTES: usize = 64 << 10;

/// Proposals that no plugin needs: more to go wrong, and most have had advisories.
const REFUSED_FEATURES: WasmFeatures = WasmFeatures::MEMORY64
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::SHARED_EVERYTHING_THREADS)
    .union(WasmFeatures::GC)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::STACK_SWITCHING)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::CM_ASYNC);

/// An engine for a worker thread: its own pool, copy-on-write memory images.
pub(super) fn worker() -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    let table_entries = usize::try_from(Limit::TableEntries.fact().ceiling).unwrap_or(usize::MAX);
    pool.total_component_instances(SLOTS)
        .total_core_instances(CORE_INSTANCES_PER_SLOT * SLOTS)
        .total_memories(SLOTS)
        .total_tables(CORE_INSTANCES_PER_SLOT * SLOTS)
        .table_elements(table_entries)
        .linear_memory_keep_resident(MEMORY_KEPT_BYTES)
        .table_keep_resident(TABLES_KEPT_BYTES)
        // Newer kernels can tell which pages an instance wrote, so that only those are cleared.
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(SLOTS);
    let mut config = code_config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// An engine without a pool, for the compiler child and for checking what it made.
pub(super) fn compiler() -> wasmtime::Result<Engine> {
    Engine::new(&code_config())
}

/// An engine for the one call of `initialize` before the snapshot. Its memories reserve nothing, because the child
/// process that it runs in may map little, and its code is thrown away.
pub(super) fn initialiser() -> wasmtime::Result<Engine> {
    let mut config = code_config();
    config
        .memory_reservation(0)
        .memory_guard_size(0)
        .memory_reservation_for_growth(0)
        .guard_before_linear_memory(false)
        .memory_init_cow(false)
        .cranelift_opt_level(OptLevel::None);
    Engine::new(&config)
}

fn code_config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(usize::try_from(Limit::StackBytes.fact().default).expect("the stack's limit is below 1 MiB"))
        .cranelift_opt_level(OptLevel::Speed)
        .memory_init_cow(true)
        .concurrency_support(false)
        // Replay must give the same bytes on any machine.
        .cranelift_nan_canonicalization(true)
        .wasm_features(REFUSED_FEATURES, false);
    config
}
