//! What waits for a person at a partner: runs, rejects, releases.

use maud::{Markup, html};

use crate::console::look::{Tasks, Tone, tag, words};
use crate::console::visit::{At, Fault};
use crate::ledger::{QuarantineFilter, Release, Run, RunState, Scope};
use crate::run::Hub;

/// Runs that are named one by one.
const RUNS_SHOWN: u32 = 25;

/// Everything at a partner that waits for a person.
pub(super) async fn needs(hub: &Hub, at: &At) -> Result<Markup, Fault> {
    let (ledger, scope, now_ms) = (hub.ledger(), at.scope(), hub.clock().now_ms());
    let mut tasks = Tasks::new();
    let mut runs = ledger.runs_that_need_somebody(scope, RUNS_SHOWN + 1).await?;
    let more = runs.len() > RUNS_SHOWN as usize;
    runs.truncate(RUNS_SHOWN as usize);
    for run in &runs {
        tasks = run_task(tasks, at, run, now_ms);
    }
    for group in ledger.waiting_groups(scope, &QuarantineFilter::default()).await? {
        let href = at.href(format_args!("rejects?job={}&code={}", group.job, words::encoded(&group.code)));
        let what = format!("{}: {}", group.job, words::spaced(&group.code));
        let hint = html! {
            (words::counted(group.rows, "rejected row", "rejected rows")) ", the oldest from " (words::away(group.since_ms, now_ms))
            @if group.unowned == group.rows { ", taken on by nobody" }
            @else if group.unowned > 0 { ", " (words::count(group.unowned)) " of them taken on by nobody" }
        };
        let tone = if now_ms > group.due_ms { tag(Tone::Bad, "Overdue") } else { tag(Tone::Attention, "In quarantine") };
        tasks = tasks.item((href, what), Some(hint), tone);
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

fn run_task(tasks: Tasks, at: &At, run: &Run, now_ms: i64) -> Tasks {
    let href = at.href(format_args!("runs/{}", run.id));
    let since = run.ended_at_ms.unwrap_or(run.enqueued_at_ms);
    let hint = html! {
        @match &run.reason { Some(reason) => { (reason.sentence) " " } None => {} }
        span class="quiet" { "Since: " (words::away(since, now_ms)) }
    };
    let what = match run.state {
        _ if run.is_uncertain() => format!("{}: say whether a delivery arrived", run.job()),
        RunState::Held => format!("{}: look at why it is held", run.job()),
        RunState::Failed => format!("{}: retry or cancel", run.job()),
        _ => format!("{}: not done in time", run.job()),
    };
    tasks.item((href, what), Some(hint), words::run_tag(run))
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
