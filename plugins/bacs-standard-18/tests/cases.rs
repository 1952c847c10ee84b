//! Every case in `cases/`, natively. `bailiwick plugin test` runs the same in the sandbox.

use bacs_standard_18::BacsStandard18;

#[test]
fn cases() {
    bailiwick_sdk::testing::run_cases::<BacsStandard18>(env!("CARGO_MANIFEST_DIR"));
}
