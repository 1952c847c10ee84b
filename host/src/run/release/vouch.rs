//! Whether a component comes from whom its partner trusts.

use crate::ledger::{By, ReleaseSignature, Scope, SigningKey};
use crate::model::ids::{Digest, PartnerName, PluginName};
use crate::model::job::{Partner, ReleasePolicy};
use crate::registry::signature::{PublicKey, Signature, SignatureError};
use crate::run::Hub;
use crate::run::failure::RunError;

/// Why a release is not taken or not used.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The caller looks at the name.
    #[error("there is no partner {partner}: declare it in partners.toml and run `bailiwick apply`")]
    NoPartner {
        /// The name.
        partner: PartnerName,
    },
    /// The caller writes more, or other, digits.
    #[error("{found} releases are {name:?}, by the beginning of a digest or as PLUGIN@VERSION: `bailiwick plugin releases` lists them")]
    NotOne {
        /// What was asked for.
        name: String,
        /// How many begin so.
        found: usize,
    },
    /// The integrator signs it.
    #[error(
        "{partner} takes signed components only, and this one came without a signature: sign it with `bailiwick plugin sign`, or give its signature beside it as FILE.minisig"
    )]
    Unsigned {
        /// The partner.
        partner: PartnerName,
    },
    /// An admin of the partner registers the key, if it is the signer's.
    #[error(
        "the component is signed by key {key}, which {partner} has not registered: if it is your signer's, register it with `bailiwick key add`"
    )]
    UnknownKey {
        /// The key.
        key: String,
        /// The partner.
        partner: PartnerName,
    },
    /// The integrator signs it with a key that is trusted.
    #[error("the component is signed by key {key}, which {partner} revoked: {why}. Have it signed again with a key in use")]
    RevokedKey {
        /// The key.
        key: String,
        /// The partner.
        partner: PartnerName,
        /// The reason that was given.
        why: String,
    },
    /// See the inner error.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// Another person of the partner approves it.
    #[error(
        "{partner} uses approved releases only, and release {} of {plugin} is not: `bailiwick plugin push` hands it in, and another person approves it with `bailiwick plugin approve`",
        digest.short()
    )]
    NotApproved {
        /// The partner.
        partner: PartnerName,
        /// The plugin.
        plugin: PluginName,
        /// The release.
        digest: Digest,
    },
    /// The approver looks at the release as it stands now, and says it again.
    #[error(
        "the review {given:?} is not of release {} of {plugin} as things stand: look at it again with `bailiwick plugin review {}`, and name what that shows",
        digest.short(), digest.short()
    )]
    OtherReview {
        /// What was named.
        given: String,
        /// The plugin.
        plugin: PluginName,
        /// The release.
        digest: Digest,
    },
    /// The person looks at what its trials came to by now, and says it again.
    #[error(
        "the trials {given:?} are not those of release {} of {plugin} as things stand: another came to something else since. Look at them again with `bailiwick plugin trials {}`, and name what that shows",
        digest.short(), digest.short()
    )]
    OtherTrials {
        /// What was named.
        given: String,
        /// The plugin.
        plugin: PluginName,
        /// The release.
        digest: Digest,
    },
    /// The approver names what the release asks for, and no more than the hub allows.
    #[error("release {} of {plugin} is not approved so: {}", digest.short(), findings.join("; "))]
    NotForThis {
        /// The plugin.
        plugin: PluginName,
        /// The release.
        digest: Digest,
        /// What was named and is not asked for or not to be had, each half a sentence.
        findings: Vec<String>,
    },
    /// The approver grants more, the operator raises the ceiling or mends the job, or the author does without.
    #[error("release {} of {plugin} cannot work with what it is granted: {}", digest.short(), findings.join("; "))]
    NotGranted {
        /// The plugin.
        plugin: PluginName,
        /// The release.
        digest: Digest,
        /// What is kept back, each half a sentence.
        findings: Vec<String>,
    },
    /// The operator mends the job's file, or activates a release that it takes.
    #[error(
        "no release of plugin {plugin} of {partner} that may be used is one that the job takes, which is {choice}: see `bailiwick plugin releases --partner {partner}`"
    )]
    NoneFits {
        /// The partner.
        partner: PartnerName,
        /// The plugin.
        plugin: PluginName,
        /// What the job's file says.
        choice: String,
    },
    /// The operator lets it run beside the active one instead.
    #[error("{plugin} is what files of other plugins' runs go through, and no canary: let it run beside the active release (`parallel`)")]
    NoCanary {
        /// The plugin.
        plugin: PluginName,
    },
    /// The operator waits until a run has delivered.
    #[error("there is nothing to try {plugin} on: no run of its jobs has delivered whose inputs are still kept")]
    NothingToTry {
        /// The plugin.
        plugin: PluginName,
    },
    /// The caller names a run that tried a release, or a replay.
    #[error("run {run} tried no release, or did not come so far that anything can be compared")]
    NotATrial {
        /// The run.
        run: String,
    },
    /// The author mends the plugin, or the cases.
    #[error(
        "{failed} of the {of} cases that the component brings come out otherwise than they say: {}. `bailiwick plugin test` shows how",
        first.join("; ")
    )]
    CasesFail {
        /// How many.
        failed: usize,
        /// Of how many.
        of: usize,
        /// The first of them, by their names.
        first: Vec<String>,
    },
    /// The author mends the cases, or what they stop at.
    #[error("the cases that the component brings cannot be played to their end: {why}. Try them with `bailiwick plugin test`")]
    CasesUnplayable {
        /// What one stops at.
        why: String,
    },
    /// The operator changes the jobs first, or the author the plugin.
    #[error("release {} of {plugin} cannot be activated, as jobs do not fit it: {}", digest.short(), findings.join("; "))]
    JobsUnfit {
        /// The plugin.
        plugin: PluginName,
        /// The release.
        digest: Digest,
        /// What does not fit, each a sentence.
        findings: Vec<String>,
    },
}

impl Hub {
    /// Checks the signature that a component came with against the partner's keys. One that is there must be right, whatever the partner asks.
    /// What is turned away is noted in the audit trail.
    pub(in crate::run) async fn vouched(
        &self,
        partner: &Partner,
        (component, signature): (&[u8], Option<&str>),
        by: &By,
    ) -> Result<Option<ReleaseSignature>, RunError> {
        match self.checked(partner, (component, signature)).await {
            Err(RunError::Release(error)) => {
                self.note_refusal(&partner.name, ("release.turn-away", Digest::of(component), &error.to_string()), by).await?;
                Err(error.into())
            }
            checked => checked,
        }
    }

    /// The same, for whoever sees to it that what is turned away is noted.
    pub(in crate::run) async fn checked(
        &self,
        partner: &Partner,
        (component, signature): (&[u8], Option<&str>),
    ) -> Result<Option<ReleaseSignature>, RunError> {
        let keys = self.ledger().signing_keys(Scope::Partner(&partner.name)).await?;
        Ok(check(partner, (component, signature), &keys)?)
    }
}

fn check(
    partner: &Partner,
    (component, signature): (&[u8], Option<&str>),
    keys: &[SigningKey],
) -> Result<Option<ReleaseSignature>, ReleaseError> {
    let Some(text) = signature else {
        let unsigned = ReleaseError::Unsigned { partner: partner.name.clone() };
        return if partner.releases == ReleasePolicy::Open { Ok(None) } else { Err(unsigned) };
    };
    let signature = Signature::read(text)?;
    let id = signature.key_id().to_string();
    let known = keys.iter().find(|key| key.key.id == id);
    let known = known.ok_or_else(|| ReleaseError::UnknownKey { key: id.clone(), partner: partner.name.clone() })?;
    if let Some((_, why)) = &known.revoked {
        return Err(ReleaseError::RevokedKey { key: id, partner: partner.name.clone(), why: why.clone() });
    }
    let comment = signature.verify(&PublicKey::read(&known.key.public_key)?, component)?;
    Ok(Some(ReleaseSignature { key: id, text: signature.text().to_owned(), comment }))
}
