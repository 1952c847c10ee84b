//! A whole job in a hub of its own: a CSV file in a folder, to files in another, with digests, totals, uniqueness and the ledger.

use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use bailiwick::clock::Clock;
use bailiwick::ledger::{Actor, By, RunState, Scope};
use bailiwick::run::{Hub, HubOptions, Request};
use serde_json::{Value, json};

use super::clock::{Stopwatch, peak_mib, process_cpu};
use super::stage;

const PARTNERS: &str = "[[partner]]\nname = \"partner\"\ntitle = \"Partner\"\n";

const JOB: &str = r#"
partner = "partner"
name = "measured"
title = "LGPS monthly return"
plugin = "lgps-return"

[[input]]
port = "payroll"
connection = "drop"
file = "*.csv"
take = "next"
format = { kind = "csv", encoding = "utf-8", dates = "iso" }

[[output]]
port = "return"
connection = "out"
file = "return.csv"
format = { kind = "csv", encoding = "utf-8", dates = "iso" }

[[output]]
port = "ctr1"
connection = "out"
file = "ctr1.csv"
format = { kind = "csv", encoding = "utf-8", dates = "iso" }

[settings]
employers = [
  { code = "00321", rate-percent = "18.9", from = "2026-04-01" },
  { code = "00322", rate-percent = "18.9", from = "2026-04-01" },
]
"#;

/// Runs the job once, on some of the hub's threads, over the payroll that lies in `FOLDER/drop`; what comes out goes to `FOLDER/out`.
pub(crate) fn run(component: &str, folder: &str, threads: usize) -> Result<Value> {
    let (folder, component) = (std::path::absolute(folder)?, std::path::absolute(component)?);
    configure(&folder, &component)?;
    let data = tempfile::tempdir_in(&folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        let options = HubOptions {
            data: data.path().to_owned(),
            name: "measured".to_owned(),
            compiler: stage::compiler(),
            clock: Clock::standing_at("2026-11-02T07:00:00Z".parse()?),
            runs_at_once: 1,
            works: true,
        };
        let hub = Hub::open(options).await?;
        let by = By { actor: Actor::person("bench"), hub: hub.id().clone(), from: None, now_ms: hub.clock().now_ms(), as_of: None };
        hub.apply(&folder.join("config"), &by).await.map_err(|error| anyhow!("{error}: {error:?}"))?;
        let (watch, cpu) = (Stopwatch::start(), process_cpu());
        let request = Request { partner: "partner".parse()?, job: "measured".parse()?, dry_run: false, key: None };
        let run = hub.request(&request, &by).await?.run;
        let (ran, state) = hub.work_once().await?.context("no run waits")?;
        let (wall, cpu) = (watch.wall(), process_cpu() - cpu);
        ensure!(ran == run && state == RunState::Closed, "the run is {state}");
        let processed = hub.ledger().processed(Scope::Hub, run).await?.context("the run was not processed")?;
        ensure!(processed.balances.iter().all(bailiwick::model::totals::BalanceResult::holds), "a balance does not hold");
        let rows = processed.totals.inputs.iter().map(|input| input.rows.accepted).sum::<u64>();
        hub.ledger().close().await;
        Ok(json!({
            "rows": rows, "wall_ms": wall.as_secs_f64() * 1e3, "cpu_ms": cpu.as_secs_f64() * 1e3, "peak_mib": peak_mib()?,
        }))
    })
}

/// Writes the hub's configuration, and makes the folder for what comes out empty.
fn configure(folder: &Path, component: &Path) -> Result<()> {
    let (config, out) = (folder.join("config"), folder.join("out"));
    if out.is_dir() {
        std::fs::remove_dir_all(&out)?;
    }
    std::fs::create_dir_all(&out)?;
    std::fs::create_dir_all(config.join("jobs"))?;
    let place = |name: &str| {
        format!("[[connection]]\npartner = \"partner\"\nname = \"{name}\"\nkind = \"folder\"\npath = \"../{name}\"\nsettle-ms = 0\n")
    };
    let plugins = format!("[[plugin]]\npartner = \"partner\"\nname = \"lgps-return\"\ncomponent = \"{}\"\n", component.display());
    std::fs::write(config.join("partners.toml"), PARTNERS)?;
    std::fs::write(config.join("connections.toml"), place("drop") + &place("out"))?;
    std::fs::write(config.join("plugins.toml"), plugins)?;
    Ok(std::fs::write(config.join("jobs/measured.toml"), JOB)?)
}
