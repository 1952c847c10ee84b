//! `claim-routing` as a plugin for Extism: a case as JSON in, the decision as JSON out, in the form that Bailiwick's API has.
#![cfg(target_arch = "wasm32")]

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bailiwick_sdk::tables::{self, Version, Which};
use bailiwick_sdk::{Date, Decision, Hub, RuleSet as _, Tables, Verdict};
use claim_routing::{Claim, ClaimRouting};
use extism_pdk::{Error, FnResult, plugin_fn};
use serde::Serialize;

thread_local! {
    static OWN: OnceCell<Rc<[Version]>> = const { OnceCell::new() };
}

#[derive(Serialize)]
struct DecisionJson<'a> {
    outcome: &'a str,
    reasons: Vec<ReasonJson<'a>>,
    actions: Vec<ActionJson<'a>>,
    figures: BTreeMap<&'a str, String>,
    tables: Vec<Which>,
}

#[derive(Serialize)]
struct ReasonJson<'a> {
    rule: &'a str,
    verdict: &'static str,
    text: &'a str,
    evidence: &'a [std::borrow::Cow<'static, str>],
}

#[derive(Serialize)]
struct ActionJson<'a> {
    kind: &'a str,
    party: &'a str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    due: Option<Date>,
}

/// What a snapshot is taken after: the tables are read, and the memory has grown to what a decision takes.
#[unsafe(no_mangle)]
pub extern "C" fn initialize() {
    own_tables();
    drop(std::hint::black_box(Vec::<u8>::with_capacity(128 << 10)));
}

/// Decides with the tables that the host lends.
#[plugin_fn]
pub fn decide(case: String) -> FnResult<String> {
    Ok(decided(&case, Tables::Lent)?)
}

/// Decides with the tables in the plugin.
#[plugin_fn]
pub fn decide_with_own_tables(case: String) -> FnResult<String> {
    Ok(decided(&case, Tables::Own(own_tables()))?)
}

fn own_tables() -> Rc<[Version]> {
    OWN.with(|own| Rc::clone(own.get_or_init(|| tables::all().into())))
}

fn decided(case: &str, tables: Tables) -> Result<String, Error> {
    let claim: Claim = serde_json::from_str(case)?;
    let hub = Hub::new(Date::new(2026, 11, 2), tables);
    let decision = ClaimRouting::decide(&claim, &(), &hub).map_err(|failure| Error::msg(failure.to_string()))?;
    Ok(serde_json::to_string(&json(&decision, hub.take_opened()))?)
}

fn json(decision: &Decision, tables: Vec<Which>) -> DecisionJson<'_> {
    let reasons = decision.reasons.iter().map(|reason| ReasonJson {
        rule: &reason.rule,
        verdict: word(reason.verdict),
        text: &reason.text,
        evidence: &reason.evidence,
    });
    let actions =
        decision.actions.iter().map(|action| ActionJson { kind: &action.kind, party: &action.party, text: &action.text, due: action.due });
    DecisionJson {
        outcome: &decision.outcome,
        reasons: reasons.collect(),
        actions: actions.collect(),
        figures: decision.figures.iter().map(|(name, amount)| (&**name, amount.to_string())).collect(),
        tables,
    }
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Refer => "refer",
        Verdict::Fail => "fail",
        Verdict::CannotCheck => "cannot-check",
        Verdict::Applies => "applies",
    }
}
