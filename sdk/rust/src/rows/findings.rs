//! What a plugin finds about rows: why one is rejected, skipped, or to be looked at.

use std::borrow::Cow;

use crate::failure::Failure;
use crate::values::Overflow;
use crate::wire;

/// One thing found about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Short, stable, lower case with hyphens: `ni-number-invalid`.
    pub code: Cow<'static, str>,
    /// One sentence that a clerk understands. Do not quote values of personal columns.
    pub message: Cow<'static, str>,
    /// The column that it concerns, if it concerns one.
    pub column: Option<Cow<'static, str>>,
}

impl Reason {
    /// A reason that concerns the whole row.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.into(), message: message.into(), column: None }
    }

    /// Names the column that it concerns.
    #[must_use]
    pub fn column(mut self, column: impl Into<Cow<'static, str>>) -> Self {
        self.column = Some(column.into());
        self
    }
}

/// Why a row is refused: one reason or several. It waits in quarantine and appears in no output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The reasons, at least one.
    reasons: Vec<Reason>,
}

impl Reject {
    /// Refuses a row for one reason.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Reason::new(code, message).into()
    }

    /// Names the column that the last reason concerns.
    #[must_use]
    pub fn column(mut self, column: impl Into<Cow<'static, str>>) -> Self {
        if let Some(last) = self.reasons.last_mut() {
            last.column = Some(column.into());
        }
        self
    }

    /// Adds further reasons, so that a clerk mends a row once and not once for each mistake.
    #[must_use]
    pub fn and(mut self, more: impl Into<Self>) -> Self {
        self.reasons.extend(more.into().reasons);
        self
    }

    /// All the reasons as one refusal; none where there are none.
    #[must_use]
    pub fn all(reasons: Vec<Reason>) -> Option<Self> {
        if reasons.is_empty() { None } else { Some(Self { reasons }) }
    }

    /// The reasons, at least one.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    pub(crate) fn into_reasons(self) -> Vec<Reason> {
        self.reasons
    }
}

impl From<Reason> for Reject {
    fn from(reason: Reason) -> Self {
        Self { reasons: vec![reason] }
    }
}

impl From<Overflow> for Reject {
    fn from(_: Overflow) -> Self {
        Self::new("amount-too-large", "An amount in this row is too large to be worked with.")
    }
}

/// What was found since the last call ended, in the order in which it was found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) list: Vec<wire::Finding>,
    /// The first defect that the SDK found in the plugin. The call fails of it, whatever the plugin answers.
    pub(crate) defect: Option<Failure>,
}

impl Findings {
    /// Notes one; a column that the input does not declare is a defect.
    #[cold]
    pub(crate) fn add(&mut self, input: (u32, &wire::Port), row: u64, effect: wire::Effect, reasons: Vec<Reason>) {
        let (place, port) = input;
        let place_of = |name: &str| (0..).zip(&port.columns).find(|(_, column)| column.name == name).map(|(place, _)| place);
        let mut found = Vec::with_capacity(reasons.len());
        for reason in reasons {
            let column = match &reason.column {
                None => None,
                Some(name) => match place_of(name) {
                    Some(place) => Some(place),
                    None => {
                        return self.defect(Failure::defect(
                            "finding-column-unknown",
                            format!("A finding {} names column {name}, which input {} does not declare.", reason.code, port.name),
                        ));
                    }
                },
            };
            found.push(wire::Reason { column, code: reason.code.into_owned(), message: reason.message.into_owned() });
        }
        self.list.push(wire::Finding { input: place, row, effect, reasons: found });
    }

    /// Notes a defect, unless there is one already.
    #[cold]
    pub(crate) fn defect(&mut self, failure: Failure) {
        self.defect.get_or_insert(failure);
    }
}
