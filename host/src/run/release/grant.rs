//! What a release is lent: what it asks for, narrowed by its partner's approval and by the operator's ceiling; and the approval itself.
//!
//! An approval names the review that the person had before them, so that it holds for nothing else.

use std::collections::BTreeSet;

use super::{ReleaseError, Review, Reviewed};
use crate::config;
use crate::ledger::{By, Judgement, LedgerError, ReleaseKey, ReleaseStanding};
use crate::model::grant::{Grant, Lent};
use crate::model::ids::PartnerName;
use crate::model::job::{Job, ReleaseChoice};
use crate::model::limits::Limit;
use crate::registry::review::{self, limits_asked};
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::run::shelf::Plugin;

/// That a partner's runs may use a release.
#[derive(Debug)]
pub struct Approval<'a> {
    /// The release.
    pub key: &'a ReleaseKey,
    /// What names the review that the person had before them: [`super::Review::code`].
    pub review: &'a str,
    /// What is granted of what it asks for.
    pub grant: Grant,
    /// The reason.
    pub why: &'a str,
}

/// Something that a release asks for beyond rows and settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What.
    pub what: Lent,
    /// What it does with it, half a sentence: "asks for the run's time".
    pub about: String,
    /// Whether its component cannot work without it.
    pub needed: bool,
    /// Whether the operator of the hub lends it to no plugin.
    pub kept_back: bool,
}

/// A limit of a release, and how far an approval may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Which.
    pub limit: Limit,
    /// What the release asks for. A job may ask for more.
    pub asked: u64,
    /// The most that an approval may grant.
    pub most: u64,
    /// Whether its manifest names it; else what is asked for is the usual amount.
    pub named: bool,
}

impl Review {
    /// What is kept back where only some things of those that the release asks for are granted.
    ///
    /// # Errors
    /// [`ReleaseError::NotForThis`] if one is nothing that it asks for, or is lent to no plugin.
    pub fn all_but(&self, granted: &BTreeSet<Lent>) -> Result<BTreeSet<Lent>, ReleaseError> {
        let asked = |lent: &&Lent| self.asks.iter().find(|ask| ask.what == **lent);
        let wrong = granted.iter().filter(|lent| asked(lent).is_none_or(|ask| ask.kept_back));
        let wrong: Vec<String> = wrong
            .map(|lent| match asked(&lent) {
                Some(_) => format!("the operator of the hub lends {lent} to no plugin"),
                None => format!("it does not ask for {lent}"),
            })
            .collect();
        if wrong.is_empty() {
            return Ok(self.asks.iter().map(|ask| &ask.what).filter(|what| !granted.contains(what)).cloned().collect());
        }
        Err(self.not_for_this(wrong))
    }

    /// Refuses a grant of something else than what the release asks for, or of more than the hub allows.
    fn takes(&self, grant: &Grant) -> Result<(), ReleaseError> {
        let strange = grant.without.iter().filter(|lent| !self.asks.iter().any(|ask| ask.what == **lent));
        let mut wrong: Vec<String> = strange.map(|lent| format!("it does not ask for {lent}")).collect();
        for bound in &self.bounds {
            match grant.limits.get(&bound.limit) {
                Some(0) => wrong.push(format!("with a limit {} of 0 nothing runs", bound.limit)),
                Some(most) if *most > bound.most => {
                    wrong.push(format!("the limit {} is at most {} on this hub, and {most} was named", bound.limit, bound.most));
                }
                _ => {}
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(self.not_for_this(wrong)) }
    }

    fn not_for_this(&self, findings: Vec<String>) -> ReleaseError {
        let key = &self.release.release.key;
        ReleaseError::NotForThis { plugin: key.plugin.clone(), digest: key.digest, findings }
    }
}

/// What a release asks for, in the order in which it is told.
pub(super) fn asks(plugin: &Plugin, ceiling: &Grant) -> Vec<Ask> {
    let ask = |(what, about): (Lent, String)| {
        let all_but = Grant { without: [what.clone()].into(), ..Grant::default() };
        Ask { needed: !lacking(plugin, &all_but).is_empty(), kept_back: ceiling.without.contains(&what), what, about }
    };
    review::asks(&plugin.manifest.wants).into_iter().map(ask).collect()
}

/// Every limit of a release.
pub(super) fn bounds(plugin: &Plugin, ceiling: &Grant) -> Vec<Bound> {
    let most = |limit: Limit| ceiling.limits.get(&limit).copied().unwrap_or(u64::MAX).min(limit.fact().ceiling);
    let named = |limit: Limit| plugin.manifest.limits.iter().any(|(named, _)| *named == limit);
    limits_asked(&plugin.manifest).iter().map(|(limit, asked)| Bound { limit, asked, most: most(limit), named: named(limit) }).collect()
}

impl Hub {
    /// Says that the partner's runs may use a release, and what of all that it asks for it is lent. What is active stays so until another
    /// is activated. Answers false if that was said already.
    ///
    /// # Errors
    /// [`ReleaseError::OtherReview`] if the review is of another release, or of how things stood before; [`ReleaseError::NotForThis`] if it
    /// does not ask for what is kept back; [`ReleaseError::NotGranted`] if it cannot work with so little; [`RunError::Ledger`] if there is none, whoever handed it in approves it, or the key that signed it was revoked. Each is noted in the
    /// audit trail, and nothing is changed.
    pub async fn approve_release(&self, approval: &Approval<'_>, by: &By) -> Result<bool, RunError> {
        let of = Reviewed { key: approval.key, review: Some(approval.review), trials: None };
        let approved = self.as_judged(of, by, |by: By| async move { self.approved(approval, &by).await }).await;
        self.noted(approval.key, approved, by).await
    }

    async fn approved(&self, approval: &Approval<'_>, by: &By) -> Result<bool, RunError> {
        let key = approval.key;
        let review = self.review_release(key).await?;
        self.could_grant(&review, &approval.grant).await?;
        let grant = Some(approval.grant.clone());
        let judgement = Judgement { standing: ReleaseStanding::Approved, why: approval.why, grant, review: Some(approval.review) };
        Ok(self.ledger().judge_release(key, &judgement, by).await?)
    }

    /// Whether an approval could grant this much and no more.
    ///
    /// # Errors
    /// [`ReleaseError::NotForThis`] or [`ReleaseError::NotGranted`], as for [`Hub::approve_release`].
    pub async fn could_grant(&self, review: &Review, grant: &Grant) -> Result<(), RunError> {
        review.takes(grant)?;
        working(&*self.plugin(review.release.release.key.digest).await?, grant.clone())?;
        Ok(())
    }

    /// Says that the partner's runs may not use a release. What is active stays so until another is activated. Answers false if that was
    /// said already.
    ///
    /// # Errors
    /// [`ReleaseError::OtherReview`] if it is not as the person saw it; [`RunError::Ledger`] if there is no such release.
    pub async fn refuse_release(&self, of: impl Into<Reviewed<'_>>, why: &str, by: &By) -> Result<bool, RunError> {
        let of: Reviewed<'_> = of.into();
        let judgement = &Judgement { standing: ReleaseStanding::Refused, why, grant: None, review: of.review };
        let refused = self.as_judged(of, by, |by: By| async move { Ok(self.ledger().judge_release(of.key, judgement, &by).await?) }).await;
        self.noted(of.key, refused, by).await
    }

    /// Either of both, for who has seen to it that the person read the release as it stands: an approval grants all that is asked for.
    ///
    /// # Errors
    /// As for [`Hub::approve_release`] and [`Hub::refuse_release`].
    pub async fn judge_release(&self, key: &ReleaseKey, (standing, why): (ReleaseStanding, &str), by: &By) -> Result<bool, RunError> {
        if standing == ReleaseStanding::Refused {
            return self.refuse_release(key, why, by).await;
        }
        let review = self.review_release(key).await?.code;
        self.approve_release(&Approval { key, review: &review, grant: Grant::default(), why }, by).await
    }

    /// Notes in the audit trail why something was refused that somebody wanted done with a release.
    pub(in crate::run) async fn noted<T>(&self, key: &ReleaseKey, done: Result<T, RunError>, by: &By) -> Result<T, RunError> {
        if let Err(
            error @ (RunError::Release(_)
            | RunError::Ledger(
                LedgerError::OwnWork { .. }
                | LedgerError::NotAPerson { .. }
                | LedgerError::NotVouchedFor { .. }
                | LedgerError::StillUsed { .. },
            )),
        ) = &done
        {
            self.note_refusal(&key.partner, ("release.turn-away", key.digest, &error.to_string()), by).await?;
        }
        done
    }

    /// What the operator of the hub allows at all, as a partner's configuration in force has it.
    pub(in crate::run) async fn ceiling(&self, partner: &PartnerName) -> Result<Grant, RunError> {
        ceiling_of(self.ledger().source(partner, "hub.toml").await?)
    }

    /// What a release is lent now.
    ///
    /// # Errors
    /// [`ReleaseError::NotGranted`] if it cannot work with that.
    pub(in crate::run) async fn granted(&self, partner: &PartnerName, (plugin, ceiling): (&Plugin, &Grant)) -> Result<Grant, RunError> {
        let key = ReleaseKey { partner: partner.clone(), plugin: plugin.manifest.name.clone(), digest: plugin.release.digest };
        Ok(working(plugin, self.ledger().granted(&key).await?.and(ceiling))?)
    }
}

/// What the operator's file allows; everything, where there is none.
pub(in crate::run) fn ceiling_of(hub_toml: Option<String>) -> Result<Grant, RunError> {
    let Some(text) = hub_toml else { return Ok(Grant::default()) };
    let read = config::reload_hub(&[("hub.toml".to_owned(), text)].into());
    Ok(read?)
}

/// A grant, if a release can work with it: all that its component imports is lent.
pub(in crate::run) fn working(plugin: &Plugin, grant: Grant) -> Result<Grant, ReleaseError> {
    let findings: Vec<String> = lacking(plugin, &grant);
    if findings.is_empty() {
        return Ok(grant);
    }
    Err(ReleaseError::NotGranted { plugin: plugin.manifest.name.clone(), digest: plugin.release.digest, findings })
}

/// What a release would need and is not lent, each a sentence.
pub(in crate::run) fn lacking(plugin: &Plugin, grant: &Grant) -> Vec<String> {
    let lent = grant.lend(&plugin.manifest.wants);
    let imports = plugin.release.imports_beyond(&lent).into_iter().map(|interface| format!("it imports {interface}, which is kept back"));
    let tables = plugin.manifest.wants.lookup.iter().filter(|table| !lent.lookup.contains(table));
    imports.chain(tables.map(|table| format!("it looks things up in table {table}, which is kept back"))).collect()
}

/// Refuses a job that would have its plugin use more than it is granted.
pub(in crate::run) fn refuse_beyond(grant: &Grant, job: &Job, plugin: &Plugin) -> Result<(), ReleaseError> {
    let findings = beyond(grant, job);
    if findings.is_empty() {
        return Ok(());
    }
    Err(ReleaseError::NotGranted { plugin: plugin.manifest.name.clone(), digest: plugin.release.digest, findings })
}

/// Which limits of a job are above what is granted, each a sentence.
pub(in crate::run) fn beyond(grant: &Grant, job: &Job) -> Vec<String> {
    let told = |(limit, amount, most)| format!("the limit {limit} of job {} is {amount}, and {most} is granted", job.name);
    grant.above(&job.limits).map(told).collect()
}

/// That no release may be used by a job, by what it chooses.
pub(in crate::run) fn none_fits(job: &Job) -> RunError {
    let (partner, plugin) = (job.partner.clone(), job.plugin.clone());
    match &job.release {
        ReleaseChoice::Active => RunError::NoRelease { partner, plugin },
        choice => ReleaseError::NoneFits { partner, plugin, choice: choice.to_string() }.into(),
    }
}
