//! Files that are wrong as files come wrong: what becomes of the run, which line is named, and that nothing false is delivered.

use bailiwick::ledger::{FoundEffect, Instruction, Run, RunState, Scope};
use bailiwick::run::Hub;
use jiff::SignedDuration;

use crate::support::*;

const NOVEMBER: &str = "2026-11-18T09:00:00Z";

/// A line of payroll that is in order: its number, and what of it is replaced.
fn line(number: u32, replaced: &[(&str, &str)]) -> String {
    let whole = format!(
        "{number},TY30{number:04}C,Baker,Helen,08/03/1967,Administrator,SP100,00321,31/10/2026,Active,LGPS,MAIN,F,37.00,,,,27250.00,27250.00,\
         2270.83,0.00,5.80,131.71,0.00,429.19,,,,,,,,,,,"
    );
    replaced.iter().fold(whole, |line, (from, to)| {
        assert!(line.contains(from), "{from:?} in {line:?}");
        line.replacen(from, to, 1)
    })
}

fn payroll_site() -> Site {
    let site = Site::staffordshire();
    std::fs::remove_file(site.path("data/payroll/previous-2026-10.csv")).unwrap();
    std::fs::rename(site.path("data/payroll/payroll-2026-10.csv"), site.path("data/example.csv")).unwrap();
    site
}

/// The example's headings.
fn headings_of(site: &Site) -> String {
    String::from_utf8_lossy(&site.read("data/example.csv")).lines().next().unwrap().trim_end().to_owned()
}

fn file(lines: &[String]) -> Vec<u8> {
    let mut bytes: Vec<u8> = lines.join("\n").into_bytes();
    bytes.push(b'\n');
    bytes
}

/// Runs the job over one more file.
async fn take(site: &Site, hub: &Hub, name: &str, bytes: &[u8]) -> Run {
    // Each in a month of its own, so that no two returns bear one name.
    hub.clock().advance(SignedDuration::from_hours(24 * 31));
    site.write(&format!("data/payroll/payroll-{name}.csv"), bytes);
    finished(hub, POLICE, LGPS).await
}

#[test]
fn a_file_that_cannot_be_trusted_is_refused_whole() {
    let site = payroll_site();
    let headings = headings_of(&site);
    let (one, two) = (line(1, &[]), line(2, &[]));
    let cut = file(&[headings.clone(), one.clone(), two.clone()]);
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(String::from_utf8(cut.clone()).unwrap().encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let cases: [(&str, Vec<u8>, &str, &str); 8] = [
        ("truncated", cut[..cut.len() - 60].to_vec(), "file-truncated", "send the file again"),
        ("wrong-header", file(&[headings.replace("NI Number", "Nino"), one.clone()]), "header-column-missing", "NI Number"),
        // Two amounts of the first line are the same, which no header can have.
        ("no-header", file(&[one.clone(), two]), "header-column-twice", "header"),
        ("utf16", utf16, "file-utf16", "CSV UTF-8"),
        ("marked-utf8", [&b"\xef\xbb\xbf"[..], &cut].concat(), "file-encoding", "UTF-8"),
        ("workbook", b"PK\x03\x04 and the rest of a workbook".to_vec(), "file-is-workbook", "CSV UTF-8"),
        ("only-line-ends", b"\n\n\n".to_vec(), "file-empty", "empty"),
        ("header-twice", file(&[headings.replace("Surname", "NI Number"), one]), "header-column-twice", "NI Number"),
    ];
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        for (name, bytes, code, told) in cases {
            let run = take(&site, &hub, name, &bytes).await;
            let (found, sentence) = reason(&run);
            assert_eq!((run.state, found), (RunState::Failed, code), "{name}: {sentence}");
            assert!(sentence.contains(told) && sentence.len() > 40, "{name}: {sentence:?} should speak of {told:?}");
            assert_eq!(site.delivered(), [], "{name}");
            let again = finished(&hub, POLICE, LGPS).await;
            assert_eq!(reason(&again).0, "no-input", "{name}: a refused file is not tried again by itself");
        }
    });
}

#[test]
fn a_wrong_line_is_refused_and_the_others_are_delivered() {
    let site = payroll_site();
    let headings = headings_of(&site);
    let long = format!("{},{}", "x".repeat(10 << 20), line(9, &[]));
    let cases: [(&str, String, &str); 12] = [
        ("10-mb", long, "record-too-long"),
        ("nul", line(9, &[("Baker", "Ba\0ker")]), "nul-character"),
        ("february", line(9, &[("31/10/2026", "31/02/2026")]), "date-not-in-calendar"),
        ("iso-date", line(9, &[("31/10/2026", "2026-10-31")]), "date-style"),
        ("pound", line(9, &[("2270.83", "£2270.83")]), "number-currency-sign"),
        ("comma", line(9, &[("2270.83", "\"2,270.83\"")]), "number-thousands-comma"),
        ("too-many", format!("{},1", line(9, &[])), "record-too-many-values"),
        ("too-few", line(9, &[(",5.80,131.71,0.00,429.19,,,,,,,,,,,", "")]), "record-too-few-values"),
        ("leaflet", line(9, &[("TY300009C", "QQ123456A")]), "ni-number-example"),
        ("no-ni", line(9, &[("TY300009C", "")]), "value-missing"),
        ("repeated", line(1, &[]), "duplicate-row"),
        ("direction", line(9, &[("Baker", "Ba\u{202e}ker")]), "direction-mark"),
    ];
    wait(async {
        // The mark of direction is no character of Windows-1252.
        site.edit(&format!("jobs/{LGPS}.toml"), "encoding = \"windows-1252\"", "encoding = \"utf-8\"");
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        for (place, (name, wrong, code)) in cases.into_iter().enumerate() {
            let first = line(1, &[("Helen", name)]);
            let run = take(&site, &hub, name, &file(&[headings.clone(), first, wrong, line(2, &[])])).await;
            assert_eq!(run.state, RunState::Closed, "{name}: {:?}", run.reason);
            assert_eq!((run.rows.read, run.rows.accepted, run.rows.rejected), (3, 2, 1), "{name}");
            let findings = hub.ledger().findings((Scope::Hub, run.id), FoundEffect::Reject, None, 10).await.unwrap().items;
            let found: Vec<_> = findings.iter().map(|each| (each.found.line, each.found.reasons[0].code.as_str())).collect();
            assert_eq!(found, [(Some(3), code)], "{name}");
            let sentence = &findings[0].found.reasons[0].message;
            assert!(sentence.len() > 30 && sentence.contains(' ') && sentence.ends_with('.'), "{name}: {sentence:?}");
            assert_eq!(site.names("out/pension-fund").len(), 2 * (place + 1), "{name}: return and CTR1 of each month");
        }
        for return_ in site.names("out/pension-fund").iter().filter(|name| name.starts_with("lgps-return")) {
            let delivered = Csv::read(&site.read(&format!("out/pension-fund/{return_}")));
            assert_eq!(delivered.column("employment_number"), ["1", "2"], "{return_}");
        }
    });
}

#[test]
fn too_many_rejects_hold_the_run_until_a_person_releases_it() {
    let site = payroll_site();
    site.edit(&format!("jobs/{LGPS}.toml"), "rows-max = 100", "rows-max = 1");
    let wrong = |number| line(number, &[("2270.83", "£2270.83")]);
    let bytes = file(&[headings_of(&site), line(1, &[]), wrong(2), line(3, &[]), wrong(4)]);
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        // £ in Windows-1252.
        let bytes = String::from_utf8(bytes).unwrap().chars().map(|each| u8::try_from(u32::from(each)).unwrap()).collect::<Vec<u8>>();
        let held = take(&site, &hub, "held", &bytes).await;
        let (code, sentence) = reason(&held);
        assert_eq!((held.state, code), (RunState::Held, "too-many-rejects"));
        assert!(sentence.starts_with("2 rows were rejected and this job allows 1."), "{sentence}");
        assert_eq!(site.delivered(), []);
        let release = Instruction::Release { why: "both come with the next payroll".to_owned() };
        hub.ledger().instruct(Scope::Partner(&partner(POLICE)), held.id, release, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        assert_eq!(ended(&hub, held.id).await.state, RunState::Closed);
        let file = site.names("out/pension-fund").into_iter().find(|name| name.starts_with("lgps-return")).unwrap();
        assert_eq!(Csv::read(&site.read(&format!("out/pension-fund/{file}"))).column("employment_number"), ["1", "3"]);
        let audit = hub.ledger().audit(Scope::Hub, None, 10).await.unwrap().items;
        let noted = audit.iter().find(|entry| entry.action == "run.release").expect("it is in the audit trail");
        assert!(noted.actor.as_str() == "person:operator" && noted.after.as_ref().unwrap().contains("both come with the next payroll"));
    });
}

#[test]
fn a_file_that_is_not_finished_is_left_alone() {
    let site = payroll_site();
    site.edit("connections.toml", "path = \"data/payroll\"\nsettle-ms = 0", "path = \"data/payroll\"\nsettle-ms = 60000");
    let whole = file(&[headings_of(&site), line(1, &[]), line(2, &[])]);
    let path = site.path("data/payroll/payroll-late.csv");
    wait(async {
        let clock = clock_at(NOVEMBER);
        let hub = site.hub(&clock).await;
        let written = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let now = std::time::UNIX_EPOCH + std::time::Duration::from_millis(u64::try_from(clock.now_ms()).unwrap());
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(now).unwrap();
        };
        // Names that say that they are not finished never count.
        site.write("data/payroll/payroll-never.csv.part", &whole);
        site.write("data/payroll/.payroll-hidden.csv", &whole);
        assert_eq!(reason(&finished(&hub, POLICE, LGPS).await).0, "no-input");
        // Half of it, just now; the whole of it half a minute later; then a minute of quiet.
        let run = request(&hub, POLICE, LGPS).await;
        for bytes in [Some(&whole[..whole.len() / 2]), Some(&whole[..]), None] {
            bytes.into_iter().for_each(&written);
            drain(&hub).await;
            let waits = ended(&hub, run).await;
            assert_eq!(waits.state, RunState::Queued, "{:?}", waits.reason);
            assert!(reason(&waits).1.contains("payroll-late.csv is still being written"), "{:?}", waits.reason);
            clock.advance(SignedDuration::from_secs(31));
        }
        drain(&hub).await;
        let taken = ended(&hub, run).await;
        assert_eq!((taken.state, taken.rows.accepted), (RunState::Closed, 2), "{:?}", taken.reason);
        // A file of no bytes at all is told to its sender.
        written(b"");
        clock.advance(SignedDuration::from_hours(1));
        let empty = finished(&hub, POLICE, LGPS).await;
        assert_eq!((empty.state, reason(&empty).0), (RunState::Failed, "file-unusable"));
        assert!(reason(&empty).1.contains("payroll-late.csv") && reason(&empty).1.contains("it is empty"), "{:?}", empty.reason);
    });
}

/// An upload that takes its time: the run looks again and again, and none of its attempts is used up, until that takes too long.
#[test]
fn a_file_that_is_being_written_is_waited_for() {
    let site = Site::staffordshire();
    let clock = clock_at("2026-10-19T06:00:00Z");
    site.edit("connections.toml", "path = \"data/payroll\"\nsettle-ms = 0", "path = \"data/payroll\"\nsettle-ms = 5000");
    let touch = |name: &str, at: jiff::Timestamp| {
        let file = std::fs::File::options().write(true).open(site.path(&format!("data/payroll/{name}"))).unwrap();
        file.set_modified(at.into()).unwrap();
    };
    for name in site.names("data/payroll").iter().filter(|name| name.ends_with(".csv")) {
        touch(name, clock.now() - SignedDuration::from_hours(1));
    }
    let upload = "payroll-2026-10.csv";
    wait(async {
        let hub = site.hub(&clock).await;
        let look_after = async |minutes: i64, run| {
            clock.advance(SignedDuration::from_mins(minutes));
            drain(&hub).await;
            ended(&hub, run).await
        };
        touch(upload, clock.now());
        let mut run = finished(&hub, POLICE, LGPS).await;
        for _ in 0..20 {
            assert_eq!((run.state, run.attempt), (RunState::Queued, 0), "{:?}", run.reason);
            touch(upload, clock.now() + SignedDuration::from_mins(2));
            run = look_after(2, run.id).await;
        }
        run = look_after(2, run.id).await;
        assert_eq!((run.state, run.attempt), (RunState::Closed, 1), "{:?}", run.reason);

        let endless = "payroll-2026-11.csv";
        std::fs::write(site.path(&format!("data/payroll/{endless}")), "begun").unwrap();
        touch(endless, clock.now());
        run = finished(&hub, POLICE, LGPS).await;
        let began = clock.now();
        while run.state == RunState::Queued {
            touch(endless, clock.now() + SignedDuration::from_mins(20));
            run = look_after(20, run.id).await;
        }
        assert_eq!(run.state, RunState::Failed);
        assert!(reason(&run).1.contains("when the upload is done"), "{:?}", run.reason);
        let waited = clock.now().duration_since(began);
        assert!(waited >= SignedDuration::from_hours(6) && waited < SignedDuration::from_hours(9), "{waited}");
    });
}
