//! What people who are signed in are refused goes into the audit trail. Their pages stay as they are.
//!
//! It must not know why anything is refused: the answer says it.

use axum::extract::{FromRequestParts as _, MatchedPath, Request, State};
use axum::http::Request as Asking;
use axum::middleware::Next;
use axum::response::Response;

use crate::access::{Asked, Asker, SignedIn, TurnedAway};
use crate::run::Hub;

/// Notes what is refused.
pub(crate) async fn noted(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    // Who it was is asked again only if they were refused.
    let (head, body) = request.into_parts();
    let kept = head.clone();
    let response = next.run(Asking::from_parts(head, body)).await;
    let turned_away = response.extensions().get::<TurnedAway>().copied();
    if let Some((turned_away, route)) = turned_away.zip(kept.extensions.get::<MatchedPath>().cloned()) {
        let mut head = kept;
        if let Ok(signed_in) = SignedIn::from_request_parts(&mut head, &hub).await {
            let asked = Asked { method: head.method.as_str(), template: route.as_str(), path: head.uri.path() };
            let asker = Asker::signed_in(&signed_in, asked.partner().as_ref(), (hub.id(), hub.clock().now_ms()));
            turned_away.note(hub.ledger(), &asked, asker).await;
        }
    }
    response
}
