//! Changes that take two persons: what one proposes by applying, and what another decides.
//!
//! Must not know which changes are protected.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Installed, Plan, declaration, nothing, read_again};
use crate::ledger::{Act, By, Declaration, LedgerError, NewChange, ReleaseKey, Scope, StoredChange, Whole};
use crate::model::ids::{Digest, PartnerName, PluginName};
use crate::model::job::Partner;
use crate::run::Hub;
use crate::run::failure::RunError;

/// A change that waits for a second person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// Whose.
    pub partner: PartnerName,
    /// Its number; none where it is only planned.
    pub number: Option<u64>,
    /// Whether it waited before.
    pub waited: bool,
    /// What is different, a line each.
    pub difference: Vec<String>,
}

/// All that would be in force, as it is kept until somebody decides.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Content {
    /// Files by name; nothing where the partner is no longer configured.
    sources: BTreeMap<String, String>,
    /// Plugins, each with the digest of the release that is to be active.
    activate: BTreeMap<String, String>,
}

/// What is to be proposed for a partner.
pub(super) fn proposal(declaration: &Declaration, activate: &[ReleaseKey], difference: Vec<String>) -> NewChange {
    let gone = declaration.sources.is_empty();
    let content = Content {
        sources: declaration.sources.iter().map(|source| (source.name.clone(), source.text.clone())).collect(),
        activate: activate.iter().filter(|_| !gone).map(|key| (key.plugin.to_string(), key.digest.to_string())).collect(),
    };
    NewChange { partner: declaration.partner.name.clone(), content: serde_json::to_string(&content).expect("texts are JSON"), difference }
}

impl Hub {
    /// Puts a proposed change in force. By another person than the one who proposed it.
    ///
    /// # Errors
    /// [`RunError::Ledger`] if it does not wait, if something else has come into force since, or if whoever asks proposed it, which is noted
    /// in the audit trail.
    pub async fn approve_change(&self, (partner, number): (&PartnerName, u64), why: &str, by: &By) -> Result<Plan, RunError> {
        let change = self.ledger().proposed_change(partner, number).await?;
        let (declaration, activate) = self.wanted(&change).await?;
        let whole = Whole { declaration: &declaration, releases: &[], activate: &activate, tables: &[] };
        let applied = match self.ledger().approve_change(&change, &whole, why, by).await {
            Err(error @ (LedgerError::OwnWork { .. } | LedgerError::NotAPerson { .. } | LedgerError::NotVouchedFor { .. })) => {
                let (subject, after) = (format!("change:{number}"), Some(serde_json::json!({ "why": error.to_string() })));
                let act = Act { partner: Some(partner), action: "change.turn-away", subject, before: None, after };
                self.ledger().note(act, by).await?;
                return Err(error.into());
            }
            applied => applied?,
        };
        if declaration.sources.is_empty() {
            self.revoke_tokens(partner, by).await?;
        }
        let mut plan = Plan::default();
        for key in &applied.activated {
            let version = self.ledger().release(key).await?.map(|kept| kept.release.version).unwrap_or_default();
            let (plugin, digest) = (key.plugin.clone(), key.digest);
            plan.releases.push(Installed { partner: partner.clone(), plugin, version, digest, new: true });
        }
        plan.partners.push((partner.clone(), applied.declared));
        Ok(plan)
    }

    /// What a change would put in force, line against line: what goes, with `-` before it, and what comes, with `+`.
    ///
    /// # Errors
    /// [`RunError::Ledger`] if the ledger fails; or if the change is of a form that this hub does not know.
    pub async fn change_in_full(&self, change: &StoredChange) -> Result<Vec<String>, RunError> {
        let moved = || LedgerError::StateMoved { partner: change.partner.clone(), number: change.number };
        let content: Content = serde_json::from_str(&change.content).map_err(|_| moved())?;
        let now = self.ledger().sources(&change.partner).await?;
        let mut now: BTreeMap<String, String> = now.into_iter().map(|source| (source.name, source.text)).collect();
        let mut lines = Vec::new();
        for (name, text) in &content.sources {
            let before = now.remove(name).unwrap_or_default();
            if before != *text {
                lines.push(format!("{name}:"));
                compare((&before, text), &mut lines);
            }
        }
        for (name, before) in &now {
            lines.push(format!("{name}:"));
            compare((before, ""), &mut lines);
        }
        Ok(lines)
    }

    /// What a change asks for.
    async fn wanted(&self, change: &StoredChange) -> Result<(Declaration, Vec<ReleaseKey>), RunError> {
        let moved = || LedgerError::StateMoved { partner: change.partner.clone(), number: change.number };
        let content: Content = serde_json::from_str(&change.content).map_err(|_| moved())?;
        if content.sources.is_empty() {
            let known = self.ledger().partners(Scope::Partner(&change.partner)).await?;
            return Ok((nothing(known.first().ok_or_else(moved)?), Vec::new()));
        }
        let configuration = read_again(&content.sources)?;
        let partner: &Partner = configuration.partners.first().ok_or_else(moved)?;
        let declaration = declaration(partner, &configuration);
        // A hub that reads the same files otherwise than the one that proposed them puts nothing in force.
        let same = declaration.sources.iter().all(|source| content.sources.get(&source.name) == Some(&source.text));
        if !same || partner.name != change.partner || declaration.sources.len() != content.sources.len() {
            return Err(moved().into());
        }
        let key = |(plugin, digest): (&String, &String)| {
            let (plugin, digest): (PluginName, Digest) = (plugin.parse().ok()?, digest.parse().ok()?);
            Some(ReleaseKey { partner: change.partner.clone(), plugin, digest })
        };
        let activate = content.activate.iter().map(key).collect::<Option<Vec<_>>>().ok_or_else(moved)?;
        Ok((declaration, activate))
    }
}

/// The lines that go and those that come, between what both begin and end with.
fn compare((before, after): (&str, &str), lines: &mut Vec<String>) {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let same = before.iter().zip(&after).take_while(|(before, after)| before == after).count();
    let rest = before.len().min(after.len()) - same;
    let ends = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(|(before, after)| before == after).count();
    lines.extend(before[same..before.len() - ends].iter().map(|line| format!("- {line}")));
    lines.extend(after[same..after.len() - ends].iter().map(|line| format!("+ {line}")));
}
