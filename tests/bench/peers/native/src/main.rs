//! The roof over rows: the same plugin compiled native, fed the same batches in memory on one thread.
//!
//! `native PLUGIN-FOLDER ROWS ROUNDS [BATCH]` prints nanoseconds a row, the least of the rounds. What is timed is what `measure rows`
//! times: open, every push, end and finish, with each answer dropped as it comes.

#[path = "../../../payroll.rs"]
mod payroll;

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bailiwick_sdk::testing::{Native, TestHub, context};
use bailiwick_sdk::{Date, Failure, wire};
use lgps_return::LgpsReturn;
use payroll::Values;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, rows, rounds, rest @ ..] = &arguments[..] else { anyhow::bail!("native PLUGIN-FOLDER ROWS ROUNDS [BATCH]") };
    let (rows, batch) = (rows.parse()?, rest.first().map_or(Ok(1_024), |batch| batch.parse())?);
    let batches: Vec<wire::Batch> = payroll::pieces(rows, batch).map(|piece| lower(piece)).collect();
    let mut context = context(folder);
    for input in &mut context.inputs {
        input.present = input.name == "payroll";
    }
    let declared: Vec<&str> = context.inputs[1].columns.iter().map(|column| column.name.as_str()).collect();
    let given: Vec<&str> = payroll::pieces(1, 1).flat_map(|piece| piece.columns).map(|column| column.name).collect();
    ensure!(declared == given, "the payroll's columns are not those that plugin.toml declares");
    let hub = TestHub::new(folder).today(Date::new(2026, 11, 2)).hub();
    let (mut cpu, mut wall) = (Duration::MAX, Duration::MAX);
    for _ in 0..rounds.parse()? {
        let (began, began_cpu) = (Instant::now(), thread_cpu());
        let written = run(context.clone(), &hub, &batches).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        (cpu, wall) = (cpu.min(thread_cpu() - began_cpu), wall.min(began.elapsed()));
        ensure!(written == rows as u64 + 2, "{written} rows were written of {rows} and two of the totals");
    }
    let per_row = |time: Duration| time.as_nanos() as f64 / rows as f64;
    println!("{}", serde_json::json!({ "cpu_ns": per_row(cpu), "wall_ns": per_row(wall), "rows": rows, "batch": batch }));
    Ok(())
}

/// The rows that it wrote.
fn run(context: wire::Context, hub: &bailiwick_sdk::Hub, batches: &[wire::Batch]) -> Result<u64, Failure> {
    let mut written = 0;
    let mut take = |outcome: wire::Outcome| {
        assert!(outcome.findings.is_empty(), "the payroll has no fault: {:?}", outcome.findings.first());
        written += outcome.outputs.iter().map(|output| u64::from(output.rows.rows)).sum::<u64>();
    };
    let mut run = Native::<LgpsReturn>::open(context, payroll::SETTINGS, hub)?;
    take(run.end(0)?);
    for batch in batches {
        take(run.push(1, batch)?);
    }
    take(run.end(1)?);
    let last = run.finish()?;
    assert!(last.done, "little is left at the end");
    take(last.outcome);
    Ok(written)
}

fn lower(piece: payroll::Piece) -> wire::Batch {
    let column = |column: payroll::Column| {
        let data = match column.values {
            Values::Text { offsets, content } => wire::ColumnData::Text(wire::TextColumn { offsets, content }),
            Values::Decimals(coefficients) => wire::ColumnData::Decimals(wire::DecimalColumn { scale: 2, coefficients }),
            Values::Dates(days) => wire::ColumnData::Dates(days),
        };
        wire::Column { validity: column.validity, data }
    };
    wire::Batch { first_row: piece.first_row, rows: piece.rows as u32, columns: piece.columns.into_iter().map(column).collect() }
}

fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("time on the CPU is not negative")
}
