//! SECURITY.md names a test for each promise: here is held that they exist, so that none is renamed or deleted unnoticed.

use std::process::Command;

const SECURITY: &str = include_str!("../../SECURITY.md");

/// The rows of the table of promises: what is promised, and the tests that hold it.
fn promises(page: &str) -> Vec<(&str, Vec<&str>)> {
    let (_, table) = page.split_once("| promise | held by |\n|---|---|\n").expect("the page has the table of promises");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let (promise, held_by) = row.trim_matches('|').rsplit_once('|').expect("a row has two columns");
        (promise.trim(), held_by.split('`').skip(1).step_by(2).collect())
    })
    .collect()
}

/// Whether there is such a test; `module::*` is all tests of a module, of which there must be one.
fn exists(named: &str, tests: &[&str]) -> bool {
    match named.strip_suffix('*') {
        Some(module) => module.ends_with("::") && tests.iter().any(|test| test.starts_with(module)),
        None => tests.contains(&named),
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let listed = Command::new(std::env::current_exe().unwrap()).args(["--list", "--format", "terse"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let tests: Vec<&str> = listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    assert!(exists("promises::every_test_that_is_named_exists", &tests), "the suite does not list its tests: {tests:?}");

    let promises = promises(SECURITY);
    assert!(promises.len() >= 13, "{} promises", promises.len());
    for (promise, held_by) in &promises {
        assert!(!held_by.is_empty(), "no test holds: {promise}");
        for named in held_by {
            assert!(exists(named, &tests), "SECURITY.md says that `{named}` holds this, and there is no such test: {promise}");
        }
    }
    // Those that the text names, too.
    let in_text = SECURITY.split('`').skip(1).step_by(2).filter(|word| word.contains("::"));
    for named in in_text {
        assert!(exists(named, &tests), "SECURITY.md names the test `{named}`, and there is none");
    }
}

#[test]
fn what_is_missing_is_seen() {
    let page = "| promise | held by |\n|---|---|\n| A `b` | `x::y`, `z::*` |\n| C | nothing |\n\nafter `q::r`\n";
    assert_eq!(promises(page), [("A `b`", vec!["x::y", "z::*"]), ("C", vec![])]);
    assert!(exists("x::y", &["x::y"]) && exists("z::*", &["z::a::b"]));
    assert!(!exists("x::y", &["x::yy"]) && !exists("z::*", &["zz::a"]) && !exists("*", &["x::y"]));
}
