//! The hub itself, for whoever keeps it: what it is, what waits over all partners, and how far plugins may go.
//!
//! Of a partner it shows how many runs wait, and nothing that is in them.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::look::{Column, Figures, Summary, Table, Tone, words};
use super::visit::{Fault, Visit};
use crate::ledger::{RunFilter, RunState, Scope};
use crate::model::ids::PartnerName;
use crate::model::limits::LIMITS;
use crate::run::Hub;

/// Runs of a state that are counted; where there are more, the page says so.
const COUNTED_MAX: u32 = 1_000;

/// States in which a run waits for a hub or for a person.
const OPEN: [RunState; 5] = [RunState::Queued, RunState::Running, RunState::Delivering, RunState::Held, RunState::Failed];

pub(super) fn routes() -> Router<Hub> {
    Router::new().route("/hub", get(page))
}

async fn page(State(hub): State<Hub>, visit: Visit) -> Result<Response, Fault> {
    // Whoever does not keep the hub finds no such page.
    if !visit.signed_in().is_hub_operator() {
        return Err(Fault::NotFound);
    }
    let mut figures = Figures::new();
    let mut by_partner: BTreeMap<PartnerName, [u64; OPEN.len()]> = BTreeMap::new();
    for (place, state) in OPEN.into_iter().enumerate() {
        let filter = RunFilter { job: None, state: Some(state), before: None };
        let found = hub.ledger().runs(Scope::Hub, &filter, COUNTED_MAX).await?;
        let (tone, word) = words::state_word(state);
        let more = if found.next.is_some() { " or more" } else { "" };
        let number = format!("{}{more}", words::count(found.items.len() as u64));
        figures = figures.figure(if found.items.is_empty() { Tone::Quiet } else { tone }, number, word);
        for run in found.items {
            by_partner.entry(run.partner().clone()).or_default()[place] += 1;
        }
    }
    Ok(visit.page("The hub").body(html! {
        (facts(&hub).await?)
        h2 { "Runs of all partners" }
        (figures)
        (partners(&hub, &by_partner).await?)
        (limits())
    }))
}

async fn facts(hub: &Hub) -> Result<Markup, Fault> {
    let check = hub.ledger().audit(Scope::Hub, None, 1).await?;
    let last = check.items.first().map(|entry| html! { "Entry " (words::count(entry.seq)) ", " (words::moment(entry.at_ms)) });
    let summary = Summary::new()
        .row("Name", hub.id().to_string())
        .row("Version", env!("CARGO_PKG_VERSION"))
        .row("Takes runs up", if hub.works() { "Yes" } else { "No: another process works under this name" })
        .row("Its clock", words::exact_moment(hub.clock().now_ms()))
        .maybe("End of the audit trail", last);
    Ok(html! { (summary) })
}

async fn partners(hub: &Hub, open: &BTreeMap<PartnerName, [u64; OPEN.len()]>) -> Result<Markup, Fault> {
    let columns = [Column::words("Partner"), Column::words("Releases must be"), Column::words("Runs at once")];
    let states = OPEN.map(|state| Column::number(words::state_word(state).1));
    let mut table = Table::new("Partners", columns.into_iter().chain(states));
    for partner in hub.ledger().partners(Scope::Hub).await? {
        let most = partner.runs_at_once.map_or_else(|| "As many as there are places".to_owned(), |most| most.to_string());
        let cells = [html! { (partner.title) }, html! { (words::spaced(partner.releases.as_str())) }, html! { (most) }];
        let counts = open.get(&partner.name).copied().unwrap_or_default().map(|number| html! { (words::count(number)) });
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
