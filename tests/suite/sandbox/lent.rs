//! What the hub lends, when a guest asks for too much of it or for what it may not have.

use std::sync::Arc;

use bailiwick::model::ids::Digest;
use bailiwick::model::limits::{LOG_NOTE_BYTES_MAX, Limit};
use bailiwick::model::outcome::PluginFailure;
use bailiwick::model::table::{Table, TableSet};
use bailiwick::sandbox::{CallError, LogLevel, Report, Setup};
use jiff::civil::date;

use super::{adapter, on_run_thread, rows, setup, with_limits};

/// What one push came to: the code and message of the failure that the guest answers with, if it does; and the report.
fn push(setup: Setup) -> (Option<(String, String)>, Report) {
    let setup = Arc::new(setup);
    on_run_thread(move |worker| {
        let mut run = worker.open_adapter(&setup).expect("it opens");
        let told = match run.push(0, &rows(0, 3)) {
            Ok(_) => None,
            Err(CallError::Failed(PluginFailure::PluginDefect { code, message } | PluginFailure::InputUnusable { code, message })) => {
                Some((code, message))
            }
            Err(CallError::Failed(PluginFailure::TableMissing { table, on })) => Some((table, on)),
            Err(other) => panic!("{other}"),
        };
        (told, run.close())
    })
}

fn told(what: &str) -> Option<(String, String)> {
    push(setup(adapter(), what)).0
}

fn pair(code: &str, message: &str) -> Option<(String, String)> {
    Some((code.to_owned(), message.to_owned()))
}

#[test]
fn the_log_is_bounded_and_clean() {
    let (_, report) = push(setup(adapter(), "log-flood"));
    assert_eq!((report.log.len(), report.log_dropped), (1_000, 4_000));
    assert_eq!((report.log[999].level, report.log[999].message.as_str()), (LogLevel::Info, "note 999"));
    assert_eq!(report.usage.get(Limit::LogLines), Some(1_000));

    let mut small = setup(adapter(), "log-flood");
    small.limits.set(Limit::LogBytes, 69).expect("below the ceiling");
    let (_, report) = push(small);
    assert_eq!((report.log.len(), report.log_dropped), (11, 4_989), "ten notes of six bytes and one of seven fit 69");

    let (_, report) = push(setup(adapter(), "log-one-large-line"));
    let note = &report.log[0].message;
    assert!(note.len() <= LOG_NOTE_BYTES_MAX && !note.chars().any(char::is_control) && note.ends_with('…'));
    assert!(note.starts_with("[31mred[0m line [31mred"), "{note}");
    assert_eq!(report.log.len(), 1);
    assert!(report.characters_stripped > 1_000_000, "{}", report.characters_stripped);
}

#[test]
fn state_is_bounded_and_left_as_written() {
    let (answer, report) = push(setup(adapter(), "state-flood"));
    // 64 KiB hold 65 values of 1,000 bytes with their keys; the 66th does not fit beside the one that was there.
    assert_eq!(answer, pair("state-full", "StateError::Full(65536) after 65"));
    assert_eq!(report.state.expect("it wrote").len(), 66);

    let (answer, report) = push(setup(adapter(), "state-count"));
    assert_eq!(answer, pair("state-counted", "41 Ok(())"));
    assert_eq!(report.state.expect("it wrote")["count"], [42]);
    let (_, report) = push(setup(adapter(), ""));
    assert_eq!(report.state, None, "what was not written is not copied");
}

#[test]
fn tables_answer_within_bounds_and_are_remembered() {
    assert_eq!(told("table-not-granted"), pair("table-refused", "The hub refused a table."));
    assert_eq!(told("table-not-in-force"), pair("rates", "2054-03-06"));
    assert_eq!(told("table-too-many-rows"), pair("table-answer", "Err(LookupError::TooManyRows(1500))"));
    assert_eq!(told("table-no-such-column"), pair("table-answer", "Err(LookupError::NoSuchColumn(\"no-such\"))"));
    let (_, report) = push(setup(adapter(), "tables-in-turn"));
    assert_eq!(report.usage.get(Limit::Handles), Some(1), "a table that was dropped is not open");
    assert_eq!(report.tables.iter().map(|table| table.table.as_str()).collect::<Vec<_>>(), ["rates"]);
}

#[test]
fn a_replay_is_lent_the_same() {
    let first = told("tell-what-is-lent").expect("it tells");
    assert_eq!(told("tell-what-is-lent"), Some(first.clone()));
    let (_, text) = first;
    assert!(text.starts_with("1792391400.250000000 20745 "), "{text}");
    assert!(text.ends_with(r#"2026-27 1500 ["band", "name"] Ok(["all", "second rate"]) [["all", "first rate"]]"#), "{text}");
    let mut other = setup(adapter(), "tell-what-is-lent");
    other.seed = [4; 32];
    assert_ne!(push(other).0.expect("it tells").1, text);
}

#[test]
fn a_panic_in_a_function_that_is_lent_fails_that_call_only() {
    // A row without its second value, which no validated table has.
    let version = super::tables().in_force("rates", date(2026, 10, 19)).expect("it is there").version.clone();
    let columns = vec!["name".to_owned(), "band".to_owned()];
    let mut tables = TableSet::default();
    tables.add(Arc::new(Table::new(version, String::new(), Digest::of(b"broken"), columns, vec![vec!["one".to_owned()]])));
    let mut broken = setup(adapter(), "table-too-many-rows");
    broken.tables = Arc::new(tables);
    let broken = Arc::new(broken);
    let (error, spent) = on_run_thread(move |worker| {
        let mut run = worker.open_adapter(&broken).expect("it opens");
        (run.push(0, &rows(0, 1)).expect_err("the hub panics"), run.push(0, &rows(1, 1)).expect_err("it is spent"))
    });
    assert!(matches!(&error, CallError::HubFault { detail, .. } if detail.contains("panicked")), "{error}");
    assert!(matches!(spent, CallError::Spent { .. }));
    assert_eq!(told("table-too-many-rows"), pair("table-answer", "Err(LookupError::TooManyRows(1500))"));
}

#[test]
fn what_is_not_lent_is_refused_at_once() {
    let setup = with_limits(setup(adapter(), "tables-flood"), &[(Limit::Handles, 3)]);
    let error = on_run_thread(move |worker| worker.open_adapter(&setup).expect("it opens").push(0, &rows(0, 1)).expect_err("too many"));
    let text = error.to_string();
    assert_eq!(text, "plugin hostile reached its limit handles: 3 allowed, 4 wanted");
}
