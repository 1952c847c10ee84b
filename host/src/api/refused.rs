//! What callers with a token are refused goes into the audit trail. Their answers stay as they are.
//!
//! It must not know why anything is refused: the answer says it.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, MatchedPath, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderValue, Method, Uri};

use super::answer::caller_of;
use crate::access::{Asked, Asker, TurnedAway};
use crate::run::Hub;

/// Who calls, and what: kept until the answer is there. Of a call that is answered it costs no more.
pub(super) struct Call {
    route: Option<MatchedPath>,
    shown: Option<HeaderValue>,
    from: Option<SocketAddr>,
    method: Method,
    uri: Uri,
}

impl Call {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            route: request.extensions().get::<MatchedPath>().cloned(),
            shown: request.headers().get(AUTHORIZATION).cloned(),
            from: request.extensions().get::<ConnectInfo<SocketAddr>>().map(|from| from.0),
            method: request.method().clone(),
            uri: request.uri().clone(),
        }
    }

    /// Notes that it was refused.
    pub(super) async fn note(self, hub: &Hub, turned_away: TurnedAway) {
        let Self { route: Some(route), shown: Some(shown), from, method, uri } = self else { return };
        let Ok(caller) = caller_of(hub, &shown, from).await else { return };
        let asked = Asked { method: method.as_str(), template: route.as_str(), path: uri.path() };
        turned_away.note(hub.ledger(), &asked, Asker::of(&caller, hub.id(), hub.clock().now_ms())).await;
    }
}
