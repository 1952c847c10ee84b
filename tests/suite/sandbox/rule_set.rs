//! Rule sets that take too much, die, or decide what cannot be decided.

use std::sync::Arc;

use bailiwick::model::limits::Limit;
use bailiwick::model::outcome::{Decision, Verdict};
use bailiwick::sandbox::{CallError, FailedCall, Report};
use jiff::civil::date;

use super::{adapter, on_decision_thread, rule_set, setup, wait, with_limits};

fn decide(what: &str) -> Result<(Decision, Report), Box<FailedCall>> {
    let setup = with_limits(setup(rule_set(), ""), &[(Limit::CpuMs, 200)]);
    let case = serde_json::json!({ "misbehave": what }).to_string();
    on_decision_thread(move |worker| worker.decide(&setup, &case))
}

#[test]
fn a_guest_in_order_decides() {
    assert!(rule_set().initialised, "{:?}", rule_set().not_initialised_because);
    let (decision, report) = decide("").expect("it is in order");
    assert_eq!((decision.outcome.as_str(), decision.reasons[0].verdict), ("fund", Verdict::Applies));
    assert_eq!(decision.figures[0].1.to_string(), "1234.56");
    assert_eq!(decision.actions[0].due, Some(date(2026, 10, 20)));
    assert_eq!((decision.tables[0].effective_from, decision.tables[0].effective_to), (date(2026, 4, 1), None));
    assert_eq!(report.state, None);
}

#[test]
fn a_trap_keeps_the_log() {
    let failed = decide("trap-after-a-note").expect_err("it traps");
    assert!(matches!(failed.error, CallError::Trapped { .. }), "{failed}");
    assert_eq!(failed.report.log[0].message, "about to die");
}

#[test]
fn no_call_leaves_anything_for_the_next() {
    for _ in 0..3 {
        let (decision, _) = decide("remember").expect("it is in order");
        assert_eq!(decision.reasons[0].text, "called 0 times before");
    }
}

#[test]
fn a_panic_of_the_hub_is_an_error_and_the_thread_goes_on() {
    let panicked = wait(super::sandbox().on_decision_thread(|_| panic!("a defect")));
    assert!(panicked.is_err_and(|error| error.to_string().contains("a defect")));
    assert!(decide("").is_ok());
}

#[test]
fn the_kinds_are_not_mixed() {
    let (cases, rows) = (Arc::new(setup(rule_set(), "")), Arc::new(setup(adapter(), "")));
    let (opened, decided) = on_decision_thread(move |worker| (worker.open_adapter(&cases).is_err(), worker.decide(&rows, "{}").is_err()));
    assert!(opened && decided);
}
