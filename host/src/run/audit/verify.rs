//! The ledger compared with its own trail, with the checkpoints that it keeps, and with those that lie elsewhere.
//!
//! Must not know who asks. It changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::AuditError;
use super::checkpoint::Checkpoint;
use super::evidence::{Evidence, compare};
use crate::ledger::{Ledger, RowsCheck, StoredCheckpoint};
use crate::model::ids::Digest;
use crate::registry::signature::{PublicKey, Signature};

/// Checkpoints that are read at one time.
const PAGE: u32 = 1_000;

/// What came of it.
#[derive(Debug)]
pub struct Verified {
    /// Entries that fit, one after the other from the first.
    pub entries: u64,
    /// The hash of the last of them.
    pub head: Digest,
    /// What is wrong with the trail or its checkpoints, the first broken entry first.
    pub faults: Vec<String>,
    /// The rows of the database against the trail; nothing of a file.
    pub rows: RowsCheck,
    /// Checkpoints that were checked, over all places.
    pub checkpoints: u64,
    /// The last entry that one of them covers.
    pub vouched_for: u64,
    /// Entries of which only digests are there; nothing of a ledger.
    pub left_out: u64,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

impl Verified {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.faults.is_empty() && self.rows.faults.is_empty()
    }
}

/// Works the trail of a ledger out again and compares it with everything that is there to compare it with. Keys that are given are
/// the only ones that count; without any, those that the ledger itself names do.
///
/// # Errors
/// What the database failed of. What is wrong is no error: it is the answer.
pub async fn verify_ledger(ledger: &Ledger, elsewhere: &[Evidence], keys: &[PublicKey]) -> Result<Verified, AuditError> {
    let mut stored = Vec::new();
    loop {
        let page = ledger.checkpoints(stored.len() as u64, PAGE).await?;
        // Numbers that were changed do not make it go round for ever.
        let more = page.len() == PAGE as usize;
        stored.extend(page);
        if !more {
            break;
        }
    }
    let mut notes = Vec::new();
    let own: Vec<PublicKey>;
    let keys = if keys.is_empty() {
        own = ledger.hub_keys().await?.iter().filter_map(|key| PublicKey::read(&key.key.public_key).ok()).collect();
        notes.push("signatures were checked with the keys that the ledger itself names: --public-key takes yours".to_owned());
        &own
    } else {
        keys
    };
    let within = Evidence::of_ledger(&stored);
    let mut asked: BTreeSet<u64> = within.entries();
    asked.extend(elsewhere.iter().flat_map(Evidence::entries));
    let check = ledger.verify_audit_at(&asked).await?;
    let mut faults: Vec<String> = check.broken.iter().map(ToString::to_string).collect();
    let kept: HashSet<&str> = stored.iter().map(|stored| stored.content.as_str()).collect();
    let mut all: BTreeMap<u64, Checkpoint> = BTreeMap::new();
    for (place, evidence) in std::iter::once(&within).chain(elsewhere).enumerate() {
        let judged = evidence.judge(keys);
        faults.extend(judged.faults);
        for (number, said) in judged.said {
            if place > 0 && !kept.contains(said.text().as_str()) {
                faults.push(format!("checkpoint {number} is in {} and not in the ledger", evidence.from));
            }
            all.entry(number).or_insert(said);
        }
    }
    faults.extend(misfits(&stored));
    // Of a broken chain the entries after the break are not known to fit, and would be said to be missing.
    if check.broken.is_none() {
        // The entry that broke first comes first.
        faults.splice(0..0, compare(&all, (check.entries, &check.hashes)));
    }
    let vouched_for = all.values().map(|said| said.seq).filter(|seq| *seq <= check.entries).max().unwrap_or(0);
    Ok(Verified {
        entries: check.entries,
        head: check.head,
        faults,
        rows: check.rows,
        checkpoints: all.len() as u64,
        vouched_for,
        left_out: 0,
        notes,
    })
}

/// Columns of a kept checkpoint that say something else than its text.
fn misfits(stored: &[StoredCheckpoint]) -> Vec<String> {
    let differs = |kept: &&StoredCheckpoint| {
        let signer = Signature::read(&kept.signature).map(|signature| signature.key_id().to_string());
        Checkpoint::read(&kept.content).is_some_and(|said| {
            (said.number, said.seq, said.hub.as_str()) != (kept.number, kept.seq, kept.hub.as_str())
                || signer.is_ok_and(|signer| signer != kept.key_id)
        })
    };
    stored.iter().filter(differs).map(|kept| format!("checkpoint {} is not kept as what it says", kept.number)).collect()
}
