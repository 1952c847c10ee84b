//! Configurations that are read, and every way in which one can be wrong, with its file and line.
#![allow(clippy::unwrap_used)]

mod apart;
mod check;

use std::path::Path;

use super::*;
use crate::model::job::{
    Align, CatchUp, DateStyle, Encoding, FileFormat, Format, LineEnd, Overlap, Place, Priority, Queue, Take, WorkingDay,
};
use crate::model::limits::Limit;

pub(super) const PARTNERS: &str = r#"[[partner]]
name = "staffordshire-police"
title = "Staffordshire Police"
runs-at-once = 4
[[partner]]
name = "staffordshire-fire"
title = "Staffordshire Fire and Rescue"
"#;

const CONNECTIONS: &str = r#"[[connection]]
partner = "staffordshire-police"
name = "payroll-drop"
kind = "folder"
path = "data/payroll"
settle-ms = 0
[[connection]]
partner = "staffordshire-police"
name = "pension-fund"
kind = "folder"
path = "./data/../out/fund"
runs-at-once = 1
[[connection]]
partner = "staffordshire-fire"
name = "fire-only"
kind = "folder"
path = "data/fire"
"#;

const PLUGINS: &str = r#"[[plugin]]
partner = "staffordshire-police"
name = "lgps-return"
component = "plugins/lgps_return.wasm"
"#;

const JOB: &str = r#"partner = "staffordshire-police"
name = "lgps-monthly-return"
title = "LGPS monthly return"
plugin = "lgps-return"
zone = "Europe/London"
attempts-max = 4
[schedule]
cron = "0 7 19 * *"
working-day = "before"
catch-up = { all = 12 }
[queue]
runs-at-once = 2
priority = "high"
overlap = "cancel-older"
overdue-minutes = 90
[[input]]
port = "payroll"
connection = "payroll-drop"
file = "payroll-*.csv"
take = "next"
format = { kind = "csv", encoding = "windows-1252", dates = "dd/mm/yyyy", headings = { employee_number = "Emp No", pay = "Pay" }, other-columns = "ignore" }
[[output]]
port = "return"
connection = "pension-fund"
file = "lgps-return-{month}.txt"
[output.format]
kind = "fixed-width"
line-end = "crlf"
fields = [
  { column = "ni_number", start = 1, width = 9 },
  { column = "pay", start = 10, width = 11, align = "right", fill = "0", point = "implied" },
]
[rejects]
rows-max = 100
[limits]
memory-bytes = 33554432
[settings]
employer_code = "0042"
since = 2026-04-01
bands = [1, 2]
"#;

const TABLE: &str = r#"table = "lgps-bands"
partner = "staffordshire-police"
[[versions]]
version = "2026-27"
effective-from = 2026-04-01
source = "LGA"
rows = "bands.csv"
"#;

pub(super) fn files() -> Vec<(&'static str, String)> {
    [
        ("partners.toml", PARTNERS),
        ("connections.toml", CONNECTIONS),
        ("plugins.toml", PLUGINS),
        ("jobs/lgps.toml", JOB),
        ("tables/bands.toml", TABLE),
        ("tables/bands.csv", "band,rate\n1,5.5\n"),
    ]
    .map(|(name, text)| (name, text.to_owned()))
    .to_vec()
}

pub(super) fn write(folder: &Path, files: &[(&str, String)]) {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

fn load_files(files: &[(&str, String)]) -> Result<Configuration, Problems> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    match load(folder.path()) {
        Ok(configuration) => Ok(configuration),
        Err(ConfigError::Wrong(problems)) => Err(problems),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_folder_is_read() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files());
    let read = load(folder.path()).unwrap();
    assert_eq!(read.partners.len(), 2);
    assert_eq!(read.plugins[0].component, folder.path().join("plugins/lgps_return.wasm"));
    let places: Vec<_> = read.connections.iter().map(|connection| connection.place.clone()).collect();
    assert_eq!(places[0], Place::Folder { path: folder.path().join("data/payroll"), settle_ms: 0 });
    assert_eq!(places[1], Place::Folder { path: folder.path().join("out/fund"), settle_ms: 2_000 });
    assert_eq!(read.tables[0].partner.as_ref().map(PartnerName::as_str), Some("staffordshire-police"));
    assert_eq!(read.tables[0].table.version.version, "2026-27");

    let job = &read.jobs[0];
    assert_eq!((job.zone.as_str(), job.attempts_max, job.reject_rows_max), ("Europe/London", 4, 100));
    assert_eq!(job.limits, [(Limit::MemoryBytes, 33_554_432)]);
    assert_eq!(job.settings, serde_json::json!({"employer_code": "0042", "since": "2026-04-01", "bands": [1, 2]}));
    assert_eq!(job.definition, crate::model::ids::Digest::of(JOB.as_bytes()));
    let queue = Queue { runs_at_once: 2, priority: Priority::High, overlap: Overlap::CancelOlder, overdue_minutes: Some(90) };
    assert_eq!(job.queue, queue);
    let at_once = (read.partners[0].runs_at_once, read.partners[1].runs_at_once, read.connections[1].runs_at_once);
    assert_eq!(at_once, (Some(4), None, Some(1)));
    let schedule = job.schedule.as_ref().unwrap();
    assert_eq!((schedule.working_day, schedule.catch_up), (WorkingDay::Before, CatchUp::All { slots_max: 12 }));
    let FileFormat::BuiltIn(Format::Csv(csv)) = &job.inputs[0].format else { panic!("csv") };
    assert_eq!(
        (csv.encoding, csv.dates, csv.delimiter, csv.other_columns_ignored),
        (Encoding::Windows1252, DateStyle::DayMonthYear, b',', true)
    );
    assert_eq!(csv.headings[0], ("employee_number".to_owned(), "Emp No".to_owned()));
    assert_eq!(job.inputs[0].take, Take::Next);
    let FileFormat::BuiltIn(Format::FixedWidth(fixed)) = &job.outputs[0].format else { panic!("fixed width") };
    assert_eq!((fixed.line_end, fixed.encoding, fixed.dates), (LineEnd::CrLf, Encoding::Utf8, DateStyle::Iso));
    let [ni, pay] = &fixed.fields[..] else { panic!("two fields") };
    assert_eq!((ni.start, ni.width, ni.align, ni.fill, ni.point_implied), (1, 9, Align::Left, ' ', false));
    assert_eq!((pay.start, pay.width, pay.align, pay.fill, pay.point_implied), (10, 11, Align::Right, '0', true));
}

#[test]
fn what_is_not_said_has_a_default() {
    let job: String = JOB.replace("zone = \"Europe/London\"\nattempts-max = 4\n", "").replace("[rejects]\nrows-max = 100\n", "");
    let (head, rest) = job.split_once("[schedule]").unwrap();
    let job = format!("{head}[[input]]{}", rest.split_once("[[input]]").unwrap().1);
    let mut files = files();
    files[3].1 = job;
    let job = &load_files(&files).unwrap().jobs[0];
    assert_eq!(job.queue, Queue::default());
    assert_eq!((job.zone.as_str(), job.attempts_max, job.reject_rows_max, job.schedule.is_none()), (ZONE_DEFAULT, 5, 1_000, true));
}

/// Replaces the first `from` of a file by `to`; then the line that holds `at` must be told, in these words.
fn refused(file: &str, change: (&str, &str), at: &str, told: &str) {
    refused_of(&files(), file, (change, at), told);
}

/// The same of other files.
pub(super) fn refused_of(files: &[(&'static str, String)], file: &str, ((from, to), at): ((&str, &str), &str), told: &str) {
    let mut files = files.to_vec();
    let text = &mut files.iter_mut().find(|(name, _)| *name == file).unwrap().1;
    assert!(text.contains(from), "{from}");
    *text = text.replacen(from, to, 1);
    let text = text.clone();
    let problems = load_files(&files).expect_err(to);
    let found = problems.as_slice().iter().find(|problem| problem.what().contains(told));
    let problem = found.unwrap_or_else(|| panic!("{to}: {problems}"));
    let line = text.lines().position(|line| line.contains(at)).map(|line| line + 1);
    assert_eq!((problem.file(), problem.line()), (file, line), "{to}: {problem}");
    assert!(!problem.to_do().is_empty());
}

#[test]
fn wrong_places_are_refused_with_their_line() {
    for (file, from, to, at, told) in [
        ("partners.toml", "title = \"Staffordshire Police\"", "titel = \"x\"", "titel", "unknown field"),
        ("partners.toml", "\"staffordshire-fire\"", "'staffordshire-police'", "'staffordshire-police'", "stands here twice"),
        ("partners.toml", "\"staffordshire-fire\"", "\"Fire!\"", "Fire!", "is not a name"),
        ("partners.toml", "runs-at-once = 4", "runs-at-once = 0", "runs-at-once", "runs-at-once is 0"),
        ("partners.toml", "\"Staffordshire Police\"", "\" \"", "\" \"", "not one line"),
        ("connections.toml", "partner = \"staffordshire-fire\"", "partner = \"cheshire\"", "cheshire", "no partner \"cheshire\""),
        ("connections.toml", "name = \"pension-fund\"", "name = 'payroll-drop'", "'payroll-drop'", "stands here twice"),
        ("connections.toml", "kind = \"folder\"", "kind = \"ftp\"", "ftp", "unknown variant"),
        ("connections.toml", "settle-ms = 0", "settle-ms = 99999999", "settle-ms", "settle-ms is 99999999"),
        ("connections.toml", "settle-ms = 0", "settle-ms = -1", "settle-ms", "invalid value"),
        ("connections.toml", "\"data/fire\"", "\"data/payroll/in/..\"", "data/payroll/in", "payroll-drop of staffordshire-police"),
        ("connections.toml", "\"data/fire\"", "\"data\"", "path = \"data\"", "payroll-drop of staffordshire-police"),
        ("plugins.toml", "name = \"lgps-return\"", "name = \"LGPS\"", "LGPS", "is not a name"),
        ("tables/bands.toml", "\"staffordshire-police\"", "\"cheshire\"", "cheshire", "no partner \"cheshire\""),
        ("tables/bands.toml", "\"bands.csv\"", "\"other.csv\"", "other.csv", "cannot be read"),
        ("tables/bands.csv", "1,5.5", "1,5.5,6", "1,5.5,6", "3 values"),
    ] {
        refused(file, (from, to), at, told);
    }
}

#[test]
fn wrong_jobs_are_refused_with_their_line() {
    for (from, to, at, told) in [
        ("attempts-max = 4", "attempts = 4", "attempts = 4", "unknown field"),
        ("attempts-max = 4", "attempts-max = 0", "attempts-max", "attempts-max is 0"),
        ("priority = \"high\"", "priority = \"urgent\"", "urgent", "unknown variant"),
        ("overlap = \"cancel-older\"", "overlap = \"merge\"", "merge", "unknown variant"),
        ("overdue-minutes = 90", "overdue = 90", "overdue = 90", "unknown field"),
        ("overdue-minutes = 90", "overdue-minutes = 0", "overdue-minutes", "overdue-minutes is 0"),
        ("runs-at-once = 2", "runs-at-once = 1001", "runs-at-once", "runs-at-once is 1001"),
        ("partner = \"staffordshire-police\"", "partner = \"cheshire\"", "cheshire", "no partner \"cheshire\""),
        ("name = \"lgps-monthly-return\"", "name = \"a b\"", "a b", "is not a name"),
        ("zone = \"Europe/London\"", "zone = \"Europe/Stafford\"", "Europe/Stafford", "not a time zone"),
        ("0 7 19 * *", "0 7 32 * *", "cron", "not a cron expression"),
        ("0 7 19 * *", "*/5 * * * *", "cron", "makes no sense"),
        ("working-day = \"before\"", "working-day = \"earlier\"", "earlier", "unknown variant"),
        ("{ all = 12 }", "{ all = 0 }", "all = 0", "catch-up of 0 runs"),
        ("{ all = 12 }", "{ all = 5000 }", "all = 5000", "catch-up of 5000 runs"),
        ("{ all = 12 }", "\"everything\"", "everything", "unknown variant"),
        ("connection = \"payroll-drop\"", "connection = \"fire-only\"", "fire-only", "staffordshire-police has no connection"),
        ("file = \"payroll-*.csv\"", "file = \"in/*.csv\"", "in/*.csv", "not a file's name"),
        ("file = \"payroll-*.csv\"", "file = \"payroll-[.csv\"", "payroll-[", "not a pattern"),
        ("take = \"next\"", "take = \"all\"", "take", "unknown variant"),
        ("lgps-return-{month}", "../{month}", "../{month}", "not a file's name"),
        ("lgps-return-{month}", "{year}", "{year}", "no placeholder {year}"),
        ("lgps-return-{month}", "a{month", "a{month", "a brace stands alone"),
        ("lgps-return-{month}", "a}", "a}", "a brace stands alone"),
        ("other-columns = \"ignore\"", "fields = []", "fields = []", "does not belong"),
        ("other-columns = \"ignore\"", "line-end = \"lf\"", "line-end = \"lf\"", "does not belong"),
        ("other-columns = \"ignore\"", "delimiter = \"\\\"\"", "delimiter", "cannot part values"),
        ("other-columns = \"ignore\"", "delimiter = \";;\"", "delimiter", "cannot part values"),
        ("pay = \"Pay\"", "pay = \"Emp No\"", "Emp No", "stands here twice"),
        ("line-end = \"crlf\"", "delimiter = \";\"", "delimiter", "does not belong"),
        ("start = 10", "start = 9", "start = 9", "pay at 9 to 19 overlaps ni_number at 1 to 9"),
        ("start = 10", "start = 0", "start = 0", "start is 0"),
        ("width = 11", "width = 0", "width = 0", "width is 0"),
        ("column = \"pay\"", "column = \"ni_number\"", "start = 10", "has two fields"),
        ("fill = \"0\"", "fill = \"é\"", "fill", "cannot fill up"),
        ("align = \"right\", ", "", "start = 10", "would change it"),
        ("rows-max = 100", "rows-max = 200000", "rows-max", "rows-max is 200000"),
        ("[rejects]", "[partitions]\nrows = 0\n[rejects]", "rows = 0", "rows is 0"),
        ("[rejects]", "[partitions]\nat-most = 1001\n[rejects]", "at-most", "at-most is 1001"),
        ("[rejects]", "[partitions]\nrows = 5000\nat-most = 4\n[rejects]", "at-most", "do not go together"),
        ("[rejects]", "[partitions]\nhubs = 2\n[rejects]", "hubs = 2", "unknown field"),
        ("memory-bytes = 33554432", "disk-bytes = 1", "disk-bytes", "there is no limit"),
        ("memory-bytes = 33554432", "memory-bytes = 99000000000", "memory-bytes", "may be at most"),
        ("bands = [1, 2]", "bands = [1, 5.5]", "bands", "settings.bands.1 is a floating-point number"),
        ("employer_code = \"0042\"", "rate = { a = 5.5 }", "rate", "settings.rate.a is a floating-point number"),
    ] {
        refused("jobs/lgps.toml", (from, to), at, told);
    }
}

#[test]
fn outputs_that_meet_something_are_refused() {
    let twin = "[[output]]\nport = \"ctr1\"\nconnection = \"pension-fund\"\nfile = 'lgps-return-{month}.txt'\nformat = { kind = \"csv\" }\n[rejects]";
    refused("jobs/lgps.toml", ("[rejects]", twin), "'lgps-return", "another output of this job has the same file");
    let target = "connection = \"pension-fund\"\nfile = \"lgps-return-{month}.txt\"";
    refused(
        "jobs/lgps.toml",
        (target, "connection = \"payroll-drop\"\nfile = \"payroll-{date}.csv\""),
        "payroll-{date}",
        "would take this output",
    );
    // What is made of the input's own name comes back as an input, of whatever name that is.
    let own = "connection = \"payroll-drop\"\nfile = '{input}-{run}.csv'";
    refused("jobs/lgps.toml", (target, own), "'{input}-{run}", "would take this output");
    let monthly = "connection = \"payroll-drop\"\nfile = 'payroll-{month}.csv'";
    refused("jobs/lgps.toml", (target, monthly), "'payroll-{month}", "would take this output");
    refused("jobs/lgps.toml", ("port = \"return\"", "port = \"RETURN\""), "RETURN", "not a port's name");
}

#[test]
fn everything_wrong_is_told_at_once() {
    let mut files = files();
    files[0].1 = files[0].1.replace("\"Staffordshire Police\"", "\"\"");
    files[1].1 = files[1].1.replace("settle-ms = 0", "settle-ms = 99999999");
    files[3].1 = files[3].1.replace("0 7 19 * *", "x").replace("payroll-*.csv", "a/b").replace("rows-max = 100", "rows-max = 200000");
    files.push(("jobs/other.toml", "colour = 1\n".to_owned()));
    files.push(("jobs/twin.toml", JOB.to_owned()));
    files.push(("jobs/twin-again.toml", JOB.to_owned()));
    files.push(("jobs/monthly/unseen.toml", JOB.to_owned()));
    let problems = load_files(&files).unwrap_err();
    let told: Vec<_> = problems.as_slice().iter().map(|problem| format!("{}:{}", problem.file(), problem.line().unwrap_or(0))).collect();
    let expected = [
        "partners.toml:3",
        "connections.toml:6",
        "jobs/monthly:0",
        "jobs/lgps.toml:8",
        "jobs/lgps.toml:19",
        "jobs/lgps.toml:34",
        "jobs/other.toml:1",
        "jobs/twin.toml:2",
    ];
    assert_eq!(told, expected, "{problems}");
    let shown = format!("{:?}", miette::Report::new(problems));
    assert!(shown.contains("settle-ms = 99999999") && shown.contains("jobs/lgps.toml"), "{shown}");
}

#[test]
fn an_empty_folder_is_told() {
    let problems = load_files(&[]).unwrap_err();
    assert_eq!(problems.as_slice()[0].file(), "partners.toml");
    assert!(load_files(&[("partners.toml", PARTNERS.to_owned())]).unwrap().jobs.is_empty());
}
