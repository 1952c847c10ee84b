//! Which claims portal takes an injury claim, by the table `claim-portals`.

use bailiwick_sdk::{Date, Failure, Hub, RuleReason, TableRow};

use crate::case::{Claim, Injury};
use crate::wording::Pounds;

/// Where a claim stands.
#[derive(Debug)]
pub(crate) struct Scope {
    /// What to say of it.
    pub reason: RuleReason,
    /// The event of the table `claim-tasks` that this is, if a portal takes the claim.
    pub event: Option<String>,
}

const RULE: &str = "claims-portal";

/// Looks for the portal of a claim with an injury: the first row that fits.
pub(crate) fn scope(claim: &Claim, injury: Injury, accident: Date, hub: &Hub) -> Result<Scope, Failure> {
    let rows = hub.table("claim-portals", claim.received_date)?.find("class", claim.class.name())?;
    let mut left_out = "No claims portal takes claims of this class.".to_owned();
    for row in &rows {
        match fit(row, claim, injury, accident)? {
            Fit::Yes => return taken(row, claim),
            Fit::No(why) => left_out = format!("No claims portal takes the claim: {why}."),
            Fit::NotSaid => {
                let text = "The damages for the injury alone are missing, so it cannot be said which claims portal takes the claim.";
                return Ok(Scope { reason: RuleReason::cannot_check(RULE, text).on("/injury/damages"), event: None });
            }
        }
    }
    Ok(Scope { reason: on_scope(RuleReason::applies(RULE, left_out)), event: None })
}

fn taken(row: &TableRow, claim: &Claim) -> Result<Scope, Failure> {
    let portal = row.text("portal")?;
    if claim.portal.exited {
        let reason = RuleReason::applies(RULE, format!("The claim has left the {portal} and cannot go back.")).on("/portal/exited");
        return Ok(Scope { reason, event: None });
    }
    let reason = on_scope(RuleReason::applies(RULE, format!("The claim runs in the {portal}.")));
    Ok(Scope { reason, event: Some(row.text("event")?.to_owned()) })
}

fn on_scope(reason: RuleReason) -> RuleReason {
    reason.on("/loss").on("/accident_date").on("/injury/kind")
}

enum Fit {
    Yes,
    No(String),
    /// The case lacks what would tell.
    NotSaid,
}

fn fit(row: &TableRow, claim: &Claim, injury: Injury, accident: Date) -> Result<Fit, Failure> {
    let first = row.date("accident_from")?;
    if accident < first {
        return Ok(Fit::No(format!("the accident was before {first}")));
    }
    let (least, most) = (row.money("total_min")?, row.money("total_max")?);
    if claim.loss < least || claim.loss > most {
        return Ok(Fit::No(format!("its value is outside {} to {}", Pounds(least), Pounds(most))));
    }
    if let Some(word) = row.get("leaves_out").and_then(|words| words.split(' ').find(|word| is(word, claim, injury))) {
        return Ok(Fit::No(format!("it leaves out {word}")));
    }
    if row.get("injury_max").is_none() {
        return Ok(Fit::Yes);
    }
    let most = row.money("injury_max")?;
    Ok(match injury.damages {
        None => Fit::NotSaid,
        Some(damages) if damages > most => Fit::No(format!("its injury is above {}", Pounds(most))),
        Some(_) => Fit::Yes,
    })
}

/// Whether a word of `leaves_out` is true of the claim.
fn is(word: &str, claim: &Claim, injury: Injury) -> bool {
    match word {
        "vulnerable-road-user" => claim.vulnerable_road_user,
        "child" => claim.claimant.child,
        "protected-party" => claim.claimant.protected_party,
        kind => injury.kind.name() == kind,
    }
}
