//! Adapters that take too much, die, or answer what cannot be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::model::limits::{Limit, MESSAGE_BYTES_MAX};
use bailiwick::model::outcome::{Effect, Outcome, PluginFailure};
use bailiwick::model::rows::{Batch, BatchBuilder};
use bailiwick::sandbox::{CallError, Report, Setup};
use proptest::prelude::*;

use super::{adapter, adapter_run, columns, on_run_thread, rows, setup, with_limits};

/// What came of a whole run of three rows: the outcomes of push, end and finish together, or why it stopped; and the report.
fn run(setup: Arc<Setup>) -> (Result<Outcome, CallError>, Report) {
    run_rows(setup, rows(10, 3))
}

fn run_rows(setup: Arc<Setup>, rows: Batch) -> (Result<Outcome, CallError>, Report) {
    on_run_thread(move |worker| adapter_run(worker, &setup, &rows))
}

fn misbehaving(what: &str, limits: &[(Limit, u64)]) -> (Result<Outcome, CallError>, Report) {
    run(with_limits(setup(adapter(), what), limits))
}

#[test]
fn a_guest_in_order_passes_rows_on() {
    assert!(adapter().initialised, "{:?}", adapter().not_initialised_because);
    let (outcome, report) = misbehaving("", &[]);
    let outcome = outcome.expect("it is in order");
    assert_eq!(outcome.outputs, [(0, Batch { first_row: 0, ..rows(10, 3) })]);
    assert_eq!(report.usage.get(Limit::OutputRows), Some(3));
    assert!(report.usage.get(Limit::MemoryBytes).is_some_and(|bytes| (1 << 20..64 << 20).contains(&bytes)), "{:?}", report.usage);
}

#[test]
fn a_limit_of_time_is_kept_to_within_ticks() {
    let begun = Instant::now();
    let (result, report) = misbehaving("endless-loop", &[(Limit::CpuMs, 100)]);
    assert!(matches!(result, Err(CallError::LimitReached { limit: Limit::CpuMs, .. })), "{result:?}");
    // The machine may be busy; a whole second more would be a defect on any.
    assert!(begun.elapsed() < Duration::from_millis(100) + Duration::from_secs(10));
    let used = report.usage.get(Limit::CpuMs).expect("ticks saw it");
    assert!((100..1_000).contains(&used), "{used}");
}

#[test]
fn a_guest_that_copes_with_a_refusal_goes_on() {
    let (result, report) = misbehaving("memory-refused-and-well", &[]);
    assert_eq!(result.expect("it copes").outputs.len(), 1);
    assert!(report.usage.get(Limit::MemoryBytes).is_some_and(|bytes| bytes < 64 << 20));
}

#[test]
fn findings_come_with_names_and_clean_messages() {
    let (result, _) = misbehaving("reject-one", &[]);
    let finding = result.expect("in order").findings.remove(0);
    assert_eq!((finding.input, finding.row, finding.effect), (0, 10, Effect::Reject));
    assert_eq!((finding.reasons[0].column.as_deref(), finding.reasons[0].code.as_str()), (Some("pay"), "pay-negative"));

    let (result, report) = misbehaving("misleading-message", &[]);
    assert_eq!(result.expect("in order").findings[0].reasons[0].message, "Pay 05.1 is[31m wrong ");
    assert_eq!(report.characters_stripped, 4);

    let (result, report) = misbehaving("endless-message", &[]);
    let message = &result.expect("in order").findings[0].reasons[0].message;
    assert!(message.len() <= MESSAGE_BYTES_MAX && message.ends_with('…'));
    assert!(report.characters_stripped > 99_000);
}

#[test]
fn failures_are_data() {
    let (result, _) = misbehaving("settings-unusable", &[]);
    let failure = PluginFailure::SettingsUnusable { code: "rate-negative".into(), message: "The rate is below zero.[2J".into() };
    assert_eq!(result, Err(CallError::Failed(failure)));
}

#[test]
fn neighbours_do_not_notice() {
    let hostile = std::thread::spawn(|| misbehaving("endless-loop", &[(Limit::CpuMs, 500)]).0);
    for _ in 0..20 {
        assert!(misbehaving("", &[]).0.is_ok());
    }
    assert!(matches!(hostile.join().expect("no panic"), Err(CallError::LimitReached { limit: Limit::CpuMs, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn rows_cross_unchanged(
        first_row in 0_u64..1 << 40,
        values in prop::collection::vec((any::<i64>(), any::<Option<i64>>(), prop::option::of(-100_000..100_000), any::<Option<String>>(), any::<Option<bool>>()), 0..50),
    ) {
        let mut builder = BatchBuilder::new(&columns());
        for (number, pay, joined, name, casual) in &values {
            let columns = &mut builder.columns;
            columns[0].push_number(*number);
            match pay { Some(pay) => columns[1].push_number(*pay), None => columns[1].push_absent() }
            match joined { Some(days) => columns[2].push_date(*days), None => columns[2].push_absent() }
            match name { Some(name) => columns[3].push_text(name), None => columns[3].push_absent() }
            match casual { Some(casual) => columns[4].push_boolean(*casual), None => columns[4].push_absent() }
            builder.end_row();
        }
        let batch = builder.take(first_row);
        let (result, _) = run_rows(with_limits(setup(adapter(), ""), &[]), batch.clone());
        prop_assert_eq!(result.expect("it is in order").outputs, [(0, Batch { first_row: 0, ..batch })]);
    }
}
