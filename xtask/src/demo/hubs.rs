//! Several hubs on one PostgreSQL database: the one that is at the large run is killed with -9, and another takes the run over.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::books;
use super::site::{LGPS, Serving, Site};
use crate::postgres::Server;

/// What is told to the server: this is a demonstration, and the machine will not lose its power over it.
const QUICK: [&str; 2] = ["fsync=off", "shared_buffers=64MB"];

/// How long the hub is at the run before it is killed.
const AT_WORK: Duration = Duration::from_millis(300);

/// Longest time that anything here takes, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(300);

const NAMES: [&str; 4] = ["first", "second", "third", "fourth"];

/// Shows a takeover by a build of the hub, over so many lines of payroll, and says how many seconds it took; fails unless it went well.
pub(super) fn run(hubs: u8, program: &Path, lines: usize) -> Result<f64> {
    let server = Server::start(&QUICK)?;
    println!("\nA database: {}, started for this and stopped after it.", server.version()?);
    let site = Site::new(server.database("bailiwick")?, program, lines)?;
    let applied = site.tell(&["apply", "."])?;
    let mut serving: Vec<Serving> = NAMES.iter().take(hubs.into()).map(|name| site.serve((*name).to_owned())).collect::<Result<_>>()?;
    println!("{hubs} hubs on it: {}. Each could be on a machine of its own.", NAMES[..hubs.into()].join(", "));
    let jobs = site.ask(&["jobs", "--json"])?;
    for job in jobs.as_array().into_iter().flatten() {
        let (partner, name) = (word(job, "partner")?, word(job, "name")?);
        serving[0].request(&name, &token(&applied, &partner)?)?;
    }
    println!("The four jobs of the Staffordshire example are asked for; the pension return has {lines} lines today.");

    let (run, holder) = begun(&site)?;
    std::thread::sleep(AT_WORK);
    let place = serving.iter().position(|hub| hub.name == holder).with_context(|| format!("no hub is called {holder}"))?;
    let mut killed = serving.remove(place);
    ensure!(state(&site, &run)? == "running", "the pension return was done before its hub could be killed");
    killed.kill()?;
    let since = Instant::now();
    println!("Hub {holder} was in the middle of the pension return, and was killed: kill -9, no word to anybody.");

    let heir = until(|| Ok(holder_of(&site, &run)?.filter(|(hub, lease)| *hub != holder && *lease > 1)))?.0;
    let took = since.elapsed();
    println!("Hub {heir} took the run over {:.1} s later: the dead hub's lease had run out.", took.as_secs_f32());
    until(|| Ok(ended(&site)?.then_some(())))?;
    println!("All runs had ended {:.1} s after the kill.\n", since.elapsed().as_secs_f32());
    books::check(&site, &run)?;
    let audit = site.tell(&["audit", "verify"])?;
    println!("  the audit trail: {}", audit.trim());
    for hub in serving {
        hub.stop()?;
    }
    drop((site, server));
    println!("\nNothing was lost and nothing came twice; takeover {:.1} s. The hubs and the database are stopped.", took.as_secs_f32());
    Ok(took.as_secs_f64())
}

/// The run of the pension return and the hub that is at it, once one is.
fn begun(site: &Site) -> Result<(String, String)> {
    let run = until(|| {
        let runs = site.ask(&["runs", "--json", "--job", LGPS])?;
        Ok(runs[0]["id"].as_str().filter(|_| runs[0]["state"] == "running").map(ToOwned::to_owned))
    })?;
    let (holder, _) = holder_of(site, &run)?.context("a run that is running was claimed")?;
    Ok((run, holder))
}

fn state(site: &Site, run: &str) -> Result<String> {
    word(&site.ask(&["show", run, "--json"])?, "state")
}

/// Who claimed a run last, and under which lease.
fn holder_of(site: &Site, run: &str) -> Result<Option<(String, u64)>> {
    let shown = site.ask(&["show", run, "--json"])?;
    let last = shown["events"].as_array().into_iter().flatten().rfind(|event| event["kind"] == "claimed").cloned();
    last.map(|event| Ok((word(&event, "hub")?, event["lease"].as_u64().context("a lease has a number")?))).transpose()
}

/// Whether nothing is left to do; an error if anything went wrong.
fn ended(site: &Site) -> Result<bool> {
    let runs = site.ask(&["runs", "--json"])?;
    for run in runs.as_array().into_iter().flatten() {
        match run["state"].as_str() {
            Some("closed") => {}
            Some("queued" | "running" | "staged" | "delivering") => return Ok(false),
            _ => bail!("a run did not close: {run}"),
        }
    }
    Ok(true)
}

/// The token that `apply` showed for a partner.
fn token(applied: &str, partner: &str) -> Result<String> {
    let beginning = format!("token of {partner} for the API, shown this once: ");
    Ok(applied.lines().find_map(|line| line.strip_prefix(&beginning)).context("the hub showed no token")?.to_owned())
}

pub(super) fn word(of: &Value, name: &str) -> Result<String> {
    Ok(of[name].as_str().with_context(|| format!("there is no {name} in {of}"))?.to_owned())
}

/// Asks again until there is an answer.
fn until<T>(ask: impl Fn() -> Result<Option<T>>) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        ensure!(began.elapsed() < PATIENCE, "nothing happens for {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
