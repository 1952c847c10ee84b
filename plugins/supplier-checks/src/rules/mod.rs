//! The rules, in the order in which their reasons stand in a decision. Each looks at its part of the case and says what it
//! found; none knows the outcome.

mod bank;
mod conditions;
mod duplicates;
mod exclusions;
mod identity;
mod payee;
mod sanctions;

use bailiwick_sdk::{Date, Failure};

use crate::case::Case;
use crate::findings::Findings;
use crate::settings::Settings;
use crate::tables::Tables;

/// What the rules look at.
pub(crate) struct Look<'a> {
    pub(crate) case: &'a Case,
    pub(crate) settings: &'a Settings,
    pub(crate) today: Date,
    pub(crate) tables: &'a Tables<'a>,
}

/// Applies every rule.
pub(crate) fn apply(look: &Look<'_>, findings: &mut Findings) -> Result<(), Failure> {
    identity::check(look, findings);
    bank::check(look, findings)?;
    payee::check(look, findings);
    sanctions::check(look, findings)?;
    duplicates::check(look, findings)?;
    exclusions::check(look, findings);
    conditions::check(look, findings);
    Ok(())
}

/// The table's name for a list that is invented, unless the operator takes such lists.
fn is_practice(version: &str, look: &Look<'_>) -> bool {
    version.starts_with("practice") && !look.settings.practice_lists_accepted
}
