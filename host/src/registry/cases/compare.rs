//! What happened against what was expected, as text that shows where they part.

use std::fmt::{self, Write as _};

use serde_json::Value;

use crate::model::manifest::AdapterShape;
use crate::model::outcome::{Decision, Effect, Finding, PluginFailure};

use super::load::FINDINGS_HEADER;
use super::{AdapterCase, AdapterHappened, Expected, FailureKind, RuleCase, decision_json};

/// Differing lines that are shown of one file; the others are counted.
const LINES_SHOWN_MAX: usize = 10;

/// One way in which a case did not come out as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What differs: `expected/return.csv`, `failure`, the name of a case.
    pub place: String,
    /// What was expected and what happened, over several lines.
    pub text: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// Compares what an adapter did with its case. Nothing in the answer means that the case passed.
#[must_use]
pub fn compare_adapter(case: &AdapterCase, happened: &AdapterHappened, shape: &AdapterShape) -> Vec<Difference> {
    if case.expect_failure.is_some() || happened.failure.is_some() {
        return failure(case.expect_failure, happened.failure.as_ref()).into_iter().collect();
    }
    let mut differences = Vec::new();
    for port in &shape.outputs {
        let written = |outputs: &[(String, Vec<u8>)]| outputs.iter().find(|(name, _)| *name == port.name).map(|(_, bytes)| bytes.clone());
        let place = format!("expected/{}.csv", port.name);
        let got = written(&happened.outputs).unwrap_or_default();
        match written(&case.outputs) {
            Some(expected) if expected == got => {}
            Some(expected) => differences.push(Difference { place, text: lines_apart(&expected, &got) }),
            None if got.split_inclusive(|byte| *byte == b'\n').count() <= 1 => {}
            None => differences
                .push(Difference { text: format!("there is no such file, and the plugin wrote rows:\n{}", lines_apart(b"", &got)), place }),
        }
    }
    let got = findings_lines(shape, &happened.findings);
    if got != case.findings {
        let text = lines_apart(with_header(&case.findings).as_bytes(), with_header(&got).as_bytes());
        differences.push(Difference { place: "expected/findings.csv".to_owned(), text });
    }
    differences
}

/// Compares what a rule set answered with its case. Nothing in the answer means that the case passed.
#[must_use]
pub fn compare_rule_set(case: &RuleCase, happened: &Result<Decision, PluginFailure>) -> Vec<Difference> {
    let (decision, (subset, absent)) = match (&case.expected, happened) {
        (Expected::Failure(kind), happened) => return named(case, failure(Some(*kind), happened.as_ref().err())),
        (Expected::Decision { .. }, Err(error)) => return named(case, failure(None, Some(error))),
        (Expected::Decision { subset, absent }, Ok(decision)) => (decision_json(decision), (subset, absent)),
    };
    let mut texts = Vec::new();
    if let Some(subset) = subset {
        missing(subset, &decision, &mut String::new(), &mut texts);
    }
    if let Some(absent) = absent {
        let mut parts = Vec::new();
        missing(absent, &decision, &mut String::new(), &mut parts);
        if parts.is_empty() {
            texts.push(format!("the decision has what must be absent: {absent}"));
        }
    }
    if !texts.is_empty() {
        texts.push(format!("the decision was {decision:#}"));
    }
    let text = texts.join("\n");
    named(case, (!text.is_empty()).then(|| Difference { place: String::new(), text }))
}

/// Findings as `findings.csv` has them: one line a reason, in the order in which they were found.
#[must_use]
pub fn findings_csv(shape: &AdapterShape, findings: &[Finding]) -> String {
    with_header(&findings_lines(shape, findings))
}

fn named(case: &RuleCase, difference: Option<Difference>) -> Vec<Difference> {
    difference.into_iter().map(|difference| Difference { place: case.name.clone(), ..difference }).collect()
}

pub(super) fn failure(expected: Option<FailureKind>, happened: Option<&PluginFailure>) -> Option<Difference> {
    let text = match (expected, happened) {
        (None, None) => return None,
        (Some(expected), Some(happened)) if FailureKind::of(happened) == expected => return None,
        (Some(expected), None) => format!("expected {}, and the plugin did not fail", expected.word()),
        (Some(expected), Some(happened)) => {
            format!("expected {}, and the plugin failed of {}: {happened}", expected.word(), FailureKind::of(happened).word())
        }
        (None, Some(happened)) => format!("the plugin failed of {}: {happened}", FailureKind::of(happened).word()),
    };
    Some(Difference { place: "failure".to_owned(), text })
}

fn with_header(lines: &[String]) -> String {
    lines.iter().fold(format!("{FINDINGS_HEADER}\n"), |text, line| text + line + "\n")
}

fn findings_lines(shape: &AdapterShape, findings: &[Finding]) -> Vec<String> {
    let lines = findings.iter().flat_map(|finding| {
        let input = shape.inputs.get(finding.input).map_or("?", |port| port.name.as_str());
        let effect = match finding.effect {
            Effect::Reject => "reject",
            Effect::Skip => "skip",
            Effect::Warn => "warn",
        };
        finding
            .reasons
            .iter()
            .map(move |reason| format!("{input},{},{effect},{},{}", finding.row, reason.column.as_deref().unwrap_or(""), reason.code))
    });
    lines.collect()
}

/// The lines in which two files part, with their numbers.
pub(super) fn lines_apart(expected: &[u8], got: &[u8]) -> String {
    let lines = |bytes: &[u8]| -> Vec<String> {
        bytes.split_inclusive(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    };
    let (expected, got) = (lines(expected), lines(got));
    let show = |line: Option<&String>| {
        line.map_or_else(|| "(no line)".to_owned(), |line| line.trim_end_matches('\n').escape_debug().to_string().replace("\\\"", "\""))
    };
    let apart: Vec<_> = (0..expected.len().max(got.len())).filter(|place| expected.get(*place) != got.get(*place)).collect();
    let mut text = format!("{} of {} lines differ", apart.len(), expected.len().max(got.len()));
    for place in apart.iter().take(LINES_SHOWN_MAX) {
        let (mut wanted, mut had) = (show(expected.get(*place)), show(got.get(*place)));
        if wanted == had {
            // The lines are the same but for their ends.
            (wanted, had) = (format!("{:?}", expected.get(*place)), format!("{:?}", got.get(*place)));
        }
        let _ = write!(text, "\n  line {}\n    expected {wanted}\n    got      {had}", place + 1);
    }
    if apart.len() > LINES_SHOWN_MAX {
        let _ = write!(text, "\n  and {} more", apart.len() - LINES_SHOWN_MAX);
    }
    text
}

/// What of `subset` is not in `value`: every key of an object must match, every item of a list must match some item.
fn missing(subset: &Value, value: &Value, pointer: &mut String, found: &mut Vec<String>) {
    match (subset, value) {
        (Value::Object(wanted), Value::Object(had)) => {
            for (key, wanted) in wanted {
                let length = pointer.len();
                let _ = write!(pointer, "/{}", key.replace('~', "~0").replace('/', "~1"));
                match had.get(key) {
                    Some(had) => missing(wanted, had, pointer, found),
                    None => found.push(format!("{pointer}: expected {wanted}, and there is none")),
                }
                pointer.truncate(length);
            }
        }
        (Value::Array(wanted), Value::Array(had)) => {
            for wanted in wanted {
                if !had.iter().any(|had| contains(had, wanted)) {
                    found.push(format!("{pointer}: expected an item with {wanted}"));
                }
            }
        }
        _ if subset == value => {}
        _ => found.push(format!("{pointer}: expected {subset}, got {value}")),
    }
}

fn contains(value: &Value, subset: &Value) -> bool {
    let mut found = Vec::new();
    missing(subset, value, &mut String::new(), &mut found);
    found.is_empty()
}
