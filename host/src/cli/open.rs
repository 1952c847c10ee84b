//! Commands that change something: apply a configuration, run a job.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::paint::{Tone, paint, say};
use super::{Answer, DataOption, show};
use crate::clock::Clock;
use crate::ledger::{Actor, By, RunState, Scope};
use crate::model::ids::{JobName, PartnerName, RunId};
use crate::run::{Hub, HubOptions, Plan, Request, RunError, Sharing};

/// How `plan --drift` ends where there is any.
const DRIFT: u8 = 2;

/// Longest name of somebody who types, in characters: that of a person who signs in.
const USER_CHARS_MAX: usize = 100;

#[derive(Debug, clap::Args)]
pub(super) struct ApplyOptions {
    #[command(flatten)]
    data: DataOption,
    /// The folder of configuration.
    folder: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct PlanOptions {
    #[command(flatten)]
    apply: ApplyOptions,
    /// End with status 2 if anything is in force that the folder does not have, or the other way round; or if a release in use was refused,
    /// or could not work with what it is lent.
    #[arg(long)]
    drift: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct RunOptions {
    #[command(flatten)]
    data: DataOption,
    /// The job.
    job: JobName,
    /// Whose job, where two partners have one of the same name.
    #[arg(long)]
    partner: Option<PartnerName>,
    /// Do everything but deliver, and take no file.
    #[arg(long)]
    dry_run: bool,
    /// Print the run as JSON.
    #[arg(long)]
    json: bool,
}

/// Opens the hub in its folder to read, or to declare.
pub(super) async fn hub(data: &DataOption) -> Result<Hub, Box<dyn std::error::Error>> {
    open(data, false).await
}

/// Opens the hub in its folder to serve, making it if need be.
pub(super) async fn serving_hub(data: &DataOption) -> Result<Hub, Box<dyn std::error::Error>> {
    open(data, true).await
}

/// Opens the hub in a folder where there must be one, to work. Where another process works in it already, that one does the work and
/// this one looks on.
pub(super) async fn working_hub(data: &DataOption) -> Result<Hub, Box<dyn std::error::Error>> {
    check_exists(data)?;
    open(data, true).await
}

/// Opens the hub in a folder where there must be one.
pub(super) async fn existing_hub(data: &DataOption) -> Result<Hub, Box<dyn std::error::Error>> {
    check_exists(data)?;
    hub(data).await
}

/// A folder that was mistyped does not become a hub. With a database, that is what there must be.
pub(super) fn check_exists(data: &DataOption) -> Result<(), Box<dyn std::error::Error>> {
    if data.database.is_none() && !data.data.join("ledger.sqlite").is_file() {
        let folder = data.data.display();
        return Err(format!("there is no hub in {folder}: name its folder with --data, or make one with `bailiwick apply FOLDER`").into());
    }
    Ok(())
}

async fn open(data: &DataOption, works: bool) -> Result<Hub, Box<dyn std::error::Error>> {
    refuse_name(&user())?;
    let runs_at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let options = HubOptions {
        data: data.data.clone(),
        name: data.hub.clone(),
        compiler: std::env::current_exe()?,
        clock: Clock::machine(),
        runs_at_once,
        works,
    };
    let lease = Duration::from_millis(data.lease_ms);
    // A hub may miss three words before its runs are taken over.
    let sharing = Sharing { database: data.database.clone(), artefacts: data.artefacts.as_deref().cloned(), lease, heartbeat: lease / 4 };
    Ok(Hub::open_shared(options, sharing).await?)
}

/// Who types.
pub(super) fn person(hub: &Hub) -> By {
    let name = user();
    // A name can be set; the number of the user cannot.
    let user = rustix::process::getuid().as_raw();
    let from = Some(format!("command line on {} as {name} (uid {user})", machine()));
    By { actor: Actor::person(&name), hub: hub.id().clone(), from, now_ms: hub.clock().now_ms(), as_of: None }
}

/// Under which name the system says that somebody types.
fn user() -> String {
    let named = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
    named("USER").or_else(|| named("LOGNAME")).unwrap_or_else(|| "operator".to_owned())
}

/// Refuses a name that would read as another kind of actor in the audit trail, such as `token:PARTNER/NAME`, or as nothing at all.
fn refuse_name(name: &str) -> Result<(), String> {
    let strange = |character: char| matches!(character, ':' | '/') || character.is_control() || character.is_whitespace();
    if !name.contains(strange) && name.chars().count() <= USER_CHARS_MAX {
        return Ok(());
    }
    Err(format!(
        "the name {name:?} of whoever types, from USER or LOGNAME, is none that the audit trail takes: \
         it has up to {USER_CHARS_MAX} characters, and no colon, slash, space or control character. Set USER to your own name"
    ))
}

/// The name of this machine, as far as it has one.
fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    name.map(|name| name.trim().to_owned()).ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "a machine without a name".to_owned())
}

pub(super) async fn apply(options: ApplyOptions) -> Answer {
    let hub = hub(&options.data).await?;
    let plan = hub.apply(&options.folder, &person(&hub)).await.map_err(shown)?;
    say_plan(&plan, "applied");
    say_master_key(&hub).await?;
    super::serve::first_tokens(&hub).await?;
    Ok(ExitCode::SUCCESS)
}

/// Makes the keys that are missing, and says what a person has to know of it.
pub(super) async fn say_master_key(hub: &Hub) -> Result<(), Box<dyn std::error::Error>> {
    if let Some(path) = hub.make_keys().await? {
        let path = path.display();
        say(format!(
            "made the master key, {path}, which your user alone can read: what lies on disk opens with it, and no backup has it. Keep a copy elsewhere"
        ));
    }
    Ok(())
}

pub(super) async fn plan(options: PlanOptions) -> Answer {
    let hub = hub(&options.apply.data).await?;
    let plan = hub.plan(&options.apply.folder, &person(&hub)).await.map_err(shown)?;
    say_plan(&plan, "would change");
    let nothing = plan.lines().is_empty() && plan.unwanted.is_empty() && plan.starved.is_empty();
    Ok(if options.drift && !nothing { ExitCode::from(DRIFT) } else { ExitCode::SUCCESS })
}

/// An error with, for files that a person wrote, the lines that are wrong.
pub(super) fn shown(error: RunError) -> Box<dyn std::error::Error> {
    match error {
        RunError::Configuration(problems) => {
            let each = problems.as_slice().iter().map(|problem| format!("{:?}", miette::Report::new(problem.clone())));
            Drawn(each.collect::<Vec<_>>().join("\n")).into()
        }
        error => error.into(),
    }
}

/// An error that is drawn for the terminal already, with colours of its own.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Drawn(String);

pub(super) fn say_plan(plan: &Plan, word: &str) {
    let mut changes = 0;
    for (partner, applied) in &plan.partners {
        for change in &applied.changes {
            changes += 1;
            say(format!("  {partner}: {} {} {}", change.what, change.name, change.how.as_str()));
        }
    }
    for release in plan.releases.iter().filter(|release| release.new) {
        changes += 1;
        say(format!("  {}: release {} {} ({}) active", release.partner, release.plugin, release.version, release.digest.short()));
    }
    for table in &plan.tables {
        changes += 1;
        say(format!("  table {table} added"));
    }
    for proposed in &plan.proposed {
        match (proposed.number, proposed.waited) {
            (Some(number), waited) => {
                let since = if waited { " already" } else { "" };
                say(format!("  {}: proposed{since} as change {number}, for a second person to approve:", proposed.partner));
            }
            (None, _) => say(format!("  {}: would be proposed, for a second person to approve:", proposed.partner)),
        }
        proposed.difference.iter().for_each(|line| say(format!("    {line}")));
        if let Some(number) = proposed.number {
            say(format!("    `bailiwick change approve {} {number} --why REASON` puts it in force", proposed.partner));
        }
    }
    for release in &plan.unlisted {
        say(format!("  {release} is active, and the folder does not name it"));
    }
    plan.unwanted.iter().chain(&plan.starved).for_each(|line| say(paint(Tone::Attention, format!("  {line}"))));
    match changes {
        0 if !plan.proposed.is_empty() => say("nothing more to change"),
        0 => say("nothing to change: the configuration is the one in force"),
        1 => say(format!("1 thing {word}")),
        _ => say(format!("{changes} things {word}")),
    }
}

/// The partner of a job that was named without one.
pub(super) async fn partner_of(hub: &Hub, job: &JobName, partner: Option<PartnerName>) -> Result<PartnerName, Box<dyn std::error::Error>> {
    let jobs = hub.ledger().jobs(Scope::Hub).await?;
    let mut owners = jobs
        .into_iter()
        .filter(|stored| stored.name == *job)
        .map(|stored| stored.partner)
        .filter(|owner| partner.as_ref().is_none_or(|wanted| wanted == owner));
    match (owners.next(), owners.next()) {
        (Some(owner), None) => Ok(owner),
        (Some(_), Some(_)) => Err(format!("more than one partner has a job {job}: say whose with --partner").into()),
        (None, _) => {
            Err(format!("there is no job {job}: `bailiwick jobs` lists those that there are, and `bailiwick apply FOLDER` declares them")
                .into())
        }
    }
}

pub(super) async fn run(options: RunOptions) -> Answer {
    let hub = working_hub(&options.data).await?;
    let partner = partner_of(&hub, &options.job, options.partner).await?;
    let request = Request { partner, job: options.job, dry_run: options.dry_run, key: None };
    let run = hub.request(&request, &person(&hub)).await?.run;
    let state = wait(&hub, run).await?;
    show::one_run(&hub, run, options.json).await?;
    Ok(if matches!(state, RunState::Closed | RunState::Skipped) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Does the hub's work until a run has ended, with a line that moves where somebody watches.
pub(super) async fn wait(hub: &Hub, run: RunId) -> Result<RunState, Box<dyn std::error::Error>> {
    let bar = if super::paint::watched() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}").expect("this is a template"));
    bar.enable_steady_tick(Duration::from_millis(100));
    let working = hub.clone();
    // Ends when it is told to: what it has claimed by then, it finishes.
    let enough = Arc::new(AtomicBool::new(false));
    let worker = hub.works().then(|| {
        let enough = Arc::clone(&enough);
        tokio::spawn(async move { work(&working, &enough).await })
    });
    let state = ended(hub, run, &bar).await;
    enough.store(true, Ordering::Relaxed);
    if let Some(worker) = worker {
        bar.set_message("finishing what was begun");
        worker.await?;
    }
    bar.finish_and_clear();
    state
}

/// The state in which a run ends, or waits for a person.
async fn ended(hub: &Hub, run: RunId, bar: &ProgressBar) -> Result<RunState, Box<dyn std::error::Error>> {
    loop {
        let state = hub.ledger().run(Scope::Hub, run).await?.map_or(RunState::Failed, |run| run.state);
        if state.is_final() || matches!(state, RunState::Held | RunState::Failed) {
            return Ok(state);
        }
        let rows = hub.progress(run).map_or(0, |progress| progress.rows());
        bar.set_message(format!("{state} {}", paint(Tone::Quiet, format!("{} rows", super::paint::count(rows)))));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Does the hub's work until it is enough; a ledger that fails is told, and tried again. What is claimed is finished first: a run that
/// is let go between its claim and its end waits for its lease to run out, and has one attempt less.
async fn work(hub: &Hub, enough: &AtomicBool) {
    while !enough.load(Ordering::Relaxed) {
        match hub.work_once().await {
            Ok(Some(_)) => {}
            Ok(None) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => {
                tracing::error!("{error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}
