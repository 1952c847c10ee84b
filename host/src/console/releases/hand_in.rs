//! A component and its signature, uploaded. What is handed in is checked and kept, and used by no run until others have their say.
//!
//! It must not know how a component is checked.

use axum::extract::multipart::{Field as Part, Multipart};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::html;

use crate::access::Action;
use crate::console::look::{Faults, Field, Weight, button, upload_form};
use crate::console::visit::{Answers, At, Fault};
use crate::model::limits::Limit;
use crate::registry::signature::TEXT_BYTES_MAX;
use crate::run::{Hub, Push, RunError};

/// Largest upload: a component of the usual limit, its signature, and what a browser writes around them.
pub(super) const BODY_BYTES_MAX: usize = (32 << 20) + TEXT_BYTES_MAX + (64 << 10);

/// Largest value of a field that is no file.
const FIELD_BYTES_MAX: usize = 4 << 10;

pub(super) async fn blank(at: At) -> Result<Response, Fault> {
    at.may(Action::Upload)?;
    Ok(form_page(&at, &Faults::new()))
}

fn form_page(at: &At, faults: &Faults) -> Response {
    at.page("Hand in a release").section("plugins").crumb(at.href("plugins"), "Plugins and releases").faults(faults).body(html! {
        p class="lede" { "The hub checks its signature, its manifest and what it imports, and compiles it. Somebody else approves it, and only then can runs use it." }
        (upload_form(&at.href("plugins/new"), at.csrf(), html! {
            (Field::new("component", "Component").hint("The .wasm file that bailiwick plugin build made.").faults(faults).input("file"))
            (Field::new("signature", "Signature").hint("The .minisig file beside it, if it is signed.").faults(faults).input("file"))
            div class="buttons" { (button(Weight::First, "Hand in")) a class="plain" href=(at.href("plugins")) { "Cancel" } }
        }))
    })
}

pub(super) async fn take(State(hub): State<Hub>, at: At, request: Request) -> Result<Response, Fault> {
    at.may(Action::Upload)?;
    let Uploaded { component, signature } = uploaded(&hub, &at, request).await?;
    if component.is_empty() {
        return Ok(form_page(&at, &Faults::one("component", "Choose the component’s file.")));
    }
    let signature = match String::from_utf8(signature) {
        Ok(text) => Some(text).filter(|text| !text.trim().is_empty()),
        Err(_) => return Ok(form_page(&at, &Faults::one("signature", "This file is no signature."))),
    };
    let push = Push { partner: at.caller.partner(), component: &component, signature };
    match hub.push_release(&push, &at.by(&hub)).await {
        Ok(pushed) => {
            let told = if pushed.new { "handed-in" } else { "there" };
            Ok(Redirect::to(&at.href(format_args!("releases/{}?done={told}", pushed.key.digest))).into_response())
        }
        Err(error @ (RunError::Ledger(_) | RunError::Store(_) | RunError::Disk(_))) => Err(error.into()),
        // What the component is refused for is told to whoever handed it in; the same stands in the audit trail.
        Err(error) => Ok(form_page(&at, &Faults::one("component", format!("The hub refuses it: {error}.")))),
    }
}

#[derive(Default)]
struct Uploaded {
    component: Vec<u8>,
    signature: Vec<u8>,
}

/// The files of a form of this session. The token comes first, so that nothing else is read for anybody.
async fn uploaded(hub: &Hub, at: &At, request: Request) -> Result<Uploaded, Fault> {
    let unreadable =
        |status: StatusCode| Fault::Wrong { status, sentence: "The files could not be read. Is one larger than the hub takes?".to_owned() };
    let mut parts = Multipart::from_request(request, hub).await.map_err(|refused| unreadable(refused.status()))?;
    let mut uploaded = Uploaded::default();
    let mut ours = false;
    while let Some(part) = parts.next_field().await.map_err(|error| unreadable(error.status()))? {
        let name = part.name().unwrap_or_default().to_owned();
        let most = match name.as_str() {
            "component" => usize::try_from(Limit::ComponentBytes.fact().default).unwrap_or(usize::MAX),
            "signature" => TEXT_BYTES_MAX,
            _ => FIELD_BYTES_MAX,
        };
        let content = content(part, most).await?.ok_or_else(|| unreadable(StatusCode::PAYLOAD_TOO_LARGE))?;
        match name.as_str() {
            "component" | "signature" if !ours => return Err(Fault::Stale),
            "component" => uploaded.component = content,
            "signature" => uploaded.signature = content,
            _ => ours = ours || Answers::new(vec![(name, String::from_utf8_lossy(&content).into_owned())]).come_from(at.visit()),
        }
    }
    if ours { Ok(uploaded) } else { Err(Fault::Stale) }
}

/// A part of a form; none if it is larger than it may be.
async fn content(mut part: Part<'_>, most: usize) -> Result<Option<Vec<u8>>, Fault> {
    let mut content = Vec::new();
    loop {
        match part.chunk().await {
            Ok(Some(chunk)) if content.len() + chunk.len() <= most => content.extend_from_slice(&chunk),
            Ok(Some(_)) => return Ok(None),
            Ok(None) => return Ok(Some(content)),
            Err(error) => return Err(Fault::Wrong { status: error.status(), sentence: "The upload broke off.".to_owned() }),
        }
    }
}
