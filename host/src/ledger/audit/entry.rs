//! An entry of the audit trail: what it says, the digest of that, and the hash that chains it to the entry before.
//!
//! The hash covers the hash before and the digest of the content, not the content itself: an export that leaves out what another partner
//! did keeps the digest of it, and the chain can still be worked out from end to end.
//! Must not know where entries are kept.

use crate::ledger::error::LedgerError;
use crate::ledger::store::{Value, count, parsed, parsed_option};
use crate::ledger::who::Actor;
use crate::model::ids::{Digest, PartnerName};

/// What goes before the content, and before the hash that chains it: neither can be taken for the other, nor for anything else.
const CONTENT: &[u8] = b"bailiwick audit content 2\n";
const LINK: &[u8] = b"bailiwick audit link 2\n";

/// The columns of an entry, in the order of [`AuditRow`].
macro_rules! columns {
    () => {
        "seq, at_ms, partner, actor, action, subject, before_json, after_json, came_from, previous_hash, hash"
    };
}
pub(super) use columns;

/// SHA-256 of what an entry says, without where it stands in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentDigest(pub Digest);

impl ContentDigest {
    /// The hash of an entry with this content that follows another.
    #[must_use]
    pub fn after(self, previous: &Digest) -> Digest {
        let mut bytes = LINK.to_vec();
        bytes.extend_from_slice(previous.bytes());
        bytes.extend_from_slice(self.0.bytes());
        Digest::of(&bytes)
    }
}

/// An entry of the audit trail.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    /// 1, 2, 3 over the whole hub.
    pub seq: u64,
    /// When.
    pub at_ms: i64,
    /// Whom it concerns; none if the hub as a whole.
    pub partner: Option<PartnerName>,
    /// Who did it.
    pub actor: Actor,
    /// From where: an address, or a command line; none where a hub acted of itself.
    pub from: Option<String>,
    /// What was done.
    pub action: String,
    /// To what.
    pub subject: String,
    /// How it was before, as JSON.
    pub before: Option<String>,
    /// How it was afterwards, as JSON.
    pub after: Option<String>,
    /// The hash of the entry before.
    pub previous: Digest,
    /// Covers all of the above.
    pub hash: Digest,
}

impl AuditEntry {
    /// The digest of what it says.
    #[must_use]
    pub fn content(&self) -> ContentDigest {
        self.content_and(content)
    }

    /// Whether its hash is that of what it says, after the hash before. Entries of the first form, which had no digest of
    /// their content, are known too.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.hash == self.content().after(&self.previous) || self.is_first_form()
    }

    /// Whether it was written before entries had a digest of their content. Nothing came from anywhere then.
    #[must_use]
    pub fn is_first_form(&self) -> bool {
        self.from.is_none() && self.content_and(|fields| self.hash == first_form(&self.previous.to_string(), fields))
    }

    fn content_and<T>(&self, use_fields: impl FnOnce(&Fields<'_>) -> T) -> T {
        let (seq, at_ms) = (self.seq.to_string(), self.at_ms.to_string());
        use_fields(&[
            Some(&seq),
            Some(&at_ms),
            self.partner.as_ref().map(PartnerName::as_str),
            Some(self.actor.as_str()),
            Some(&self.action),
            Some(&self.subject),
            self.before.as_deref(),
            self.after.as_deref(),
            self.from.as_deref(),
        ])
    }
}

type Fields<'a> = [Option<&'a str>; 9];

/// SHA-256 over every field, each behind its length, so that nothing can be moved from one to the next.
fn content(fields: &Fields<'_>) -> ContentDigest {
    let mut bytes = CONTENT.to_vec();
    fields.iter().for_each(|field| put(&mut bytes, *field));
    ContentDigest(Digest::of(&bytes))
}

/// The hash of an entry as it was until there were digests of the content.
fn first_form(previous: &str, fields: &Fields<'_>) -> Digest {
    let mut bytes = Vec::new();
    put(&mut bytes, Some(previous));
    fields[..8].iter().for_each(|field| put(&mut bytes, *field));
    Digest::of(&bytes)
}

fn put(bytes: &mut Vec<u8>, field: Option<&str>) {
    bytes.push(u8::from(field.is_some()));
    let text = field.unwrap_or_default();
    bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// An act as it goes into the trail: by whom, from where and when, as text.
#[derive(Debug)]
pub(in crate::ledger) struct Noted {
    pub(super) at_ms: i64,
    pub(super) partner: Option<String>,
    pub(super) actor: String,
    pub(super) action: String,
    pub(super) subject: String,
    pub(super) before_json: Option<String>,
    pub(super) after_json: Option<String>,
    pub(super) came_from: Option<String>,
}

impl Noted {
    /// Whom it concerns; none if the hub as a whole.
    pub(in crate::ledger) fn partner(&self) -> Option<&str> {
        self.partner.as_deref()
    }

    /// What is done.
    pub(in crate::ledger) fn action(&self) -> &str {
        &self.action
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct AuditRow {
    pub(super) seq: i64,
    pub(super) at_ms: i64,
    pub(super) partner: Option<String>,
    pub(super) actor: String,
    pub(super) action: String,
    pub(super) subject: String,
    before_json: Option<String>,
    pub(super) after_json: Option<String>,
    came_from: Option<String>,
    pub(super) previous_hash: String,
    pub(super) hash: String,
}

impl AuditRow {
    /// The entry of an act that follows another.
    pub(super) fn after(seq: i64, previous_hash: String, noted: Noted) -> Self {
        let Noted { at_ms, partner, actor, action, subject, before_json, after_json, came_from } = noted;
        let (seq, hash) = (seq + 1, String::new());
        let row = Self { seq, at_ms, partner, actor, action, subject, before_json, after_json, came_from, previous_hash, hash };
        // An end that is no digest was tampered with, and is found as what does not fit.
        let previous = row.previous_hash.parse().unwrap_or_else(|_| Digest::of(row.previous_hash.as_bytes()));
        Self { hash: row.content_and(content).after(&previous).to_string(), ..row }
    }

    /// Whether it holds what it held when it was written: in its own letters, as it stands in the database.
    pub(super) fn fits(&self) -> bool {
        let Ok(previous) = self.previous_hash.parse::<Digest>() else { return false };
        previous.to_string() == self.previous_hash
            && (self.hash == self.content_and(content).after(&previous).to_string()
                || (self.came_from.is_none()
                    && self.content_and(|fields| self.hash == first_form(&self.previous_hash, fields).to_string())))
    }

    fn content_and<T>(&self, use_fields: impl FnOnce(&Fields<'_>) -> T) -> T {
        let (seq, at_ms) = (self.seq.to_string(), self.at_ms.to_string());
        use_fields(&[
            Some(&seq),
            Some(&at_ms),
            self.partner.as_deref(),
            Some(&self.actor),
            Some(&self.action),
            Some(&self.subject),
            self.before_json.as_deref(),
            self.after_json.as_deref(),
            self.came_from.as_deref(),
        ])
    }

    pub(super) fn values(&self) -> [Value; 11] {
        [
            self.seq.into(),
            self.at_ms.into(),
            self.partner.as_deref().into(),
            self.actor.as_str().into(),
            self.action.as_str().into(),
            self.subject.as_str().into(),
            self.before_json.as_deref().into(),
            self.after_json.as_deref().into(),
            self.came_from.as_deref().into(),
            self.previous_hash.as_str().into(),
            self.hash.as_str().into(),
        ]
    }
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = LedgerError;

    fn try_from(row: AuditRow) -> Result<Self, LedgerError> {
        Ok(Self {
            seq: count(row.seq),
            at_ms: row.at_ms,
            partner: parsed_option(row.partner.as_deref(), "partner")?,
            actor: Actor::stored(row.actor),
            from: row.came_from,
            action: row.action,
            subject: row.subject,
            before: row.before_json,
            after: row.after_json,
            previous: parsed(&row.previous_hash, "hash of an audit entry")?,
            hash: parsed(&row.hash, "hash of an audit entry")?,
        })
    }
}
