//! What a provider is asked: where it is and which keys it signs with, and whose code this is. On a thread of its own, as ureq waits.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::settings::{BadSettings, ProviderSettings, is_secure};
use super::{Provider, ProviderRefused, Round};
use crate::model::limits::access::{PROVIDER_BYTES_MAX, PROVIDER_MS_MAX};

/// Where a provider sends browsers back to, after the hub's own address.
const ANSWER: &str = "/sign-in/provider/answer";

type Client = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Why a provider could not be asked.
#[derive(Debug, thiserror::Error)]
enum NotAsked {
    #[error("{0} is not reached by TLS")]
    InTheClear(String),
    #[error(transparent)]
    Asked(#[from] ureq::Error),
    #[error(transparent)]
    Answer(#[from] ureq::http::Error),
}

/// What asks: it follows nothing, waits so long and no longer.
pub(super) fn agent(settings: &ProviderSettings) -> Result<ureq::Agent, BadSettings> {
    let roots = match &settings.ca_file {
        None => RootCerts::WebPki,
        Some(file) => {
            let bad = |why: String| settings.bad(format!("{}: {why}", file.display()));
            let pem = std::fs::read(file).map_err(|error| bad(error.to_string()))?;
            let found: Vec<Certificate<'static>> =
                parse_pem(&pem).filter_map(|item| if let Ok(PemItem::Certificate(found)) = item { Some(found) } else { None }).collect();
            if found.is_empty() {
                return Err(bad("it has no certificate in PEM".to_owned()));
            }
            RootCerts::new_with_certs(&found)
        }
    };
    Ok(ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("bailiwick/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(Duration::from_millis(PROVIDER_MS_MAX)))
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .build()
        .new_agent())
}

impl Provider {
    /// Where a browser is sent.
    pub(super) async fn address(&self, round: Round) -> Result<String, ProviderRefused> {
        let (asked, agent) = (self.asked(), self.agent.clone());
        let address = tokio::task::spawn_blocking(move || {
            let client = asked.client(&agent)?;
            let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(round.verifier));
            let (state, nonce) = (CsrfToken::new(round.state), Nonce::new(round.nonce));
            let flow = CoreAuthenticationFlow::AuthorizationCode;
            let request = client.authorize_url(flow, move || state, move || nonce);
            let (address, _, _) = request.add_scope(Scope::new("profile".to_owned())).set_pkce_challenge(challenge).url();
            Ok(address.to_string())
        });
        address.await.expect("asking does not panic")
    }

    /// What the provider says of whoever a code is for, under its signature.
    pub(super) async fn claims(&self, code: &str, round: Round) -> Result<Value, ProviderRefused> {
        let (asked, agent, code) = (self.asked(), self.agent.clone(), code.to_owned());
        let claims = tokio::task::spawn_blocking(move || {
            let unproven = |why: String| ProviderRefused::Unproven { issuer: asked.issuer.clone(), why };
            let client = asked.client(&agent)?;
            let request = client.exchange_code(AuthorizationCode::new(code)).map_err(|error| unproven(error.to_string()))?;
            let token = request
                .set_pkce_verifier(PkceCodeVerifier::new(round.verifier))
                .request(&|request: HttpRequest| send(&agent, request))
                .map_err(|error| unproven(said(&error)))?;
            let signed = token.id_token().ok_or_else(|| unproven("it sent no token of identity".to_owned()))?;
            signed.claims(&client.id_token_verifier(), &Nonce::new(round.nonce)).map_err(|error| unproven(said(&error)))?;
            // Verified as a whole, it is read for the claims that only this provider has.
            let payload = signed.to_string().split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
            payload.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| unproven("its token cannot be read".to_owned()))
        });
        claims.await.expect("asking does not panic")
    }

    fn asked(&self) -> Asked {
        Asked {
            issuer: self.settings.issuer.clone(),
            client_id: self.settings.client_id.clone(),
            secret: self.secret.expose_secret().to_owned(),
            back: format!("{}{ANSWER}", self.settings.hub_url.trim_end_matches('/')),
        }
    }
}

/// What the thread that asks has to know.
struct Asked {
    issuer: String,
    client_id: String,
    secret: String,
    back: String,
}

impl Asked {
    /// The provider as it is now, with the keys it signs with now.
    fn client(&self, agent: &ureq::Agent) -> Result<Client, ProviderRefused> {
        let away = |why: String| ProviderRefused::Away { issuer: self.issuer.clone(), why };
        let issuer = IssuerUrl::new(self.issuer.clone()).map_err(|error| away(error.to_string()))?;
        let back = RedirectUrl::new(self.back.clone()).map_err(|error| away(error.to_string()))?;
        let metadata = CoreProviderMetadata::discover(&issuer, &|request: HttpRequest| send(agent, request));
        let metadata = metadata.map_err(|error| away(said(&error)))?;
        let secret = Some(ClientSecret::new(self.secret.clone()));
        Ok(CoreClient::from_provider_metadata(metadata, ClientId::new(self.client_id.clone()), secret).set_redirect_uri(back))
    }
}

fn send(agent: &ureq::Agent, request: HttpRequest) -> Result<HttpResponse, NotAsked> {
    let address = request.uri().to_string();
    if !is_secure(&address) {
        return Err(NotAsked::InTheClear(address));
    }
    // A request without a body is sent as one.
    let (head, body) = request.into_parts();
    let answer = if body.is_empty() {
        agent.run(ureq::http::Request::from_parts(head, ()))?
    } else {
        agent.run(ureq::http::Request::from_parts(head, body))?
    };
    let (head, mut body) = answer.into_parts();
    let bytes = body.with_config().limit(PROVIDER_BYTES_MAX).read_to_vec()?;
    Ok(HttpResponse::from_parts(head, bytes))
}

/// An error with what brought it about, for the log.
fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
