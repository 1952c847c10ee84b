//! Version 0.1 of the contract as bindgen reads it from `wit/0.1.0`: the only place that names bindgen's types.
//!
//! Both worlds share the bindings of what the hub lends, so that it is implemented once.
//! It knows nothing of what the values mean; `lower.rs` and `lift.rs` do.

/// The adapter's world.
pub(super) mod adapter {
    wasmtime::component::bindgen!({
        path: "../wit/0.1.0",
        world: "bailiwick:plugin/adapter",
        ownership: Borrowing { duplicate_if_necessary: true },
        imports: { default: trappable },
        with: {
            "bailiwick:plugin/lookup.table": crate::sandbox::lend::OpenTable,
        },
    });
}

/// The rule set's world.
pub(super) mod rule_set {
    wasmtime::component::bindgen!({
        path: "../wit/0.1.0",
        world: "bailiwick:plugin/rule-set",
        ownership: Borrowing { duplicate_if_necessary: true },
        imports: { default: trappable },
        with: {
            "bailiwick:plugin/types": super::adapter::bailiwick::plugin::types,
            "bailiwick:plugin/log": super::adapter::bailiwick::plugin::log,
            "bailiwick:plugin/settings": super::adapter::bailiwick::plugin::settings,
            "bailiwick:plugin/clock": super::adapter::bailiwick::plugin::clock,
            "bailiwick:plugin/random": super::adapter::bailiwick::plugin::random,
            "bailiwick:plugin/lookup": super::adapter::bailiwick::plugin::lookup,
            "bailiwick:plugin/state": super::adapter::bailiwick::plugin::state,
        },
    });
}
