//! Why there is no page, as a page.
//!
//! What is the hub's own affair is logged, not told. It must not know any other page.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

use crate::access::{Denied, TurnedAway};
use crate::console::look::{Frame, Page};
use crate::ledger::LedgerError;
use crate::run::RunError;

/// Why there is no page.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Nobody is signed in: what leads them there.
    SignIn(Box<Response>),
    /// There is nothing here that they may see.
    NotFound,
    /// It is for those who keep the hub, and so not there for anybody else.
    KeepersOnly,
    /// They may look, and not do this.
    Denied(Denied),
    /// The form is not of their session.
    Stale,
    /// What they sent or asked for cannot be. A sentence for a person.
    Wrong {
        /// The answer's status.
        status: StatusCode,
        /// What is wrong.
        sentence: String,
    },
    /// The hub failed, and has logged why.
    Hub,
}

impl Fault {
    /// Something cannot be done as things stand.
    pub(crate) fn conflict(sentence: impl Into<String>) -> Self {
        Self::Wrong { status: StatusCode::CONFLICT, sentence: sentence.into() }
    }

    /// What is the hub's own affair is logged.
    pub(crate) fn hub(error: &dyn std::fmt::Display) -> Self {
        tracing::error!(%error, "a page failed");
        Self::Hub
    }

    /// What a person reads beside the field or on the page: a sentence where the fault is theirs to mend, else none.
    pub(crate) fn sentence(&self) -> Option<&str> {
        match self {
            Self::Wrong { sentence, .. } => Some(sentence),
            Self::SignIn(_) | Self::NotFound | Self::KeepersOnly | Self::Denied(_) | Self::Stale | Self::Hub => None,
        }
    }
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        match &error {
            LedgerError::NotFound { .. } | LedgerError::NoSuchJob { .. } | LedgerError::NoSuchRelease { .. } => Self::NotFound,
            LedgerError::Busy | LedgerError::Away(_) => {
                Self::Wrong { status: StatusCode::SERVICE_UNAVAILABLE, sentence: "The hub is busy. Try again in a moment.".to_owned() }
            }
            LedgerError::CannotOpen { .. } | LedgerError::Store(_) | LedgerError::Corrupt { .. } => Self::hub(&error),
            _ => Self::conflict(sentence(&error)),
        }
    }
}

impl Fault {
    const fn turned_away(&self) -> Option<TurnedAway> {
        match self {
            Self::NotFound => Some(TurnedAway::NotThere),
            Self::KeepersOnly => Some(TurnedAway::KeepersOnly),
            Self::Denied(denied) => Some(TurnedAway::MayNot(denied.action)),
            Self::Stale => Some(TurnedAway::ForeignForm),
            Self::SignIn(_) | Self::Wrong { .. } | Self::Hub => None,
        }
    }
}

impl From<RunError> for Fault {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Ledger(error) => error.into(),
            RunError::Expired { .. } | RunError::InputGone { .. } => Self::Wrong { status: StatusCode::GONE, sentence: sentence(&error) },
            RunError::FileTooLarge { .. } => Self::Wrong { status: StatusCode::PAYLOAD_TOO_LARGE, sentence: sentence(&error) },
            RunError::NotInTime { .. } => Self::Wrong { status: StatusCode::SERVICE_UNAVAILABLE, sentence: sentence(&error) },
            RunError::NoRelease { .. }
            | RunError::NotARuleSet { .. }
            | RunError::BadCase { .. }
            | RunError::NotCorrected { .. }
            | RunError::NotResent { .. }
            | RunError::NothingToReplay { .. }
            | RunError::NotBackfilled { .. }
            | RunError::Schedule { .. }
            | RunError::Release(_)
            | RunError::JobUnfit { .. }
            | RunError::Call(_) => Self::conflict(sentence(&error)),
            error => Self::hub(&error),
        }
    }
}

/// An error's words as a sentence.
fn sentence(error: &dyn std::fmt::Display) -> String {
    let mut text = error.to_string();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    if !text.ends_with(['.', '?', '!']) {
        text.push('.');
    }
    text
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let turned_away = self.turned_away();
        let mut response = self.page();
        if let Some(turned_away) = turned_away {
            response.extensions_mut().insert(turned_away);
        }
        response
    }
}

impl Fault {
    fn page(self) -> Response {
        let told = |status, title: &str, content| Page::new(Frame::default(), title).status(status).body(content);
        match self {
            Self::SignIn(led) => *led,
            Self::NotFound | Self::KeepersOnly => told(
                StatusCode::NOT_FOUND,
                "Page not found",
                html! {
                    p { "If you typed the address, check that it is right." }
                    p { "If you followed a link, what it led to may belong to a partner where you have no role, or may be gone." }
                    p { a href="/" { "Go to the overview" } }
                },
            ),
            Self::Denied(denied) => told(
                StatusCode::FORBIDDEN,
                "You may not do this",
                html! {
                    p { "Your roles at this partner do not allow it: it needs the permission “" (denied.action) "”." }
                    p { "Somebody who keeps people at " (denied.partner) " can give you a role that does." }
                    p { a href=(format!("/p/{}", denied.partner)) { "Go to the overview" } }
                },
            ),
            Self::Stale => told(
                StatusCode::FORBIDDEN,
                "This page has grown old",
                html! {
                    p { "The form was not sent from a page of your session, so nothing was done." }
                    p { "Go back, load the page again, and send it once more. You may have to sign in first." }
                    p { a href="/" { "Go to the overview" } }
                },
            ),
            Self::Wrong { status, sentence } => {
                let title =
                    if status == StatusCode::SERVICE_UNAVAILABLE { "The hub cannot do this just now" } else { "This cannot be done" };
                told(
                    status,
                    title,
                    html! {
                        p { (sentence) }
                        p { "Nothing was changed. Go back to the page that you came from, and look at how things stand now." }
                        p { a href="/" { "Go to the overview" } }
                    },
                )
            }
            Self::Hub => told(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Sorry, there is a problem with the hub",
                html! {
                    p { "The hub could not answer. Its log says why." }
                    p { "Try again later. Nothing that was done before is lost." }
                    p { a href="/" { "Go to the overview" } }
                },
            ),
        }
    }
}

/// A defect: told as any other that is the hub's own.
pub(crate) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    Fault::hub(&"a page panicked").into_response()
}
