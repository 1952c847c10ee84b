//! The hub itself, for whoever keeps it: the hubs that there are, whether this one has what it needs, its database, what waits over all
//! partners, and how far plugins may go.
//!
//! Of a partner it shows how many runs wait, and nothing that is in them.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::look::{Column, Figures, Summary, Table, Tone, tag, words};
use super::visit::{Fault, Visit};
use crate::ledger::{RunState, Scope};
use crate::model::limits::LIMITS;
use crate::run::{GONE_MS, Hub};

/// States in which a run waits for a hub or for a person.
const OPEN: [RunState; 6] = [RunState::Queued, RunState::Running, RunState::Staged, RunState::Delivering, RunState::Held, RunState::Failed];

pub(super) fn routes() -> Router<Hub> {
    Router::new().route("/hub", get(page))
}

async fn page(State(hub): State<Hub>, visit: Visit) -> Result<Response, Fault> {
    // Whoever does not keep the hub finds no such page.
    if !visit.signed_in().is_hub_operator() {
        return Err(Fault::KeepersOnly);
    }
    Ok(visit.page("The hub").body(html! {
        (facts(&hub).await?)
        (needs(&hub).await)
        (hubs(&hub).await?)
        h2 { "Runs of all partners" }
        (queue(&hub).await?)
        (partners(&hub).await?)
        (limits())
    }))
}

async fn facts(hub: &Hub) -> Result<Markup, Fault> {
    let check = hub.ledger().audit(Scope::Hub, None, 1).await?;
    let last = check.items.first().map(|entry| html! { "Entry " (words::count(entry.seq)) ", " (words::moment(entry.at_ms)) });
    let database = hub.ledger().database_facts().await?;
    let kind = if database.kind == "sqlite" { "SQLite" } else { "PostgreSQL" };
    let summary = Summary::new()
        .row("Name", hub.id().to_string())
        .row("Version", env!("CARGO_PKG_VERSION"))
        .row("Contract with plugins", hub.contracts().join(" and "))
        .row("Takes runs up", if hub.works() { "Yes" } else { "No: another process works under this name" })
        .row("Its clock", words::exact_moment(hub.clock().now_ms()))
        .row("Database", format!("{kind} {}, {}, tables at step {}", database.version, words::size(database.size_bytes), database.step))
        .maybe("Free on its disk", hub.disk_free_bytes().map(words::size))
        .maybe("End of the audit trail", last);
    Ok(html! { (summary) })
}

/// Whether this hub has what it needs, one thing after the other.
async fn needs(hub: &Hub) -> Markup {
    let columns = [Column::words("What"), Column::words("State"), Column::words("Why")];
    let mut table = Table::new("Whether it is ready", columns);
    for one in hub.readiness().await {
        let state = if one.why_not.is_some() { tag(Tone::Bad, "Lacking") } else { tag(Tone::Good, "Ready") };
        table.push([html! { (words::spaced(one.what)) }, state, html! { (one.why_not.unwrap_or_default()) }]);
    }
    html! { (table) }
}

/// The hubs on this database, with how long ago each gave word.
async fn hubs(hub: &Hub) -> Result<Markup, Fault> {
    let columns =
        [Column::words("Hub"), Column::words("State"), Column::words("Version"), Column::words("Started"), Column::words("Last word")];
    let mut table = Table::new("Hubs", columns.into_iter().chain([Column::number("Runs it is at")]));
    let now_ms = hub.clock().now_ms();
    for one in hub.hubs(Scope::Hub).await? {
        let gone = now_ms - one.seen_at_ms > GONE_MS;
        table.push([
            html! { (one.hub) },
            if gone { tag(Tone::Bad, "Silent") } else { tag(Tone::Good, "At work") },
            html! { (one.version) },
            words::moment(one.started_at_ms),
            html! { (words::away(one.seen_at_ms, now_ms)) },
            html! { (words::count(one.runs)) },
        ]);
    }
    Ok(html! { (table.empty("No hub has given word yet.")) })
}

/// How many runs are in each state.
async fn queue(hub: &Hub) -> Result<Markup, Fault> {
    let counts: BTreeMap<&str, u64> =
        hub.ledger().run_counts(Scope::Hub).await?.into_iter().map(|(state, runs)| (state.as_str(), runs)).collect();
    let mut figures = Figures::new();
    for state in OPEN {
        let (tone, word) = words::state_word(state);
        let runs = counts.get(state.as_str()).copied().unwrap_or_default();
        figures = figures.figure(if runs == 0 { Tone::Quiet } else { tone }, words::count(runs), word);
    }
    Ok(html! { (figures) })
}

async fn partners(hub: &Hub) -> Result<Markup, Fault> {
    let mut open: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for of in hub.ledger().standing(hub.clock().now_ms()).await?.open {
        *open.entry(of.partner).or_default().entry(of.state).or_default() += u64::try_from(of.runs).unwrap_or_default();
    }
    let columns = [Column::words("Partner"), Column::words("Releases must be"), Column::words("Runs at once")];
    let states = OPEN.map(|state| Column::number(words::state_word(state).1));
    let mut table = Table::new("Partners", columns.into_iter().chain(states));
    for partner in hub.ledger().partners(Scope::Hub).await? {
        let most = partner.runs_at_once.map_or_else(|| "As many as there are places".to_owned(), |most| most.to_string());
        let cells = [html! { (partner.title) }, html! { (words::spaced(partner.releases.as_str())) }, html! { (most) }];
        let of = open.get(partner.name.as_str());
        let counts = OPEN.map(|state| of.and_then(|of| of.get(state.as_str())).copied().unwrap_or_default());
        let counts = counts.map(|number| html! { (words::count(number)) });
        table.push(cells.into_iter().chain(counts));
    }
    Ok(html! { (table.empty("No partner is declared yet.")) })
}

fn limits() -> Markup {
    let columns = [Column::words("Limit"), Column::number("Unless asked"), Column::number("At most"), Column::words("Why")];
    let mut table = Table::new("How far a plugin may go", columns);
    for fact in LIMITS {
        table.push([
            html! { code { (fact.name) } },
            html! { (words::count(fact.default)) },
            html! { (words::count(fact.ceiling)) },
            html! { (fact.why) },
        ]);
    }
    html! { (table) }
}
