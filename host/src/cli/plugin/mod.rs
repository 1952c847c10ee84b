//! `bailiwick plugin`: make, build, test, measure and inspect.

mod bench;
mod build;
mod inspect;
mod limits;
mod new;
mod test;

use std::path::PathBuf;

use super::Answer;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Makes a plugin's folder with a small working plugin in it.
    New(new::Options),
    /// Builds a plugin's folder into a component with its manifest inside.
    Build(build::Options),
    /// Runs a plugin's cases in the sandbox.
    Test(test::Options),
    /// Measures a component in the sandbox: time, memory, and how close it comes to each limit.
    Bench(bench::Options),
    /// Shows what a component is, imports, asks for and declares.
    Inspect(inspect::Options),
    /// Shows what a plugin can call, what it may use up, and why.
    Limits(limits::Options),
}

#[derive(Debug, clap::Args)]
struct FolderOption {
    /// The plugin's folder.
    #[arg(default_value = ".")]
    folder: PathBuf,
}

pub(super) async fn answer(command: Command) -> Answer {
    match command {
        Command::New(options) => new::new(&options),
        Command::Build(options) => build::build(&options),
        Command::Test(options) => test::test(options).await,
        Command::Bench(options) => bench::bench(options).await,
        Command::Inspect(options) => inspect::inspect(&options),
        Command::Limits(options) => limits::limits(&options),
    }
}
