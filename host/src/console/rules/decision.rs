//! A decision on a page: what comes of the case, why, what is to be done, and which versions of tables it rests on.
//!
//! It must not know how it was decided.

use maud::{Markup, html};
use serde_json::Value;

use super::schema::Fields;
use crate::console::look::{Column, Figures, Table, Tone, digest, tag, words};
use crate::model::ids::Digest;
use crate::model::outcome::{Decision, Verdict};

/// A decision with what it was made of.
pub(super) struct Shown<'a> {
    pub(super) decision: &'a Decision,
    pub(super) release: Digest,
    pub(super) fields: Fields<'a>,
    pub(super) case: &'a Value,
}

impl Shown<'_> {
    /// All of it.
    pub(super) fn markup(&self) -> Markup {
        let decision = self.decision;
        let figures = decision
            .figures
            .iter()
            .fold(Figures::new().figure(Tone::Busy, words::spaced(&decision.outcome), "Outcome"), |figures, (name, amount)| {
                figures.figure(Tone::Quiet, words::pounds(*amount), words::spaced(name))
            });
        html! {
            section aria-labelledby="decision" {
                h2 id="decision" { "Decision" }
                (figures)
                (self.reasons())
                (self.actions())
                (self.tables())
                p class="quiet" { "Decided by release " (digest(&self.release)) ". Nothing was kept or delivered." }
            }
        }
    }

    fn reasons(&self) -> Markup {
        let mut table = Table::new("Why", ["Rule", "Verdict", "Reason", "It rests on"].map(Column::words));
        for reason in &self.decision.reasons {
            let (tone, verdict) = told(reason.verdict);
            table.push([
                html! { (words::spaced(&reason.rule)) },
                tag(tone, verdict),
                html! { (reason.text) },
                html! { @for pointer in &reason.evidence { (self.evidence(pointer)) } },
            ]);
        }
        html! { (table.empty("The rule set gave no reasons.")) }
    }

    /// A link to the field of the form below, with what stands there.
    fn evidence(&self, pointer: &str) -> Markup {
        let value = match self.case.pointer(pointer) {
            None | Some(Value::Null) => Some("not said".to_owned()),
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Bool(yes)) => Some(if *yes { "yes" } else { "no" }.to_owned()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Array(_) | Value::Object(_)) => None,
        };
        html! {
            div {
                a class="plain" href=(format!("#{pointer}")) { (self.fields.title(pointer)) }
                @if let Some(value) = value { ": " (value) }
            }
        }
    }

    fn actions(&self) -> Markup {
        let mut table = Table::new("What is to be done", ["What", "By or to whom", "By when", "In words"].map(Column::words));
        for action in &self.decision.actions {
            table.push([
                html! { (words::spaced(&action.kind)) },
                html! { (words::spaced(&action.party)) },
                html! { @if let Some(due) = action.due { (date(due)) } @else { "No date" } },
                html! { (action.text) },
            ]);
        }
        html! { (table.empty("Nothing is to be done.")) }
    }

    fn tables(&self) -> Markup {
        let mut table = Table::new("Tables that it rests on", ["Table", "Version", "In force"].map(Column::words));
        for version in &self.decision.tables {
            table.push([
                html! { (words::spaced(&version.table)) },
                html! { (version.version) },
                html! {
                    "from " (date(version.effective_from))
                    @if let Some(last) = version.effective_to { " to " (date(last)) }
                },
            ]);
        }
        html! { (table.empty("It looked nothing up.")) }
    }
}

/// What a rule made of the case, in a word.
const fn told(verdict: Verdict) -> (Tone, &'static str) {
    match verdict {
        Verdict::Pass => (Tone::Good, "Pass"),
        Verdict::Refer => (Tone::Attention, "Refer"),
        Verdict::Fail => (Tone::Bad, "Fail"),
        Verdict::CannotCheck => (Tone::Attention, "Cannot check"),
        Verdict::Applies => (Tone::Busy, "Applies"),
    }
}

fn date(day: jiff::civil::Date) -> Markup {
    html! { time datetime=(day) { (day.strftime("%-d %B %Y").to_string()) } }
}
