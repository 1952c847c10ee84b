//! What a person may do about a run: end it, send it on its way, let it go on, do it again; and about its deliveries.

mod deliveries;
mod steer;

use axum::Router;
use axum::routing::get;
use maud::{Markup, html};

use super::live::under_way;
use super::{Titled, short};
use crate::access::Action;
use crate::console::look::{Page, Weight, link_button, words};
use crate::console::visit::At;
use crate::ledger::{Run, RunState};
use crate::run::Hub;

pub(super) fn routes() -> Router<Hub> {
    Router::new()
        .route("/p/{partner}/runs/{run}/cancel", get(steer::ask_cancel).post(steer::cancel))
        .route("/p/{partner}/runs/{run}/retry", get(steer::ask_retry).post(steer::retry))
        .route("/p/{partner}/runs/{run}/release", get(steer::ask_release).post(steer::release))
        .route("/p/{partner}/runs/{run}/replay", get(steer::ask_replay).post(steer::replay))
        .route("/p/{partner}/runs/{run}/deliveries/{output}/settle", get(deliveries::ask_settle).post(deliveries::settle))
        .route("/p/{partner}/runs/{run}/deliveries/{output}/resend", get(deliveries::ask_resend).post(deliveries::resend))
}

/// What is offered of it to somebody, as the run stands. What is not offered is refused as well.
pub(super) fn offered(at: &At, run: &Run, processed: bool) -> Markup {
    let (can_run, can_approve) = (at.caller.can(Action::Run), at.caller.can(Action::Approve));
    let stuck = matches!(run.state, RunState::Held | RunState::Failed);
    let mut acts: Vec<(Weight, &str, &str)> = Vec::new();
    if can_approve && run.state == RunState::Held {
        acts.push((Weight::First, "release", "Let it go on"));
    }
    if can_run && stuck && !run.is_uncertain() {
        acts.push((if can_approve { Weight::Second } else { Weight::First }, "retry", "Retry"));
    }
    if can_run && processed && !under_way(run) {
        acts.push((Weight::Second, "replay", "Replay"));
    }
    if can_run && (under_way(run) || stuck) {
        acts.push((Weight::Danger, "cancel", "Cancel run"));
    }
    html! {
        @if !acts.is_empty() {
            div class="buttons" {
                @for (weight, act, name) in acts { (link_button(weight, &at.href(format_args!("runs/{}/{act}", run.id)), name)) }
            }
        }
    }
}

/// A page about doing something with a run.
fn act_page(at: &At, run: &Titled, title: &str) -> Page {
    let home = at.href(format_args!("runs/{}", run.id));
    at.page(title)
        .caption(format!("{}, run {}", run.title, short(run.id)))
        .section("runs")
        .crumb(at.href("runs"), "Runs")
        .crumb(home, format!("{} {}", run.title, words::local(run.enqueued_at_ms).strftime("%-d %b %Y, %H:%M")))
}
