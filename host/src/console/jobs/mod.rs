//! Jobs: what is declared, when each runs, how its runs went, and what a person may have it do.
//!
//! ```text
//! GET      /p/{partner}/jobs                    every job
//! GET      /p/{partner}/jobs/{job}              one: schedule in words, next times, history
//! GET/POST /p/{partner}/jobs/{job}/run          now, or as a dry run
//! GET/POST /p/{partner}/jobs/{job}/backfill     the times of some days
//! GET/POST /p/{partner}/jobs/{job}/pause        its schedule stands still
//! GET/POST /p/{partner}/jobs/{job}/resume       its schedule goes on
//! ```
//!
//! It must not know what a run does: it asks for runs and reads what became of them.

mod act;
mod backfill;
mod history;
mod list;
mod page;
mod titles;

use axum::Router;
use axum::routing::get;

pub(super) use titles::Titles;

use super::visit::{At, Fault};
use crate::ledger::StoredJob;
use crate::model::ids::JobName;
use crate::run::Hub;

pub(super) fn routes() -> Router<Hub> {
    Router::new()
        .route("/p/{partner}/jobs", get(list::page))
        .route("/p/{partner}/jobs/{job}", get(page::page))
        .route("/p/{partner}/jobs/{job}/run", get(act::ask_run).post(act::run))
        .route("/p/{partner}/jobs/{job}/pause", get(act::ask_pause).post(act::pause))
        .route("/p/{partner}/jobs/{job}/resume", get(act::ask_resume).post(act::resume))
        .route("/p/{partner}/jobs/{job}/backfill", get(backfill::ask).post(backfill::backfill))
}

/// The job that an address names.
async fn job_of(hub: &Hub, at: &At, named: &str) -> Result<StoredJob, Fault> {
    let name: JobName = named.parse().map_err(|_| Fault::NotFound)?;
    Ok(hub.ledger().job(at.caller.partner(), &name).await?)
}
