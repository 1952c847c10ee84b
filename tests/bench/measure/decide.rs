//! One case decided again and again, each time in a fresh sandbox.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use bailiwick::registry::cases::{DecisionJson, decision_json};
use bailiwick::sandbox::{Setup, Worker};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::clock::{Stopwatch, each};
use super::stage;

/// Time of one decision, and what was decided.
struct Cost {
    cpu_ns: f64,
    wall_ns: f64,
    decision: Value,
}

/// What becomes of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// It is dropped as the sandbox gives it.
    Typed,
    /// It is written as JSON, as the API does.
    Json,
}

/// Decides for some milliseconds on some threads of the sandbox at once. The decision itself is told too.
pub(crate) fn run(component: &str, case: &str, (round_ms, threads, form): (u64, usize, Form)) -> Result<Value> {
    let stage = stage::install(component, threads)?;
    let setup = stage.setup("{}", &[])?;
    let case: Arc<str> = std::fs::read_to_string(case).with_context(|| case.to_owned())?.into();
    let (round, together) = (Duration::from_millis(round_ms), Arc::new(Barrier::new(threads)));
    let costs: Vec<Cost> = stage::wait(async {
        let mut running = JoinSet::new();
        for _ in 0..threads {
            let (sandbox, setup, case, together) = (stage.sandbox.clone(), Arc::clone(&setup), Arc::clone(&case), Arc::clone(&together));
            // Each keeps its thread until all have begun, so no two are on the same.
            running.spawn(async move {
                sandbox.on_decision_thread(move |worker| one_thread(worker, (&setup, &case, form), (round, &together))).await
            });
        }
        running.join_all().await.into_iter().map(|done| done?).collect::<Result<_>>()
    })??;
    let cpu_ns = costs.iter().map(|cost| cost.cpu_ns).sum::<f64>() / threads as f64;
    let per_second: f64 = costs.iter().map(|cost| 1e9 / cost.wall_ns).sum();
    let decision = &costs.first().context("some thread decided")?.decision;
    Ok(json!({ "cpu_ns": cpu_ns, "per_second": per_second, "threads": threads, "decision": decision }))
}

fn one_thread(worker: &Worker, (setup, case, form): (&Arc<Setup>, &str, Form), (round, together): (Duration, &Barrier)) -> Result<Cost> {
    let decided = || worker.decide(setup, case).map_err(|failed| anyhow!("{failed}"));
    let decision = decision_json(&decided()?.0);
    let decide = || -> Result<()> {
        let decided = decided()?;
        if form == Form::Json {
            std::hint::black_box(serde_json::to_string(&DecisionJson::from(&decided.0))?);
        }
        std::hint::black_box(decided);
        Ok(())
    };
    for _ in 0..1_000 {
        decide()?;
    }
    together.wait();
    let (watch, mut decided) = (Stopwatch::start(), 0);
    while watch.wall() < round {
        for _ in 0..100 {
            decide()?;
        }
        decided += 100;
    }
    Ok(Cost { cpu_ns: each(watch.cpu(), decided), wall_ns: each(watch.wall(), decided), decision })
}
