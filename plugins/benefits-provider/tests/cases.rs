//! Every case in `cases/`, natively. `bailiwick plugin test` runs the same in the sandbox.

use benefits_provider::BenefitsProvider;

#[test]
fn cases() {
    bailiwick_sdk::testing::run_cases::<BenefitsProvider>(env!("CARGO_MANIFEST_DIR"));
}
