//! What the cases cannot say: the order of actions, terms over two versions of a table, and the example's whole year.

use std::collections::BTreeMap;
use std::path::Path;

use bailiwick_sdk::testing::{TestHub, decide};
use bailiwick_sdk::{Date, Decision, Failure, Hub, Money};
use claim_routing::{Claim, ClaimRouting};

const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

fn decided(case: &str, hub: &Hub) -> Result<Decision, Failure> {
    decide::<ClaimRouting>(case, "{}", hub).map(|(decision, _)| decision)
}

#[test]
fn actions_are_in_the_order_in_which_they_fall_due() {
    let hub = TestHub::new(FOLDER).today(Date::new(2026, 11, 2)).hub();
    let case = r#"{"reference": "SP-00042", "class": "employers-liability", "loss": "12000.00", "accident_date": "2026-10-26",
        "received_date": "2026-11-02", "injury": {"kind": "minor"}, "riddor": "over-seven-days"}"#;
    let decision = decided(case, &hub).expect("a case in order");
    let kinds: Vec<&str> = decision.actions.iter().map(|action| &*action.kind).collect();
    let expected = ["handle", "notify", "notify", "acknowledge", "report-riddor", "register-with-cru", "respond", "diarise-limitation"];
    assert_eq!(kinds, expected);
    assert!(decision.actions.is_sorted_by_key(|action| action.due));
}

#[test]
fn a_term_runs_over_two_versions_of_the_bank_holidays() {
    let case = r#"{"reference": "SP-00042", "class": "employers-liability", "loss": "12000.00", "accident_date": "2026-10-26",
        "received_date": "2028-12-29", "injury": {"kind": "minor"}}"#;
    let shipped = TestHub::new(FOLDER).today(Date::new(2029, 2, 1));
    let missing = Failure::TableMissing { table: "bank-holidays".into(), on: Date::new(2029, 1, 1) };
    assert_eq!(decided(case, &shipped.hub()), Err(missing));
    let decision = decided(case, &shipped.tables_from(Path::new(FOLDER).join("tests/later")).hub()).expect("both years are there");
    let due = |kind: &str| decision.actions.iter().find(|action| action.kind == kind).and_then(|action| action.due);
    // Friday 29 December; Monday is New Year's Day.
    assert_eq!(due("acknowledge"), Some(Date::new(2029, 1, 2)));
    assert_eq!(due("respond"), Some(Date::new(2029, 2, 12)));
}

#[test]
fn the_examples_year_of_claims() {
    let hub = TestHub::new(FOLDER).today(Date::new(2026, 11, 2)).hub();
    let path = Path::new(FOLDER).join("../../examples/staffordshire/data/claims/claims-2026.jsonl");
    let text = std::fs::read_to_string(path).expect("the example's data");
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    let (mut loss, mut shared) = (Money::ZERO, Money::ZERO);
    for line in text.lines() {
        let Ok(claim) = serde_json::from_str::<Claim>(line) else {
            *outcomes.entry("unreadable".to_owned()).or_default() += 1;
            continue;
        };
        let decision = decided(line, &hub).expect("every readable claim can be decided");
        loss += claim.loss;
        shared += decision.figures.iter().map(|(_, amount)| amount).sum();
        *outcomes.entry(decision.outcome.into_owned()).or_default() += 1;
    }
    assert_eq!(loss, shared);
    assert_eq!(outcomes.values().sum::<usize>(), 400);
    for outcome in ["fund", "split", "portal", "advice", "no-action", "refer", "unreadable"] {
        assert!(outcomes.contains_key(outcome), "the example shows no {outcome}: {outcomes:?}");
    }
}
