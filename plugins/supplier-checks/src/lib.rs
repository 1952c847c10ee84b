//! Checks on a supplier who is to be taken on, changed or looked at again: a rule set of the Bailiwick hub.
//!
//! A case comes in as JSON, a decision goes out: `approve`, `refer` or `reject`, with a reason for every rule.
//! `numbers` and `names` are arithmetic and comparison and know nothing else; `tables` reads what the hub lends; `rules`
//! applies one to the other; `findings` draws the conclusion.

#![forbid(unsafe_code)]

pub mod case;
pub mod names;
pub mod numbers;
pub mod settings;

mod findings;
mod rules;
mod tables;

use bailiwick_sdk::{Decision, Failure, Hub, RuleSet, register};

/// The rule set.
pub struct SupplierChecks;

impl RuleSet for SupplierChecks {
    type Settings = settings::Settings;
    type Case = case::Case;

    fn decide(case: &case::Case, settings: &settings::Settings, hub: &Hub) -> Result<Decision, Failure> {
        let today = hub.today();
        let tables = tables::Tables::new(hub, today);
        let mut findings = findings::Findings::default();
        rules::apply(&rules::Look { case, settings, today, tables: &tables }, &mut findings)?;
        Ok(findings.decide())
    }
}

register!(rule_set SupplierChecks);
