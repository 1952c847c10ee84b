//! `bailiwick plugin`: make, build, test, measure and inspect.

mod bench;
mod build;
mod inspect;
mod limits;
mod new;
mod release;
mod test;

pub(super) use release::{KeyCommand, key};

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
    /// Signs a component, so that a hub can tell that it is yours.
    Sign(release::SignOptions),
    /// Publishes a component, with its signature, in a registry (OCI).
    Publish(release::PublishOptions),
    /// Pulls a component, with its signature, out of a registry into files.
    Pull(release::PullOptions),
    /// Hands a component in at a hub, from a file or a registry: checked, compiled and kept. No run uses it until it is activated.
    Push(release::PushOptions),
    /// Lists releases: who added, signed and approved them, and which are active.
    Releases(release::ListOptions),
    /// Shows what a release may do, and what is different from the active one.
    Review(release::ReviewOptions),
    /// Tries a release on the inputs of the last runs that delivered, beside what they came to. Delivers nothing.
    Try(release::TryOptions),
    /// Shows where a run that tried a release came to something else: rows, columns, totals.
    Differences(release::DifferencesOptions),
    /// Does every run again with a release, beside the active one, from now on. That delivers nothing; what differs is kept and shown.
    Parallel(release::OneOptions),
    /// Does a share of the runs with a release, from now on. They deliver; it is taken back by itself if they do badly.
    Canary(release::CanaryOptions),
    /// Ends a parallel run or a canary.
    EndCandidate(release::EndOptions),
    /// Shows what trials of a release came to, and whether that is enough to activate it.
    Trials(release::TrialsOptions),
    /// Explains a kind of difference that trials of a release have, for the trials that there are.
    Explain(release::ExplainOptions),
    /// Says that a partner's runs may use a release, and what it is lent. Whoever added it cannot say so.
    Approve(release::ApproveOptions),
    /// Says that they may not.
    Refuse(release::JudgeOptions),
    /// Makes a release the one that runs use, from the next run on.
    Activate(release::ActivateOptions),
    /// Makes the release active again that was so before.
    RollBack(release::RollBackOptions),
    /// Gives a release up: no run begins with it any more.
    Retire(release::JudgeOptions),
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
        Command::Sign(options) => release::sign(&options),
        Command::Publish(options) => release::publish(options).await,
        Command::Pull(options) => release::pull(options).await,
        Command::Push(options) => release::push(options).await,
        Command::Releases(options) => release::list(options).await,
        Command::Review(options) => release::review(options).await,
        Command::Try(options) => release::try_out(options).await,
        Command::Differences(options) => release::differences(options).await,
        Command::Parallel(options) => release::parallel(options).await,
        Command::Canary(options) => release::canary(options).await,
        Command::EndCandidate(options) => release::end(options).await,
        Command::Trials(options) => release::trials(options).await,
        Command::Explain(options) => release::explain(options).await,
        Command::Retire(options) => release::retire(options).await,
        Command::Approve(options) => release::approve(options).await,
        Command::Refuse(options) => release::refuse(options).await,
        Command::Activate(options) => release::activate(options).await,
        Command::RollBack(options) => release::roll_back(options).await,
    }
}
