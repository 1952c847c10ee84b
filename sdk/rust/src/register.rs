//! Makes a type the plugin of its crate.

/// Makes a type the plugin of its crate: `register!(adapter LgpsReturn);`, `register!(rule_set ClaimRouting);`,
/// `register!(format BacsStandard18);` or `register!(connector ProviderApi);`.
///
/// A crate registers one. In a build for WebAssembly this writes the exports of the contract; natively it only checks
/// that the type implements the trait, so that `cargo test` works.
#[macro_export]
macro_rules! register {
    (adapter $plugin:ty) => {
        const _: () = {
            const fn is_an_adapter<A: $crate::Adapter>() {}
            is_an_adapter::<$plugin>();
        };
        #[cfg(not(target_arch = "wasm32"))]
        impl $crate::testing::Cases for $plugin {
            fn run_cases(folder: &str) {
                $crate::testing::run_adapter_cases::<Self>(folder);
            }
        }
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type BailiwickExports = $crate::guest::AdapterGuest<$plugin>;
    $crate::bindings::adapter::export_adapter!(BailiwickExports with_types_in $crate::bindings::adapter);
        };
    };
    (rule_set $plugin:ty) => {
        const _: () = {
            const fn is_a_rule_set<R: $crate::RuleSet>() {}
            is_a_rule_set::<$plugin>();
        };
        #[cfg(not(target_arch = "wasm32"))]
        impl $crate::testing::Cases for $plugin {
            fn run_cases(folder: &str) {
                $crate::testing::run_rule_set_cases::<Self>(folder);
            }
        }
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type BailiwickExports = $crate::guest::RuleSetGuest<$plugin>;
    $crate::bindings::rule_set::export_rule_set!(BailiwickExports with_types_in $crate::bindings::rule_set);
        };
    };
    (connector $plugin:ty) => {
        const _: () = {
            const fn is_a_connector<C: $crate::Connector>() {}
            is_a_connector::<$plugin>();
        };
        #[cfg(not(target_arch = "wasm32"))]
        impl $crate::testing::Cases for $plugin {
            fn run_cases(folder: &str) {
                $crate::testing::run_connector_cases::<Self>(folder);
            }
        }
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type BailiwickExports = $crate::guest::ConnectorGuest<$plugin>;
    $crate::bindings::connector::export_connector!(BailiwickExports with_types_in $crate::bindings::connector);
        };
    };
    (format $plugin:ty) => {
        const _: () = {
            const fn is_a_format<F: $crate::Format>() {}
            is_a_format::<$plugin>();
        };
        #[cfg(not(target_arch = "wasm32"))]
        impl $crate::testing::Cases for $plugin {
            fn run_cases(folder: &str) {
                $crate::testing::run_format_cases::<Self>(folder);
            }
        }
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type BailiwickExports = $crate::guest::FormatGuest<$plugin>;
    $crate::bindings::format::export_format!(BailiwickExports with_types_in $crate::bindings::format);
        };
    };
}
