//! What a form brings.
//!
//! It must not know what is done with it.

use axum::extract::{Form, FromRequest, FromRequestParts as _, Request};

use super::{Fault, Visit};
use crate::console::look::Faults;
use crate::console::look::form::{CONFIRMED_FIELD, CSRF_FIELD, REASON_CHARS_MAX, REASON_FIELD};
use crate::run::Hub;

/// What was filled in, in the order of the form. A field may be there more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    fields: Vec<(String, String)>,
}

/// What a form of this session posted. The form's token has been compared.
#[derive(Debug)]
pub(crate) struct Posted(pub(crate) Answers);

impl Answers {
    pub(crate) const fn new(fields: Vec<(String, String)>) -> Self {
        Self { fields }
    }

    /// What stands in a field, without spaces around it; nothing where it is not there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }

    /// What stands in a field as it was typed, if it is there.
    pub(crate) fn exact(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// All values of a field that may be there more than once.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(field, _)| field == name).map(|(_, value)| value.as_str()).collect()
    }

    /// Every field.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether a person has checked what they filled in.
    pub(crate) fn confirmed(&self) -> bool {
        self.text(CONFIRMED_FIELD) == "yes"
    }

    /// The reason that a person gives for what they do: the audit trail keeps it.
    pub(crate) fn reason(&self) -> Result<&str, Faults> {
        let reason = self.text(REASON_FIELD);
        if reason.is_empty() {
            return Err(Faults::one(REASON_FIELD, "Enter a reason"));
        }
        if reason.chars().count() > REASON_CHARS_MAX as usize {
            return Err(Faults::one(REASON_FIELD, format!("The reason must have {REASON_CHARS_MAX} characters or fewer")));
        }
        Ok(reason)
    }

    /// Whether they came from a page of this session.
    pub(crate) fn come_from(&self, visit: &Visit) -> bool {
        visit.signed_in().csrf_is(self.text(CSRF_FIELD))
    }
}

impl FromRequest<Hub> for Posted {
    type Rejection = Fault;

    async fn from_request(request: Request, hub: &Hub) -> Result<Self, Fault> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, hub).await?;
        let elsewhere = parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
        let request = Request::from_parts(parts, body);
        let Form(fields) = Form::<Vec<(String, String)>>::from_request(request, hub)
            .await
            .map_err(|refused| Fault::Wrong { status: refused.status(), sentence: "This form could not be read.".to_owned() })?;
        let answers = Answers::new(fields);
        if !elsewhere && answers.come_from(&visit) { Ok(Self(answers)) } else { Err(Fault::Stale) }
    }
}
