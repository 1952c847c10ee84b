//! The contract in Rust, made from the WIT files by wit-bindgen: one module a world, sharing the types.
//!
//! None of it is written by hand, and nothing here is part of the SDK's promise: use what the crate re-exports.

/// The world of adapters.
#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]
pub mod adapter {
    wit_bindgen::generate!({
        path: "../../wit/0.1.0",
        world: "adapter",
        pub_export_macro: true,
        export_macro_name: "export_adapter",
        default_bindings_module: "bailiwick_sdk::bindings::adapter",
    });
}

/// The world of rule sets.
#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]
pub mod rule_set {
    wit_bindgen::generate!({
        path: "../../wit/0.1.0",
        world: "rule-set",
        pub_export_macro: true,
        export_macro_name: "export_rule_set",
        default_bindings_module: "bailiwick_sdk::bindings::rule_set",
        with: {
            "bailiwick:plugin/types@0.1.0": crate::bindings::adapter::bailiwick::plugin::types,
            "bailiwick:plugin/log@0.1.0": crate::bindings::adapter::bailiwick::plugin::log,
            "bailiwick:plugin/settings@0.1.0": crate::bindings::adapter::bailiwick::plugin::settings,
            "bailiwick:plugin/clock@0.1.0": crate::bindings::adapter::bailiwick::plugin::clock,
            "bailiwick:plugin/random@0.1.0": crate::bindings::adapter::bailiwick::plugin::random,
            "bailiwick:plugin/lookup@0.1.0": crate::bindings::adapter::bailiwick::plugin::lookup,
            "bailiwick:plugin/state@0.1.0": crate::bindings::adapter::bailiwick::plugin::state,
        },
    });
}

/// The world of connectors, of version 0.2.0: what it shares with 0.1.0 it takes from there.
#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]
pub mod connector {
    wit_bindgen::generate!({
        path: ["../../wit/0.1.0", "../../wit/0.2.0"],
        world: "bailiwick:plugin/connector@0.2.0",
        pub_export_macro: true,
        export_macro_name: "export_connector",
        default_bindings_module: "bailiwick_sdk::bindings::connector",
        generate_all,
        with: {
            "bailiwick:plugin/types@0.1.0": crate::bindings::adapter::bailiwick::plugin::types,
            "bailiwick:plugin/log@0.1.0": crate::bindings::adapter::bailiwick::plugin::log,
            "bailiwick:plugin/settings@0.1.0": crate::bindings::adapter::bailiwick::plugin::settings,
            "bailiwick:plugin/clock@0.1.0": crate::bindings::adapter::bailiwick::plugin::clock,
        },
    });
}

/// The world of formats, of version 0.2.0: what it shares with 0.1.0 it takes from there.
#[allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, clippy::pedantic)]
pub mod format {
    wit_bindgen::generate!({
        path: ["../../wit/0.1.0", "../../wit/0.2.0"],
        world: "bailiwick:plugin/format@0.2.0",
        pub_export_macro: true,
        export_macro_name: "export_format",
        default_bindings_module: "bailiwick_sdk::bindings::format",
        with: {
            "bailiwick:plugin/types@0.1.0": crate::bindings::adapter::bailiwick::plugin::types,
            "bailiwick:plugin/log@0.1.0": crate::bindings::adapter::bailiwick::plugin::log,
            "bailiwick:plugin/settings@0.1.0": crate::bindings::adapter::bailiwick::plugin::settings,
            "bailiwick:plugin/clock@0.1.0": crate::bindings::adapter::bailiwick::plugin::clock,
            "bailiwick:plugin/lookup@0.1.0": crate::bindings::adapter::bailiwick::plugin::lookup,
        },
    });
}
