//! How a call is answered: what it brought, pages and tags, and the one match from errors to problems.
//!
//! ```text
//! codes     every code of a problem, with its status       page   lists, and where they go on
//! extract   what stands in a request                       tag    ETag, If-None-Match, If-Match
//! file      a file as a body, to the disk as it comes, and from it
//! ```

mod codes;
mod extract;
mod file;
mod page;
mod tag;

use axum::Json;
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub(super) use codes::{Code, Row, TABLE};
pub(super) use extract::{Asked, Bearer, Body, Named, caller_of};
pub(super) use file::{file_of, streamed, take_file};
pub(super) use page::{PAGE_ITEMS, Page, Wanted};
pub(super) use tag::{IfMatch, Known, Single};

use crate::access::{Action, Denied, TurnedAway};
use crate::ledger::LedgerError;
use crate::registry::source::{self, Problems};
use crate::run::{ReleaseError, RunError};

/// Longest reason, in characters.
const REASON_CHARS_MAX: usize = 1_000;

/// A problem as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Always `about:blank`: the code says what it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What it is, for programs. It does not change.
    code: Code,
    /// What it is, for people: with names, limits, and what to do.
    detail: String,
    /// The permission that lacks, for the audit trail.
    #[serde(skip)]
    lacks: Option<Action>,
}

impl Problem {
    pub(super) fn new(code: Code, detail: impl Into<String>) -> Self {
        let status = code.row().status;
        let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Problem");
        Self { kind: "about:blank", title, status, code, detail: detail.into(), lacks: None }
    }

    /// Whether it is the one of a code.
    pub(super) fn is(&self, code: Code) -> bool {
        self.code == code
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {what}"))
    }

    const fn turned_away(&self) -> Option<TurnedAway> {
        match (self.code, self.lacks) {
            (Code::ScopeMissing, Some(action)) => Some(TurnedAway::MayNot(action)),
            (Code::NotFound, _) => Some(TurnedAway::NotThere),
            _ => None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(turned_away) = self.turned_away() {
            response.extensions_mut().insert(turned_away);
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        let code = match &error {
            LedgerError::Busy | LedgerError::Away(_) | LedgerError::JudgedMeanwhile { .. } => Code::Busy,
            LedgerError::NotFound { .. } | LedgerError::NoSuchJob { .. } | LedgerError::NoSuchRelease { .. } => Code::NotFound,
            LedgerError::WrongState { .. } | LedgerError::LeaseLost { .. } => Code::WrongState,
            LedgerError::ChangedMeanwhile { .. } => Code::ChangedMeanwhile,
            LedgerError::NotResubmitted { .. } => Code::NotResubmitted,
            LedgerError::AlreadyThere { .. } | LedgerError::VersionDiffers { .. } | LedgerError::FileTaken { .. } => Code::AlreadyThere,
            LedgerError::StillUsed { .. } | LedgerError::StateMoved { .. } | LedgerError::OtherStands { .. } => Code::WrongState,
            LedgerError::OwnWork { .. } | LedgerError::NotAPerson { .. } | LedgerError::NotVouchedFor { .. } => Code::NotVouchedFor,
            LedgerError::CannotOpen { .. } | LedgerError::Store(_) | LedgerError::Corrupt { .. } => return hub_fault(&error),
        };
        Self::new(code, error.to_string())
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        let code = match &error {
            RunError::NoRelease { .. } | RunError::NotARuleSet { .. } => Code::NoSuchRuleSet,
            RunError::BadCase { .. } => Code::CaseDoesNotFitSchema,
            RunError::NotCorrected { .. } => Code::NotCorrected,
            RunError::FileTooLarge { .. } => Code::BodyTooLarge,
            RunError::Expired { .. } => Code::Expired,
            RunError::InputGone { .. } => Code::InputGone,
            RunError::NotResent { .. } => Code::NotResent,
            RunError::NotInTime { .. } => Code::NotInTime,
            RunError::Call(_) => Code::NotDecided,
            RunError::NothingToReplay { .. } => Code::NothingToReplay,
            RunError::NotBackfilled { .. } | RunError::Schedule { .. } => Code::NotBackfilled,
            RunError::NoConnection { .. } | RunError::NoWebhook { .. } => Code::NotFound,
            RunError::NoSecret { .. } => Code::CredentialsLacking,
            RunError::JobUnfit { .. } => Code::JobUnfit,
            RunError::Configuration(problems) => return Self::new(Code::ConfigurationWrong, told(problems)),
            RunError::Release(error) => release_code(error),
            RunError::Ledger(_) => {
                let RunError::Ledger(error) = error else { unreachable!("it was one just now") };
                return error.into();
            }
            error if error.is_of_component() => Code::ReleaseRefused,
            _ => return hub_fault(&error),
        };
        Self::new(code, error.to_string())
    }
}

/// What is wrong in files, a line each.
fn told(problems: &Problems) -> String {
    let line = |problem: &source::Problem| {
        let at = problem.line().map_or_else(String::new, |line| format!(":{line}"));
        format!("{}{at}: {}; {}", problem.file(), problem.what(), problem.to_do())
    };
    problems.as_slice().iter().map(line).collect::<Vec<_>>().join("\n")
}

fn release_code(error: &ReleaseError) -> Code {
    match error {
        ReleaseError::NoPartner { .. } | ReleaseError::NotOne { .. } => Code::NotFound,
        ReleaseError::Unsigned { .. }
        | ReleaseError::UnknownKey { .. }
        | ReleaseError::RevokedKey { .. }
        | ReleaseError::Signature(_)
        | ReleaseError::CasesFail { .. }
        | ReleaseError::CasesUnplayable { .. } => Code::ReleaseRefused,
        ReleaseError::NotApproved { .. } | ReleaseError::NotGranted { .. } => Code::NotVouchedFor,
        ReleaseError::NotForThis { .. } | ReleaseError::NoCanary { .. } => Code::BadRequest,
        ReleaseError::OtherReview { .. } | ReleaseError::OtherTrials { .. } => Code::WrongState,
        ReleaseError::NothingToTry { .. } | ReleaseError::NotATrial { .. } => Code::NotTried,
        ReleaseError::JobsUnfit { .. } | ReleaseError::NoneFits { .. } => Code::JobUnfit,
    }
}

/// What is the hub's own affair is logged, not told.
pub(super) fn hub_fault(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a call failed");
    Problem::new(Code::HubFault, "the hub could not do this; its log says why")
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let sentence = format!("this token may not be used to {}", denied.action);
        Self { lacks: Some(denied.action), ..Self::new(Code::ScopeMissing, sentence) }
    }
}

/// What the caller sent and cannot be read.
pub(super) fn bad_request(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Code::BadRequest, error.to_string())
}

/// A reason that says something.
pub(super) fn reason(text: &str) -> Result<&str, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > REASON_CHARS_MAX {
        let sentence = format!("send a \"reason\" of 1 to {REASON_CHARS_MAX} characters: the audit trail keeps it");
        return Err(Problem::new(Code::ReasonMissing, sentence));
    }
    Ok(text)
}
