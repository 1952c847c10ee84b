//! Our working days beside those of PyPI `holidays`, over thousands of seeded terms, with the shipped table of bank holidays.
//!
//! The package is prepared by `cargo xtask test`, which names its folder in `BAILIWICK_ORACLES`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick_sdk::Date;
use claim_routing::Term;
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    from: Date,
    days: u16,
    to: Date,
}

#[test]
fn working_days() {
    let calendar = calendar();
    let lines: Vec<Line> = oracle(&[]).lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let mut over_a_holiday = 0;
    for line in &lines {
        let ours = Term::WorkingDays(line.days).end(line.from, &mut |year| calendar.get(&year).cloned().ok_or(year));
        assert_eq!(ours, Ok(line.to), "{} working days after {}", line.days, line.from);
        over_a_holiday += usize::from(calendar.values().flatten().any(|day| line.from < *day && *day < line.to && !day.is_weekend()));
    }
    // An oracle whose terms never met a bank holiday would prove nothing of the table.
    assert!(lines.len() >= 3_000 && over_a_holiday >= 900, "{} terms, {over_a_holiday} over a bank holiday", lines.len());
}

#[test]
fn the_shipped_table_is_what_the_package_knows() {
    assert_eq!(oracle(&["--table"]).trim_end(), table().trim_end());
}

fn table() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables/bank-holidays-2018-2028.csv");
    std::fs::read_to_string(path).expect("the table is beside the plugin")
}

fn calendar() -> HashMap<i32, Vec<Date>> {
    let row = |line: &str| {
        let (year, days) = line.split_once(',').expect("two columns");
        let days = days.split(' ').map(|day| Date::parse(day).expect("a date")).collect();
        (year.parse().expect("a year"), days)
    };
    table().lines().skip(1).map(row).collect()
}

fn oracle(arguments: &[&str]) -> String {
    let folder = std::env::var_os("BAILIWICK_ORACLES").map(PathBuf::from).filter(|folder| folder.join("stamp").is_file());
    let Some(folder) = folder else {
        panic!(
            "BAILIWICK_ORACLES names no prepared folder: run `cargo xtask test`, or tests/oracles/prepare.sh and export the folder it prints"
        )
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracles/working_days.py");
    let output = Command::new(folder.join("venv/bin/python")).arg(&script).args(arguments).output().expect("the interpreter starts");
    assert!(output.status.success(), "working_days.py failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
