//! `bailiwick plugin test`: a plugin's cases in the same sandbox as in production.

use std::path::PathBuf;
use std::process::ExitCode;

use super::FolderOption;
use crate::cli::Answer;
use crate::cli::paint::{Tone, count, paint, say, table};
use crate::run;
use crate::sandbox::{Sandbox, SandboxOptions};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    folder: FolderOption,
    /// A component that is built already; the folder is built unless said.
    #[arg(long, value_name = "FILE")]
    component: Option<PathBuf>,
}

pub(super) async fn test(options: Options) -> Answer {
    let folder = std::path::absolute(&options.folder.folder)?;
    let component = match &options.component {
        Some(file) => std::fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?,
        None => super::build::component(&folder)?.1,
    };
    let cache = tempfile::tempdir()?;
    let sandbox = Sandbox::new(SandboxOptions {
        cache_dir: cache.path().join("compiled"),
        compiler: std::env::current_exe()?,
        run_threads: 1,
        decision_threads: 1,
    })?;
    let rehearsal = run::rehearse(&component, &folder, &sandbox).await?;
    if rehearsal.cases.is_empty() {
        return Err(format!("{} has no cases: add one under cases/, so that there is something to trust", folder.display()).into());
    }
    let failed: Vec<_> = rehearsal.cases.iter().filter(|case| !case.differences.is_empty()).collect();
    for case in &failed {
        say(format!("{} {}", paint(Tone::Bad, "failed"), case.name));
        for difference in &case.differences {
            say(format!("  {}: {}", difference.place, difference.text));
        }
    }
    say(table(&["limit", "most used"], &[1], rehearsal.usage.iter().map(|(limit, amount)| vec![limit.to_string(), count(amount)])));
    say(format!("{} passed, {} failed", rehearsal.cases.len() - failed.len(), failed.len()));
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
