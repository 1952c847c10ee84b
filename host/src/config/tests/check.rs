//! Jobs against the plugins that they name: what does not fit is told, each in a sentence.

use super::{files, load_files, write};
use crate::config::check_job;
use crate::model::job::Partitions;
use crate::model::manifest::Manifest;
use crate::registry::package;

fn manifest(text: &str, schema: &str) -> Manifest {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("plugin.toml", text.to_owned()), ("s.schema.json", schema.to_owned())]);
    package::read_folder(folder.path()).unwrap().manifest
}

const ADAPTER: &str = r#"name = "lgps-return"
version = "1.0.0"
kind = "adapter"
contract = "0.1.0"
title = "LGPS"
[settings]
schema = "s.schema.json"
[[inputs]]
name = "payroll"
columns = [{ name = "employee_number", type = "text" }, { name = "pay", type = "money" }, { name = "joined", type = "date" }]
[[inputs]]
name = "drivers"
optional = true
columns = [{ name = "a", type = "text" }]
[[outputs]]
name = "return"
columns = [{ name = "ni_number", type = "text" }, { name = "pay", type = "money" }]
"#;

const SETTINGS: &str = r#"{"type": "object", "required": ["employer_code"], "properties": {"employer_code": {"type": "string", "maxLength": 4}, "bands": {"type": "array", "items": {"type": "integer"}}}}"#;

#[test]
fn jobs_are_checked_against_their_plugin() {
    let adapter = manifest(ADAPTER, SETTINGS);
    for (from, to, told) in [
        ("partner", "partner", vec![]),
        (
            "port = \"payroll\"",
            "port = \"pay-roll\"",
            vec!["no input \"pay-roll\": its inputs are payroll, drivers.", "Input \"payroll\" is required"],
        ),
        ("port = \"return\"", "port = \"returns\"", vec!["no output \"returns\": its outputs are return."]),
        ("headings = { employee_number", "headings = { emp_number", vec!["Port \"payroll\" has no column \"emp_number\""]),
        ("column = \"ni_number\"", "column = \"nino\"", vec!["Port \"return\" has no column \"nino\""]),
        ("width = 9 }", "width = 9, point = \"implied\" }", vec!["\"ni_number\" of \"return\" has no decimal point"]),
        ("\"0042\"", "\"00042\"", vec!["settings.employer_code: it has more than 4 characters"]),
        ("employer_code = \"0042\"\n", "", vec!["settings: employer_code is missing"]),
        ("[1, 2]", "[1, \"2\"]", vec!["settings.bands.1: it must be a whole number"]),
    ] {
        let mut files = files();
        assert!(files[3].1.contains(from), "{from}");
        files[3].1 = files[3].1.replacen(from, to, 1);
        let job = load_files(&files).unwrap().jobs.remove(0);
        let found = check_job(&job, &adapter, &[]);
        assert_eq!(found.len(), told.len(), "{to}: {found:?}");
        assert!(found.iter().zip(&told).all(|(found, told)| found.contains(told)), "{to}: {found:?}");
    }
}

#[test]
fn fixed_width_inputs_need_their_columns() {
    let adapter = manifest(ADAPTER, SETTINGS);
    let mut files = files();
    let csv = files[3].1.lines().find(|line| line.starts_with("format = { kind = \"csv\"")).unwrap().to_owned();
    let fixed = r#"format = { kind = "fixed-width", fields = [{ column = "employee_number", start = 1, width = 6 }, { column = "joined", start = 7, width = 8 }] }"#;
    files[3].1 = files[3].1.replace(&csv, fixed);
    let found = check_job(&load_files(&files).unwrap().jobs[0], &adapter, &[]);
    let told = [
        "Column \"joined\" of \"payroll\" needs 10 characters and its field has 8.",
        "Column \"pay\" of input \"payroll\" is required and has no field",
    ];
    assert!(found.len() == 2 && found.iter().zip(told).all(|(found, told)| found.contains(told)), "{found:?}");
}

#[test]
fn rule_sets_take_cases_as_json() {
    let text = "name = \"r\"\nversion = \"1.0.0\"\nkind = \"rule-set\"\ncontract = \"0.1.0\"\ntitle = \"R\"\n[case]\nschema = \"s.schema.json\"\nreference = \"/employer_code\"\n[decision]\noutcomes = [\"a\"]\n";
    let rules = manifest(text, SETTINGS);
    let mut files = files();
    let found = check_job(&load_files(&files).unwrap().jobs[0], &rules, &[]);
    let told = ["has no input \"payroll\"", "has no output \"return\"", "takes no settings"];
    assert!(found.len() == 3 && found.iter().zip(told).all(|(found, told)| found.contains(told)), "{found:?}");
    files[3].1 = "partner = \"staffordshire-police\"\nname = \"r\"\ntitle = \"R\"\nplugin = \"r\"\n[[input]]\nport = \"case\"\nconnection = \"payroll-drop\"\nfile = \"*.jsonl\"\ntake = \"next\"\nformat = { kind = \"json-lines\" }\n[[output]]\nport = \"decision\"\nconnection = \"pension-fund\"\nfile = \"{input}.jsonl\"\nformat = { kind = \"json-lines\" }\n".to_owned();
    assert_eq!(check_job(&load_files(&files).unwrap().jobs[0], &rules, &[]), Vec::<String>::new());
    files[3].1 = files[3].1.replace("kind = \"json-lines\"", "kind = \"csv\"");
    assert_eq!(check_job(&load_files(&files).unwrap().jobs[0], &rules, &[]).len(), 2);
}

#[test]
fn only_independent_rows_are_cut() {
    let independent = format!("{ADAPTER}[rows]\nindependent = true\n");
    let remembers = format!("{independent}[wants]\nstate = true\n");
    let draws = format!("{independent}[wants]\nrandom = true\n");
    let read = |partitions: &str| {
        let mut files = files();
        files[3].1 = files[3].1.replace("[rejects]", &format!("[partitions]\n{partitions}\n[rejects]")).replace("runs-at-once = 2\n", "");
        load_files(&files).unwrap().jobs.remove(0)
    };
    for (partitions, wanted, cut) in [
        ("", Partitions::Automatic, false),
        ("at-most = 1", Partitions::AtMost(1), false),
        ("at-most = 1000", Partitions::AtMost(1_000), true),
        ("rows = 50000", Partitions::Rows(50_000), true),
    ] {
        let job = read(partitions);
        assert_eq!(job.partitions, wanted);
        assert_eq!(check_job(&job, &manifest(&independent, SETTINGS), &[]), [""; 0], "{partitions}");
        for other in [ADAPTER, &remembers, &draws] {
            let found = check_job(&job, &manifest(other, SETTINGS), &[]);
            assert_eq!(found.len(), usize::from(cut), "{partitions}: {found:?}");
            assert!(found.iter().all(|found| found.contains("take [partitions] out")), "{found:?}");
        }
    }
}

const FORMAT: &str = r#"name = "fund-file"
version = "1.0.0"
kind = "format"
contract = "0.2.0"
title = "Fund file"
ways = ["write"]
columns = [{ name = "ni_number", type = "text" }, { name = "pay", type = "money" }, { name = "note", type = "text", required = false }]
[settings]
schema = "s.schema.json"
"#;

#[test]
fn a_format_and_its_port_must_agree() {
    let adapter = manifest(ADAPTER, SETTINGS);
    let schema = r#"{"type": "object", "required": ["sender"]}"#;
    for (from, to, told) in [
        ("title", "title", vec![]),
        ("ways = [\"write\"]", "ways = [\"read\"]", vec!["format fund-file does not write files"]),
        ("type = \"money\" }", "type = \"money\", scale = 3 }", vec!["column \"pay\" of \"return\" is money with 2 decimal places"]),
        ("\"pay\", type = \"money\"", "\"pay\", type = \"text\"", vec!["the format has it as text"]),
        ("{ name = \"pay\", type = \"money\" }, ", "", vec!["\"return\" has a column \"pay\", which the format has no place for"]),
        (", required = false", "", vec!["the format requires column \"note\", which \"return\" does not have"]),
    ] {
        assert!(FORMAT.contains(from), "{from}");
        let format = manifest(&FORMAT.replacen(from, to, 1), schema);
        let mut files = files();
        let (before, after) = files[3].1.split_once("[output.format]").unwrap();
        let after = after.split_once("[rejects]").unwrap().1;
        let format_told = "[output.format]\nkind = \"plugin\"\nplugin = \"fund-file\"\nsettings = { sender = \"S\" }\n[rejects]";
        files[3].1 = format!("{before}{format_told}{after}");
        let line = files[3].1.lines().position(|line| line.contains("fund-file")).unwrap() + 1;
        let job = load_files(&files).unwrap().jobs.remove(0);
        let found = check_job(&job, &adapter, &[&format]);
        assert_eq!(found.len(), told.len(), "{to}: {found:?}");
        for (found, told) in found.iter().zip(&told) {
            assert!(found.contains(told) && found.starts_with(&format!("Line {line}: ")), "{to}: {told:?} in {found:?}");
        }
        assert!(check_job(&job, &adapter, &[])[0].contains("there is no plugin fund-file"));
    }
}
