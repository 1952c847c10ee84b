//! What a checkpoint says: how far the trail reached, with what hash, when; and which checkpoint came before it.
//!
//! It is text of a few lines, signed in minisign's form, so that whoever has it needs nothing of ours to check it.
//! Must not know where checkpoints are kept.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::ledger::StoredCheckpoint;
use crate::model::ids::Digest;
use crate::registry::signature::{PublicKey, Signature, SigningKeyId};

const TITLE: &str = "bailiwick audit checkpoint 1";

/// How far the trail reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// 1, 2, 3 over all hubs.
    pub number: u64,
    /// The last entry that it covers.
    pub seq: u64,
    /// That entry's hash, which covers every entry before it.
    pub hash: Digest,
    /// When.
    pub at: String,
    /// Which hub says so.
    pub hub: String,
    /// The digest of the text of the one before; of the first, zeros.
    pub previous: Digest,
}

impl Checkpoint {
    /// As it is signed.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let Self { number, seq, hash, at, hub, previous } = self;
        writeln!(text, "{TITLE}\nnumber: {number}\nentry: {seq}\nhash: {hash}\ntime: {at}\nhub: {hub}\nprevious: {previous}")
            .expect("a text takes any");
        text
    }

    /// Reads a text; none if it is not one that [`Checkpoint::text`] writes, to the letter.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        (lines.next()? == TITLE).then_some(())?;
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(": ");
        let read = Self {
            number: field("number")?.parse().ok()?,
            seq: field("entry")?.parse().ok()?,
            hash: field("hash")?.parse().ok()?,
            at: field("time")?.to_owned(),
            hub: field("hub")?.to_owned(),
            previous: field("previous")?.parse().ok()?,
        };
        (read.text() == text).then_some(read)
    }

    /// The digest by which the next one names it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }
}

/// A checkpoint with its signature, as it lies in a file: one JSON object a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedCheckpoint {
    /// The text that was signed.
    pub checkpoint: String,
    /// What signs it, as minisign writes it.
    pub signature: String,
}

impl SignedCheckpoint {
    /// Reads and checks it with keys that count.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn open(&self, keys: &[PublicKey]) -> Result<(Checkpoint, SigningKeyId), String> {
        let said = Checkpoint::read(&self.checkpoint).ok_or("is not written as checkpoints are")?;
        let named = |why: &dyn std::fmt::Display| format!("{} {why}", said.number);
        let signature = Signature::read(&self.signature).map_err(|error| named(&error))?;
        let key = keys.iter().find(|key| key.id() == signature.key_id());
        let key =
            key.ok_or_else(|| named(&format_args!("is signed by key {}, which is not among those that count", signature.key_id())))?;
        signature.verify(key, self.checkpoint.as_bytes()).map_err(|_| named(&"has a signature that does not fit"))?;
        Ok((said, key.id()))
    }
}

impl From<&StoredCheckpoint> for SignedCheckpoint {
    fn from(stored: &StoredCheckpoint) -> Self {
        Self { checkpoint: stored.content.clone(), signature: stored.signature.clone() }
    }
}
