//! Every case in `cases/`, natively. `bailiwick plugin test` runs the same in the sandbox.

use claim_routing::ClaimRouting;

#[test]
fn cases() {
    bailiwick_sdk::testing::run_cases::<ClaimRouting>(env!("CARGO_MANIFEST_DIR"));
}
