//! Personal data: what is kept of a record, and whether whoever looks sees it.
//!
//! It must not know who looks, at what, or how a record is sealed.

use std::fmt;

/// Whether somebody sees personal values as they are. `access::Caller::sight` is where one comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sight {
    /// Dots stand for values that are personal, and for those that no manifest declares.
    #[default]
    Masked,
    /// As they are. That somebody looked so is in the audit trail.
    Full,
}

/// What is kept of a record that was refused or warned about: as it stood in the file, and by columns.
///
/// Whatever shows it to anybody asks `run::View`, which alone opens it and masks it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Kept(Form);

/// How it is kept.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) enum Form {
    /// Not at all: there was no room for it, or its time is over.
    #[default]
    Nothing,
    /// As it is.
    Plain {
        /// As it stood in the file.
        raw: Option<Vec<u8>>,
        /// By columns, as a JSON object.
        decoded: Option<String>,
    },
    /// Under its partner's key.
    Sealed(Vec<u8>),
}

impl Kept {
    /// A record as it is.
    #[must_use]
    pub fn plain(raw: Option<Vec<u8>>, decoded: Option<String>) -> Self {
        if raw.is_none() && decoded.is_none() { Self(Form::Nothing) } else { Self(Form::Plain { raw, decoded }) }
    }

    /// A record under its partner's key.
    #[must_use]
    pub const fn sealed(bytes: Vec<u8>) -> Self {
        Self(Form::Sealed(bytes))
    }

    /// Whether there is nothing of it.
    #[must_use]
    pub const fn is_nothing(&self) -> bool {
        matches!(self.0, Form::Nothing)
    }

    /// For the ledger that stores it, and for the view that opens it.
    pub(crate) const fn form(&self) -> &Form {
        &self.0
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Form::Nothing => "Kept(nothing)",
            Form::Plain { .. } => "Kept(as it is)",
            Form::Sealed(_) => "Kept(sealed)",
        })
    }
}
