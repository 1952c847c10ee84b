//! An export checked by itself: no hub and no database is needed, only the file, and the keys and checkpoints that one has of one's own.
//!
//! It must not know where the file came from, and trusts nothing in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::checkpoint::{Checkpoint, SignedCheckpoint};
use super::evidence::{Evidence, compare};
use super::export::{HEADINGS, Line};
use super::verify::Verified;
use super::{AuditError, moment};
use crate::ledger::{Actor, AuditEntry, ContentDigest, RowsCheck};
use crate::model::ids::Digest;
use crate::registry::signature::PublicKey;

/// Works the chain of a file out again, and compares it with the checkpoints in it and elsewhere. Without keys, no signature is checked.
///
/// # Errors
/// [`AuditError::Unreadable`] if it is no export at all. What is wrong with it is no error: it is the answer.
pub fn verify_file(path: &Path, elsewhere: &[Evidence], keys: &[PublicKey]) -> Result<Verified, AuditError> {
    let unreadable = |why: String| AuditError::Unreadable { path: path.to_owned(), why };
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(|error| unreadable(error.to_string()))?);
    let csv = file.fill_buf().map_err(|error| unreadable(error.to_string()))?.starts_with(b"seq,");
    let asked = elsewhere.iter().flat_map(Evidence::entries).collect();
    let mut chain = Chain { asked, ..Chain::default() };
    let mut read = || -> Result<(), String> {
        if csv {
            let mut reader = csv::Reader::from_reader(&mut file);
            if reader.headers().is_ok_and(|headings| !headings.iter().eq(HEADINGS)) {
                return Err("its headings are not those of an export".to_owned());
            }
            return reader.records().try_for_each(|record| chain.take(line_of(&record.map_err(|error| error.to_string())?)?, keys));
        }
        let mut text = String::new();
        while file.read_line(&mut text).map_err(|error| error.to_string())? > 0 {
            let line = serde_json::from_str(&text).map_err(|_| format!("after audit entry {}: a line is none of an export", chain.seq))?;
            chain.take(line, keys)?;
            text.clear();
        }
        Ok(())
    };
    let broken = read().err();
    Ok(chain.end(broken, elsewhere, keys))
}

/// The chain as far as it was worked out.
#[derive(Default)]
struct Chain {
    seq: u64,
    hash: Option<Digest>,
    begun: bool,
    /// Whether there are entries of which not even the digest binds what they say.
    partial: bool,
    entries: u64,
    left_out: u64,
    unbound: u64,
    checkpoints: u64,
    vouched_for: u64,
    asked: BTreeSet<u64>,
    hashes: BTreeMap<u64, Digest>,
}

impl Chain {
    fn take(&mut self, line: Line, keys: &[PublicKey]) -> Result<(), String> {
        match line {
            Line { checkpoint: Some(checkpoint), signature: Some(signature), .. } => {
                self.checkpoint(&SignedCheckpoint { checkpoint, signature }, keys)
            }
            Line { begins_after: Some(after), hash: Some(hash), .. } => {
                if self.begun {
                    return Err(format!("audit entry {} is missing: the file begins a second time there", self.seq + 1));
                }
                (self.seq, self.hash, self.begun, self.partial) = (after, Some(digest(&hash)?), true, true);
                Ok(())
            }
            line => self.entry(line),
        }
    }

    fn entry(&mut self, line: Line) -> Result<(), String> {
        let wanted = self.seq + 1;
        let broken = |why: &str| format!("audit entry {wanted} {why}");
        if line.seq != Some(wanted) {
            return Err(broken("is missing"));
        }
        let previous = self.hash.unwrap_or_else(|| Digest::new([0; 32]));
        let hash = digest(line.hash.as_deref().unwrap_or_default())?;
        let fits = match (&line.actor, &line.content) {
            (None, Some(content)) => {
                self.left_out += 1;
                ContentDigest(digest(content)?).after(&previous) == hash
            }
            // Only entries from before there were digests of content are bound by nothing but the next; none follows one that is.
            (None, None) => {
                self.left_out += 1;
                self.unbound += 1;
                self.entries == 0 && self.left_out == self.unbound
            }
            (Some(_), _) => {
                self.entries += 1;
                let entry = entry_of(line, previous, hash).ok_or_else(|| broken("is not written as entries are"))?;
                entry.fits()
            }
        };
        if !fits {
            return Err(broken("does not hold what it held when it was written, or does not follow from the entry before it"));
        }
        (self.seq, self.hash, self.begun) = (wanted, Some(hash), true);
        if self.asked.contains(&wanted) {
            self.hashes.insert(wanted, hash);
        }
        Ok(())
    }

    /// A checkpoint stands behind the entry that it covers up to.
    fn checkpoint(&mut self, signed: &SignedCheckpoint, keys: &[PublicKey]) -> Result<(), String> {
        let said = match keys {
            [] => Checkpoint::read(&signed.checkpoint).ok_or("a checkpoint is not written as they are")?,
            keys => signed.open(keys).map_err(|why| format!("checkpoint {why}"))?.0,
        };
        if said.seq == self.seq && Some(said.hash) != self.hash {
            return Err(format!("audit entry {} or one before it was rewritten: checkpoint {} has another hash", self.seq, said.number));
        }
        if said.seq > self.seq {
            return Err(format!("audit entry {} is missing: checkpoint {} covers entries up to {}", self.seq + 1, said.number, said.seq));
        }
        if said.seq == self.seq {
            self.checkpoints += 1;
            self.vouched_for = self.seq;
        }
        Ok(())
    }

    fn end(mut self, broken: Option<String>, elsewhere: &[Evidence], keys: &[PublicKey]) -> Verified {
        let (sound, mut notes) = (broken.is_none(), Vec::new());
        let mut faults: Vec<String> = broken.into_iter().collect();
        if keys.is_empty() {
            notes.push("no signature was checked: --public-key takes the hub's key".to_owned());
        }
        for evidence in elsewhere {
            let judged = evidence.judge(keys);
            if !keys.is_empty() {
                faults.extend(judged.faults);
            }
            let mut said = judged.said;
            if self.partial || self.left_out > 0 {
                // Such a file ends where what was asked for ends.
                said.retain(|_, said| said.seq <= self.seq);
            }
            if sound {
                faults.extend(compare(&said, (self.seq, &self.hashes)));
                let covered = said.values().filter(|said| self.hashes.get(&said.seq) == Some(&said.hash));
                let covered: Vec<u64> = covered.map(|said| said.seq).collect();
                self.checkpoints += covered.len() as u64;
                self.vouched_for = self.vouched_for.max(covered.into_iter().max().unwrap_or(0));
            }
        }
        if self.unbound > 0 {
            notes.push(format!(
                "{} entries were left out that are older than digests of content: nothing binds what they said",
                self.unbound
            ));
        }
        Verified {
            entries: self.seq,
            head: self.hash.unwrap_or_else(|| Digest::new([0; 32])),
            faults,
            rows: RowsCheck::default(),
            checkpoints: self.checkpoints,
            vouched_for: self.vouched_for,
            left_out: self.left_out,
            notes,
        }
    }
}

/// An entry as a line has it; none if the line says anything that the entry does not.
fn entry_of(line: Line, previous: Digest, hash: Digest) -> Option<AuditEntry> {
    let at_ms = line.at_ms?;
    if line.at != Some(moment(at_ms)) || line.content.is_some() || line.checkpoint.is_some() || line.signature.is_some() {
        return None;
    }
    Some(AuditEntry {
        seq: line.seq?,
        at_ms,
        partner: line.partner.map(|partner| partner.parse()).transpose().ok()?,
        actor: Actor::of_record(line.actor?),
        from: line.from,
        action: line.action?,
        subject: line.subject?,
        before: line.before.map(|raw| raw.get().to_owned()),
        after: line.after.map(|raw| raw.get().to_owned()),
        previous,
        hash,
    })
}

/// A record of the form in CSV.
fn line_of(record: &csv::StringRecord) -> Result<Line, String> {
    let wrong = |name: &str| format!("audit entry {}: its {name} is none", record.get(0).unwrap_or_default());
    let mut fields = serde_json::Map::new();
    for (name, text) in HEADINGS.into_iter().zip(record).filter(|(_, text)| !text.is_empty()) {
        let value = match name {
            "seq" | "at-ms" | "begins-after" => serde_json::Value::from(text.parse::<i64>().map_err(|_| wrong(name))?),
            // These keep their letters, and are put in below.
            "before" | "after" => continue,
            _ => serde_json::Value::from(text),
        };
        fields.insert(name.to_owned(), value);
    }
    let raw = |place: usize, name: &str| {
        let text = record.get(place).filter(|text| !text.is_empty()).map(str::to_owned);
        text.map(|text| serde_json::value::RawValue::from_string(text).map_err(|_| wrong(name))).transpose()
    };
    let line: Line = serde_json::from_value(fields.into()).map_err(|_| wrong("line"))?;
    Ok(Line { before: raw(8, "before")?, after: raw(9, "after")?, ..line })
}

fn digest(text: &str) -> Result<Digest, String> {
    text.parse().map_err(|_| format!("a hash is none: {text:?}"))
}
