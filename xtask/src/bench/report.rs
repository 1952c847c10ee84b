//! What came out, for machines (`results.json`) and for people (`results.md`).

use std::fmt::Write as _;
use std::fs;

use anyhow::Result;
use serde_json::json;

use super::environment::Environment;
use super::marks::Mark;
use super::rounds::median;
use crate::tools::root;

/// One measurement with the value of each round.
pub(super) struct Measured {
    pub(super) mark: Mark,
    pub(super) runs: Vec<f64>,
}

impl Measured {
    fn value(&self) -> f64 {
        median(&self.runs)
    }

    fn verdict(&self) -> &'static str {
        match self.mark.held.reached(self.value()) {
            Some(true) => "reached",
            Some(false) => "missed",
            None => "told",
        }
    }

    pub(super) fn told(&self) -> String {
        let Mark { name, unit, held, .. } = &self.mark;
        format!("{name}: {} {unit}, mark {}: {}", rounded(self.value()), held.told(), self.verdict())
    }
}

/// Writes both files.
pub(super) fn write(results: &[Measured], environment: &Environment, rounds: usize) -> Result<()> {
    let folder = root().join("tests/bench");
    let object: serde_json::Map<_, _> = results.iter().map(|result| (result.mark.name.clone(), entry(result))).collect();
    fs::write(folder.join("results.json"), serde_json::to_string_pretty(&object)? + "\n")?;
    fs::write(folder.join("results.md"), readable(results, environment, rounds))?;
    println!("written: tests/bench/results.json and results.md");
    Ok(())
}

fn entry(result: &Measured) -> serde_json::Value {
    let number = |value: f64| json!((value * 1e4).round() / 1e4);
    let runs: Vec<_> = result.runs.iter().map(|run| number(*run)).collect();
    json!({ "value": number(result.value()), "unit": result.mark.unit, "against": result.mark.against, "runs": runs })
}

fn readable(results: &[Measured], environment: &Environment, rounds: usize) -> String {
    let mut text = String::from("# What was measured\n\nWritten by `cargo xtask bench`; do not edit. The marks stand in `marks.toml`.\n");
    let _ = writeln!(
        text,
        "A ratio is the median of {rounds} rounds, in each of which both sides ran one after the other. Absolute figures move with the machine.\n"
    );
    text += "| name | what | mark | value | |\n|---|---|---|---|---|\n";
    for result in results {
        let Mark { name, what, unit, held, .. } = &result.mark;
        let unit = if unit == "ratio" { String::new() } else { format!(" {unit}") };
        let _ = writeln!(text, "| `{name}` | {what} | {}{unit} | {}{unit} | {} |", held.told(), rounded(result.value()), result.verdict());
    }
    text += "\n## How\n\n| name | against | how | each round |\n|---|---|---|---|\n";
    for result in results {
        let Mark { name, against, how, .. } = &result.mark;
        let runs: Vec<String> = result.runs.iter().map(|run| rounded(*run)).collect();
        let _ = writeln!(text, "| `{name}` | {against} | {how} | {} |", runs.join(" "));
    }
    text += "\nAgain: `cargo xtask bench`, or `cargo xtask bench --only NAME` for one of them.\n";
    text += "\n## Where\n\n| | |\n|---|---|\n";
    for (name, value) in &environment.facts {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    let missed: Vec<&Measured> = results.iter().filter(|result| result.mark.held.reached(result.value()) == Some(false)).collect();
    if !missed.is_empty() {
        text += "\n## What was tried where a mark is missed\n";
        for result in missed {
            let tried = if result.mark.tried.is_empty() { "Nothing yet." } else { &result.mark.tried };
            let _ = write!(text, "\n### {}\n\n{tried}\n", result.mark.name);
        }
    }
    text
}

fn rounded(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
