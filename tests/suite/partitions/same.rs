//! Partitions on one hub: the same bytes as without them, and the same limits.

use std::fmt::Write as _;

use bailiwick::ledger::{Instruction, RunEvent};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

/// A stretch of a file of pools.
#[derive(Debug, Clone)]
enum Stretch {
    /// So many pools in order, some of which the plugin rejects.
    Pools(u16),
    /// Keys that come again, near and far.
    Repeats(u16),
    /// Line ends and delimiters within quotation marks, and doubled marks.
    Quoted(u8),
    /// A mark that is never closed, a line too short, a blank line, an amount that is none.
    Broken(u8),
    /// Refused lines enough for a batch of nothing else.
    Waste,
}

fn stretches() -> impl Strategy<Value = Vec<Stretch>> {
    let one = prop_oneof![
        4 => (1_u16..1_500).prop_map(Stretch::Pools),
        2 => (1_u16..40).prop_map(Stretch::Repeats),
        2 => (1_u8..30).prop_map(Stretch::Quoted),
        3 => (0_u8..6).prop_map(Stretch::Broken),
        1 => Just(Stretch::Waste),
    ];
    prop::collection::vec(one, 2..12)
}

fn file(stretches: &[Stretch], line_end: &str) -> Vec<u8> {
    let mut text = "pool,service,driver,on,provider,account,amount\n".to_owned();
    let mut pool = 0_u32;
    for stretch in stretches {
        match stretch {
            Stretch::Pools(count) => {
                for _ in 0..*count {
                    pool += 1;
                    let driver = ["thirds", "police-only", "thirds", "broken", "nobody", "thirds", "thirds"][(pool * 31 % 7) as usize];
                    let service = ["estates", "fleet", "payroll", "legal"][(pool % 4) as usize];
                    writeln!(text, "P{pool},{service},{driver},2021-06-30,fire,1000,{}.{:02}", pool * 13 % 5_000, pool % 100).unwrap();
                }
            }
            Stretch::Repeats(count) => {
                for repeat in 1..=u32::from(*count) {
                    writeln!(text, "P{},estates,thirds,2021-06-30,police,1000,1.00", repeat * 17 % (pool + 1)).unwrap();
                }
            }
            Stretch::Quoted(count) => {
                for _ in 0..*count {
                    pool += 1;
                    writeln!(text, "\"Q{pool}\",\"es\ntates, \"\"north\"\"\",thirds,2021-06-30,police,\"10\n\n00\",2.50").unwrap();
                }
            }
            Stretch::Broken(which) => {
                let line = ["\"never,closed", "too,short", "", "  ", "P1,estates,thirds,2021-06-30,police,1000,much", "\"a\"b,c,d,e,f,g,1"];
                writeln!(text, "{}", line[usize::from(*which)]).unwrap();
            }
            Stretch::Waste => {
                for _ in 0..600 {
                    writeln!(text, "W{},{}", "x".repeat(1_800), pool).unwrap();
                }
            }
        }
    }
    // What is open on the last line would say that the file was cut off.
    text += "L,estates,thirds,2021-06-30,police,1000,1.00\n";
    text.replace('\n', line_end).into_bytes()
}

#[test]
fn however_an_input_is_cut_the_bytes_rejects_and_totals_are_those_of_one_hub() {
    let cut =
        prop_oneof![(1_u32..4_000).prop_map(|rows| format!("rows = {rows}")), (2_u32..9).prop_map(|most| format!("at-most = {most}"))];
    let cut_runs = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(12) });
    let judged = runner.run(&(stretches(), any::<bool>(), cut), |(stretches, windows, cut)| {
        let bytes = file(&stretches, if windows { "\r\n" } else { "\n" });
        let (whole, parts) = (site(&bytes, "at-most = 1"), site(&bytes, &cut));
        let (one, other, partitions) = wait(async {
            let (_, run, one, none) = alone(&whole).await;
            assert!(none.is_empty() && run.attempt == 1);
            let (hub, _, other, partitions) = alone(&parts).await;
            assert_eq!(std::fs::read_dir(hub.data().join("pieces")).unwrap().count(), 0, "the pieces are gone once they are joined");
            (one, other, partitions)
        });
        prop_assert!(one == other, "{cut}, {} partitions: {one:?} {other:?}", partitions.len());
        prop_assert!(partitions.len() != 1 && partitions.iter().all(|partition| partition.result.is_some()));
        cut_runs.set(cut_runs.get() + usize::from(partitions.len() > 1));
        Ok(())
    });
    judged.unwrap();
    assert!(cut_runs.get() > 0, "no run had more than one batch");
}

/// The last row of a partition has a quotation mark that is closed on the first line of the next: it is judged by what follows it, which
/// lies beyond the cut.
#[test]
fn a_record_is_read_with_what_lies_beyond_the_cut() {
    let mut text = pools(1_023);
    text += "\"never,closed\n";
    text += &pools(1_500).split_once('\n').unwrap().1.replace('P', "S");
    let (whole, parts) = (site(text.as_bytes(), "at-most = 1"), site(text.as_bytes(), "rows = 1024"));
    wait(async {
        let (one, other) = (alone(&whole).await, alone(&parts).await);
        assert_eq!(other.3.len(), 3);
        assert_eq!(one.2.counts.0, 2, "the mark, and a line of the drivers");
        assert!(one.2 == other.2, "{:?} {:?}", one.2.totals, other.2.totals);
    });
}

#[test]
fn a_cut_run_is_replayed_and_a_whole_one_too() {
    let site = site(pools(5_000).as_bytes(), "rows = 1000");
    wait(async {
        let (hub, run, _, partitions) = alone(&site).await;
        assert_eq!(partitions.len(), 5);
        assert!(partitions.iter().all(|partition| partition.hub.as_ref() == Some(hub.id()) && partition.claims == 1));
        assert_eq!(partitions.iter().map(|partition| partition.rows_read).collect::<Vec<_>>(), [1_024, 1_024, 1_024, 1_024, 904]);
        let replay = hub.replay(Scope::Hub, run.id, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        let replay = ended(&hub, replay).await;
        assert_eq!(replay.state, RunState::Closed, "{:?}", replay.reason);
        assert_eq!(super::partitions(hub.ledger(), replay.id).await.len(), 5);
    });
}

/// Each partition stays below what the run may write; all together do not.
#[test]
fn rows_of_outputs_are_counted_over_all_partitions() {
    let site = site(pools(4_000).as_bytes(), "rows = 1000");
    site.edit(JOB, "[rejects]", "[limits]\noutput-rows = 12000\n\n[rejects]");
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let run = finished(&hub, FIRE, APPORTIONMENT).await;
        let (code, sentence) = reason(&run);
        assert_eq!((run.state, code), (RunState::Failed, "output-rows"), "{sentence}");
        assert!(site.delivered().is_empty() && partitions(hub.ledger(), run.id).await.len() == 4);
    });
}

/// A partition that fails ends the attempt with its own words; sent on its way afresh, the run is cut anew.
#[test]
fn a_partition_that_fails_is_named_and_the_run_can_begin_afresh() {
    let pools = pools(4_000);
    let site = site(pools.as_bytes(), "rows = 1000");
    site.edit(JOB, "[rejects]", "[limits]\noutput-rows = 1000\n\n[rejects]");
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let run = finished(&hub, FIRE, APPORTIONMENT).await;
        let (code, sentence) = reason(&run);
        assert_eq!((run.state, code), (RunState::Failed, "output-rows"), "{sentence}");
        assert!(sentence.contains("partition 1 of 4, on hub main") && sentence.contains("1000"), "{sentence}");
        let events = hub.ledger().events(Scope::Hub, run.id, 0).await.unwrap();
        let failed = events.iter().find_map(|event| if let RunEvent::Failed(failed) = &event.event { Some(failed) } else { None });
        assert!(failed.unwrap().limits.iter().any(|limit| limit.limit == "output-rows" && limit.used.is_some()), "{failed:?}");
        let retry = |afresh| Instruction::Retry { afresh, why: "again".to_owned() };
        // It goes on where it stopped, and fails of the same.
        hub.ledger().instruct(Scope::Hub, run.id, retry(false), &operator(&hub)).await.unwrap();
        drain(&hub).await;
        assert_eq!(reason(&ended(&hub, run.id).await).0, "output-rows");
        let cut = |events: &[bailiwick::ledger::LoggedEvent]| {
            events.iter().filter(|event| matches!(event.event, RunEvent::Partitioned(_))).count()
        };
        assert_eq!(cut(&hub.ledger().events(Scope::Hub, run.id, 0).await.unwrap()), 1);
        site.edit(JOB, "output-rows = 1000", "output-rows = 1000000");
        site.apply(&hub).await;
        hub.ledger().instruct(Scope::Hub, run.id, retry(true), &operator(&hub)).await.unwrap();
        drain(&hub).await;
        let run = ended(&hub, run.id).await;
        assert_eq!(cut(&hub.ledger().events(Scope::Hub, run.id, 0).await.unwrap()), 2);
        let whole = super::site(pools.as_bytes(), "at-most = 1");
        assert_eq!(came(&site, &hub, &run).await, alone(&whole).await.2);
    });
}

#[test]
fn rejects_are_counted_over_all_partitions() {
    let mut text = pools(2_000);
    text += &"too,short\n".repeat(100_001);
    let site = site(text.as_bytes(), "rows = 1000");
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let run = finished(&hub, FIRE, APPORTIONMENT).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Failed, "too-many-rejects"));
    });
}

/// A run that is cancelled leaves nothing to be claimed, and what it left is swept away.
#[test]
fn a_cut_run_that_is_cancelled_is_nobodys() {
    let site = site(pools(4_000).as_bytes(), "rows = 1000");
    site.edit(JOB, "[rejects]", "[limits]\noutput-rows = 1000\n\n[rejects]");
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let run = finished(&hub, FIRE, APPORTIONMENT).await;
        assert_eq!(run.state, RunState::Failed);
        let pieces = hub.data().join("pieces").join(run.id.to_string());
        assert!(pieces.is_dir(), "a retry goes on with them");
        hub.ledger().instruct(Scope::Hub, run.id, Instruction::Cancel { why: "no".to_owned() }, &operator(&hub)).await.unwrap();
        let claimed = hub.ledger().claim_partition(hub.id(), i64::MAX >> 1, 1_000, None).await.unwrap();
        assert_eq!(claimed, None);
        hub.ledger().close().await;
        drop(hub);
        let hub = site.reopen(&clock_at(NOVEMBER)).await;
        assert!(!pieces.exists());
        hub.ledger().close().await;
    });
}
