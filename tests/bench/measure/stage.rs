//! A plugin installed in a sandbox as the hub does it, with its own tables, and a setup with every limit on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bailiwick::model::limits::Limits;
use bailiwick::model::manifest::{Kind, Manifest};
use bailiwick::model::rows::PortShape;
use bailiwick::model::table::TableSet;
use bailiwick::registry::package;
use bailiwick::sandbox::{self, Release, Sandbox, SandboxOptions, Setup};
use jiff::civil::date;

/// A plugin, ready.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) release: Release,
    pub(crate) tables: Arc<TableSet>,
}

/// The hub's own program, which compiles.
pub(crate) fn compiler() -> PathBuf {
    env!("CARGO_BIN_EXE_bailiwick").into()
}

/// Where compiled components are kept from one round to the next.
pub(crate) fn cache() -> PathBuf {
    std::env::var_os("BENCH_CACHE").map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-cache"), PathBuf::from)
}

/// A sandbox with some threads of each kind.
pub(crate) fn sandbox(threads: usize) -> Result<Sandbox> {
    let options = SandboxOptions { cache_dir: cache(), compiler: compiler(), run_threads: threads, decision_threads: threads };
    Ok(Sandbox::new(options)?)
}

/// The manifest and tables that a component carries.
pub(crate) fn unpack(component: &[u8]) -> Result<(Manifest, TableSet)> {
    let section = sandbox::read_section(component)?.context("the component has no manifest: build it with `bailiwick plugin build`")?;
    let package = package::unpack(&section)?;
    let mut tables = TableSet::default();
    package.tables.into_iter().for_each(|table| tables.add(Arc::new(table)));
    Ok((package.manifest, tables))
}

/// Installs the component in a file.
pub(crate) fn install(component: &str, threads: usize) -> Result<Stage> {
    let component = std::fs::read(component).with_context(|| component.to_owned())?;
    let (manifest, tables) = unpack(&component)?;
    let sandbox = sandbox(threads)?;
    let release = sandbox.install(&component, &manifest)?;
    ensure!(release.initialised, "instances would not begin from a snapshot: {:?}", release.not_initialised_because);
    Ok(Stage { sandbox, release, tables: Arc::new(tables) })
}

/// Writes a component as instances of it begin: what the floor is measured with.
pub(crate) fn initialise(component: &str, to: &str) -> Result<serde_json::Value> {
    let component = std::fs::read(component).with_context(|| component.to_owned())?;
    let started = sandbox::snapshot_started(&component).map_err(anyhow::Error::msg)?;
    std::fs::write(to, &started).with_context(|| to.to_owned())?;
    Ok(serde_json::json!({ "bytes": started.len() }))
}

impl Stage {
    /// What a run or a decision is given: the inputs that are named, every output, the limits that are asked for.
    pub(crate) fn setup(&self, settings: &str, inputs: &[&str]) -> Result<Arc<Setup>> {
        let manifest = &self.release.manifest;
        let mut limits = Limits::default();
        for (limit, wanted) in &manifest.limits {
            limits.set(*limit, *wanted)?;
        }
        let present = |port: &PortShape| inputs.contains(&port.name.as_str());
        let (inputs_present, outputs_present) = match &manifest.kind {
            Kind::Adapter(shape) => (shape.inputs.iter().map(present).collect(), vec![true; shape.outputs.len()]),
            Kind::RuleSet(_) | Kind::Format(_) | Kind::Connector(_) => (Vec::new(), Vec::new()),
        };
        Ok(Arc::new(Setup {
            release: self.release.clone(),
            lent: self.release.manifest.wants.clone(),
            partner: "partner".parse()?,
            job: "measured".parse()?,
            inputs_present,
            outputs_present,
            settings: settings.to_owned(),
            now: "2026-11-02T07:00:00Z".parse()?,
            today: date(2026, 11, 2),
            seed: [7; 32],
            tables: Arc::clone(&self.tables),
            state: BTreeMap::new(),
            http: None,
            limits,
        }))
    }
}

/// Waits for some work of the sandbox's threads.
pub(crate) fn wait<F: Future>(work: F) -> Result<F::Output> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))
}
