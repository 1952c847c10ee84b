//! The hub's side of the benchmarks: each subcommand does one thing through the crate's public interface and prints one JSON line.
//!
//! `cargo xtask bench` runs it in turns with the peers in `../peers` and works out ratios; nothing here compares.
#![allow(clippy::float_arithmetic, reason = "times are divided, money is not")]
#![allow(clippy::print_stdout, reason = "it answers on standard output")]

mod clock;
mod decide;
mod job;
mod load;
#[path = "../payroll.rs"]
mod payroll;
mod payroll_file;
mod queue;
mod rows;
mod stage;

use anyhow::{Result, bail};
use serde_json::Value;

const USAGE: &str = "\
measure decide COMPONENT CASE-FILE ROUND-MS THREADS FORM  fresh decisions in the sandbox, all limits on; FORM typed or json
measure rows COMPONENT ROWS ROUNDS [BATCH]              payroll rows through the sandbox, in memory
measure load COMPONENT RELEASES                         releases from the cache: verified, linked, ready
measure job COMPONENT FOLDER THREADS                    a whole job, file to file: FOLDER/drop/*.csv to FOLDER/out
measure payroll ROWS FILE                               writes the payroll as a CSV file
measure queue PLACE RUNS IN-FLIGHT                      runs enqueued, claimed, ended; PLACE a folder or postgres://…
measure due FOLDER SCHEDULES                            schedules due in the same second, until they are claimed
measure idle FOLDER SCHEDULES SECONDS                   schedules at rest: per cent of a processor
measure initialise COMPONENT TO                         the component as instances of it begin

BENCH_CACHE names the folder that keeps compiled components from one round to the next.";

/// As the hub's program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match arguments[..] {
        ["decide", component, case, round_ms, threads, form] => {
            let form = if form == "json" { decide::Form::Json } else { decide::Form::Typed };
            decide::run(component, case, (round_ms.parse()?, threads.parse()?, form))?
        }
        ["rows", component, rows, rounds] => rows::run(component, (rows.parse()?, 1_024), rounds.parse()?)?,
        ["rows", component, rows, rounds, batch] => rows::run(component, (rows.parse()?, batch.parse()?), rounds.parse()?)?,
        ["load", component, releases] => with_peak(load::run(component, releases.parse()?)?)?,
        ["job", component, folder, threads] => job::run(component, folder, threads.parse()?)?,
        ["payroll", rows, file] => payroll_file::write(rows.parse()?, file)?,
        ["queue", place, runs, in_flight] => queue::lifecycles(place, runs.parse()?, in_flight.parse()?)?,
        ["due", folder, schedules] => queue::due(folder, schedules.parse()?)?,
        ["idle", folder, schedules, seconds] => queue::idle(folder, schedules.parse()?, seconds.parse()?)?,
        ["initialise", component, to] => stage::initialise(component, to)?,
        [] => {
            println!("{USAGE}");
            return Ok(());
        }
        _ => bail!("{USAGE}"),
    };
    println!("{answer}");
    Ok(())
}

/// With the most memory that the process has held.
fn with_peak(mut answer: Value) -> Result<Value> {
    answer["peak_mib"] = clock::peak_mib()?.into();
    Ok(answer)
}
