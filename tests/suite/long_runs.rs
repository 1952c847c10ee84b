//! Runs that are long enough to be read and written on threads of their own: what comes of them, and how they end when one of
//! their ends fails, is what it would be if everything were done in turns.

use std::path::Path;
use std::time::{Duration, Instant};

use bailiwick::ledger::{FoundEffect, RunState, Scope};
use bailiwick::model::personal::Sight;
use bailiwick::run::{Hub, Look};

use crate::faults::site;
use crate::support::*;

const NOVEMBER: &str = "2026-11-18T09:00:00Z";

/// Some twenty batches.
const ROWS: usize = 20_000;

/// Lines of the job, some of them other than the rest.
fn lines(rows: usize, others: &[(usize, &[u8])]) -> Vec<u8> {
    let mut file = b"number,pay,joined,name,casual\n".to_vec();
    for row in 0..rows {
        match others.iter().find(|(other, _)| *other == row) {
            Some((_, line)) => file.extend_from_slice(line),
            None => file.extend_from_slice(format!("{row},1.00,2026-01-02,A,true").as_bytes()),
        }
        file.push(b'\n');
    }
    file
}

/// A site whose job writes Windows-1252, which has no ŵ.
fn narrow_site() -> Site {
    let site = site("", "");
    let job = String::from_utf8(site.read("jobs/restless.toml")).unwrap();
    let (inputs, output) = job.split_once("[[output]]").unwrap();
    site.write("jobs/restless.toml", format!("{inputs}[[output]]{}", output.replace("\"utf-8\"", "\"windows-1252\"")));
    site
}

/// Threads of runs in this process, of whichever test.
fn threads() -> usize {
    let names = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    names.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok()).filter(|name| name.starts_with("run-")).count()
}

fn none_is_left() {
    let began = Instant::now();
    while threads() > 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "{} threads of runs do not end", threads());
        std::thread::sleep(Duration::from_millis(5));
    }
}

const UNENCODED: &[u8] = "1,1.00,,Siôn Puw,\n2,1.00,,Huw Gŵyr,".as_bytes();
const NOT_TEXT: &[u8] = b"1,1.00,,\xff\xfe,";

/// Rows that are put in place of others, limits, the code, and what is told.
type Case<'a> = (&'a [(usize, &'a [u8])], &'a str, &'a str, &'a [&'a str]);

#[test]
fn whichever_end_fails_the_first_fault_is_told_and_nothing_is_left() {
    // What is wrong, the limits, and what is told: the fault of the earliest rows, though a later one was met meanwhile.
    let cases: [Case<'_>; 7] = [
        (&[(15_000, NOT_TEXT)], "", "file-encoding", &["Line 15002,"]),
        (&[], "output-rows = 15000", "output-rows", &["15000"]),
        (&[(15_000, UNENCODED)], "", "character-not-in-encoding", &["'ŵ'", "15002"]),
        (&[(15_000, UNENCODED), (16_000, NOT_TEXT)], "", "character-not-in-encoding", &["15002"]),
        (&[(15_000, UNENCODED), (18_500, NOT_TEXT)], "", "character-not-in-encoding", &["15002"]),
        (&[(15_000, UNENCODED)], "output-rows = 17000", "character-not-in-encoding", &["15002"]),
        (&[(15_000, NOT_TEXT), (15_001, UNENCODED)], "", "file-encoding", &["Line 15002,"]),
    ];
    let site = narrow_site();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        for (place, (wrong, limits, code, words)) in cases.into_iter().enumerate() {
            let job = String::from_utf8(site.read("jobs/restless.toml")).unwrap();
            let (job, _) = job.split_once("[limits]").unwrap();
            site.write("jobs/restless.toml", format!("{job}[limits]\n{limits}\n"));
            site.apply(&hub).await;
            site.write(&format!("in/restless/lines-2{place}.csv"), lines(ROWS + place, wrong));
            // The first file there is a short one.
            let run = loop {
                let run = finished(&hub, "restless", "restless-job").await;
                if run.state != RunState::Closed {
                    break run;
                }
            };
            let (found, sentence) = reason(&run);
            assert_eq!((run.state, found), (RunState::Failed, code), "{place}: {sentence}");
            assert!(words.iter().all(|word| sentence.contains(word)), "{place}: {words:?} in {sentence:?}");
            assert_eq!(site.names("out/restless").len(), 1, "{place}: nothing but what the short file came to");
            none_is_left();
        }
    });
}

#[test]
fn a_long_run_that_is_stopped_ends_and_leaves_nothing() {
    let site = narrow_site();
    site.write("in/restless/lines-1.csv", lines(400_000, &[]));
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let run = request(&hub, "restless", "restless-job").await;
        let watched = hub.clone();
        let stops = async move {
            let progress = loop {
                tokio::time::sleep(Duration::from_millis(2)).await;
                if let Some(progress) = watched.progress(run).filter(|progress| progress.rows() > 10_000) {
                    break progress;
                }
            };
            progress.stop();
            progress
        };
        let (progress, worked) = tokio::join!(stops, hub.work_once());
        worked.unwrap();
        let run = ended(&hub, run).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Failed, "stopped"));
        assert!(progress.rows() < 400_000, "it went on to the end");
        assert_eq!(site.names("out/restless"), [""; 0]);
        none_is_left();
    });
}

/// A payroll with all that happens to lines: refused by the hub, repeated, refused and doubted by the plugin.
fn payroll(site: &Site) {
    let example = String::from_utf8_lossy(&site.read("data/payroll/payroll-2026-10.csv")).into_owned();
    let mut text = format!("{}\n", example.lines().next().unwrap());
    for line in 0..12_000 {
        let (letter, digits) = (char::from(b'A' + (line % 4) as u8), line % 1_000_000);
        let number = if line % 701 == 700 { line - 700 } else { line };
        let date = if line % 503 == 502 { "31/02/2026" } else { "31/10/2026" };
        let ni = if line % 607 == 606 { "QQ123456C".to_owned() } else { format!("TY{digits:06}{letter}") };
        let paid = if line % 809 == 808 { "90.00" } else { "131.71" };
        text += &format!(
            "{number},{ni},Baker,Helen,08/03/1967,Administrator,SP100,00321,{date},Active,LGPS,MAIN,F,37.00,,,,27250.00,\
             27250.00,2270.83,0.00,5.80,{paid},0.00,429.19,,,,,,,,,,,\n"
        );
    }
    std::fs::remove_file(site.path("data/payroll/previous-2026-10.csv")).unwrap();
    site.write("data/payroll/payroll-2026-10.csv", text);
}

/// Everything that a run of the payroll leaves: files, totals, findings.
fn left_by_a_run(site: &Site) -> (Vec<(String, Vec<u8>)>, String) {
    wait(async {
        let hub: Hub = site.hub(&clock_at(NOVEMBER)).await;
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
        let processed = hub.ledger().processed(Scope::Hub, run.id).await.unwrap().unwrap();
        let mut told = format!("{:?} {:?}", run.rows, processed.totals);
        let by = operator(&hub);
        let view = hub.view(run.id, Look { scope: Scope::Hub, sight: Sight::Full, by: &by }).await.unwrap();
        for effect in [FoundEffect::Reject, FoundEffect::Warn] {
            for finding in hub.ledger().findings((Scope::Hub, run.id), effect, None, 1_000).await.unwrap().items {
                told += &format!("\n{:?} {:?} {:?}", finding.found, view.raw(&finding).unwrap(), view.row(&finding).unwrap());
            }
        }
        (site.delivered(), told)
    })
}

#[test]
fn threads_change_nothing_of_what_a_run_leaves() {
    let [one, two] = [Site::staffordshire(), Site::staffordshire()];
    for site in [&one, &two] {
        payroll(site);
        site.edit(&format!("jobs/{LGPS}.toml"), "rows-max = 100", "rows-max = 1000");
    }
    // A hub whose threads have one core does everything in turns.
    let in_turns = std::thread::scope(|scope| {
        let held = scope.spawn(|| {
            let mut first = rustix::thread::CpuSet::new();
            let allowed = rustix::thread::sched_getaffinity(None).unwrap();
            first.set((0..rustix::thread::CpuSet::MAX_CPU).find(|core| allowed.is_set(*core)).unwrap());
            rustix::thread::sched_setaffinity(None, &first).unwrap();
            assert_eq!(std::thread::available_parallelism().unwrap().get(), 1);
            left_by_a_run(&one)
        });
        held.join().unwrap()
    });
    let with_threads = left_by_a_run(&two);
    assert!(in_turns.1.lines().count() > 70, "{}", in_turns.1.lines().count());
    assert!(in_turns.1.contains("duplicate-row") && in_turns.1.contains("date-not-in-calendar"), "{}", in_turns.1);
    assert_eq!(in_turns.1, with_threads.1);
    assert!(in_turns.0 == with_threads.0 && Path::new(&in_turns.0[0].0).extension().is_some());
}
