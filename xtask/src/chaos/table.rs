//! The table of the chaos suite, where it is kept: a part of `tests/bench/results.json`, and a section of `results.md`.

use std::fmt::Write as _;
use std::fs;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use crate::tools::root;

const JSON: &str = "tests/bench/results.json";
const READABLE: &str = "tests/bench/results.md";

/// How the section begins.
const HEADING: &str = "\n## When things break\n";

/// The section for people.
pub(crate) fn section(came_to: &Value) -> String {
    let text = |of: &Value| of.as_str().map_or_else(|| of.to_string(), ToOwned::to_owned);
    let mut section = format!(
        "{HEADING}\nEach fault was tried some times at moments that a seed chose. At the end of each, every row was looked for: it must be in \
         exactly one delivered file, list of rejects or run that is held; every delivery must have been made once, or wait for a person as \
         uncertain.\n\
         Recovery is from the fault, or from the moment at which it was over, until nothing was left to do, with a build for development.\n\n\
         | fault | times tried | rows | rows lost | deliveries doubled | uncertain | recovery p50 | p99 |\n|---|---|---|---|---|---|---|---|\n",
    );
    for fault in came_to["faults"].as_array().into_iter().flatten() {
        let of = |key: &str| text(&fault[key]);
        let time = |key: &str| fault[key].as_f64().map_or_else(|| "–".to_owned(), |ms| format!("{ms:.0} ms"));
        let _ = writeln!(
            section,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            of("fault"),
            of("tried"),
            of("rows"),
            of("lost"),
            of("doubled"),
            of("uncertain"),
            time("recovery_p50_ms"),
            time("recovery_p99_ms")
        );
    }
    let (commit, seed, times) = (text(&came_to["commit"]), &came_to["seed"], &came_to["times"]);
    let _ = writeln!(
        section,
        "\nAt {commit}; again: `cargo xtask chaos --seed {seed} --times {times}`, with `--record` to write it down here."
    );
    section
}

/// Writes both files.
pub(super) fn record(came_to: &Value) -> Result<()> {
    let path = root().join(JSON);
    let mut known: Map<String, Value> = serde_json::from_str(&fs::read_to_string(&path)?).context(JSON)?;
    known.insert("chaos".to_owned(), came_to.clone());
    fs::write(&path, serde_json::to_string_pretty(&known)? + "\n")?;
    let path = root().join(READABLE);
    let text = fs::read_to_string(&path)?;
    Ok(fs::write(&path, with_section(&text, &section(came_to)))?)
}

/// A text with the section in the place of an older one, or at its end.
fn with_section(text: &str, section: &str) -> String {
    let Some(begin) = text.find(HEADING) else { return text.to_owned() + section };
    let after = begin + HEADING.len();
    let end = text[after..].find("\n## ").map_or(text.len(), |end| after + end);
    format!("{}{section}{}", &text[..begin], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_table_takes_the_place_of_the_old() {
        let of = |commit: &str| section(&serde_json::json!({ "commit": commit, "seed": 1, "times": 2, "faults": [{ "fault": "kill" }] }));
        let first = with_section("# Measured\n\n## How\n\nx\n", &of("0123"));
        assert!(first.starts_with("# Measured\n\n## How\n\nx\n") && first.contains("| kill |") && first.contains("0123"));
        let between = first + "\n## Where\n\ny\n";
        let second = with_section(&between, &of("4567"));
        assert!(second.contains("4567") && !second.contains("0123") && second.ends_with("\n## Where\n\ny\n"), "{second}");
        assert_eq!(second.matches(HEADING).count(), 1);
    }
}
