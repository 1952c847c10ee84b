//! `cargo xtask demo`: everything a visitor needs to see the four jobs run.

use std::path::PathBuf;

use anyhow::Result;

use crate::plugins;
use crate::tools::{bailiwick, command, succeed};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// End after the jobs have run, with a non-zero status unless every run closed and balanced.
    #[arg(long)]
    exit: bool,
    /// Keep the hub's folder here, instead of in a fresh one that is removed.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Builds, then hands over to `bailiwick demo`.
pub(crate) fn run(options: &Options) -> Result<()> {
    plugins::build_all()?;
    let mut demo = command(bailiwick(), &["demo", "--example", "examples/staffordshire"]);
    if options.exit {
        demo.arg("--exit");
    }
    if let Some(data) = &options.data {
        demo.arg("--data").arg(std::path::absolute(data)?);
    }
    succeed(demo)
}
