//! What an approver is shown of a release, and whether it fits what its partner has: jobs, tables, what is granted.

use std::sync::Arc;

use super::ReleaseError;
use super::grant::{Ask, Bound, asks, beyond, bounds, lacking};
use crate::config::{self, Configuration};
use crate::ledger::{By, LedgerError, Release, ReleaseKey, Scope};
use crate::model::ids::{Digest, PartnerName, PluginName};
use crate::registry::review;
use crate::run::Hub;
use crate::run::conduct::formats_of;
use crate::run::failure::RunError;
use crate::run::shelf::{self, Plugin};

/// Digits of a review's name.
const CODE_DIGITS: usize = 16;

/// How often a release is judged anew for one act, while others do what it is judged by.
const LOOKS_MAX: usize = 32;

/// A release that something is done with, and what of it the person had before them. Where either is no longer so, nothing is done.
#[derive(Debug, Clone, Copy)]
pub struct Reviewed<'a> {
    /// The release.
    pub key: &'a ReleaseKey,
    /// What names the review that the person read: [`Review::code`].
    pub review: Option<&'a str>,
    /// What names the trials that the person saw: [`ProofState::code`].
    pub trials: Option<&'a str>,
}

/// As whoever saw nothing of it names it.
impl<'a> From<&'a ReleaseKey> for Reviewed<'a> {
    fn from(key: &'a ReleaseKey) -> Self {
        Self { key, review: None, trials: None }
    }
}

/// A release as whoever approves it sees it.
#[derive(Debug)]
pub struct Review {
    /// What names this review: an approval names it, and holds for nothing else. Another active release, another word on this one, another
    /// configuration make it another.
    pub code: String,
    /// The release.
    pub release: Release,
    /// The one that the partner's runs use, if another.
    pub active: Option<Release>,
    /// What it may do, each a sentence.
    pub may_do: Vec<String>,
    /// What it asks for, which an approval may keep back thing by thing.
    pub asks: Vec<Ask>,
    /// Its limits, which an approval may make smaller.
    pub bounds: Vec<Bound>,
    /// What is different from the active one, each a sentence.
    pub changes: Vec<String>,
    /// Which of the partner's jobs would not fit it, each a sentence.
    pub unfit: Vec<String>,
}

impl Hub {
    /// What a release may do, and what is different from the active one: in what it declares, its size and its signer.
    ///
    /// # Errors
    /// [`RunError::Ledger`] if there is no such release; or its stored component cannot be read.
    pub async fn review_release(&self, key: &ReleaseKey) -> Result<Review, RunError> {
        let missing = || LedgerError::NoSuchRelease { partner: key.partner.clone(), plugin: key.plugin.clone(), digest: key.digest };
        let release = self.ledger().release(key).await?.ok_or_else(missing)?;
        let active = self.ledger().active_release(&key.partner, &key.plugin).await?.filter(|active| active.release.key != *key);
        let plugin = self.plugin(key.digest).await?;
        let mut changes = Vec::new();
        if let Some(active) = &active {
            let before = self.plugin(active.release.key.digest).await?;
            changes = review::changes(&before.manifest, &plugin.manifest);
            let (was, is) = (active.release.size_bytes, release.release.size_bytes);
            if was != is {
                changes.push(format!("Its component had {was} bytes and has {is}."));
            }
            let signer = |release: &Release| release.release.signature.as_ref().map_or("nobody".to_owned(), |by| format!("key {}", by.key));
            let (was, is) = (signer(active), signer(&release));
            if was != is {
                changes.push(format!("It was signed by {was} and is signed by {is}."));
            }
        }
        let unfit = self.misfits(key).await?;
        let mut may_do = review::may_do(&plugin.manifest);
        if !plugin.has_cases {
            may_do.push("It brings no cases of its own: nothing that it answers was held against what its author expects.".to_owned());
        }
        if let Some(revoked) = self.revoked(&release).await? {
            may_do.insert(0, revoked);
        }
        let code = code(&release, active.as_ref(), [&may_do, &changes, &unfit]);
        let ceiling = self.ceiling(&key.partner).await?;
        let (asks, bounds) = (asks(&plugin, &ceiling), bounds(&plugin, &ceiling));
        Ok(Review { code, may_do, asks, bounds, changes, unfit, release, active })
    }
}

impl Hub {
    /// Does something with a release that rests on how it stands, and only if it stands so when it is written: what changes that is in the
    /// partner's trail, and the act's own transaction refuses where such an act came between. Then it is judged anew.
    pub(super) async fn as_judged<T, Done>(&self, of: Reviewed<'_>, by: &By, act: impl Fn(By) -> Done) -> Result<T, RunError>
    where
        Done: Future<Output = Result<T, RunError>>,
    {
        for _ in 0..LOOKS_MAX {
            let since = self.ledger().trail_end(&of.key.partner).await?;
            self.is_as_seen(of).await?;
            match act(by.clone().judged_as_of(since)).await {
                Err(RunError::Ledger(LedgerError::JudgedMeanwhile { .. })) => self.ledger().settled().await?,
                done => return done,
            }
        }
        Err(LedgerError::JudgedMeanwhile { partner: of.key.partner.clone() }.into())
    }

    /// Refuses what a person decides of a release that is no longer as they saw it.
    async fn is_as_seen(&self, of: Reviewed<'_>) -> Result<(), RunError> {
        let (plugin, digest) = (of.key.plugin.clone(), of.key.digest);
        if let Some(given) = of.review
            && self.review_release(of.key).await?.code != given
        {
            return Err(ReleaseError::OtherReview { given: given.to_owned(), plugin, digest }.into());
        }
        if let Some(given) = of.trials
            && self.ledger().proof(of.key).await?.code() != given
        {
            return Err(ReleaseError::OtherTrials { given: given.to_owned(), plugin, digest }.into());
        }
        Ok(())
    }

    /// That the key which signed a release was revoked, and why.
    async fn revoked(&self, release: &Release) -> Result<Option<String>, RunError> {
        let Some(signature) = &release.release.signature else { return Ok(None) };
        let keys = self.ledger().signing_keys(Scope::Partner(&release.release.key.partner)).await?;
        let why = keys.into_iter().find(|key| key.key.id == signature.key).and_then(|key| key.revoked).map(|(_, why)| why);
        Ok(why.map(|why| {
            format!("It is signed by key {}, which was revoked: {why}. Nobody approves it before it is signed again.", signature.key)
        }))
    }

    pub(super) async fn fits_its_jobs(&self, key: &ReleaseKey) -> Result<(), RunError> {
        let findings = self.misfits(key).await?;
        if findings.is_empty() {
            return Ok(());
        }
        Err(ReleaseError::JobsUnfit { plugin: key.plugin.clone(), digest: key.digest, findings }.into())
    }

    /// What a partner has declared.
    pub(super) async fn configuration_of(&self, partner: &PartnerName) -> Result<Configuration, RunError> {
        let texts = self.ledger().sources(partner).await?.into_iter().map(|source| (source.name, source.text)).collect();
        Ok(config::reload(&texts)?)
    }

    /// What a release would find amiss if it were active: columns, outputs and settings of jobs, tables, limits, what is kept back. Each is a
    /// sentence. Jobs that run another release in any case are passed over.
    pub(super) async fn misfits(&self, key: &ReleaseKey) -> Result<Vec<String>, RunError> {
        let missing = || LedgerError::NoSuchRelease { partner: key.partner.clone(), plugin: key.plugin.clone(), digest: key.digest };
        let release = self.ledger().release(key).await?.ok_or_else(missing)?;
        let next = self.plugin(key.digest).await?;
        let configuration = self.configuration_of(&key.partner).await?;
        let grant = release.grant().and(&configuration.ceiling);
        let mut findings: Vec<String> = lacking(&next, &grant).into_iter().map(|finding| format!("{}: {finding}.", key.plugin)).collect();
        findings.extend(self.tables_missing(&key.partner, &next).await?);
        for job in &configuration.jobs {
            let named: Vec<&PluginName> = formats_of(job).map(|format| &format.plugin).collect();
            let (own, through) = (job.plugin == key.plugin, named.contains(&&key.plugin));
            let takes = own && job.release.takes(&release.release.version, key.digest);
            if !takes && !through {
                continue;
            }
            let mut formats = Vec::new();
            for name in named {
                formats.push(if *name == key.plugin { Arc::clone(&next) } else { self.active_plugin(&key.partner, name).await? });
            }
            let plugin = if own { Arc::clone(&next) } else { self.active_plugin(&key.partner, &job.plugin).await? };
            let formats: Vec<_> = formats.iter().map(|plugin| plugin.manifest.as_ref()).collect();
            let unfit = config::check_job(job, &plugin.manifest, &formats);
            findings.extend(unfit.into_iter().map(|finding| format!("{}: {finding}", job.name)));
            findings.extend(beyond(&grant, job).into_iter().map(|finding| format!("{}: {finding}.", job.name)));
        }
        Ok(findings)
    }

    /// Tables that a release looks things up in and of which there is no version.
    async fn tables_missing(&self, partner: &PartnerName, plugin: &Plugin) -> Result<Vec<String>, RunError> {
        let wanted = &plugin.manifest.wants.lookup;
        if wanted.iter().all(|name| plugin.tables.iter().any(|own| own.version.table == *name)) {
            return Ok(Vec::new());
        }
        let kept = self.ledger().tables(partner, None).await?;
        let there = |name: &&String| {
            plugin.tables.iter().any(|own| own.version.table == **name) || kept.iter().any(|kept| kept.table.version.table == **name)
        };
        let told = |name| format!("{}: it looks things up in table {name}, of which there is no version.", plugin.manifest.name);
        Ok(wanted.iter().filter(|name| !there(name)).map(told).collect())
    }

    async fn active_plugin(&self, partner: &PartnerName, plugin: &PluginName) -> Result<Arc<Plugin>, RunError> {
        let active = shelf::active(self.ledger(), partner, plugin).await?;
        self.plugin(active.release.key.digest).await
    }
}

/// A digest of all that the person is shown.
fn code(release: &Release, active: Option<&Release>, shown: [&[String]; 3]) -> String {
    let of = |release: &Release| {
        let (key, said) = (&release.release.key, release.verdict.as_ref());
        let signed = release.release.signature.as_ref().map(|signature| signature.key.as_str());
        (key.partner.to_string(), key.digest.to_string(), signed.map(str::to_owned), said.map(|said| said.number))
    };
    let whole = serde_json::json!({ "release": of(release), "active": active.map(of), "shown": shown });
    Digest::of(whole.to_string().as_bytes()).to_string()[..CODE_DIGITS].to_owned()
}
