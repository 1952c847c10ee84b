//! Every code that a problem may have: its status, and what it means. The one table; the document and its page are made from it.
//!
//! A code is a promise: programs tell problems apart by it. It must not know what failed.

use serde::Serialize;
use utoipa::ToSchema;

/// What a problem is, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::api) enum Code {
    AlreadyThere,
    AnswerNotKept,
    BadRequest,
    BodyTooLarge,
    BodyTooSlow,
    Busy,
    CaseDoesNotFitSchema,
    ChangedMeanwhile,
    ConfigurationWrong,
    CredentialsLacking,
    Expired,
    HubFault,
    IdempotencyKey,
    IdempotencyKeyReused,
    InputGone,
    JobUnfit,
    MethodNotAllowed,
    NotBackfilled,
    NotCorrected,
    NotDecided,
    NotFound,
    NotInTime,
    NotResent,
    NotResubmitted,
    NotTried,
    NotVouchedFor,
    NoSuchRuleSet,
    NothingToReplay,
    OutcomeUnknown,
    ReasonMissing,
    ReleaseRefused,
    ScopeMissing,
    TokenMissing,
    TokenRefused,
    TooManyCases,
    TooManyRequests,
    UnderWay,
    WrongState,
}

/// A code with its status and its meaning.
pub(in crate::api) struct Row {
    pub(in crate::api) code: Code,
    pub(in crate::api) status: u16,
    pub(in crate::api) meaning: &'static str,
}

const fn row(code: Code, status: u16, meaning: &'static str) -> Row {
    Row { code, status, meaning }
}

/// All of them, by status.
pub(in crate::api) const TABLE: &[Row] = &[
    row(Code::BadRequest, 400, "the address's parameters or the body are not what the route takes; the detail says what"),
    row(Code::IdempotencyKey, 400, "an Idempotency-Key has 1 to 200 visible characters"),
    row(Code::ReasonMissing, 400, "what changes something says why: the audit trail keeps it"),
    row(Code::TooManyCases, 400, "a request has more cases than may be decided at once"),
    row(Code::TokenMissing, 401, "no token was sent"),
    row(Code::TokenRefused, 401, "the token is not known, was revoked, or has expired"),
    row(Code::NotVouchedFor, 403, "four eyes: another person has to do this, or the release lacks a signature or an approval"),
    row(Code::ScopeMissing, 403, "the token is good, and not for this"),
    row(Code::NotFound, 404, "there is no such thing, or it is another partner's"),
    row(Code::NoSuchRuleSet, 404, "no release of a rule set of that name is active"),
    row(Code::MethodNotAllowed, 405, "the address takes another method: see the header Allow"),
    row(Code::BodyTooSlow, 408, "the body of the request did not come in time"),
    row(Code::AlreadyThere, 409, "there is one of that name, or of that version, already"),
    row(Code::AnswerNotKept, 409, "the Idempotency-Key was used, and its answer held something that is shown once only"),
    row(Code::CredentialsLacking, 409, "the connection names a credential that is not set, or that cannot be opened"),
    row(Code::JobUnfit, 409, "a job does not fit its plugin, or the release"),
    row(Code::NotBackfilled, 409, "the job cannot be run for these days; the detail says why"),
    row(Code::NotCorrected, 409, "the corrected file cannot come back; the detail says why"),
    row(Code::NothingToReplay, 409, "the run has processed no rows that could be processed again"),
    row(Code::NotResent, 409, "the output cannot be sent again; the detail says why"),
    row(Code::NotResubmitted, 409, "a reject among them may not come back; the detail says which and why"),
    row(Code::NotTried, 409, "there is nothing to try the release on, or nothing to compare"),
    row(
        Code::OutcomeUnknown,
        409,
        "the hub failed when this was sent before under the Idempotency-Key: it may be done or not, so look before you send it anew",
    ),
    row(Code::UnderWay, 409, "a request with this Idempotency-Key is being answered: ask again in a moment"),
    row(Code::WrongState, 409, "the thing, as it stands, cannot do this"),
    row(Code::Expired, 410, "the files of the run were given up, as its partner's retention has it"),
    row(Code::InputGone, 410, "a file that the run read is not kept any more"),
    row(Code::ChangedMeanwhile, 412, "If-Match, or a plan, does not hold: something was changed since it was read; read it again"),
    row(Code::BodyTooLarge, 413, "the body is larger than the route takes"),
    row(Code::CaseDoesNotFitSchema, 422, "a case does not fit the rule set's schema; the detail says where"),
    row(
        Code::ConfigurationWrong,
        422,
        "files of a configuration are wrong, or not a partner's to send; the detail says where and what to do",
    ),
    row(Code::IdempotencyKeyReused, 422, "the Idempotency-Key was sent before, with another request"),
    row(Code::NotDecided, 422, "the rule set ended without a decision: a limit was reached, or it trapped"),
    row(
        Code::ReleaseRefused,
        422,
        "the component, its manifest, its imports or its signature is not one that is taken; the detail says why",
    ),
    row(Code::TooManyRequests, 429, "the token calls more often than it may: see Retry-After"),
    row(Code::HubFault, 500, "the hub failed; its own log says why"),
    row(Code::Busy, 503, "the database is busy or away: ask again in a moment"),
    row(Code::NotInTime, 503, "the decision's turn did not come in time: ask again, with fewer cases"),
];

impl Code {
    /// What is known of it.
    pub(in crate::api) fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.code == self).expect("every code has its row, as a test shows")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use utoipa::PartialSchema as _;

    #[test]
    fn every_code_has_one_row_and_rows_stand_by_status() {
        let schema = serde_json::to_value(Code::schema()).expect("a schema is JSON");
        let named: Vec<&str> = schema["enum"].as_array().expect("an enumeration").iter().filter_map(|name| name.as_str()).collect();
        let names: Vec<String> = TABLE
            .iter()
            .map(|row| serde_json::to_value(row.code).expect("a code is text").as_str().unwrap_or_default().to_owned())
            .collect();
        for name in &named {
            assert_eq!(names.iter().filter(|known| known == name).count(), 1, "{name}");
        }
        assert_eq!(names.len(), named.len());
        assert!(TABLE.is_sorted_by_key(|row| row.status));
    }
}
