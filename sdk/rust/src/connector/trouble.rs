//! Why a session with a provider goes no further, by who can mend it.

use std::fmt;

use super::HttpError;
use crate::failure::{Failure, Problem};
use crate::wire;

/// Why a session with a provider goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Another attempt may go better: the provider is not there, or busy. The hub tries the run again, later.
    TryLater {
        /// Why.
        problem: Problem,
        /// How many seconds the provider asks to be left alone, if it says.
        seconds: Option<u32>,
    },
    /// The provider says no, and will again. A person looks.
    Refused(Problem),
    /// The fault is not the provider's.
    Failed(Failure),
}

impl Trouble {
    /// Another attempt may go better.
    pub fn try_later(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::TryLater { problem: Problem { code: code.into(), message: message.into() }, seconds: None }
    }

    /// The provider says no, and will again.
    pub fn refused(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Refused(Problem { code: code.into(), message: message.into() })
    }

    /// The word for it that `expect-failure` in a case uses.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::TryLater { .. } => "try-later",
            Self::Refused(_) => "refused",
            Self::Failed(failure) => failure.kind(),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<HttpError> for Trouble {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::TimedOut => Self::try_later("provider-timed-out", "The provider did not answer in time."),
            HttpError::Unreachable(why) => Self::try_later("provider-unreachable", format!("The provider was not reached: {why}.")),
            HttpError::Broken(why) => Self::try_later("provider-broke-off", format!("The connection broke: {why}.")),
            HttpError::TooLarge(bytes) => Self::refused(
                "answer-too-large",
                format!("The provider's answer has more than {bytes} bytes: ask for smaller pages, or raise answer-bytes-max."),
            ),
            HttpError::NotAllowed(why) => Self::refused("request-not-allowed", format!("The request was not made: {why}.")),
            HttpError::RedirectRefused(why) => Self::refused("redirect-refused", format!("A redirect was not followed: {why}.")),
            HttpError::NotSignedIn(why) => {
                Self::refused("not-signed-in", format!("The provider does not accept the hub's credentials: {why}."))
            }
            HttpError::ForbiddenHeader(name) => {
                Failure::defect("header-forbidden", format!("The connector sets the header {name}, which is the hub's alone.")).into()
            }
            HttpError::Malformed(why) => Failure::defect("request-malformed", format!("The connector makes no request: {why}.")).into(),
        }
    }
}

impl From<Trouble> for wire::connector::ConnectorFailure {
    fn from(trouble: Trouble) -> Self {
        let wire = |problem: Problem| wire::Problem { code: problem.code, message: problem.message };
        match trouble {
            Trouble::TryLater { problem, seconds } => Self::TryLater(wire::connector::Pause { problem: wire(problem), seconds }),
            Trouble::Refused(problem) => Self::Refused(wire(problem)),
            Trouble::Failed(failure) => Self::Failed(failure.into()),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TryLater { problem, .. } => write!(f, "the provider cannot be asked now: {} ({})", problem.message, problem.code),
            Self::Refused(problem) => write!(f, "the provider says no: {} ({})", problem.message, problem.code),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for Trouble {}
