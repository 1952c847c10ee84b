//! A run as it happens: server-sent events over the ledger's events and the progress of the hub that is at it.
//!
//! A `step` has the number of its event, so that a browser that lost the line goes on from there. A stream ends when the run does, and
//! after a minute in any case: the browser then comes back by itself, with its session looked at again.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use futures_util::stream;
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::{run_of, told};
use crate::access::Action;
use crate::console::look::words;
use crate::console::visit::{At, Fault};
use crate::ledger::{LedgerError, Run, Scope};
use crate::model::ids::{PartnerName, RunId};
use crate::model::limits::console::{STREAM_SECONDS_MAX, STREAMS_MAX};
use crate::run::Hub;

/// How often a stream looks.
const TICK: Duration = Duration::from_millis(500);

/// Streams that are open.
#[derive(Clone)]
struct Places(Arc<Semaphore>);

pub(super) fn routes() -> Router<Hub> {
    let places = Places(Arc::new(Semaphore::new(STREAMS_MAX)));
    Router::new().route("/p/{partner}/runs/{run}/events", get(events)).layer(Extension(places))
}

/// One browser that watches.
struct Watch {
    hub: Hub,
    partner: PartnerName,
    run: RunId,
    after: u64,
    rows: Option<u64>,
    waiting: VecDeque<Event>,
    until: Instant,
    looked: bool,
    ended: bool,
    /// Its place, given back when the stream is dropped.
    _place: OwnedSemaphorePermit,
}

async fn events(
    State(hub): State<Hub>,
    at: At,
    Path((_, named)): Path<(String, String)>,
    Extension(places): Extension<Places>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let run = run_of(&hub, &at, &named).await?;
    let Ok(place) = places.0.try_acquire_owned() else {
        let sentence = format!("{STREAMS_MAX} pages are watching runs at this hub, which is as many as it serves. Load the page again.");
        return Err(Fault::Wrong { status: StatusCode::SERVICE_UNAVAILABLE, sentence });
    };
    let after = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok()).unwrap_or(0);
    let watch = Watch {
        hub,
        partner: at.caller.partner().clone(),
        run: run.id,
        after,
        rows: None,
        waiting: VecDeque::new(),
        until: Instant::now() + Duration::from_secs(STREAM_SECONDS_MAX),
        looked: false,
        ended: false,
        _place: place,
    };
    let stream = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok::<_, Infallible>(event), watch))
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()).into_response())
}

impl Watch {
    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.ended || Instant::now() >= self.until {
                return None;
            }
            if self.looked {
                tokio::time::sleep(TICK).await;
            }
            self.looked = true;
            if let Err(error) = self.look().await {
                tracing::warn!(run = %self.run, %error, "a run could not be watched; the browser asks again");
                return None;
            }
        }
    }

    /// What there is to tell since the last look.
    async fn look(&mut self) -> Result<(), LedgerError> {
        let scope = Scope::Partner(&self.partner);
        // The run first: what it says happened is in the log by then.
        let Some(run) = self.hub.ledger().run(scope, self.run).await? else {
            self.ended = true;
            return Ok(());
        };
        for logged in self.hub.ledger().events(scope, self.run, self.after).await? {
            self.after = logged.seq;
            let told = json!({ "words": told::event(&logged.event), "state": words::state_word(run.state).1 });
            self.waiting.push_back(Event::default().event("step").id(logged.seq.to_string()).data(told.to_string()));
        }
        let rows = rows_so_far(&self.hub, &run);
        if self.rows != Some(rows) {
            self.rows = Some(rows);
            let told = json!({ "rows": words::count(rows), "state": words::state_word(run.state).1 });
            self.waiting.push_back(Event::default().event("progress").data(told.to_string()));
        }
        if !under_way(&run) {
            self.ended = true;
            self.waiting.push_back(Event::default().event("end").data(json!({ "state": run.state.as_str() }).to_string()));
        }
        Ok(())
    }
}

/// Whether something happens to it without a person.
pub(super) const fn under_way(run: &Run) -> bool {
    run.claimable_at_ms.is_some()
}

/// Rows that have been read, as far as this hub knows.
pub(super) fn rows_so_far(hub: &Hub, run: &Run) -> u64 {
    hub.progress(run.id).map_or(0, |progress| progress.rows()).max(run.rows.read)
}
