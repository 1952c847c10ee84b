//! A payroll through the adapter in its sandbox: batches from memory, answers dropped as they come.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use bailiwick::model::limits::Limit;
use bailiwick::model::manifest::Kind;
use bailiwick::model::outcome::Outcome;
use bailiwick::model::rows::{Batch, Column, ColumnData, TextColumn, Validity};
use bailiwick::sandbox::{Setup, Worker};
use serde_json::{Value, json};

use super::clock::{Stopwatch, each};
use super::payroll::{self, Piece, Values};
use super::stage;

/// Sends the rows through some times over; the least of the rounds is told.
pub(crate) fn run(component: &str, (rows, batch): (usize, usize), rounds: usize) -> Result<Value> {
    let stage = stage::install(component, 1)?;
    let setup = stage.setup(payroll::SETTINGS, &["payroll"])?;
    let batches: Vec<Batch> = payroll::pieces(rows, batch).map(raise).collect();
    fits(&setup, &batches)?;
    let work = move |worker: &Worker| -> Result<Value> {
        let (mut cpu, mut wall, mut memory) = (Duration::MAX, Duration::MAX, 0);
        for _ in 0..rounds {
            let watch = Stopwatch::start();
            let (written, bytes) = through(worker, &setup, &batches)?;
            (cpu, wall, memory) = (cpu.min(watch.cpu()), wall.min(watch.wall()), bytes);
            ensure!(written == rows + 2, "{written} rows were written of {rows} and two of the totals");
        }
        Ok(json!({ "cpu_ns": each(cpu, rows), "wall_ns": each(wall, rows), "rows": rows, "batch": batch, "guest_bytes": memory }))
    };
    stage::wait(stage.sandbox.on_run_thread(work))??
}

/// The rows that it wrote, and the bytes of memory that its instance took.
fn through(worker: &Worker, setup: &Arc<Setup>, batches: &[Batch]) -> Result<(usize, u64)> {
    let mut written = 0;
    let mut take = |outcome: Outcome| {
        assert!(outcome.findings.is_empty(), "the payroll has no fault: {:?}", outcome.findings.first());
        written += outcome.outputs.iter().map(|(_, batch)| batch.rows).sum::<usize>();
    };
    let mut run = worker.open_adapter(setup).map_err(|failed| anyhow!("{failed}"))?;
    take(run.end(0)?);
    for batch in batches {
        take(run.push(1, batch)?);
    }
    take(run.end(1)?);
    let (outcome, done) = run.finish()?;
    ensure!(done, "little is left at the end");
    take(outcome);
    Ok((written, run.close().usage.get(Limit::MemoryBytes).unwrap_or(0)))
}

/// The batches hold what the manifest declares.
fn fits(setup: &Setup, batches: &[Batch]) -> Result<()> {
    let Kind::Adapter(shape) = &setup.release.manifest.kind else { anyhow::bail!("a rule set takes no rows") };
    let port = shape.inputs.iter().find(|port| port.name == "payroll").ok_or_else(|| anyhow!("the adapter has no input payroll"))?;
    let declared: Vec<&str> = port.columns.iter().map(|column| column.name.as_str()).collect();
    let given: Vec<&str> = payroll::pieces(1, 1).flat_map(|piece| piece.columns).map(|column| column.name).collect();
    ensure!(declared == given, "the payroll's columns are not those that plugin.toml declares");
    Ok(batches.iter().try_for_each(|batch| batch.check(&port.columns))?)
}

fn raise(piece: Piece) -> Batch {
    let column = |column: payroll::Column| {
        let data = match column.values {
            Values::Text { offsets, content } => ColumnData::Text(TextColumn { offsets, content }),
            Values::Decimals(coefficients) => ColumnData::Decimals { scale: 2, coefficients },
            Values::Dates(days) => ColumnData::Dates(days),
        };
        Column { validity: Validity { bits: column.validity }, data }
    };
    Batch { first_row: piece.first_row, rows: piece.rows, columns: piece.columns.into_iter().map(column).collect() }
}
