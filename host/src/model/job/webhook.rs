//! Partners' own addresses that are told of runs and releases.

use std::path::PathBuf;
use std::str::FromStr;

use crate::model::ids::{PartnerName, SecretName, WebhookName};

/// An address that is told what happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its owner.
    pub partner: PartnerName,
    /// Its name, within its partner.
    pub name: WebhookName,
    /// Where: `https://…`.
    pub url: String,
    /// What it is told, each once.
    pub events: Vec<WebhookEvent>,
    /// The secret by which what is sent is signed.
    pub signing_secret: SecretName,
    /// Whether it may be an address of a private network.
    pub allow_private: bool,
    /// The authority of its certificate; none for those of the web.
    pub ca_file: Option<PathBuf>,
}

/// What an address can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebhookEvent {
    /// A run is done.
    RunClosed,
    /// A run waits for a person to decide.
    RunHeld,
    /// A run failed, and is not tried again by itself.
    RunFailed,
    /// A run did not run: its time was skipped, or there was nothing to do.
    RunSkipped,
    /// A run was not done when it should have been.
    RunOverdue,
    /// A release waits for somebody's approval.
    ReleaseAwaitingApproval,
}

impl WebhookEvent {
    /// Everything.
    pub const ALL: [Self; 6] =
        [Self::RunClosed, Self::RunHeld, Self::RunFailed, Self::RunSkipped, Self::RunOverdue, Self::ReleaseAwaitingApproval];

    /// The word for it, as sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RunClosed => "run.closed",
            Self::RunHeld => "run.held",
            Self::RunFailed => "run.failed",
            Self::RunSkipped => "run.skipped",
            Self::RunOverdue => "run.overdue",
            Self::ReleaseAwaitingApproval => "release.awaiting-approval",
        }
    }
}

impl FromStr for WebhookEvent {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|event| event.as_str() == word).ok_or_else(|| {
            let all = Self::ALL.map(Self::as_str).join(", ");
            format!("{word:?} is nothing that an address is told: write some of {all}")
        })
    }
}
