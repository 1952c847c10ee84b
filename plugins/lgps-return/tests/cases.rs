//! Runs every case natively, and reads from two of them what funds published in other forms.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bailiwick_sdk::{Date, Money};
use lgps_return::LgpsReturn;

#[test]
fn cases() {
    bailiwick_sdk::testing::run_cases::<LgpsReturn>(env!("CARGO_MANIFEST_DIR"));
}

/// Staffordshire publishes its CARE file by an example: £20,000 a year, to the 50/50 section on 1 October 2024.
#[test]
fn a_years_returns_make_the_funds_care_example() {
    let rows = expected("care-example-1", "return.csv");
    let span = |section: &str| {
        let of_section: Vec<_> = rows.iter().filter(|row| row("section") == section).collect();
        let (first, last) = (of_section.first().unwrap(), of_section.last().unwrap());
        let pay: Money = of_section.iter().map(|row| Money::parse(&row("care_pay")).unwrap()).sum();
        let day = |text: &str| {
            let date = Date::parse(text).unwrap();
            format!("{:02}/{:02}/{}", date.day(), date.month(), date.year())
        };
        format!("{},{},{}", day(&first("pay_from")), day(&last("pay_to")), pay.coefficient() / 100)
    };
    assert_eq!(format!("{},{}", span("MAIN"), span("5050")), "01/04/2024,30/09/2024,10000,01/10/2024,31/03/2025,10000");
}

/// Every band of every year is met in both sections, a pound and a penny either side of each edge.
#[test]
fn boundaries_are_met_in_all_five_years() {
    for year in ["2022-23", "2023-24", "2024-25", "2025-26", "2026-27"] {
        let rows = expected(&format!("boundaries-{year}"), "return.csv");
        assert_eq!(rows.len(), 8 * 6 * 2, "{year}");
        for band in 1..=9 {
            for section in ["MAIN", "5050"] {
                let met =
                    rows.iter().any(|row| row("band") == band.to_string() && row("section") == section && row("table_version") == year);
                assert!(met, "{year}, band {band}, {section}");
            }
        }
    }
}

/// The rows of an expected output, each as a function from column to value. No value of these cases holds a comma.
fn expected(case: &str, file: &str) -> Vec<impl Fn(&str) -> String + use<>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(case).join("expected").join(file);
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let columns = lines.next().unwrap();
    lines
        .map(|values| {
            let columns = columns.clone();
            move |name: &str| values[columns.iter().position(|column| column == name).unwrap()].clone()
        })
        .collect()
}

/// The README's table of codes is what integrators build on: each code in it is shown by a case, and cases show no other.
#[test]
fn every_code_is_documented_and_shown() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let section = readme.split_once("## Codes").unwrap().1.split_once("Failures of a whole run").unwrap().0;
    let documented: BTreeSet<String> = section.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    let mut shown = BTreeSet::new();
    for case in fs::read_dir(folder.join("cases")).unwrap() {
        if let Ok(findings) = fs::read_to_string(case.unwrap().path().join("expected/findings.csv")) {
            shown.extend(findings.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().to_owned()));
        }
    }
    assert_eq!(shown, documented);
}
