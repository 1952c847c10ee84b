//! The release that was in use before, in use again: checked on a page of its own.
//!
//! It must not know which release that is: the ledger finds it.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::html;

use crate::access::Action;
use crate::console::look::{Check, Summary, Weight, words};
use crate::console::visit::{At, Fault, Posted};
use crate::run::Hub;

pub(super) async fn ask(State(hub): State<Hub>, at: At, Path((_, plugin)): Path<(String, String)>) -> Result<Response, Fault> {
    at.may(Action::Approve)?;
    let plugin = plugin.parse().map_err(|_| Fault::NotFound)?;
    let active = hub.ledger().active_release(at.caller.partner(), &plugin).await?.ok_or(Fault::NotFound)?;
    let in_use = html! { (active.release.version) ", " code { (active.release.key.digest.short()) } };
    let since = active.active_since_ms.map(words::moment);
    Ok(at.page(format!("Roll back {plugin}")).section("plugins").crumb(at.href("plugins"), "Plugins and releases").body(Check {
        action: &at.href(format_args!("plugins/{plugin}/roll-back")),
        csrf: at.csrf(),
        answers: Summary::new().row("Plugin", plugin.to_string()).row("In use now", in_use).maybe("Since", since),
        warning: Some("The release that was in use before is in use again from the next run on."),
        fields: &[],
        button: (Weight::Danger, "Roll back"),
        back: &at.href("plugins"),
    }))
}

pub(super) async fn done(
    State(hub): State<Hub>,
    at: At,
    Path((_, plugin)): Path<(String, String)>,
    Posted(answers): Posted,
) -> Result<Response, Fault> {
    at.may(Action::Approve)?;
    let plugin = plugin.parse().map_err(|_| Fault::NotFound)?;
    if !answers.confirmed() {
        return Ok(Redirect::to(&at.href(format_args!("plugins/{plugin}/roll-back"))).into_response());
    }
    let key = match hub.roll_back_release(at.caller.partner(), &plugin, &at.by(&hub)).await {
        Ok(key) => key,
        Err(crate::run::RunError::Ledger(crate::ledger::LedgerError::NotFound { .. })) => {
            return Err(Fault::conflict(format!("No release of {plugin} was in use before the one that is.")));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Redirect::to(&at.href(format_args!("releases/{}?done=back", key.digest))).into_response())
}
