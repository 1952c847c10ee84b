//! `cargo xtask demo`: everything a visitor needs to see the four jobs run; with `--hubs 2 --postgres`, one hub taking over from another.

mod books;
mod hubs;
mod site;

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

pub(crate) use site::{Serving, copy};

use crate::plugins;
use crate::tools::{bailiwick, command, succeed};

/// Lines of payroll that keep a build for development at work for a few seconds.
const LINES: usize = 300_000;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// End after the jobs have run, with a non-zero status unless every run closed and balanced.
    #[arg(long)]
    exit: bool,
    /// Keep the hub's folder here, instead of in a fresh one that is removed.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Hubs that share the work; one of them is killed in the middle of a run, and another finishes it. Needs --postgres.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4), value_name = "NUMBER")]
    hubs: u8,
    /// Start a PostgreSQL server for them, from the programs that are installed.
    #[arg(long, conflicts_with = "data")]
    postgres: bool,
}

/// Builds, then hands over to `bailiwick demo`, or to several hubs.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(options.hubs == 1 || options.postgres, "several hubs share a PostgreSQL database: say --hubs {} --postgres", options.hubs);
    ensure!(options.hubs > 1 || !options.postgres, "with one hub there is nobody to take over: say --hubs 2 --postgres");
    plugins::build_all()?;
    if options.hubs > 1 {
        return hubs::run(options.hubs, &bailiwick(), LINES).map(drop);
    }
    let mut demo = command(bailiwick(), &["demo", "--example", "examples/staffordshire"]);
    if options.exit {
        demo.arg("--exit");
    }
    if let Some(data) = &options.data {
        demo.arg("--data").arg(std::path::absolute(data)?);
    }
    succeed(demo)
}

/// Two hubs, one of which is killed. What they need is built.
pub(crate) fn takeover() -> Result<()> {
    hubs::run(2, &bailiwick(), LINES).map(drop)
}

/// The same with a build that is quicker: seconds from the kill until the other hub has the run.
pub(crate) fn takeover_of(program: &Path) -> Result<f64> {
    hubs::run(2, program, LINES * 5)
}
