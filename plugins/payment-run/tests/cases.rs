//! Every case in `cases/`, natively. `bailiwick plugin test` runs the same in the sandbox.

use payment_run::PaymentRun;

#[test]
fn cases() {
    bailiwick_sdk::testing::run_cases::<PaymentRun>(env!("CARGO_MANIFEST_DIR"));
}
