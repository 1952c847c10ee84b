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

use serde_json::Value;

use super::Hub;
use super::failure::RunError;
use super::pull::Columns;
use crate::ledger::{By, LedgerError, Scope, StoredFinding};
use crate::model::ids::RunId;
use crate::model::personal::{Form, Sight};
use crate::registry::masking::DOTS;

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
}

impl Hub {
    /// How somebody sees the rows of a run. Where they see personal values as they are, that is in the audit trail, once an hour.
    ///
    /// # Errors
    /// [`RunError::Ledger`] if there is no such run within the scope; [`RunError`] if its release or its partner's keys cannot be read.
    pub async fn view(&self, run: RunId, look: Look<'_>) -> Result<View, RunError> {
        let missing = || LedgerError::NotFound { what: "run", name: run.to_string() };
        let seen = self.ledger().run(look.scope, run).await?.ok_or_else(missing)?;
        if look.sight == Sight::Full {
            self.ledger().note_sight(seen.partner(), run, look.by).await?;
        }
        Ok(View { sight: look.sight, columns: self.columns(run).await? })
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
            Form::Sealed(_) => Ok((None, None)),
        }
    }
}
