//! Every partner where somebody has a role, each on a line.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::day_began_ms;
use super::needs::releases_waiting;
use crate::console::look::{Column, Table, Tone, tag, words};
use crate::console::visit::{Fault, Visit};
use crate::ledger::{QuarantineFilter, RunState, Scope};
use crate::model::ids::PartnerName;
use crate::run::Hub;

/// Runs of all partners that are looked at for what needs somebody.
const NEEDS_MAX: u32 = 1_000;

/// How a partner stands. Of one where they have no role, whoever keeps the hub sees how many runs it has, and no more.
#[derive(Default)]
struct Standing {
    runs: u64,
    closed: u64,
    at_work: u64,
    rows: u64,
    need_somebody: u64,
    rejects: u64,
    releases: u64,
}

pub(super) async fn page(State(hub): State<Hub>, visit: Visit) -> Result<Response, Fault> {
    let partners = visit.partners();
    if let [only] = partners.as_slice() {
        return Ok(Redirect::to(&format!("/p/{only}")).into_response());
    }
    let standings = standings(&hub).await?;
    let known = hub.ledger().partners(Scope::Hub).await?;
    let caption = if visit.signed_in().is_hub_operator() { "Partners" } else { "Partners where you have a role" };
    let heads = ["Runs today", "Closed", "Under way", "Rows read"].map(Column::number);
    let heads = std::iter::once(Column::words("Partner")).chain(heads).chain([Column::words("Needs somebody")]);
    let mut table = Table::new(caption, heads).caption_read_out().empty("You have a role at no partner yet.");
    let none = Standing::default();
    for partner in known.iter().filter(|partner| partners.contains(&partner.name)) {
        let standing = standings.get(&partner.name).unwrap_or(&none);
        let has_role = visit.signed_in().partners().get(&partner.name).is_some_and(|roles| !roles.is_empty());
        let not_told = || html! { span class="quiet" { "Not told" } };
        table.push([
            html! { a class="plain strong" href=(format!("/p/{}", partner.name)) { (partner.title) } },
            number(standing.runs),
            number(standing.closed),
            number(standing.at_work),
            if has_role { number(standing.rows) } else { not_told() },
            if has_role { needs(standing) } else { not_told() },
        ]);
    }
    let today = html! { p class="lede" { "Today, " (words::day(hub.clock().now_ms())) ", since midnight UK time." } };
    Ok(visit.page("Overview").body(html! { (today) (table) }))
}

async fn standings(hub: &Hub) -> Result<BTreeMap<PartnerName, Standing>, Fault> {
    let ledger = hub.ledger();
    let mut standings: BTreeMap<PartnerName, Standing> = BTreeMap::new();
    for counted in ledger.counts_since(Scope::Hub, day_began_ms(hub.clock().now_ms())).await? {
        let standing = standings.entry(counted.partner).or_default();
        standing.runs += counted.runs;
        standing.rows += counted.rows_read;
        match counted.state {
            RunState::Closed => standing.closed += counted.runs,
            RunState::Queued | RunState::Running | RunState::Staged | RunState::Delivering => standing.at_work += counted.runs,
            RunState::Held | RunState::Failed | RunState::Skipped | RunState::Cancelled => {}
        }
    }
    for run in ledger.runs_that_need_somebody(Scope::Hub, NEEDS_MAX).await? {
        standings.entry(run.partner().clone()).or_default().need_somebody += 1;
    }
    for group in ledger.waiting_groups(Scope::Hub, &QuarantineFilter::default()).await? {
        standings.entry(group.partner).or_default().rejects += group.rows;
    }
    for release in releases_waiting(hub, Scope::Hub).await? {
        standings.entry(release.release.key.partner).or_default().releases += 1;
    }
    Ok(standings)
}

fn number(number: u64) -> Markup {
    html! { (words::count(number)) }
}

fn needs(standing: &Standing) -> Markup {
    let Standing { need_somebody, rejects, releases, .. } = *standing;
    html! {
        @if need_somebody > 0 { (tag(Tone::Bad, words::counted(need_somebody, "run", "runs"))) " " }
        @if rejects > 0 { (tag(Tone::Attention, words::counted(rejects, "reject", "rejects"))) " " }
        @if releases > 0 { (tag(Tone::Special, words::counted(releases, "release to approve", "releases to approve"))) }
        @if need_somebody + rejects + releases == 0 { span class="quiet" { "Nothing" } }
    }
}
