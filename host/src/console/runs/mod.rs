//! Runs: what became of every row and every pound, and what a person may do about it.
//!
//! ```text
//! GET      /p/{partner}/runs                              lists; ?job= &state= &before=
//! GET      /p/{partner}/runs/{run}                        one run
//! GET      /p/{partner}/runs/{run}/events                 the same as it happens, by server-sent events
//! GET      /p/{partner}/runs/{run}/files/{side}/{port}    the beginning of a file that it read or wrote, masked
//! POST     /p/{partner}/runs/{run}/files/{side}/{port}    the file itself, for those who may see personal data
//! GET      /p/{partner}/runs/{run}/compare                held against another run; ?with=
//! GET/POST /p/{partner}/runs/{run}/cancel, retry, release, replay
//! GET/POST /p/{partner}/runs/{run}/deliveries/{output}/settle, resend
//! ```
//!
//! It must not know how rows are processed or delivered: it reads what the ledger has of it.

mod acts;
mod compare;
mod file;
mod flow;
mod list;
mod live;
mod page;
mod told;

use std::ops::Deref;

use axum::Router;
use axum::routing::get;

pub(super) use file::{attachment, streamed};
pub(super) use told::in_short;

use super::jobs::Titles;
use super::visit::{At, Fault};
use crate::ledger::Run;
use crate::model::ids::RunId;
use crate::run::Hub;

pub(super) fn routes() -> Router<Hub> {
    Router::new()
        .route("/p/{partner}/runs", get(list::page))
        .route("/p/{partner}/runs/{run}", get(page::page))
        .route("/p/{partner}/runs/{run}/compare", get(compare::page))
        .route("/p/{partner}/runs/{run}/files/{side}/{port}", get(file::preview).post(file::download))
        .merge(live::routes())
        .merge(acts::routes())
}

/// The run that an address names.
pub(super) async fn run_of(hub: &Hub, at: &At, named: &str) -> Result<Run, Fault> {
    let id: RunId = named.parse().map_err(|_| Fault::NotFound)?;
    hub.ledger().run(at.scope(), id).await?.ok_or(Fault::NotFound)
}

/// A run, with what people call its job.
pub(super) struct Titled {
    run: Run,
    pub(super) title: String,
}

impl Deref for Titled {
    type Target = Run;

    fn deref(&self) -> &Run {
        &self.run
    }
}

/// The run that an address names, to do something with it.
pub(super) async fn titled(hub: &Hub, at: &At, named: &str) -> Result<Titled, Fault> {
    let run = run_of(hub, at, named).await?;
    let title = Titles::of(hub, at).await?.of_job(run.job()).to_owned();
    Ok(Titled { run, title })
}

/// What people call a run: the beginning of its id says nothing, the end tells runs of one moment apart.
pub(super) fn short(run: RunId) -> String {
    let id = run.to_string();
    id[id.len() - 8..].to_owned()
}
