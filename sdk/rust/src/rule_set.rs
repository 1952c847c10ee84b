//! What a rule set is, and what it decides.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::adapter::read_settings;
use crate::failure::Failure;
use crate::hub::{Hub, TableVersion};
use crate::values::{Date, Money};

/// A plugin that turns a case into a decision. Each decision stands by itself: nothing is kept from one to the next.
pub trait RuleSet: Sized + 'static {
    /// The job's settings, read from JSON that the hub has validated against the schema in the manifest; `()` where there are none.
    type Settings: DeserializeOwned + 'static;

    /// A case, read from JSON that the hub has validated against the schema in the manifest.
    type Case: DeserializeOwned + 'static;

    /// Decides a case. Every table that it opens on `hub` is named in the decision by the SDK.
    ///
    /// # Errors
    /// Whatever makes deciding senseless. A rule that cannot be applied for want of data is no failure:
    /// it is a reason with the verdict [`Verdict::CannotCheck`].
    fn decide(case: &Self::Case, settings: &Self::Settings, hub: &Hub) -> Result<Decision, Failure>;
}

/// What one rule made of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The rule was applied and is content.
    Pass,
    /// The rule was applied and a person must look.
    Refer,
    /// The rule was applied and is against.
    Fail,
    /// The rule could not be applied, for want of data. This is never a pass.
    CannotCheck,
    /// The rule decided how the case is handled; it judges nothing.
    Applies,
}

/// Why a decision is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleReason {
    /// The rule, stable, lower case with hyphens: `vat-number-check-digits`.
    pub rule: Cow<'static, str>,
    /// What it made of the case.
    pub verdict: Verdict,
    /// One sentence that a clerk understands.
    pub text: Cow<'static, str>,
    /// What in the case it rests on, as JSON Pointers (RFC 6901): `/supplier/vat_number`.
    pub evidence: Vec<Cow<'static, str>>,
}

impl RuleReason {
    /// A reason with a verdict that is worked out.
    pub fn new(rule: impl Into<Cow<'static, str>>, verdict: Verdict, text: impl Into<Cow<'static, str>>) -> Self {
        Self { rule: rule.into(), verdict, text: text.into(), evidence: Vec::new() }
    }

    /// The rule was applied and is content.
    pub fn pass(rule: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(rule, Verdict::Pass, text)
    }

    /// The rule was applied and a person must look.
    pub fn refer(rule: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(rule, Verdict::Refer, text)
    }

    /// The rule was applied and is against.
    pub fn fail(rule: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(rule, Verdict::Fail, text)
    }

    /// The rule could not be applied, for want of data.
    pub fn cannot_check(rule: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(rule, Verdict::CannotCheck, text)
    }

    /// The rule decided how the case is handled.
    pub fn applies(rule: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(rule, Verdict::Applies, text)
    }

    /// Names something in the case that it rests on, as a JSON Pointer.
    #[must_use]
    pub fn on(mut self, pointer: impl Into<Cow<'static, str>>) -> Self {
        self.evidence.push(pointer.into());
        self
    }
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What, stable, lower case with hyphens: `notify`, `acknowledge`, `call-back`.
    pub kind: Cow<'static, str>,
    /// By whom or to whom.
    pub party: Cow<'static, str>,
    /// One sentence that a clerk understands.
    pub text: Cow<'static, str>,
    /// By when at the latest.
    pub due: Option<Date>,
}

impl Action {
    /// Something to be done, without a date.
    pub fn new(kind: impl Into<Cow<'static, str>>, party: impl Into<Cow<'static, str>>, text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: kind.into(), party: party.into(), text: text.into(), due: None }
    }

    /// By when at the latest.
    #[must_use]
    pub const fn by(mut self, due: Date) -> Self {
        self.due = Some(due);
        self
    }
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// One of the outcomes that the manifest declares.
    pub outcome: Cow<'static, str>,
    /// Why, in the order in which the rules were applied.
    pub reasons: Vec<RuleReason>,
    /// What is to be done, in the order in which it falls due.
    pub actions: Vec<Action>,
    /// The figures that the manifest declares, and their amounts.
    pub figures: Vec<(Cow<'static, str>, Money)>,
}

impl Decision {
    /// A decision without reasons yet.
    pub fn new(outcome: impl Into<Cow<'static, str>>) -> Self {
        Self { outcome: outcome.into(), reasons: Vec::new(), actions: Vec::new(), figures: Vec::new() }
    }

    /// Adds a reason.
    #[must_use]
    pub fn because(mut self, reason: RuleReason) -> Self {
        self.reasons.push(reason);
        self
    }

    /// Adds reasons that were collected on the way.
    #[must_use]
    pub fn because_of(mut self, reasons: impl IntoIterator<Item = RuleReason>) -> Self {
        self.reasons.extend(reasons);
        self
    }

    /// Adds something to be done.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    /// Fixes a figure.
    #[must_use]
    pub fn figure(mut self, name: impl Into<Cow<'static, str>>, amount: Money) -> Self {
        self.figures.push((name.into(), amount));
        self
    }
}

/// Decides a case given as JSON, and tells which tables that took.
pub(crate) fn decide<R: RuleSet>(
    case: &str,
    settings: impl FnOnce() -> String,
    hub: &Hub,
) -> Result<(Decision, Vec<TableVersion>), Failure> {
    let settings = read_settings::<R::Settings>(settings)?;
    let case: R::Case = serde_json::from_str(case).map_err(|error| {
        // Its message can quote the case, which can be personal: only the place is told.
        let (line, column) = (error.line(), error.column());
        Failure::defect(
            "case-unreadable",
            format!("The case passes its schema and does not fit the plugin's type, at line {line}, column {column} of its JSON."),
        )
    })?;
    let decision = R::decide(&case, &settings, hub)?;
    Ok((decision, hub.take_opened()))
}
