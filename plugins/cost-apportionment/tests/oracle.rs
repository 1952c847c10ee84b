//! Our splits beside those of PyPI `apportionment`, over thousands of seeded amounts and weights.
//!
//! The package is prepared by `cargo xtask test`, which names its folder in `BAILIWICK_ORACLES`.

use std::path::{Path, PathBuf};
use std::process::Command;

use cost_apportionment::largest_remainder;
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    amount: i64,
    weights: Vec<i64>,
    shares: Vec<i64>,
}

#[test]
fn largest_remainders() {
    let lines: Vec<Line> = oracle().lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let mut ties = 0;
    for line in &lines {
        assert_eq!(largest_remainder(line.amount, &line.weights).as_ref(), Ok(&line.shares), "{} over {:?}", line.amount, line.weights);
        ties += usize::from(last_penny_is_tied(line));
    }
    // Ties are where implementations differ: without them the comparison would prove little.
    assert!(lines.len() >= 3_000 && ties >= 100, "{} splits, {ties} decided by a tie", lines.len());
}

/// Whether a partner who got a penny and one who did not have equal remainders.
fn last_penny_is_tied(line: &Line) -> bool {
    let total: i128 = line.weights.iter().map(|weight| i128::from(*weight)).sum();
    let parts = line.weights.iter().zip(&line.shares).map(|(weight, share)| {
        let exact = i128::from(line.amount) * i128::from(*weight);
        (exact % total, i128::from(*share) > exact / total)
    });
    let (with, without): (Vec<_>, Vec<_>) = parts.partition(|(_, got_penny)| *got_penny);
    with.iter().any(|(remainder, _)| without.iter().any(|(other, _)| remainder == other))
}

fn oracle() -> String {
    let folder = std::env::var_os("BAILIWICK_ORACLES").map(PathBuf::from).filter(|folder| folder.join("stamp").is_file());
    let Some(folder) = folder else {
        panic!(
            "BAILIWICK_ORACLES names no prepared folder: run `cargo xtask test`, or tests/oracles/prepare.sh and export the folder it prints"
        )
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracles/largest_remainder.py");
    let output = Command::new(folder.join("venv/bin/python")).arg(&script).output().expect("the interpreter starts");
    assert!(output.status.success(), "largest_remainder.py failed: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
