//! Plugins and their releases: what each may do, what is different from the one in use, what trials came to; handed in, approved or
//! refused by somebody else, tried, put in use, rolled back.
//!
//! ```text
//! review   one release, as whoever approves it sees it
//! act      what is done to a release, each by a page on which it is checked
//! grant    what an approver lends of what a release asks for
//! beside   a release beside the one in use: in parallel, as a canary; what is different, and what people say of it
//! back     the release before, in use again
//! trial    a run that tried a release beside the one that delivered: by total, by column, by row
//! hand_in  a component and its signature, uploaded
//! ```
//!
//! Who may approve what is the ledger's to say. It must not know how a component is run.

mod act;
mod back;
mod beside;
mod grant;
mod hand_in;
mod review;
mod trial;

pub(super) use trial::sight_note;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;

use super::look::{Column, Table, Tone, Weight, digest, link_button, tag, words};
use super::visit::{At, Fault};
use crate::access::Action;
use crate::ledger::{Release, ReleaseStanding};
use crate::model::ids::PluginName;
use crate::run::Hub;
use hand_in::BODY_BYTES_MAX;

pub(super) fn routes() -> Router<Hub> {
    Router::new()
        .route("/p/{partner}/plugins", get(list))
        .route("/p/{partner}/plugins/new", get(hand_in::blank).post(hand_in::take).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)))
        .route("/p/{partner}/plugins/{plugin}/roll-back", get(back::ask).post(back::done))
        .route("/p/{partner}/releases/{release}", get(review::page))
        .route("/p/{partner}/releases/{release}/{act}", get(act::ask).post(act::done))
        .route("/p/{partner}/trials/{run}", get(trial::page))
}

/// What was done, for the page that follows.
#[derive(Debug, Default, Deserialize)]
struct Told {
    #[serde(default)]
    done: String,
}

impl Told {
    fn sentence(&self) -> Option<&'static str> {
        Some(match self.done.as_str() {
            "handed-in" => "The release is handed in, checked and compiled. No run uses it until it is put in use.",
            "there" => "This release was handed in before. Nothing was changed.",
            "approved" => "The release is approved. It is in use once somebody puts it in use.",
            "refused" => "The release is refused. What is in use stays so until another is put in use.",
            "activated" => "The release is in use from the next run on.",
            "tried" => "The trials are in the queue. They deliver nothing.",
            "retired" => "The release is given up. No run begins with it any more.",
            "parallel" => "Every run that delivers is done again with this release from now on. That delivers nothing.",
            "canary" => "A share of the runs is done with this release from now on.",
            "ended" => "No release stands beside the one in use any more.",
            "explained" => "The difference is explained, for the trials that there are.",
            "back" => "The release before is in use again, from the next run on.",
            _ => return None,
        })
    }
}

async fn list(State(hub): State<Hub>, at: At, Query(told): Query<Told>) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let mut plugins: BTreeMap<PluginName, Vec<Release>> = BTreeMap::new();
    for release in hub.ledger().releases(at.scope()).await? {
        plugins.entry(release.release.key.plugin.clone()).or_default().push(release);
    }
    let page = at.page("Plugins and releases").section("plugins").done(told.sentence());
    let page = if at.caller.can(Action::Upload) {
        page.aside(link_button(Weight::First, &at.href("plugins/new"), "Hand in a release"))
    } else {
        page
    };
    Ok(page.body(html! {
        p class="lede" { "What runs this partner’s data, in which version, and on whose word." }
        @if plugins.is_empty() { p class="none" { "No plugin has been handed in yet." } }
        @for (plugin, releases) in &plugins { (of_plugin(&at, plugin, releases)) }
    }))
}

fn of_plugin(at: &At, plugin: &PluginName, releases: &[Release]) -> Markup {
    let mut table = Table::new(format!("Releases of {plugin}"), ["Version", "Standing", "Handed in", "Signed by"].map(Column::words));
    for release in releases {
        let key = &release.release.key;
        table.push([
            html! { a href=(at.href(format_args!("releases/{}", key.digest))) { (release.release.version) } " " (digest(&key.digest)) },
            standing(release),
            html! { (words::short_moment(release.added_at_ms)) " by " (words::actor(&release.added_by)) },
            html! { @if let Some(signature) = &release.release.signature { "Key " code { (signature.key) } } @else { "Nobody" } },
        ]);
    }
    let title = releases.iter().find_map(|release| release.release.manifest.split_once(": ")).map(|(_, title)| title);
    let several = releases.iter().any(|release| release.active_since_ms.is_some()) && releases.len() > 1;
    html! {
        section aria-labelledby=(format!("plugin-{plugin}")) {
            h2 id=(format!("plugin-{plugin}")) { (plugin) }
            @if let Some(title) = title { p { (title) } }
            (table.caption_read_out())
            @if several && at.caller.can(Action::Approve) {
                p { a class="plain" href=(at.href(format_args!("plugins/{plugin}/roll-back"))) { "Roll back " (plugin) } }
            }
        }
    }
}

/// How a release stands, in words.
fn standing(release: &Release) -> Markup {
    let word = match (&release.verdict, release.active_since_ms) {
        (_, Some(_)) => (Tone::Good, "In use"),
        (Some(said), None) if said.standing == ReleaseStanding::Approved => (Tone::Busy, "Approved"),
        (Some(_), None) => (Tone::Bad, "Refused"),
        (None, None) => (Tone::Attention, "Awaiting approval"),
    };
    tag(word.0, word.1)
}
