//! Version 0.2 of the contract as bindgen reads it from `wit/0.2.0`: what that version adds, and nothing else.
//!
//! Its worlds import the interfaces of version 0.1, whose bindings it shares: what the hub lends is linked once, for all.

/// The connector's world, with the HTTP that it is lent.
pub(super) mod connector {
    wasmtime::component::bindgen!({
        path: ["../wit/0.1.0", "../wit/0.2.0"],
        world: "bailiwick:plugin/connector@0.2.0",
        ownership: Borrowing { duplicate_if_necessary: true },
        imports: { default: trappable },
        with: {
            "bailiwick:plugin/types@0.1.0": crate::sandbox::contract::v0_1::adapter::bailiwick::plugin::types,
            "bailiwick:plugin/log@0.1.0": crate::sandbox::contract::v0_1::adapter::bailiwick::plugin::log,
            "bailiwick:plugin/settings@0.1.0": crate::sandbox::contract::v0_1::adapter::bailiwick::plugin::settings,
            "bailiwick:plugin/clock@0.1.0": crate::sandbox::contract::v0_1::adapter::bailiwick::plugin::clock,
        },
    });
}

/// The format's world.
pub(super) mod format {
    wasmtime::component::bindgen!({
        path: ["../wit/0.1.0", "../wit/0.2.0"],
        world: "bailiwick:plugin/format@0.2.0",
        ownership: Borrowing { duplicate_if_necessary: true },
        imports: { default: trappable },
        with: {
            "bailiwick:plugin/types@0.1.0": crate::sandbox::contract::v0_1::adapter::bailiwick::plugin::types,
            "bailiwick:plugin/log@0.1.0": crate::sandbox::contract::v0_1::adapter::bailiwick::plugin::log,
            "bailiwick:plugin/settings@0.1.0": crate::sandbox::contract::v0_1::adapter::bailiwick::plugin::settings,
            "bailiwick:plugin/clock@0.1.0": crate::sandbox::contract::v0_1::adapter::bailiwick::plugin::clock,
            "bailiwick:plugin/lookup@0.1.0": crate::sandbox::contract::v0_1::adapter::bailiwick::plugin::lookup,
        },
    });
}
