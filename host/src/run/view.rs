//! What people see of the rows of a run: the only way from what is kept to a page, an answer, a mail or a terminal.
//!
//! ```text
//! access::Caller::sight(wanted)  → Sight          masked, unless it is asked for and allowed
//! Hub::view(scope, run, sight)   → View           opens what is sealed; that somebody sees all is in the audit trail
//! View::row, raw, value          → what is shown
//! ```
//!
//! A finding's record is a [`Kept`](crate::model::personal::Kept), which shows nothing of itself: a page that forgets to ask for a view
//! has nothing to show.

use std::sync::Arc;

use serde_json::Value;

use super::Hub;
use super::failure::RunError;
use super::pull::Columns;
use crate::ledger::{By, Claim, FindingId, Found, LedgerError, Run, Scope, StoredFinding};
use crate::model::ids::RunId;
use crate::model::manifest::Kind;
use crate::model::personal::{Form, Kept, Sight};
use crate::registry::masking::{DOTS, Masking};
use crate::vault::{DataKeys, VaultError};

/// Who looks, and how.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// At whose runs.
    pub scope: Scope<'a>,
    /// Whether at all of it. A caller's comes from `Caller::sight`.
    pub sight: Sight,
    /// By whom, for the audit trail.
    pub by: &'a By,
}

/// The rows of one run, as somebody may see them.
#[derive(Debug)]
pub struct View {
    sight: Sight,
    columns: Columns,
    keys: Arc<DataKeys>,
}

impl Hub {
    /// How somebody sees the rows of a run. Where they see personal values as they are, that is in the audit trail, once an hour.
    ///
    /// # Errors
    /// [`RunError::Ledger`] if there is no such run within the scope; [`RunError`] if its release or its partner's keys cannot be read.
    pub async fn view(&self, run: RunId, look: Look<'_>) -> Result<View, RunError> {
        let seen = self.seen(run, look).await?;
        Ok(View { sight: look.sight, columns: self.columns(run).await?, keys: self.keys(seen.partner()).await? })
    }

    /// The run that somebody looks at. Where they see personal values as they are, that is in the audit trail.
    pub(super) async fn seen(&self, run: RunId, look: Look<'_>) -> Result<Run, RunError> {
        let missing = || LedgerError::NotFound { what: "run", name: run.to_string() };
        let seen = self.ledger().run(look.scope, run).await?.ok_or_else(missing)?;
        if look.sight == Sight::Full {
            self.ledger().note_sight(seen.partner(), run, look.by).await?;
        }
        Ok(seen)
    }

    /// Seals the records of findings, before they are written in this order under a claim's lease. What a plugin repeats of them in its
    /// reasons, which lie open, is masked for good. There may be much of it, and meanwhile the lease has to be renewed: a thread of its
    /// own does it.
    pub(super) async fn seal(&self, claim: &Claim, kind: &Kind, mut found: Found) -> Result<Found, RunError> {
        let (keys, masking) = (self.keys(claim.run.partner()).await?, Masking::of(kind));
        let (run, lease) = (claim.lease.run, claim.lease.number);
        let sealing = move || {
            for (number, finding) in (1..).zip(&mut found.findings) {
                let Form::Plain { raw, decoded } = finding.record.form() else { continue };
                if let Some(row) = decoded.as_ref().and_then(|decoded| serde_json::from_str(decoded).ok()) {
                    finding.reasons.iter_mut().for_each(|reason| reason.message = masking.mask_within(&reason.message, &row));
                }
                let sealed = keys.seal(&what(FindingId { run, lease, number }), &joined(raw.as_deref(), decoded.as_deref()));
                finding.record = Kept::sealed(sealed);
            }
            found
        };
        Ok(tokio::task::spawn_blocking(sealing).await.expect("sealing does not panic"))
    }
}

impl View {
    /// Whether personal values are shown as they are.
    #[must_use]
    pub const fn sight(&self) -> Sight {
        self.sight
    }

    /// A row by columns, as a JSON object; none if it could not be read, or is no longer kept.
    ///
    /// # Errors
    /// [`RunError::Vault`] if what is kept was altered, or its key is gone.
    pub fn row(&self, finding: &StoredFinding) -> Result<Option<Value>, RunError> {
        let (_, decoded) = self.open(finding)?;
        Ok(decoded.and_then(|decoded| serde_json::from_str(&decoded).ok()).map(|row| self.value(row)))
    }

    /// A record as it stood in the file; none for whoever sees personal values masked, as nobody knows what stands where in it.
    ///
    /// # Errors
    /// As for [`View::row`].
    pub fn raw(&self, finding: &StoredFinding) -> Result<Option<Vec<u8>>, RunError> {
        match self.sight {
            Sight::Masked => Ok(None),
            Sight::Full => Ok(self.open(finding)?.0),
        }
    }

    /// Any row or case of the run as a JSON object, wherever it comes from: a preview of a file, an example of a difference.
    #[must_use]
    pub fn value(&self, mut row: Value) -> Value {
        if self.sight == Sight::Masked {
            self.columns.personal.mask(&mut row);
        }
        row
    }

    /// One value of a column, where it is shown by itself.
    #[must_use]
    pub fn cell(&self, column: &str, value: &str) -> String {
        if self.sight == Sight::Full || self.columns.personal.shows(column) { value.to_owned() } else { DOTS.to_owned() }
    }

    /// What is kept of a record, for whatever the hub itself does with it: never to show it.
    pub(super) fn open(&self, finding: &StoredFinding) -> Result<(Option<Vec<u8>>, Option<String>), RunError> {
        match finding.found.record.form() {
            Form::Nothing => Ok((None, None)),
            Form::Plain { raw, decoded } => Ok((raw.clone(), decoded.clone())),
            Form::Sealed(bytes) => {
                let what = what(finding.id);
                let damaged = || VaultError::Damaged {
                    partner: self.keys.partner().to_owned(),
                    what: what.clone(),
                    why: "it is of a form that this hub does not know".to_owned(),
                };
                Ok(parted(&self.keys.open(&what, bytes)?).ok_or_else(damaged)?)
            }
        }
    }
}

fn what(id: FindingId) -> String {
    format!("finding {id}")
}

/// Raw and decoded in one: which of them there are, the length of the first, both.
fn joined(raw: Option<&[u8]>, decoded: Option<&str>) -> Vec<u8> {
    let which = u8::from(raw.is_some()) | u8::from(decoded.is_some()) << 1;
    let raw = raw.unwrap_or_default();
    [&[which], (raw.len() as u64).to_be_bytes().as_slice(), raw, decoded.unwrap_or_default().as_bytes()].concat()
}

fn parted(bytes: &[u8]) -> Option<(Option<Vec<u8>>, Option<String>)> {
    let (which, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (raw, decoded) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
    let decoded = String::from_utf8(decoded.to_vec()).ok()?;
    Some(((which & 1 != 0).then(|| raw.to_vec()), (which & 2 != 0).then_some(decoded)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_is_parted_again() {
        for (raw, decoded) in [(None, None), (Some(&b""[..]), None), (Some(b"a,b"), Some("{}")), (None, Some("{\"a\":1}"))] {
            let parted = parted(&joined(raw, decoded)).expect("it was joined");
            assert_eq!((parted.0.as_deref(), parted.1.as_deref()), (raw, decoded));
        }
        assert_eq!((parted(b""), parted(&[1, 0, 0, 0, 0, 0, 0, 0, 9, 1])), (None, None));
    }
}
