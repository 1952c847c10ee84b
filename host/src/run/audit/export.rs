//! Entries of the trail as lines that can be checked anywhere: whole, or held to a partner and a time, with digests of what is left out.
//!
//! What is left out keeps the digest of what it says, so the chain runs through it: nobody learns what it was, and nobody can change,
//! take out or put in anything that is not. The lines end with the last entry that was asked for, and the next checkpoint after it.
//! Must not know where the lines go.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::checkpoint::SignedCheckpoint;
use super::{AuditError, moment};
use crate::ledger::{AuditEntry, Ledger, PAGE_ITEMS_MAX, Scope, StoredCheckpoint};
use crate::model::ids::PartnerName;

/// Lines that are kept back until it is known whether anything follows them.
const KEPT_BACK: usize = 10_000;

/// In which form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExportForm {
    /// A JSON object a line, checkpoints among them.
    #[default]
    Lines,
    /// CSV with headings; checkpoints are given apart.
    Csv,
}

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// Only what concerns this partner.
    pub partner: Option<PartnerName>,
    /// Only from this moment on.
    pub from_ms: Option<i64>,
    /// Only up to this moment.
    pub to_ms: Option<i64>,
    /// In which form.
    pub form: ExportForm,
}

/// A line of an export: an entry, the digest of one that is left out, where the lines begin, or a checkpoint.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Line {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) at_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) partner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) actor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) before: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) after: Option<Box<RawValue>>,
    /// Of an entry that is left out: the digest of what it says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) content: Option<String>,
    /// Of the first line: the entry after which the lines begin.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) begins_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) checkpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) signature: Option<String>,
}

/// The headings of the form in CSV.
pub(super) const HEADINGS: [&str; 13] =
    ["seq", "at", "at-ms", "partner", "actor", "from", "action", "subject", "before", "after", "content", "begins-after", "hash"];

const EMPTY: Line = Line {
    seq: None,
    at: None,
    at_ms: None,
    partner: None,
    actor: None,
    from: None,
    action: None,
    subject: None,
    before: None,
    after: None,
    content: None,
    begins_after: None,
    hash: None,
    checkpoint: None,
    signature: None,
};

impl Line {
    /// An entry as it stands in the trail.
    #[must_use]
    pub fn of(entry: &AuditEntry) -> Self {
        let raw = |text: &Option<String>| text.clone().and_then(|text| RawValue::from_string(text).ok());
        Self {
            seq: Some(entry.seq),
            at: Some(moment(entry.at_ms)),
            at_ms: Some(entry.at_ms),
            partner: entry.partner.as_ref().map(ToString::to_string),
            actor: Some(entry.actor.to_string()),
            from: entry.from.clone(),
            action: Some(entry.action.clone()),
            subject: Some(entry.subject.clone()),
            before: raw(&entry.before),
            after: raw(&entry.after),
            hash: Some(entry.hash.to_string()),
            ..EMPTY
        }
    }

    fn left_out(entry: &AuditEntry) -> Self {
        // Entries from before there were such digests are bound by their hash alone.
        let content = (!entry.is_first_form()).then(|| entry.content().0.to_string());
        Self { seq: Some(entry.seq), content, hash: Some(entry.hash.to_string()), ..EMPTY }
    }

    fn begins_after(entry: &AuditEntry) -> Self {
        Self { begins_after: Some(entry.seq - 1), hash: Some(entry.previous.to_string()), ..EMPTY }
    }

    fn signed(stored: &StoredCheckpoint) -> Self {
        let SignedCheckpoint { checkpoint, signature } = stored.into();
        Self { checkpoint: Some(checkpoint), signature: Some(signature), ..EMPTY }
    }

    /// As a line of a form, with its end; nothing where the form has no place for it.
    fn text(&self, form: ExportForm) -> String {
        match form {
            ExportForm::Lines => format!("{}\n", serde_json::to_string(self).expect("texts and numbers are JSON")),
            ExportForm::Csv if self.checkpoint.is_some() => String::new(),
            ExportForm::Csv => {
                let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                let raw = |raw: &Option<Box<RawValue>>| raw.as_ref().map(|raw| raw.get().to_owned()).unwrap_or_default();
                csv_line(&[
                    number(self.seq),
                    text(&self.at),
                    self.at_ms.map(|at_ms| at_ms.to_string()).unwrap_or_default(),
                    text(&self.partner),
                    text(&self.actor),
                    text(&self.from),
                    text(&self.action),
                    text(&self.subject),
                    raw(&self.before),
                    raw(&self.after),
                    text(&self.content),
                    number(self.begins_after),
                    text(&self.hash),
                ])
            }
        }
    }
}

fn csv_line(fields: &[String]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields).expect("memory takes any record");
    String::from_utf8(writer.into_inner().expect("memory is flushed")).expect("the fields are text")
}

impl Export {
    fn wants(&self, entry: &AuditEntry) -> bool {
        self.partner.as_ref().is_none_or(|partner| entry.partner.as_ref() == Some(partner))
            && self.from_ms.is_none_or(|from_ms| entry.at_ms >= from_ms)
            && self.to_ms.is_none_or(|to_ms| entry.at_ms <= to_ms)
    }

    /// Writes the lines out, one after the other. Answers how many entries are among them.
    ///
    /// # Errors
    /// What the database failed of, or whoever takes the lines.
    pub async fn write(&self, ledger: &Ledger, mut take: impl FnMut(&str) -> std::io::Result<()>) -> Result<u64, AuditError> {
        if self.form == ExportForm::Csv {
            take(&csv_line(&HEADINGS.map(str::to_owned)))?;
        }
        let all = self.partner.is_none() && self.from_ms.is_none() && self.to_ms.is_none();
        let (mut after, mut written, mut held) = (0, 0, Held::default());
        let mut checkpoints = Checkpoints::default();
        loop {
            let page = ledger.audit_after(Scope::Hub, after, PAGE_ITEMS_MAX).await?;
            for entry in &page.items {
                if self.wants(entry) {
                    if written == 0 && entry.seq > 1 {
                        take(&Line::begins_after(entry).text(self.form))?;
                    }
                    held.give(&mut take)?;
                    take(&Line::of(entry).text(self.form))?;
                    held.anchored = false;
                    written += 1;
                } else if written > 0 {
                    held.lines.push(Line::left_out(entry).text(self.form));
                }
                while let Some(stored) = checkpoints.at(ledger, entry.seq).await? {
                    if written > 0 {
                        held.lines.push(Line::signed(&stored).text(self.form));
                        // The first after what was asked for vouches for all of it.
                        if !held.anchored {
                            held.give(&mut take)?;
                            held.anchored = true;
                        }
                    }
                }
                if held.lines.len() >= KEPT_BACK {
                    held.give(&mut take)?;
                }
            }
            match page.next {
                Some(next) => after = next,
                None => break,
            }
        }
        // What follows the last entry that was asked for is of use only up to the checkpoint that was written with it.
        if all {
            held.give(&mut take)?;
        }
        Ok(written)
    }
}

/// Lines that are written if something follows.
#[derive(Debug, Default)]
struct Held {
    lines: Vec<String>,
    anchored: bool,
}

impl Held {
    fn give(&mut self, take: &mut impl FnMut(&str) -> std::io::Result<()>) -> std::io::Result<()> {
        self.lines.drain(..).try_for_each(|line| take(&line))
    }
}

/// The ledger's checkpoints, read as they are come to.
#[derive(Debug, Default)]
struct Checkpoints {
    read: std::collections::VecDeque<StoredCheckpoint>,
    last: u64,
    done: bool,
}

impl Checkpoints {
    /// The next that covers entries up to this one.
    async fn at(&mut self, ledger: &Ledger, seq: u64) -> Result<Option<StoredCheckpoint>, AuditError> {
        if self.read.is_empty() && !self.done {
            self.read.extend(ledger.checkpoints(self.last, PAGE_ITEMS_MAX).await?);
            self.last = self.read.back().map_or(self.last, |last| last.number);
            self.done = self.read.is_empty();
        }
        let due = self.read.front().is_some_and(|next| next.seq <= seq);
        Ok(if due { self.read.pop_front() } else { None })
    }
}
