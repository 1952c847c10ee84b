//! Signing in at a provider of identities: leaving the hub, and coming back.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::cookie::{Crumbs, fresh_key};
use super::who::{From, next_of};
use super::{Next, Shown, again, door, fault};
use crate::access::{Provider, ProviderRefused, SentBack};
use crate::run::Hub;

/// What a provider adds to the address to which it sends a browser back.
#[derive(Debug, Deserialize, Default)]
pub(super) struct Answer {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
}

/// Sends a browser to the provider.
pub(super) async fn leave(
    State(hub): State<Hub>,
    provider: Option<Extension<Arc<Provider>>>,
    (crumbs, jar): (Crumbs, CookieJar),
    Query(Next { next }): Query<Next>,
) -> Response {
    let Some(Extension(provider)) = provider else { return StatusCode::NOT_FOUND.into_response() };
    let key = crumbs.form_key(&jar).unwrap_or_else(fresh_key);
    match provider.begin(&door(&hub), &key, next_of(&next)).await {
        Ok(address) => (jar.add(crumbs.for_form(&key)), Redirect::to(&address)).into_response(),
        Err(refused) => turned_away(&provider, (crumbs, jar), &refused),
    }
}

/// Takes a browser that a provider sends back.
pub(super) async fn arrive(
    State(hub): State<Hub>,
    provider: Option<Extension<Arc<Provider>>>,
    From(from): From,
    (crumbs, jar): (Crumbs, CookieJar),
    answer: Query<Answer>,
) -> Response {
    let Some(Extension(provider)) = provider else { return StatusCode::NOT_FOUND.into_response() };
    let sent = SentBack { state: &answer.state, code: answer.code.as_deref(), error: answer.error.as_deref() };
    let arrived = match crumbs.form_key(&jar) {
        Some(key) => provider.arrive(&door(&hub), &key, &sent, from).await,
        None => Err(ProviderRefused::State),
    };
    match arrived {
        Ok(arrived) => (jar.add(crumbs.for_session(&arrived.key)), Redirect::to(next_of(&arrived.next))).into_response(),
        Err(refused) => turned_away(&provider, (crumbs, jar), &refused),
    }
}

fn turned_away(provider: &Provider, (crumbs, jar): (Crumbs, CookieJar), refused: &ProviderRefused) -> Response {
    let status = match refused {
        ProviderRefused::Ledger(error) => return fault(error),
        ProviderRefused::Away { why, .. } => {
            tracing::error!(why, "a provider of identities could not be asked");
            StatusCode::BAD_GATEWAY
        }
        ProviderRefused::Unproven { why, .. } => {
            tracing::warn!(why, "what a provider of identities sent proves nothing");
            StatusCode::FORBIDDEN
        }
        ProviderRefused::Unknown { name, .. } => {
            tracing::info!(name, "a provider of identities knows somebody who is nobody here");
            StatusCode::FORBIDDEN
        }
        ProviderRefused::State | ProviderRefused::Refused { .. } | ProviderRefused::OtherAccount { .. } => StatusCode::FORBIDDEN,
    };
    let shown = Shown { next: "/", name: "", said: Some(&refused.to_string()), provider: Some(provider) };
    again(status, (crumbs, jar), &shown)
}
