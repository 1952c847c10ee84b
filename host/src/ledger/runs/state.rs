//! The states of a run, and the words for them.

use std::fmt;
use std::str::FromStr;

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// It waits for a hub, at once or until the time of its next attempt.
    Queued,
    /// A hub is at it, and has not processed all rows.
    Running,
    /// Its outputs are stored, and none has been sent.
    Staged,
    /// Some of its outputs have been sent.
    Delivering,
    /// It is done.
    Closed,
    /// It waits for a person.
    Held,
    /// It failed, and is not tried again by itself.
    Failed,
    /// It did not run.
    Skipped,
    /// A person ended it.
    Cancelled,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Running,
        Self::Staged,
        Self::Delivering,
        Self::Closed,
        Self::Held,
        Self::Failed,
        Self::Skipped,
        Self::Cancelled,
    ];

    /// The word for it, as stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Staged => "staged",
            Self::Delivering => "delivering",
            Self::Closed => "closed",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether a hub holds a lease on it.
    #[must_use]
    pub const fn is_leased(self) -> bool {
        matches!(self, Self::Running | Self::Staged | Self::Delivering)
    }

    /// Whether nothing more happens to it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Closed | Self::Skipped | Self::Cancelled)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no state of a run: it is queued, running, staged, delivering, closed, held, failed, skipped or cancelled")]
pub struct NotAState {
    /// What was given.
    pub text: String,
}

impl FromStr for RunState {
    type Err = NotAState;

    fn from_str(text: &str) -> Result<Self, NotAState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| NotAState { text: text.to_owned() })
    }
}
