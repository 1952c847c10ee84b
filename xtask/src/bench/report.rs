//! What came out, for people: `tests/bench/results.md`.

use std::fmt::Write as _;
use std::fs;

use anyhow::Result;

use super::environment::Environment;
use super::marks::{Held, Mark};
use super::record::{Entry, Record};
use crate::tools::root;

/// One line for the terminal.
pub(super) fn told(mark: &Mark, entry: &Entry) -> String {
    let Mark { name, unit, held, .. } = mark;
    let mut text = format!("{name}: {} {unit}, mark {}: {}", rounded(entry.value), held.told(), verdict(*held, entry.value));
    for also in &entry.also {
        let _ = write!(text, "\n  {}: {} {}", also.what, rounded(also.value), also.unit);
    }
    text
}

/// Writes the file.
pub(super) fn write(record: &Record, environment: &Environment) -> Result<()> {
    Ok(fs::write(root().join("tests/bench/results.md"), readable(record, environment))?)
}

fn readable(record: &Record, environment: &Environment) -> String {
    let mut text = String::from("# What was measured\n\nWritten by `cargo xtask bench`; do not edit. The marks stand in `marks.toml`.\n");
    text += "A ratio is the median of some rounds, in each of which both sides ran one after the other. Absolute figures move with the machine.\n";
    text += "\n| name | what | mark | value | |\n|---|---|---|---|---|\n";
    for (mark, entry) in &record.entries {
        let Mark { name, what, unit, held, .. } = mark;
        let unit = if unit == "ratio" { String::new() } else { format!(" {unit}") };
        let (value, verdict) = match entry {
            Some(entry) => (format!("{}{unit}", rounded(entry.value)), verdict(*held, entry.value)),
            None => ("–".to_owned(), "not measured yet"),
        };
        let _ = writeln!(text, "| `{name}` | {what} | {}{unit} | {value} | {verdict} |", held.told());
    }
    how(record, &mut text);
    also(record, &mut text);
    text += "\nAgain: `cargo xtask bench`; or `cargo xtask bench --only NAME` for one of them, with `--record` to write it down here.\n";
    text += "\n## Where\n\nThe latest run:\n\n| | |\n|---|---|\n";
    for (name, value) in &environment.facts {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    tried(record, &mut text);
    text + &record.chaos.as_ref().map(crate::chaos::section).unwrap_or_default()
}

fn how(record: &Record, text: &mut String) {
    *text += "\n## How\n\n| name | against | how | each round | commit | load before |\n|---|---|---|---|---|---|\n";
    for (mark, entry) in measured(record) {
        let runs: Vec<String> = entry.runs.iter().map(|run| rounded(*run)).collect();
        let Entry { against, commit, load, .. } = entry;
        let _ = writeln!(text, "| `{}` | {against} | {} | {} | {commit} | {load} |", mark.name, mark.how, runs.join(" "));
    }
}

fn also(record: &Record, text: &mut String) {
    if measured(record).all(|(_, entry)| entry.also.is_empty()) {
        return;
    }
    *text += "\n## Seen beside them\n\nMedians of the same rounds; no marks.\n\n| with | what | |\n|---|---|---|\n";
    for (mark, entry) in measured(record) {
        for also in &entry.also {
            let _ = writeln!(text, "| `{}` | {} | {} {} |", mark.name, also.what, rounded(also.value), also.unit);
        }
    }
}

fn tried(record: &Record, text: &mut String) {
    let missed = |(mark, entry): &(&Mark, &Entry)| mark.held.reached(entry.value) == Some(false);
    let missed: Vec<(&Mark, &Entry)> = measured(record).filter(missed).collect();
    if !missed.is_empty() {
        *text += "\n## What was tried where a mark is missed\n";
        for (mark, _) in missed {
            let tried = if mark.tried.is_empty() { "Nothing yet." } else { &mark.tried };
            let _ = write!(text, "\n### {}\n\n{tried}\n", mark.name);
        }
    }
}

fn measured(record: &Record) -> impl Iterator<Item = (&Mark, &Entry)> {
    record.entries.iter().filter_map(|(mark, entry)| Some((mark, entry.as_ref()?)))
}

fn verdict(held: Held, value: f64) -> &'static str {
    match held.reached(value) {
        Some(true) => "reached",
        Some(false) => "missed",
        None => "told",
    }
}

fn rounded(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.2}");
    }
    let whole = format!("{value:.0}");
    let mut parted = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    parted
}

#[cfg(test)]
mod tests {
    #[test]
    fn figures_are_rounded_for_people() {
        let rounded = |value| super::rounded(value);
        assert_eq!([0.0, 1.172, 99.5].map(rounded), ["0.00", "1.17", "99.50"]);
        assert_eq!([100.0, 999.6, 12_345.0, 1_234_567.0].map(rounded), ["100", "1,000", "12,345", "1,234,567"]);
    }
}
