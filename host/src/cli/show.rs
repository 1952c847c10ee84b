//! Commands that read: jobs, runs, one run, rejects, the audit trail.

use std::collections::BTreeMap;
use std::process::ExitCode;

use super::amend::{say_amends, say_quarantined};
use super::paint::{Tone, bytes, count, duration, paint, say, table};
use super::{Answer, DataOption, open};
use crate::api::wire::{JobJson, RunDetailJson, RunJson, moment};
use crate::ledger::{HubId, LedgerError, LogLine, Page, Partition, Processed, Receipt, Run, RunEvent, RunFilter, RunState, Scope};
use crate::model::ids::{JobName, RunId};
use crate::model::totals::PortTotals;
use crate::run::Hub;

#[derive(Debug, clap::Args)]
pub(super) struct ListOptions {
    #[command(flatten)]
    data: DataOption,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct RunsOptions {
    #[command(flatten)]
    list: ListOptions,
    /// Only of this job.
    #[arg(long)]
    job: Option<JobName>,
    /// Only in this state: queued, running, staged, delivering, closed, held, failed, skipped or cancelled.
    #[arg(long)]
    state: Option<RunState>,
    /// How many.
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

#[derive(Debug, clap::Args)]
pub(super) struct RunOptions {
    #[command(flatten)]
    list: ListOptions,
    /// The run's id, or its beginning.
    run: String,
}

impl RunOptions {
    /// Where its hub is.
    pub(super) const fn data(&self) -> &DataOption {
        &self.list.data
    }

    /// The run's id, or its beginning.
    pub(super) fn run(&self) -> &str {
        &self.run
    }

    /// Whether JSON is wanted.
    pub(super) const fn json(&self) -> bool {
        self.list.json
    }
}

pub(super) async fn jobs(options: ListOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let last = hub.ledger().last_runs(Scope::Hub).await?;
    let mut rows = Vec::new();
    let mut items = Vec::new();
    for job in hub.ledger().jobs(Scope::Hub).await? {
        let ran = last.iter().find(|run| *run.partner() == job.partner && *run.job() == job.name);
        let next = hub.next_time(&job).await?;
        rows.push(vec![
            job.partner.to_string(),
            job.name.to_string(),
            job.plugin.to_string(),
            ran.map_or_else(|| "never".to_owned(), |run| state_word(run.state)),
            next.map_or_else(
                || "by hand".to_owned(),
                |next| {
                    next.in_tz("Europe/London").map_or_else(|_| next.to_string(), |zoned| zoned.strftime("%a %-d %b %Y %H:%M").to_string())
                },
            ),
        ]);
        items.push(JobJson::new(&job, ran, next));
    }
    if options.json {
        return json(&items);
    }
    say(if rows.is_empty() {
        "no jobs: declare some and run `bailiwick apply FOLDER`".to_owned()
    } else {
        table(&["partner", "job", "plugin", "last run", "next"], &[], rows)
    });
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn runs(options: RunsOptions) -> Answer {
    let hub = open::existing_hub(&options.list.data).await?;
    let filter = RunFilter { job: options.job, state: options.state, before: None };
    let page = pages(options.limit, async |before, limit| {
        let filter = RunFilter { before, ..filter.clone() };
        hub.ledger().runs(Scope::Hub, &filter, limit).await
    });
    let page = page.await?;
    if options.list.json {
        return json(&page.items.iter().map(RunJson::new).collect::<Vec<_>>());
    }
    let rows = page.items.iter().map(|run| {
        let cell = |number: u64| count(number);
        let rows = run.rows;
        vec![
            run.id.to_string(),
            run.job().to_string(),
            format!("{}{}", state_word(run.state), overdue_word(run)),
            moment(run.enqueued_at_ms),
            cell(rows.read),
            cell(rows.accepted),
            cell(rows.rejected),
        ]
    });
    say(if page.items.is_empty() {
        "no runs yet".to_owned()
    } else {
        table(&["run", "job", "state", "enqueued", "read", "accepted", "rejected"], &[4, 5, 6], rows)
    });
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn run(options: RunOptions) -> Answer {
    let hub = open::existing_hub(&options.list.data).await?;
    let id = find(&hub, &options.run).await?;
    one_run(&hub, id, options.list.json).await?;
    Ok(ExitCode::SUCCESS)
}

/// A run by its id or the beginning of it.
pub(super) async fn find(hub: &Hub, text: &str) -> Result<RunId, Box<dyn std::error::Error>> {
    if let Ok(id) = text.parse::<RunId>() {
        return Ok(id);
    }
    match hub.ledger().runs_beginning(Scope::Hub, text).await?[..] {
        [run] => Ok(run),
        [] => Err(format!("no run begins with {text}: `bailiwick runs` lists them").into()),
        [..] => Err(format!("more than one run begins with {text}: give more of it").into()),
    }
}

/// Shows one run, as a person or a program wants it.
pub(super) async fn one_run(hub: &Hub, id: RunId, as_json: bool) -> Result<(), Box<dyn std::error::Error>> {
    let ledger = hub.ledger();
    let run = ledger.run(Scope::Hub, id).await?.ok_or_else(|| format!("there is no run {id}: `bailiwick runs` lists them"))?;
    let processed = ledger.processed(Scope::Hub, id).await?;
    let receipts = ledger.receipts(Scope::Hub, id).await?;
    let partitions = ledger.partitions(Scope::Hub, id).await?;
    if as_json {
        let events = ledger.events(Scope::Hub, id, 0).await?;
        let (quarantined, resubmissions) = (ledger.quarantined(Scope::Hub, id).await?, ledger.resubmissions_of(Scope::Hub, id).await?);
        let detail = RunDetailJson::new(&run, processed.as_ref(), &receipts, &partitions, &events);
        json(&detail.with_rejects(quarantined, &resubmissions))?;
        return Ok(());
    }
    let events = ledger.events(Scope::Hub, id, 0).await?;
    let columns = hub.columns(id).await?;
    say_run(&run, (processed.as_ref(), &receipts), &columns.money);
    say_partitions(&partitions);
    let mut log: Vec<LogLine> = ledger.log_lines((Scope::Hub, id), None, 20).await?.items.into_iter().map(|(_, line)| line).collect();
    if let Some(at_ms) = ledger.expired_at_ms(Scope::Hub, id).await? {
        say(format!("  {} its files expired on {}; digests and totals are kept", paint(Tone::Quiet, "retention"), &moment(at_ms)[..10]));
    }
    say_quarantined(hub, id).await?;
    say_amends(&events);
    if processed.is_none() {
        log.extend(
            events
                .into_iter()
                .rev()
                .find_map(|event| if let RunEvent::Failed(failed) = event.event { Some(failed.log) } else { None })
                .unwrap_or_default(),
        );
    }
    for line in log {
        say(format!("  {} {}", paint(Tone::Quiet, format!("log {}", line.level)), line.message));
    }
    for notice in ledger.notices(Scope::Hub, id).await? {
        let how = match (notice.sent_at_ms, notice.next_at_ms) {
            (Some(_), _) => "told",
            (None, Some(_)) => "to be told",
            (None, None) => "not told",
        };
        let outcome = notice.outcome.map(|outcome| format!(": {outcome}")).unwrap_or_default();
        say(format!("  {} {}{outcome}", paint(Tone::Quiet, how), notice.told.as_str()));
    }
    Ok(())
}

/// Sums of money shown of each input and output; `--json` has them all.
const SUMS_SHOWN: usize = 3;

/// A run in words: what happened to every row and every pound.
fn say_run(run: &Run, (processed, receipts): (Option<&Processed>, &[Receipt]), money: &[String]) {
    say(format!(
        "{}  {}  {}",
        paint(Tone::Strong, run.job()),
        state_word(run.state),
        paint(Tone::Quiet, format!("{} · {}", run.partner(), run.id))
    ));
    if let Some(reason) = &run.reason {
        say(format!("  {} {}", paint(Tone::Attention, &reason.code), reason.sentence));
    }
    if let Some(origin) = run.trigger().origin() {
        let word = if run.trigger().kind() == "replay" { "does again" } else { "brings rejects back of" };
        say(format!("  {word} run {origin}"));
    }
    if let (true, Some(due_ms)) = (run.overdue, run.enqueued.overdue_at_ms) {
        say(format!("  {} it should have been done by {}", paint(Tone::Bad, "overdue"), moment(due_ms)));
    }
    let Some(processed) = processed else { return };
    let mut rows: Vec<Vec<String>> = processed.totals.inputs.iter().map(|port| port_row("in", port, money)).collect();
    rows.extend(processed.totals.outputs.iter().map(|port| port_row("out", port, money)));
    say(indented(&table(&["", "port", "read", "accepted", "rejected", "skipped", "money"], &[2, 3, 4, 5], rows)));
    for balance in &processed.balances {
        let sign = if balance.holds() { paint(Tone::Good, "balances") } else { paint(Tone::Bad, "DOES NOT BALANCE") };
        say(format!("  {sign}  {}: {:#} = {:#}", balance.name, balance.left, balance.right));
    }
    for output in &processed.outputs {
        let sent = receipts.iter().any(|receipt| receipt.delivered.port == output.port && receipt.delivered.target == output.target);
        let word = if sent { paint(Tone::Good, "delivered") } else { paint(Tone::Quiet, "not delivered") };
        say(format!(
            "  {word}  {}/{}  {}  SHA-256 {}",
            output.connection,
            output.target,
            bytes(output.size_bytes),
            output.artefact.short()
        ));
    }
    let tables: Vec<String> = processed.tables.iter().map(|table| format!("{} {}", table.table, table.version)).collect();
    if !tables.is_empty() {
        say(format!("  tables: {}", tables.join(", ")));
    }
    let warned = if run.warnings > 0 { format!(", {} warnings", count(run.warnings)) } else { String::new() };
    say(paint(Tone::Quiet, format!("  took {}{warned}", duration(processed.took_ms))));
}

/// How many parts the input was cut into, and who did which.
fn say_partitions(partitions: &[Partition]) {
    if partitions.is_empty() {
        return;
    }
    let mut hubs: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for partition in partitions {
        let hub = partition.hub.as_ref().map_or("no hub yet", HubId::as_str);
        hubs.entry((hub, partition.state())).or_default().push(partition.number.to_string());
    }
    let parts = hubs.iter().map(|((hub, state), numbers)| format!("{hub} {state} {}", numbers.join(", ")));
    say(paint(Tone::Quiet, format!("  {} partitions: {}", partitions.len(), parts.collect::<Vec<_>>().join(" · "))));
}

fn port_row(direction: &str, port: &PortTotals, money: &[String]) -> Vec<String> {
    let rows = port.rows;
    let input = direction == "in";
    let only_in = |number: u64| if input { count(number) } else { String::new() };
    let sums: Vec<String> = port
        .sums
        .iter()
        .filter(|(column, sum)| money.contains(column) && !sum.is_zero())
        .take(SUMS_SHOWN)
        .map(|(column, sum)| format!("{column} £{sum:#}"))
        .collect();
    vec![
        direction.to_owned(),
        port.port.clone(),
        only_in(rows.read),
        count(rows.accepted),
        only_in(rows.rejected),
        only_in(rows.skipped),
        sums.join(" · "),
    ]
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// That a run was not done when it should have been.
fn overdue_word(run: &Run) -> String {
    if run.overdue { format!(" {}", paint(Tone::Bad, "overdue")) } else { String::new() }
}

/// A state in the colour of what it asks for.
pub(super) fn state_word(state: RunState) -> String {
    let tone = match state {
        RunState::Closed => Tone::Good,
        RunState::Held | RunState::Skipped => Tone::Attention,
        RunState::Failed | RunState::Cancelled => Tone::Bad,
        RunState::Queued | RunState::Running | RunState::Staged | RunState::Delivering => Tone::Strong,
    };
    paint(tone, state.as_str())
}

/// As many items of a list as are wanted: page after page, as the ledger gives them.
pub(super) async fn pages<T, C: Clone>(
    limit: u32,
    mut page: impl AsyncFnMut(Option<C>, u32) -> Result<Page<T, C>, LedgerError>,
) -> Result<Page<T, C>, LedgerError> {
    let mut all = page(None, limit).await?;
    loop {
        let left = limit.saturating_sub(u32::try_from(all.items.len()).unwrap_or(u32::MAX));
        let (Some(after), 1..) = (all.next.clone(), left) else { return Ok(all) };
        let more = page(Some(after), left).await?;
        all.items.extend(more.items);
        all.next = more.next;
    }
}

/// Writes JSON for programs.
pub(super) fn json(value: &impl serde::Serialize) -> Answer {
    say(serde_json::to_string_pretty(value)?);
    Ok(ExitCode::SUCCESS)
}
