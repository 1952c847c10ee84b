//! Adapters that take too much, die, or answer what cannot be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::model::limits::{Limit, MESSAGE_BYTES_MAX};
use bailiwick::model::outcome::{Effect, Outcome, PluginFailure};
use bailiwick::model::rows::{Batch, BatchBuilder};
use bailiwick::sandbox::{CallError, Report, Setup};
use proptest::prelude::*;

use super::{adapter, columns, on_run_thread, rows, setup, with_limits};

/// What came of a whole run of three rows: the outcomes of push, end and finish together, or why it stopped; and the report.
fn run(setup: Arc<Setup>) -> (Result<Outcome, CallError>, Report) {
    run_rows(setup, rows(10, 3))
}

fn run_rows(setup: Arc<Setup>, rows: Batch) -> (Result<Outcome, CallError>, Report) {
    on_run_thread(move |worker| {
        let mut run = match worker.open_adapter(&setup) {
            Ok(run) => run,
            Err(failed) => return (Err(failed.error), failed.report),
        };
        let mut all = Outcome::default();
        let result = (|| {
            let mut add = |outcome: Outcome| {
                all.outputs.extend(outcome.outputs);
                all.findings.extend(outcome.findings);
            };
            add(run.push(0, &rows)?);
            add(run.end(0)?);
            add(run.end(1)?);
            loop {
                let (outcome, done) = run.finish()?;
                add(outcome);
                if done {
                    return Ok(());
                }
            }
        })();
        if result.is_err() {
            assert!(matches!(run.push(0, &rows), Err(CallError::Spent { .. })), "a store that failed is not used again");
        }
        (result.map(|()| all), run.close())
    })
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
fn each_dies_of_the_limit_that_it_exceeds() {
    const MIB: u64 = 1 << 20;
    for (what, limits, died_of) in [
        ("endless-loop", &[(Limit::CpuMs, 200)][..], Limit::CpuMs),
        ("clock-forever", &[(Limit::CpuMs, 200)], Limit::CpuMs),
        ("clock-forever", &[(Limit::WallMs, 200), (Limit::CpuMs, 60_000)], Limit::WallMs),
        ("endless-loop", &[(Limit::WallMs, 200), (Limit::CpuMs, 60_000)], Limit::WallMs),
        ("never-done", &[(Limit::WallMs, 200)], Limit::WallMs),
        ("memory-by-steps", &[(Limit::MemoryBytes, 20 * MIB)], Limit::MemoryBytes),
        ("memory-at-once", &[], Limit::MemoryBytes),
        ("", &[(Limit::MemoryBytes, MIB)], Limit::MemoryBytes),
        ("", &[(Limit::TableEntries, 1)], Limit::TableEntries),
        ("", &[(Limit::Instances, 1)], Limit::Instances),
        ("deep-recursion", &[], Limit::StackBytes),
        ("log-beyond-host-call", &[], Limit::HostCallBytes),
        ("one-large-output", &[], Limit::HostCallBytes),
        ("random-flood", &[], Limit::RandomBytes),
        ("tables-flood", &[], Limit::Handles),
        ("log-flood", &[(Limit::RetainedBytes, 1_000)], Limit::RetainedBytes),
        ("state-flood", &[(Limit::RetainedBytes, 10_000)], Limit::RetainedBytes),
        ("output-flood", &[(Limit::OutputRows, 2_999)], Limit::OutputRows),
        ("output-flood", &[(Limit::OutputBytes, 50_000)], Limit::OutputBytes),
    ] {
        let (result, report) = misbehaving(what, limits);
        let Err(CallError::LimitReached { limit, allowed, .. }) = &result else { panic!("{what} {limits:?}: {result:?}") };
        assert_eq!(*limit, died_of, "{what} {limits:?}");
        let wanted = limits.iter().find(|(limit, _)| *limit == died_of).map_or(died_of.fact().default, |(_, amount)| *amount);
        assert_eq!(*allowed, wanted, "{what}");
        let text = result.expect_err("it died").to_string();
        assert!(text.contains("plugin hostile") && text.contains(died_of.name()) && text.contains(&wanted.to_string()), "{text}");
        assert!(report.usage.iter().all(|(_, used)| used > 0), "{what}: {:?}", report.usage);
    }
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
fn traps_say_what_happened() {
    for what in ["trap-in-open", "trap-in-push", "trap-in-finish", "panic-with-large-message"] {
        let (result, _) = misbehaving(what, &[]);
        let Err(CallError::Trapped { message, .. }) = result else { panic!("{what}: {result:?}") };
        assert!(message.contains("unreachable"), "{what}: {message}");
    }
    let (result, _) = misbehaving("deep-recursion-in-memory", &[]);
    let Err(CallError::Trapped { message, .. }) = result else { panic!("{result:?}") };
    assert!(message.contains("recursion"), "{message}");
    let (result, _) = misbehaving("random-too-many-at-once", &[]);
    let Err(CallError::Trapped { message, .. }) = result else { panic!("{result:?}") };
    assert!(message.contains("65537") && message.contains("65536"), "{message}");
}

#[test]
fn a_guest_that_copes_with_a_refusal_goes_on() {
    let (result, report) = misbehaving("memory-refused-and-well", &[]);
    assert_eq!(result.expect("it copes").outputs.len(), 1);
    assert!(report.usage.get(Limit::MemoryBytes).is_some_and(|bytes| bytes < 64 << 20));
}

#[test]
fn answers_that_cannot_be_are_named() {
    for (what, named) in [
        ("no-columns", "0 columns where the manifest declares 5"),
        ("wrong-kind", "column number does not hold"),
        ("wrong-scale", "column pay does not hold"),
        ("too-few-values", "column number does not have one value"),
        ("too-many-rows", "4294967295 rows"),
        ("offsets-outside", "text offsets"),
        ("offsets-fall", "text offsets"),
        ("offsets-cut-a-character", "text offsets"),
        ("required-absent", "column number lacks a value in row 0"),
        ("no-such-day", "column joined holds a day"),
        ("no-such-output", "output 7"),
        ("row-not-given", "row 13 of input lines"),
        ("row-before-the-first", "row 9 of input lines"),
        ("no-such-input", "input 9"),
        ("no-reason", "gives no reason"),
        ("no-such-column", "column 5 of input lines"),
        ("code-is-a-sentence", "\"This is <b>not</b> a code\""),
        ("speak-of-absent-input", "row 0 of input lines"),
    ] {
        let (result, _) = misbehaving(what, &[]);
        let Err(CallError::Unsound { detail, .. }) = result else { panic!("{what}: {result:?}") };
        assert!(detail.contains(named), "{what}: {detail}");
    }
    let (result, _) = run_rows(with_limits(setup(adapter(), "short-validity"), &[]), rows(0, 9));
    assert!(matches!(&result, Err(CallError::Unsound { detail, .. }) if detail.contains("column name")), "{result:?}");
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
