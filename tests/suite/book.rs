//! The book: every page with commands is typed by a test, and those that no other test types are typed here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::*;

/// Pages with commands, each with the test that types them.
const TYPED: &[(&str, &str)] = &[
    ("docs/start.md", "book::start_in_ten_minutes"),
    ("docs/rule-set.md", "book::a_rule_set"),
    ("docs/releases.md", "promotion::the_page_is_typed_and_the_trail_tells_it"),
    ("docs/registry.md", "oci::the_page_is_typed"),
    ("docs/operating.md", "operating::every_command_of_the_page_is_typed"),
    ("sdk/rust/docs/formats.md", "ten_minutes::a_format_goes_the_same_way"),
    ("sdk/rust/README.md", "ten_minutes::an_adapter_as_the_readme_says"),
];

fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every line of a page's `console` blocks, in order.
fn commands(page: &str) -> Vec<&str> {
    let mut inside = false;
    page.lines()
        .filter(|line| {
            match line.trim() {
                "```console" => inside = true,
                "```" => inside = false,
                command => return inside && !command.is_empty(),
            }
            false
        })
        .collect()
}

#[test]
fn every_page_with_commands_is_typed_by_a_test() {
    let summary = page("docs/SUMMARY.md");
    let links = summary.match_indices("](").map(|(at, _)| summary[at + 2..].split(')').next().unwrap());
    let pages = links.map(|link| link.strip_prefix("../").map_or_else(|| format!("docs/{link}"), str::to_owned));
    let with_commands: BTreeSet<String> = pages.filter(|path| !commands(&page(path)).is_empty()).collect();
    let typed: BTreeSet<String> = TYPED.iter().map(|(page, _)| (*page).to_owned()).collect();
    assert_eq!(with_commands, typed, "a page with ```console blocks needs a test that types them, and a line in TYPED");
}

/// Types a page's commands in a folder, with this build's program on the path.
fn type_them(folder: &Path, lines: &[String]) -> Said {
    let path = format!("{}:{}", compiler_path().parent().unwrap().display(), std::env::var("PATH").unwrap());
    let built = compiler_path().parent().unwrap().parent().unwrap().join("ten-minutes");
    let script = format!("set -eu\n{}\n", lines.join("\n"));
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).current_dir(folder).env("PATH", path).env("CARGO_TARGET_DIR", built).env("NO_COLOR", "1");
    let said: Said = bash.output().expect("bash runs").into();
    assert_eq!(said.code, Some(0), "{script}\n{}\n{}", said.out, said.err);
    said
}

#[test]
fn start_in_ten_minutes() {
    let site = Site::staffordshire();
    let folder = site.config().parent().unwrap().to_owned();
    fs::create_dir(folder.join("examples")).unwrap();
    fs::rename(site.config(), folder.join("examples/staffordshire")).unwrap();
    let cases: serde_json::Value = serde_json::from_str(&page("plugins/claim-routing/cases/clocks.json")).unwrap();
    fs::write(folder.join("case.json"), cases["cases"][0]["case"].to_string()).unwrap();
    let text = page("docs/start.md");
    let mut lines = Vec::new();
    for command in commands(&text) {
        if command.contains("$RUN") && !lines.iter().any(|line: &String| line.starts_with("RUN=")) {
            lines.push("RUN=$(bailiwick runs --json | python3 -c 'import json,sys; print(json.load(sys.stdin)[0][\"id\"])')".to_owned());
        }
        lines.push(command.to_owned());
    }
    let said = type_them(&folder, &lines);
    for told in ["lgps-monthly-return", "27", "byte by byte"] {
        assert!(said.out.contains(told), "{told:?} in {}", said.out);
    }
    assert_eq!(fs::read(folder.join("rejects.csv")).unwrap().iter().filter(|byte| **byte == b'\n').count(), 1 + 27);
}

#[test]
fn a_rule_set() {
    let folder = tempfile::tempdir().unwrap();
    let text = page("docs/rule-set.md");
    let lines: Vec<String> = commands(&text).into_iter().map(str::to_owned).collect();
    let said = type_them(folder.path(), &lines);
    assert!(said.out.contains(" passed, 0 failed"), "{}", said.out);
}
