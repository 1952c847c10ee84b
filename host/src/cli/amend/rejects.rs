//! `bailiwick rejects` and `bailiwick resubmit`.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;

use crate::api::amend::{GroupJson, seen};
use crate::api::wire::{FindingJson, moment};
use crate::cli::paint::{Tone, count, paint, say, table};
use crate::cli::show::{RunOptions, json};
use crate::cli::{Answer, DataOption, open, show};
use crate::ledger::{Chosen, FoundEffect, QuarantineFilter, Quarantined, Scope, StoredFinding, Waiting};
use crate::model::ids::{JobName, PartnerName};
use crate::model::personal::Sight;
use crate::run::{Corrections, Hub, Look};

const DAY_MS: i64 = 86_400_000;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct RejectsOptions {
    #[command(subcommand)]
    command: Option<RejectsCommand>,
    #[command(flatten)]
    list: ListOptions,
}

#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum RejectsCommand {
    /// Says who sees to a run's rejects.
    Assign(AssignOptions),
    /// Takes a run's rejects out of quarantine: nothing more is to be done about them.
    Dismiss(DismissOptions),
    /// Writes a run's rejects to standard output as they stood in its file, with number and reason before each, for correction.
    Export(ExportOptions),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListOptions {
    #[command(flatten)]
    data: DataOption,
    /// The rejects of this run, those that have left quarantine too: its id, or its beginning. Without it, all that wait.
    run: Option<String>,
    /// Of a run: list warnings instead.
    #[arg(long, requires = "run")]
    warnings: bool,
    /// Only of this partner.
    #[arg(long)]
    partner: Option<PartnerName>,
    /// Only of this job.
    #[arg(long)]
    job: Option<JobName>,
    /// Only with this reason, such as ni-number-invalid. Each row is listed then.
    #[arg(long)]
    code: Option<String>,
    /// Only those that have waited longer than so many days.
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u32>,
    /// Only those that this person sees to; "" for those to which nobody does. Each row is listed then.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// How many rows.
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ChosenOptions {
    #[command(flatten)]
    data: DataOption,
    /// The run's id, or its beginning.
    run: String,
    /// Only those with this reason.
    #[arg(long)]
    code: Option<String>,
    /// Only these, by their numbers in `bailiwick rejects RUN`: 3, or 3,7,12.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    number: Option<Vec<u64>>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct AssignOptions {
    #[command(flatten)]
    chosen: ChosenOptions,
    /// Who sees to them; "" for nobody.
    #[arg(long, value_name = "NAME")]
    to: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DismissOptions {
    #[command(flatten)]
    chosen: ChosenOptions,
    /// The reason, for the audit trail.
    #[arg(long, alias = "why", value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    reason: String,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ExportOptions {
    #[command(flatten)]
    data: DataOption,
    /// The run's id, or its beginning.
    run: String,
    /// The input, where more than one has rejects.
    #[arg(long, value_name = "NAME")]
    port: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ResubmitOptions {
    #[command(flatten)]
    run: RunOptions,
    /// The corrected file, with the numbers that `bailiwick rejects export` put before each row.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The plugin's input, where more than one has rejects.
    #[arg(long, value_name = "NAME")]
    port: Option<String>,
    /// Run with the job, release and tables that are in force now, instead of those of the first run.
    #[arg(long)]
    afresh: bool,
}

pub(in crate::cli) async fn rejects(options: RejectsOptions) -> Answer {
    match options.command {
        Some(RejectsCommand::Assign(options)) => assign(options).await,
        Some(RejectsCommand::Dismiss(options)) => dismiss(options).await,
        Some(RejectsCommand::Export(options)) => export(options).await,
        None if options.list.run.is_some() => of_run(options.list).await,
        None => waiting(options.list).await,
    }
}

/// The rejects of one run, wherever they have come to.
async fn of_run(options: ListOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let id = show::find(&hub, options.run.as_deref().unwrap_or_default()).await?;
    let effect = if options.warnings { FoundEffect::Warn } else { FoundEffect::Reject };
    let listed = show::pages(options.limit, async |after, limit| hub.ledger().findings((Scope::Hub, id), effect, after, limit).await);
    let page = listed.await?;
    if options.json {
        let (sight, by) = (Sight::Masked, open::person(&hub));
        let view = hub.view(id, Look { scope: Scope::Hub, sight, by: &by }).await?;
        return json(&page.items.iter().map(|finding| FindingJson::new(finding, &view)).collect::<Result<Vec<_>, _>>()?);
    }
    for finding in &page.items {
        say_finding(finding, &stands(finding, hub.clock().now_ms(), None));
    }
    let word = if options.warnings { "warnings" } else { "rejects" };
    let more = if page.next.is_some() { "; more with --limit" } else { "" };
    say(if page.items.is_empty() { format!("no {word}") } else { paint(Tone::Quiet, format!("{} {word} shown{more}", page.items.len())) });
    Ok(ExitCode::SUCCESS)
}

/// All that wait: by job and reason, or row by row where the question is about some of them.
async fn waiting(options: ListOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let now_ms = hub.clock().now_ms();
    let by_row = options.code.is_some() || options.owner.is_some();
    let filter = QuarantineFilter {
        partner: options.partner,
        job: options.job,
        run: None,
        code: options.code,
        owner: options.owner,
        since_ms: options.older_than.map(|days| now_ms - i64::from(days) * DAY_MS),
    };
    if by_row {
        let listed = show::pages(options.limit, async |after, limit| hub.ledger().waiting(Scope::Hub, &filter, after, limit).await);
        let page = listed.await?;
        if options.json {
            return json(&seen(&hub, &page.items, Look { scope: Scope::Hub, sight: Sight::Masked, by: &open::person(&hub) }).await?);
        }
        say_waiting(&page.items, now_ms);
        say(paint(
            Tone::Quiet,
            format!("{} rejects wait{}", page.items.len(), if page.next.is_some() { "; more with --limit" } else { "" }),
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let groups = hub.ledger().waiting_groups(Scope::Hub, &filter).await?;
    if options.json {
        return json(&groups.iter().map(|group| GroupJson::new(group, now_ms)).collect::<Vec<_>>());
    }
    let rows = groups.iter().map(|group| {
        let days = (now_ms - group.since_ms).max(0) / DAY_MS;
        vec![
            group.partner.to_string(),
            group.job.to_string(),
            group.code.clone(),
            count(group.rows),
            count(group.unowned),
            if now_ms > group.due_ms { paint(Tone::Bad, format!("{} overdue", in_days(days))) } else { in_days(days) },
        ]
    });
    say(if groups.is_empty() {
        "no rejects wait".to_owned()
    } else {
        table(&["partner", "job", "reason", "rows", "nobody sees to", "oldest"], &[3, 4], rows)
    });
    Ok(ExitCode::SUCCESS)
}

fn say_waiting(items: &[Waiting], now_ms: i64) {
    let mut counted: HashMap<_, u64> = HashMap::new();
    for item in items {
        let run = item.finding.id.run;
        let seen = counted.entry(run).or_default();
        if *seen == 0 {
            say(format!("{}  {}", paint(Tone::Strong, &item.job), paint(Tone::Quiet, format!("{} · {run}", item.partner))));
        }
        *seen += 1;
        say_finding(&item.finding, &stands(&item.finding, now_ms, Some(item.due_ms)));
    }
}

fn say_finding(finding: &StoredFinding, stands: &str) {
    let found = &finding.found;
    let place = found.line.map_or_else(String::new, |line| format!("line {line}"));
    let number = paint(Tone::Quiet, format!("{}{stands}", finding.id.number));
    say(format!("{} {number}", paint(Tone::Strong, format!("{} {place}", found.port))));
    for reason in &found.reasons {
        let column = reason.column.as_ref().map_or_else(String::new, |column| format!("{column}: "));
        say(format!("  {}  {column}{}", paint(Tone::Attention, &reason.code), reason.message));
    }
}

/// How a reject stands in quarantine, in words.
fn stands(finding: &StoredFinding, now_ms: i64, due_ms: Option<i64>) -> String {
    let stands = &finding.quarantine;
    let Some(since_ms) = stands.since_ms else { return String::new() };
    if let Some(left) = &stands.left {
        let by = stands.resubmitted_by.filter(|_| left.how == "superseded").map_or_else(|| left.by.clone(), |run| format!("run {run}"));
        let why = left.why.as_ref().map_or_else(String::new, |why| format!(": {why}"));
        return format!(" · {} by {by} on {}{why}", left.how, moment(left.at_ms));
    }
    let mut words = format!(" · waits {}", in_days((now_ms - since_ms).max(0) / DAY_MS));
    if due_ms.is_some_and(|due_ms| now_ms > due_ms) {
        words += ", overdue";
    }
    if let Some(owner) = &stands.owner {
        words += &format!(" · {owner} sees to it");
    }
    if let Some(run) = stands.resubmitted_by {
        words += &format!(" · comes back by run {run}");
    }
    words
}

fn in_days(days: i64) -> String {
    match days {
        0 => "since today".to_owned(),
        1 => "1 day".to_owned(),
        _ => format!("{days} days"),
    }
}

fn chosen(options: ChosenOptions) -> (DataOption, String, Chosen) {
    (options.data, options.run, Chosen { code: options.code, numbers: options.number })
}

async fn assign(options: AssignOptions) -> Answer {
    let (data, run, chosen) = chosen(options.chosen);
    let hub = open::existing_hub(&data).await?;
    let run = show::find(&hub, &run).await?;
    let owner = options.to.trim();
    let rows = hub.ledger().assign_rejects(Scope::Hub, (run, &chosen), owner, &open::person(&hub)).await?;
    say(format!("{} sees to {}", if owner.is_empty() { "nobody" } else { owner }, in_rejects(rows)));
    Ok(ExitCode::SUCCESS)
}

async fn dismiss(options: DismissOptions) -> Answer {
    let (data, run, chosen) = chosen(options.chosen);
    let hub = open::existing_hub(&data).await?;
    let run = show::find(&hub, &run).await?;
    let rows = hub.ledger().dismiss_rejects(Scope::Hub, (run, &chosen), &options.reason, &open::person(&hub)).await?;
    say(format!("{} dismissed", in_rejects(rows)));
    say_left(&hub.ledger().quarantined(Scope::Hub, run).await?);
    Ok(ExitCode::SUCCESS)
}

async fn export(options: ExportOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let run = show::find(&hub, &options.run).await?;
    let written = hub.rejects_for_correction(Scope::Hub, run, options.port.as_deref(), &open::person(&hub)).await?;
    std::io::copy(&mut written.content.read()?, &mut std::io::stdout())?;
    let tell = |text: String| anstream::eprintln!("{text}");
    tell(format!(
        "{} of input {}: correct them, delete those that are not to come back, and hand them in with `bailiwick resubmit {run} --input FILE`",
        in_rejects(written.rows),
        written.port
    ));
    if written.left_out > 0 {
        tell(format!("{} are longer than a row may be and not in the file", in_rejects(written.left_out)));
    }
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli) async fn resubmit(options: ResubmitOptions) -> Answer {
    let ResubmitOptions { run, input, port, afresh } = options;
    let content = std::fs::File::open(&input).map_err(|error| format!("{} cannot be read: {error}", input.display()))?;
    let hub = open::working_hub(run.data()).await?;
    let origin = show::find(&hub, run.run()).await?;
    let corrections = Corrections { port, content: Box::new(content), afresh };
    let made = hub.resubmit(Scope::Hub, origin, corrections, &open::person(&hub)).await?;
    let state = open::wait(&hub, made).await?;
    show::one_run(&hub, made, run.json()).await?;
    if !run.json() {
        say_left(&hub.ledger().quarantined(Scope::Hub, origin).await?);
    }
    Ok(if state == crate::ledger::RunState::Closed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn in_rejects(rows: u64) -> String {
    if rows == 1 { "1 reject".to_owned() } else { format!("{} rejects", count(rows)) }
}

/// How many rejects of the first run still wait.
fn say_left(quarantined: &Quarantined) {
    match quarantined.waiting {
        0 => say("no reject of the run waits any more"),
        waiting => say(format!("{} of the run still wait", in_rejects(waiting))),
    }
}

/// What became of a run's rejects, in a line of `bailiwick show`; nothing of a run that has none.
pub(in crate::cli) async fn say_quarantined(hub: &Hub, run: crate::model::ids::RunId) -> Result<(), Box<dyn std::error::Error>> {
    let Quarantined { waiting, resubmitted, dismissed, superseded } = hub.ledger().quarantined(Scope::Hub, run).await?;
    let parts: Vec<String> = [(waiting, "wait"), (dismissed, "dismissed"), (superseded, "came back corrected")]
        .into_iter()
        .filter(|(rows, _)| *rows > 0)
        .map(|(rows, word)| format!("{} {word}", count(rows)))
        .collect();
    if parts.is_empty() {
        return Ok(());
    }
    let under_way =
        if resubmitted > 0 && waiting > 0 { format!(" ({} of them in a run of their own)", count(resubmitted)) } else { String::new() };
    let advice = if waiting > 0 { format!("{under_way}: `bailiwick rejects {run}`") } else { String::new() };
    say(format!("  rejects: {}{advice}", parts.join(", ")));
    Ok(())
}
