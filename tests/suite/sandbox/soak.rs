//! Ten thousand calls of guests that misbehave, one after the other: the hub is as it was, and so is its memory.

use std::time::{Duration, Instant};

use super::alone;
use super::ends::{decide, run};
use super::misdeeds::{Answers, Asks, End, Finds, Misdeed, Rules, Takes, Trial};
use bailiwick::model::limits::Limit;

const CALLS: usize = 10_000;
const MIB: u64 = 1 << 20;

/// Cheap ways to misbehave, each under limits that end it soon.
const RULES: &[(Rules, &[(Limit, u64)])] = &[
    (Rules::TrapAfterANote, &[]),
    (Rules::UndeclaredOutcome, &[]),
    (Rules::MemoryAtOnce, &[]),
    (Rules::FailureMisleading, &[]),
    (Rules::MisleadingText, &[]),
    (Rules::Remember, &[]),
    (Rules::ManyActions, &[(Limit::MemoryBytes, 4 * MIB)]),
    (Rules::OneLargeAnswer, &[(Limit::MemoryBytes, 4 * MIB)]),
];

const MISDEEDS: &[(Misdeed, &[(Limit, u64)])] = &[
    (Misdeed::Takes(Takes::TrapInOpen), &[]),
    (Misdeed::Takes(Takes::TrapInFinish), &[]),
    (Misdeed::Takes(Takes::DeepRecursion), &[]),
    (Misdeed::Takes(Takes::MemoryBySteps), &[(Limit::MemoryBytes, 6 * MIB)]),
    (Misdeed::Takes(Takes::HandlesFlood), &[(Limit::MemoryBytes, 16 * MIB)]),
    (Misdeed::Answers(Answers::OffsetsOutside), &[]),
    (Misdeed::Answers(Answers::OutputFlood), &[(Limit::OutputRows, 100)]),
    (Misdeed::Finds(Finds::RowNotGiven), &[]),
    (Misdeed::Asks(Asks::LogFlood), &[(Limit::LogLines, 50)]),
    (Misdeed::Asks(Asks::StateFlood), &[]),
    (Misdeed::Asks(Asks::TablesFlood), &[]),
    (Misdeed::Asks(Asks::RandomFlood), &[(Limit::RandomBytes, 100_000)]),
    (Misdeed::Asks(Asks::TableDroppedTwice), &[]),
];

/// One more call. Of a thousand, nine hundred and ninety are cheap, and ten run until their time is over.
fn misbehave(call: usize) {
    if call % 100 == 99 {
        let endless: &[(Limit, u64)] = &[(Limit::CpuMs, 10)];
        run(Misdeed::Takes(Takes::EndlessLoop), endless);
    } else if call.is_multiple_of(4) {
        let (misdeed, limits) = MISDEEDS[call / 4 % MISDEEDS.len()];
        run(misdeed, limits);
    } else {
        let (misdeed, limits) = RULES[call % RULES.len()];
        decide(misdeed, limits);
    }
}

fn all_is_well() {
    let trial = Trial(&[], End::Unharmed);
    let begun = Instant::now();
    assert_eq!(run(Misdeed::Takes(Takes::Nothing), &[]).amiss("a run in order", &trial), None);
    assert_eq!(decide(Rules::Nothing, &[]).amiss("a decision in order", &trial), None);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

/// Memory of this process, in bytes, and how many maps and threads it has.
fn taken() -> (u64, usize, usize) {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let number = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).expect("Linux tells it");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    };
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux tells").lines().count();
    (number("VmRSS:") * 1024, maps, usize::try_from(number("Threads:")).expect("few threads"))
}

#[test]
fn ten_thousand_hostile_calls_leave_the_hub_as_it_was() {
    alone("sandbox::soak::ten_thousand_hostile_calls_leave_the_hub_as_it_was", || {
        all_is_well();
        (0..CALLS / 5).for_each(misbehave);
        let (warm, warm_maps, threads) = taken();
        (CALLS / 5..CALLS).for_each(misbehave);
        all_is_well();
        let (after, maps, threads_after) = taken();
        // What a call leaves would be there eight thousand times: measured, it is some 40 bytes a call, noise of the allocator.
        assert!(after < warm + 4 * MIB, "{warm} bytes when warm, {after} after");
        assert!(
            maps < warm_maps + 100 && threads_after == threads,
            "{warm_maps} maps and {threads} threads, then {maps} and {threads_after}"
        );
    });
}

#[test]
fn memory_that_guests_took_goes_back() {
    alone("sandbox::soak::memory_that_guests_took_goes_back", || {
        let greedy = || {
            // Each takes what it may have, and its answer as much of the hub's.
            run(Misdeed::Takes(Takes::MemoryBySteps), &[(Limit::MemoryBytes, 128 * MIB)]);
            run(Misdeed::Answers(Answers::OneLargeOutput), &[(Limit::HostCallBytes, 64 * MIB)]);
            run(Misdeed::Asks(Asks::LogOneLargeLine), &[]);
        };
        all_is_well();
        (0..20).for_each(|_| greedy());
        let (after, _, _) = taken();
        // They took 2.5 GiB, and 360 MiB of the hub's. The allocator keeps some of that for each thread.
        assert!(after < 128 * MIB, "{after} bytes are still taken");
    });
}
