//! What waits for a person at a partner: runs, rejects, releases.

use maud::{Markup, html};

use crate::console::jobs::Titles;
use crate::console::look::{Tasks, Tone, tag, words};
use crate::console::runs::in_short;
use crate::console::visit::{At, Fault};
use crate::ledger::{QuarantineFilter, Release, Run, RunState, Scope, WaitingGroup};
use crate::run::Hub;

/// Runs that are named one by one.
const RUNS_SHOWN: u32 = 25;

/// Reasons of rejects that are named; the page of rejects has all.
const REASONS_SHOWN: usize = 3;

/// Everything at a partner that waits for a person.
pub(super) async fn needs(hub: &Hub, at: &At, titles: &Titles) -> Result<Markup, Fault> {
    let (ledger, scope, now_ms) = (hub.ledger(), at.scope(), hub.clock().now_ms());
    let mut tasks = Tasks::new();
    let mut runs = ledger.runs_that_need_somebody(scope, RUNS_SHOWN + 1).await?;
    let more = runs.len() > RUNS_SHOWN as usize;
    runs.truncate(RUNS_SHOWN as usize);
    for run in &runs {
        tasks = run_task(tasks, (at, titles), run, now_ms);
    }
    let mut groups = ledger.waiting_groups(scope, &QuarantineFilter::default()).await?;
    groups.sort_by(|one, other| one.job.cmp(&other.job).then(other.rows.cmp(&one.rows)));
    for of_job in groups.chunk_by(|one, other| one.job == other.job) {
        tasks = rejects_task(tasks, (at, titles), of_job, now_ms);
    }
    for release in releases_waiting(hub, scope).await? {
        let key = &release.release.key;
        let href = at.href(format_args!("releases/{}", key.digest));
        let hint = html! { "Handed in by " (words::actor(&release.added_by)) " " (words::away(release.added_at_ms, now_ms)) };
        tasks =
            tasks.item((href, format!("{} {}", key.plugin, release.release.version)), Some(hint), tag(Tone::Special, "Approve release"));
    }
    Ok(html! {
        @if tasks.is_empty() {
            p class="none" { "Nothing waits for a person." }
        } @else {
            (tasks)
        }
        @if more { p { a href=(at.href("runs?state=failed")) { "All failed runs" } " · " a href=(at.href("runs?state=held")) { "All held runs" } } }
    })
}

fn run_task(tasks: Tasks, (at, titles): (&At, &Titles), run: &Run, now_ms: i64) -> Tasks {
    let href = at.href(format_args!("runs/{}", run.id));
    let since = run.ended_at_ms.unwrap_or(run.enqueued_at_ms);
    let hint = html! {
        @if let Some(reason) = &run.reason { (in_short(reason)) " " }
        span class="no-wrap" { (words::capital(&words::away(since, now_ms))) "." }
    };
    let what = match run.state {
        _ if run.is_uncertain() => "say whether a delivery arrived",
        RunState::Held => "look at why it is held",
        RunState::Failed => "retry or cancel",
        _ => "not done in time",
    };
    tasks.item((href, format!("{}: {what}", titles.of_job(run.job()))), Some(hint), words::run_tag(run))
}

/// The rejects of one job; of those with the most rows, the reasons.
fn rejects_task(tasks: Tasks, (at, titles): (&At, &Titles), groups: &[WaitingGroup], now_ms: i64) -> Tasks {
    let Some(first) = groups.first() else { return tasks };
    let sum = |of: fn(&WaitingGroup) -> u64| groups.iter().map(of).sum::<u64>();
    let (rows, unowned) = (sum(|group| group.rows), sum(|group| group.unowned));
    let since_ms = groups.iter().map(|group| group.since_ms).min().unwrap_or(now_ms);
    let overdue = groups.iter().any(|group| now_ms > group.due_ms);
    let others = groups.len().saturating_sub(REASONS_SHOWN) as u64;
    let hint = html! {
        @for (place, group) in groups.iter().take(REASONS_SHOWN).enumerate() {
            @if place > 0 { ", " }
            (words::spaced(&group.code)) @if group.rows > 1 { " (" (words::count(group.rows)) ")" }
        }
        @if others > 0 { " and " (words::counted(others, "other reason", "other reasons")) }
        ". The oldest came " (words::away(since_ms, now_ms)) "."
        @if unowned == rows { " Nobody sees to them yet." } @else if unowned > 0 { " Nobody sees to " (words::count(unowned)) " of them yet." }
    };
    let href = at.href(format_args!("rejects?job={}", first.job));
    let what = format!("{}: {}", titles.of_job(&first.job), words::counted(rows, "rejected row", "rejected rows"));
    tasks.item((href, what), Some(hint), if overdue { tag(Tone::Bad, "Overdue") } else { tag(Tone::Attention, "In quarantine") })
}

/// Releases of which nobody has said anything, where the partner asks for a person's word.
pub(super) async fn releases_waiting(hub: &Hub, scope: Scope<'_>) -> Result<Vec<Release>, Fault> {
    let asking = hub.ledger().partners(scope).await?;
    let asks = |release: &Release| {
        let of = asking.iter().find(|partner| partner.name == release.release.key.partner);
        of.is_some_and(|partner| partner.releases.asks_approval())
    };
    let releases = hub.ledger().releases(scope).await?;
    Ok(releases.into_iter().filter(|release| release.verdict.is_none() && release.active_since_ms.is_none() && asks(release)).collect())
}
