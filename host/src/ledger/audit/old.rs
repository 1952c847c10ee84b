//! What entries spoke of that are older than digests of rows: it is counted, and not compared.
//!
//! Must not know what the acts mean beyond whose rows they changed.

use serde_json::Value;

use super::covers::CoveredKind;
use super::entry::AuditRow;

const HOUR_MS: i64 = 3_600_000;

/// What an act left, by the words of its entry alone.
pub(super) fn spoken_of(row: &AuditRow, after: Option<&Value>) -> Vec<(CoveredKind, String)> {
    let Some((what, name)) = row.subject.split_once(':') else { return Vec::new() };
    let partner = row.partner.as_deref().unwrap_or_default();
    let of_partner = |kind| vec![(kind, format!("{partner}/{name}"))];
    let said = |field: &str| after.and_then(|after| after[field].as_str()).unwrap_or_default().to_owned();
    match (what, row.action.as_str()) {
        // Nothing came of it, whatever it names.
        (_, super::REFUSED) => Vec::new(),
        ("run", "personal.see") => {
            let hour = row.at_ms.div_euclid(HOUR_MS);
            vec![(CoveredKind::Sight, format!("{partner}/{}/{}/{hour}", row.actor, row.subject))]
        }
        ("run", "run.resubmit") => {
            vec![(CoveredKind::Run, name.to_owned()), (CoveredKind::Resubmission, name.to_owned()), (CoveredKind::Fates, said("origin"))]
        }
        ("run", "reject.assign" | "reject.dismiss") => {
            vec![(CoveredKind::Run, name.to_owned()), (CoveredKind::Fates, name.to_owned())]
        }
        ("run", _) => vec![(CoveredKind::Run, name.to_owned())],
        ("partner", "partner.apply") => {
            vec![(CoveredKind::Declared, name.to_owned()), (CoveredKind::Definitions, name.to_owned())]
        }
        ("partner", _) => vec![(CoveredKind::Declared, name.to_owned())],
        ("release", "trial.record") => vec![(CoveredKind::Release, format!("{partner}/{name}")), (CoveredKind::Trial, said("run"))],
        ("release", action) => {
            let more = match action {
                "release.retire" => Some(CoveredKind::Retired),
                "trial.explain" => Some(CoveredKind::Explanations),
                _ => None,
            };
            std::iter::once(CoveredKind::Release).chain(more).map(|kind| (kind, format!("{partner}/{name}"))).collect()
        }
        ("plugin", action) if action.starts_with("candidate.") || action.starts_with("canary.") => of_partner(CoveredKind::Candidates),
        ("plugin", _) => of_partner(CoveredKind::Active),
        ("secret", "secret.remove") => Vec::new(),
        ("secret", _) => of_partner(CoveredKind::Secret),
        ("signing-key", _) => of_partner(CoveredKind::SigningKey),
        ("token", _) => of_partner(CoveredKind::Token),
        ("table", _) => vec![(CoveredKind::Tables, partner.to_owned())],
        ("person", _) => vec![(CoveredKind::Person, name.to_owned())],
        ("data-key", _) => vec![(CoveredKind::DataKeys, partner.to_owned())],
        ("hub", "hub.key") => vec![(CoveredKind::HubKey, name.to_owned())],
        ("job", "job.pause") => of_partner(CoveredKind::Paused),
        _ => Vec::new(),
    }
}
