//! Decisions over HTTP: the hub's against `wasmtime serve` with the same rule.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::figures::Figures;
use super::rounds::{Rounds, answer, median};
use super::start::{Serving, Site, address};
use crate::prerequisites;
use crate::tools::{cargo, command, root, succeed, target};

/// Decisions of a round.
const DECISIONS: &str = "10000";

/// Connections that are kept, each with one request under way.
const CONNECTIONS: &str = "16";

/// What `wasmtime serve` components are built for.
const WASI_TARGET: &str = "wasm32-wasip2";

/// Decisions a second of the hub ÷ of `wasmtime serve`.
pub(super) fn against_wasmtime_serve(rounds: &Rounds<'_>) -> Result<Figures> {
    let wasmtime = prerequisites::wasmtime()?;
    let component = component(&wasmtime, &rounds.built.folder)?;
    let load = load()?;
    let body = rounds.built.folder.join("http-body.json");
    std::fs::write(&body, format!("{{\"case\":{}}}", std::fs::read_to_string(rounds.built.case())?))?;

    let site = Site::new(rounds)?;
    let (_hub, hub_at) = site.serve(&["--token-requests", "100000", "--address-requests", "100000"])?;
    let (_peer, peer_at) = served(&wasmtime, &component)?;
    let ask = |address: &str, path: &str| {
        let mut load = Command::new(&load);
        load.args([address, path]).arg(&body).args([DECISIONS, CONNECTIONS]).env("LOAD_TOKEN", &site.token);
        answer(load)
    };
    let ours = || ask(&hub_at, "/api/v1/rule-sets/claim-routing/decisions");
    let theirs = || ask(&peer_at, "/");
    same_decision(&ours()?["answer"]["decisions"][0]["decision"], &theirs()?["answer"])?;

    let per_second = |answer: Value| answer["per_second"].as_f64().context("the client says how many a second");
    let measured = rounds.in_turns(&mut [&mut || per_second(ours()?), &mut || per_second(theirs()?)])?;
    let of = |place: usize| measured.iter().map(|round| round[place]).collect::<Vec<_>>();
    let figures = Figures::from(measured.iter().map(|round| round[0] / round[1]).collect::<Vec<_>>());
    Ok(figures.also("ours", median(&of(0)), "decisions a second").also("wasmtime serve", median(&of(1)), "decisions a second"))
}

/// The rule behind `wasi:http`, as it is after its start.
fn component(wasmtime: &Path, folder: &Path) -> Result<PathBuf> {
    prerequisites::target_of_rust(WASI_TARGET)?;
    succeed(peer(&["--package", "wasi-http", "--profile", "plugin", "--target", WASI_TARGET]))?;
    let started = folder.join("wasi-http-started.wasm");
    let mut wizer = command(wasmtime, &["wizer", "--init-func", "initialize", "--keep-init-func=true", "-Scli=y", "-Shttp=y"]);
    wizer.arg(target().join(WASI_TARGET).join("plugin/wasi_http.wasm")).arg("-o").arg(&started);
    succeed(wizer)?;
    Ok(started)
}

fn load() -> Result<PathBuf> {
    succeed(peer(&["--package", "load", "--release"]))?;
    Ok(target().join("release/load"))
}

fn peer(arguments: &[&str]) -> Command {
    let mut build = cargo(&["build", "--locked"]);
    build.args(arguments).arg("--manifest-path").arg(root().join("tests/bench/peers/Cargo.toml")).arg("--target-dir").arg(target());
    build
}

/// `wasmtime serve` with its allocator for many instances, and the address at which it listens.
fn served(wasmtime: &Path, component: &Path) -> Result<(Serving, String)> {
    let mut serve = Command::new(wasmtime);
    serve.args(["serve", "--addr", "127.0.0.1:0", "-Opooling-allocator=y", "-Omemory-init-cow=y", "-Scli=y"]).arg(component);
    let mut server = Serving(serve.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?);
    let said = server.0.stderr.take().context("it has a standard error")?;
    let address = address(said)?;
    Ok((server, address))
}

/// Nothing is compared unless both sides decide the same, to the letter.
fn same_decision(ours: &Value, theirs: &Value) -> Result<()> {
    ensure!(!ours.is_null() && ours == theirs, "the hub and wasmtime serve decide otherwise:\n{ours}\n{theirs}");
    Ok(())
}
