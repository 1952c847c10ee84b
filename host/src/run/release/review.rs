//! What an approver is shown of a release.

use crate::ledger::{LedgerError, Release, ReleaseKey};
use crate::model::ids::Digest;
use crate::registry::review;
use crate::run::Hub;
use crate::run::failure::RunError;

/// Digits of a review's name.
const CODE_DIGITS: usize = 16;

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
        let may_do = review::may_do(&plugin.manifest);
        let code = code(&release, active.as_ref(), [&may_do, &changes, &unfit]);
        Ok(Review { code, may_do, changes, unfit, release, active })
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
