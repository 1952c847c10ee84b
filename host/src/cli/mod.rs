//! The command line: what a person types, and how it is answered.

mod amend;
mod audit;
mod change;
mod decide;
mod demo;
mod open;
mod outside;
mod paint;
mod people;
mod plugin;
mod serve;
mod show;
mod steer;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::ledger::Database;
use crate::model::ids::is_name;
use crate::run::ArtefactBucket;
use crate::telemetry::{self, LogForm};

/// Runs partners' adapters and rule sets in a sandbox, moves data between providers, and accounts for every row and every penny.
#[derive(Debug, Parser)]
#[command(name = "bailiwick", version, max_term_width = 110)]
struct Arguments {
    /// Write log lines as JSON.
    #[arg(long, global = true)]
    log_json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the hub: schedules, runs, and the HTTP API.
    Serve(serve::Options),
    /// Runs the four jobs of an example and shows what happened.
    Demo(demo::Options),
    /// Copies the hub's folder to another, while runs go on: what a restored hub needs.
    Backup(serve::BackupOptions),
    /// Makes a folder of configuration the one in force.
    Apply(open::ApplyOptions),
    /// Shows what applying a folder of configuration would change.
    Plan(open::PlanOptions),
    /// Runs a job now, and waits for it to end.
    Run(open::RunOptions),
    /// Lists jobs, with their last run and their next time.
    Jobs(show::ListOptions),
    /// Lists runs, newest first.
    Runs(show::RunsOptions),
    /// Shows one run: rows, money, deliveries, limits, events.
    Show(show::RunOptions),
    /// Lists the rows that were rejected and wait, or those of one run; assigns, dismisses and writes them out for correction.
    Rejects(Box<amend::RejectsOptions>),
    /// Says how long what is kept of runs; with --now, gives up what may go.
    Retain(amend::RetainOptions),
    /// Brings corrected rows back, as a run of their own.
    Resubmit(amend::ResubmitOptions),
    /// Lets a held run go on as it stands: what was staged is delivered.
    Release(steer::RunOptions),
    /// Sends a held or failed run on its way again.
    Retry(steer::RetryOptions),
    /// Ends a run.
    Cancel(steer::RunOptions),
    /// Sends a delivered output again, the same bytes.
    Resend(amend::ResendOptions),
    /// Says of a delivery that is uncertain whether it arrived, once its receiver was asked.
    #[command(subcommand)]
    Delivery(amend::DeliveryCommand),
    /// Does a run again from its stored inputs, delivers nothing, and says whether every byte is the same.
    Replay(steer::ReplayOptions),
    /// Runs a job for the times of some days gone by, each once.
    Backfill(steer::BackfillOptions),
    /// Stops a job's schedule until it is resumed.
    Pause(steer::PauseOptions),
    /// Lets a paused job's schedule go on; its catch-up rule says what becomes of the times in between.
    Resume(steer::ResumeOptions),
    /// Decides a case by a rule set.
    Decide(decide::Options),
    /// Decides changes that take two persons.
    #[command(subcommand)]
    Change(change::Command),
    /// Checks the audit trail, signs it, or writes it out.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Tries connections.
    #[command(subcommand)]
    Connection(outside::ConnectionCommand),
    /// Addresses that are told of runs and releases: lists them, what they were sent, and tries them.
    #[command(subcommand)]
    Webhook(outside::WebhookCommand),
    /// Keeps the credentials of connections, encrypted.
    #[command(subcommand)]
    Secret(outside::SecretCommand),
    /// Keeps people: who may sign in, and what they are at each partner.
    #[command(subcommand)]
    Person(people::PersonCommand),
    /// Keeps tokens, with which other systems call the API.
    #[command(subcommand)]
    Token(people::TokenCommand),
    /// Keeps the keys that sign releases of plugins.
    #[command(subcommand)]
    Key(plugin::KeyCommand),
    /// Makes, builds, tests, inspects and releases plugins.
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Prints the OpenAPI document of the HTTP API, as a hub serves it at /api/v1/openapi.json.
    Openapi,
    /// Compiles a component in a process of its own. The hub calls this itself.
    #[command(hide = true)]
    CompileComponent {
        /// The component.
        input: PathBuf,
        /// Where machine code goes.
        output: PathBuf,
    },
}

/// Where the hub keeps its things, and how it shares its work.
#[derive(Debug, Clone, clap::Args)]
struct DataOption {
    /// The hub's folder.
    #[arg(long, env = "BAILIWICK_DATA", default_value = "bailiwick-data", value_name = "DIR")]
    data: PathBuf,
    /// The PostgreSQL database that several hubs share: postgres://USER:PASSWORD@HOST/DATABASE. They share the folder too, or name a
    /// bucket with --artefacts. Without it, the ledger is a file in the folder.
    #[arg(long, env = "BAILIWICK_DATABASE", hide_env_values = true, value_name = "URL", value_parser = database)]
    database: Option<Database>,
    /// The bucket in which hubs with folders of their own share artefacts and releases:
    /// s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION, with the key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
    #[arg(long, env = "BAILIWICK_ARTEFACTS", value_name = "URL", value_parser = outside::artefacts)]
    artefacts: Option<Box<ArtefactBucket>>,
    /// The hub's name, which no other hub on the same folder or database has.
    #[arg(long, env = "BAILIWICK_HUB", default_value = "main", value_name = "NAME", value_parser = hub_name)]
    hub: String,
    /// How long a run stays with a hub that gives no word, before another takes it over, in milliseconds.
    #[arg(long, env = "BAILIWICK_LEASE_MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(LEASE_MS), value_name = "MS")]
    lease_ms: u64,
}

impl DataOption {
    /// A hub that shares its work with nobody, whatever the environment says.
    const fn alone(data: PathBuf, hub: String) -> Self {
        Self { data, database: None, artefacts: None, hub, lease_ms: 10_000 }
    }
}

/// A second to ten minutes: less is lost to a slow disk, and more is no takeover.
const LEASE_MS: std::ops::RangeInclusive<u64> = 1_000..=600_000;

fn database(url: &str) -> Result<Database, String> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Database::Postgres(url.to_owned()));
    }
    Err("write postgres://USER:PASSWORD@HOST/DATABASE".to_owned())
}

fn hub_name(name: &str) -> Result<String, String> {
    if is_name(name) {
        Ok(name.to_owned())
    } else {
        Err("use lower-case letters, digits and single hyphens, beginning with a letter".to_owned())
    }
}

/// Why a command did not do what it was asked, as a sentence for the person who asked.
type Answer = Result<ExitCode, Box<dyn std::error::Error>>;

/// Runs the command that the program was started with.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let quiet = !matches!(arguments.command, Command::Serve(_));
    let form = if arguments.log_json { LogForm::Json } else { LogForm::Text };
    let traces = telemetry::start(form, if quiet { "error" } else { "info" });
    let code = match answer(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            eprint_error(&*error);
            ExitCode::FAILURE
        }
    };
    // The last of them are sent.
    drop(traces);
    code
}

fn answer(command: Command) -> Answer {
    if let Command::CompileComponent { input, output } = command {
        crate::sandbox::compile_component(&input, &output)?;
        return Ok(ExitCode::SUCCESS);
    }
    if matches!(command, Command::Openapi) {
        paint::say(crate::api::document().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let answer = runtime.block_on(async {
        match command {
            Command::Serve(options) => serve::serve(options).await,
            Command::Backup(options) => serve::backup(options).await,
            Command::Demo(options) => demo::demo(options).await,
            Command::Apply(options) => open::apply(options).await,
            Command::Plan(options) => open::plan(options).await,
            Command::Run(options) => open::run(options).await,
            Command::Jobs(options) => show::jobs(options).await,
            Command::Runs(options) => show::runs(options).await,
            Command::Show(options) => show::run(options).await,
            Command::Rejects(options) => amend::rejects(*options).await,
            Command::Retain(options) => amend::retain(options).await,
            Command::Resubmit(options) => amend::resubmit(options).await,
            Command::Release(options) => steer::release(options).await,
            Command::Retry(options) => steer::retry(options).await,
            Command::Cancel(options) => steer::cancel(options).await,
            Command::Resend(options) => amend::resend(options).await,
            Command::Delivery(command) => amend::delivery(command).await,
            Command::Replay(options) => steer::replay(options).await,
            Command::Backfill(options) => steer::backfill(options).await,
            Command::Pause(options) => steer::pause(options).await,
            Command::Resume(options) => steer::resume(options).await,
            Command::Decide(options) => decide::decide(options).await,
            Command::Change(command) => change::answer(command).await,
            Command::Audit(command) => audit::answer(command).await,
            Command::Connection(command) => outside::connection(command).await,
            Command::Webhook(command) => outside::webhook(command).await,
            Command::Secret(command) => outside::secret(command).await,
            Command::Person(command) => people::person(command).await,
            Command::Token(command) => people::token(command).await,
            Command::Key(command) => plugin::key(command).await,
            Command::Plugin(command) => plugin::answer(command).await,
            Command::CompileComponent { .. } | Command::Openapi => unreachable!("answered above"),
        }
    });
    // What is still being sent, nobody waits for: it was left to another hub.
    runtime.shutdown_background();
    answer
}

fn eprint_error(error: &(dyn std::error::Error + 'static)) {
    use anstream::eprintln;
    let said = error.to_string();
    let said = if error.is::<open::Drawn>() { said } else { paint::clean(&said) };
    eprintln!("{}: {said}", paint::paint(paint::Tone::Bad, "error"));
}

/// Every command and its help, for the documentation and for tests.
#[must_use]
pub fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}
