//! Every case in `cases/`, natively. `bailiwick plugin test` runs the same in the sandbox.

use cost_apportionment::CostApportionment;

#[test]
fn cases() {
    bailiwick_sdk::testing::run_cases::<CostApportionment>(env!("CARGO_MANIFEST_DIR"));
}
