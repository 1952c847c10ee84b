//! Starts: releases taken up from the cache, and a hub's process from nothing to its first decision over HTTP.

use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::figures::Figures;
use super::rounds::{Rounds, answer, median};
use crate::tools::{command, output, root};

/// Releases that are taken up.
const RELEASES: &str = "1000";

/// The partner of the example that decides claims.
const PARTNER: &str = "staffordshire-police";

/// Milliseconds until releases are ready.
pub(super) fn load(rounds: &Rounds<'_>) -> Result<Figures> {
    let (component, mut runs, mut peaks) = (rounds.built.component("claim-routing"), Vec::new(), Vec::new());
    let own_mib = fs::metadata(&component)?.len() as f64 * RELEASES.parse::<f64>()? / f64::from(1 << 20);
    // The first fills the cache.
    for round in 0..=rounds.count {
        let mut load = rounds.measure("load");
        load.arg(&component).arg(RELEASES).env("BENCH_CACHE", rounds.built.folder.join("releases"));
        let answer = answer(load)?;
        let number = |name: &str| answer[name].as_f64().with_context(|| format!("the answer has no number {name}: {answer}"));
        if round > 0 {
            runs.push(number("ms")?);
            peaks.push(number("peak_mib")?);
        }
    }
    let peak = format!("most memory of the process, {own_mib:.0} MiB of it the components themselves");
    Ok(Figures::from(runs).also(peak, median(&peaks), "MiB"))
}

/// Milliseconds from the start of `bailiwick serve` to its first decision, with the example in force and its four releases cached.
pub(super) fn first_decision(rounds: &Rounds<'_>) -> Result<Figures> {
    let site = Site::new(rounds)?;
    let (mut runs, mut listening) = (Vec::new(), Vec::new());
    for round in 0..=rounds.count {
        let (until_listening, until_decided) = site.first_decision()?;
        if round > 0 {
            println!("  round {round}: listening after {until_listening:.1}, decided after {until_decided:.1}");
            runs.push(until_decided);
            listening.push(until_listening);
        }
    }
    Ok(Figures::from(runs).also("of them until the hub listens", median(&listening), "ms"))
}

/// A hub's folder with the example applied, and a token to ask with.
pub(super) struct Site {
    bailiwick: PathBuf,
    data: PathBuf,
    /// A token of the partner.
    pub(super) token: String,
    case: String,
}

impl Site {
    pub(super) fn new(rounds: &Rounds<'_>) -> Result<Self> {
        let folder = rounds.built.folder.join("first-decision");
        if folder.is_dir() {
            fs::remove_dir_all(&folder)?;
        }
        let (config, data) = (folder.join("config"), folder.join("data"));
        copy(&root().join("examples/staffordshire"), &config)?;
        let plugins = fs::read_to_string(config.join("plugins.toml"))?;
        let ours = rounds.built.folder.to_string_lossy().into_owned();
        fs::write(config.join("plugins.toml"), plugins.replace("../../target/plugins", &ours))?;
        let bailiwick = rounds.built.bailiwick.clone();
        let mut apply = command(&bailiwick, &["apply"]);
        apply.arg(&config).arg("--data").arg(&data).env("NO_COLOR", "1");
        let said = output(apply)?;
        let beginning = format!("token of {PARTNER} for the API, shown this once: ");
        let token = said.lines().find_map(|line| line.strip_prefix(&beginning)).context("the hub showed no token")?.to_owned();
        let case = fs::read_to_string(rounds.built.case())?;
        Ok(Self { bailiwick, data, token, case })
    }

    /// Starts the hub and asks for one decision: milliseconds until it listens, and until it has answered.
    fn first_decision(&self) -> Result<(f64, f64)> {
        let began = Instant::now();
        let (_hub, address) = self.serve(&[])?;
        let until_listening = began.elapsed();
        let answer = self.ask(&address)?;
        let until_decided = began.elapsed();
        ensure!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"outcome\""), "it did not decide: {answer}");
        Ok((until_listening.as_secs_f64() * 1e3, until_decided.as_secs_f64() * 1e3))
    }

    /// Starts the hub: it, and the address at which it listens.
    pub(super) fn serve(&self, more: &[&str]) -> Result<(Serving, String)> {
        let mut serve = Command::new(&self.bailiwick);
        serve.args(["serve", "--listen", "127.0.0.1:0"]).args(more).arg("--data").arg(&self.data);
        let mut hub = Serving(serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?);
        let said = hub.0.stdout.take().context("it has a standard output")?;
        let address = address(said)?;
        Ok((hub, address))
    }

    fn ask(&self, address: &str) -> Result<String> {
        let body = format!("{{\"case\":{}}}", self.case);
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "POST /api/v1/rule-sets/claim-routing/decisions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.token,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

/// Reads the first line that a server says, and finds its address in it.
pub(super) fn address(said: impl Read) -> Result<String> {
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line)?;
    let address = line.split_whitespace().find_map(|word| word.strip_prefix("http://"));
    let address = address.with_context(|| format!("it said no address: {line:?}"))?;
    Ok(address.trim_end_matches([';', '/']).to_owned())
}

/// A server that serves, until this is dropped.
pub(super) struct Serving(pub(super) Child);

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, to) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}
