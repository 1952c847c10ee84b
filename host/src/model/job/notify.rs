//! Who is told of a job's runs, and of what.

use std::str::FromStr;

use crate::model::ids::ConnectionName;

/// Who is told of a job's runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// The mail server.
    pub connection: ConnectionName,
    /// The addresses.
    pub to: Vec<String>,
    /// What they are told, each once.
    pub on: Vec<Told>,
}

/// What people can be told of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Told {
    /// It waits for a person to decide.
    Held,
    /// It failed, and is not tried again by itself.
    Failed,
    /// Everything was delivered.
    Delivered,
    /// It did not run.
    Skipped,
    /// It was not done when it should have been.
    Overdue,
}

impl Told {
    /// Everything.
    pub const ALL: [Self; 5] = [Self::Held, Self::Failed, Self::Delivered, Self::Skipped, Self::Overdue];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Skipped => "skipped",
            Self::Overdue => "overdue",
        }
    }
}

/// Not a word for anything that people are told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is nothing that people are told")]
pub struct NotTold(String);

impl FromStr for Told {
    type Err = NotTold;

    fn from_str(word: &str) -> Result<Self, NotTold> {
        Self::ALL.into_iter().find(|told| told.as_str() == word).ok_or_else(|| NotTold(word.to_owned()))
    }
}
