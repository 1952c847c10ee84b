//! Rejects as a file: out to be corrected, and the corrected file in.

use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::html;

use super::act_page;
use crate::access::Action;
use crate::console::look::{Faults, Field, Weight, button, details, upload_form, words};
use crate::console::runs::{Titled, attachment, run_of, streamed, titled};
use crate::console::visit::{Answers, At, Fault, Posted};
use crate::model::limits::CORRECTED_BYTES_MAX;
use crate::run::{Corrections, Handed, Hub, RunError};

type Named = Path<(String, String)>;

/// Longest value beside the file, in bytes, and how many there are at most.
const VALUE_BYTES_MAX: usize = 1_000;
const FIELDS_MAX: usize = 10;

pub(super) async fn download(State(hub): State<Hub>, at: At, Path((_, named)): Named, Posted(answers): Posted) -> Result<Response, Fault> {
    at.may(Action::Correct)?;
    at.may(Action::SeePersonal)?;
    let run = run_of(&hub, &at, &named).await?;
    let port = Some(answers.text("port")).filter(|port| !port.is_empty());
    let written = hub.rejects_for_correction(at.scope(), run.id, port, &at.by(&hub)).await?;
    let content = written.content.read().map_err(RunError::from)?;
    Ok(attachment(&written.name, streamed(Box::new(content))))
}

pub(super) async fn ask_upload(State(hub): State<Hub>, at: At, Path((_, named)): Named) -> Result<Response, Fault> {
    at.may(Action::Correct)?;
    let run = titled(&hub, &at, &named).await?;
    Ok(form_of(&at, &run, "", &Faults::new()))
}

fn form_of(at: &At, run: &Titled, with: &str, faults: &Faults) -> Response {
    let action = at.href(format_args!("rejects/{}/upload", run.id));
    let hint = format!("The file that you downloaded here, corrected; at most {}.", words::size(CORRECTED_BYTES_MAX));
    let with = if with.is_empty() { "first" } else { with };
    let content = html! {
        (upload_form(&action, at.csrf(), html! {
            (Field::new("file", "Corrected file").hint(&hint).faults(faults).input("file"))
            (Field::new("with", "What are the rows judged by?").value(with).radios(&[
                ("first", "What the first run used", Some("The same job, release and tables.")),
                ("now", "What is in force now", Some("For instance a table that has been corrected since.")),
            ]))
            (details("What the file must be like", html! {
                p { "The same columns in the same order, with the number of each reject before its row as it was written. Rows that you take out stay in quarantine." }
            }))
            p { "The rows come back as a run of their own, at once. What it writes is delivered to its receivers." }
            (button(Weight::First, "Bring the rows back"))
        }))
    };
    act_page(at, run, "Upload corrected rows").faults(faults).body(content)
}

pub(super) async fn upload(
    State(hub): State<Hub>,
    at: At,
    Path((_, named)): Named,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Response, Fault> {
    at.may(Action::Correct)?;
    let run = titled(&hub, &at, &named).await?;
    let (answers, file) = taken(&hub, &at, form.map_err(|_| unread())?).await?;
    if !answers.come_from(at.visit()) {
        return Err(Fault::Stale);
    }
    let Some(file) = file.filter(|file| file.stored().size > 0) else {
        return Ok(form_of(&at, &run, answers.text("with"), &Faults::one("file", "Select the corrected file")));
    };
    let content = Box::new(file.read().map_err(RunError::from)?);
    let corrections = Corrections { port: None, content, afresh: answers.text("with") == "now" };
    match hub.resubmit(at.scope(), run.id, corrections, &at.by(&hub)).await.map_err(Fault::from) {
        Ok(back) => Ok(Redirect::to(&at.href(format_args!("runs/{back}?done=resubmitted"))).into_response()),
        Err(fault) => match fault.sentence() {
            Some(sentence) => Ok(form_of(&at, &run, answers.text("with"), &Faults::one("file", sentence))),
            None => Err(fault),
        },
    }
}

fn unread() -> Fault {
    let sentence = format!("The file could not be read. It may have at most {}.", words::size(CORRECTED_BYTES_MAX));
    Fault::Wrong { status: StatusCode::PAYLOAD_TOO_LARGE, sentence }
}

/// The fields of the form, and the file, which goes to the disk as it comes.
async fn taken(hub: &Hub, at: &At, mut form: Multipart) -> Result<(Answers, Option<Handed>), Fault> {
    let (mut fields, mut file) = (Vec::new(), None);
    while let Some(mut field) = form.next_field().await.map_err(|_| unread())? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            let mut incoming = hub.begin_file(at.caller.partner()).await?;
            while let Some(piece) = field.chunk().await.map_err(|_| unread())? {
                incoming.take(&piece).await?;
            }
            file = Some(incoming.whole().await?);
        } else {
            // A form may be as large as a file: what is no file is not held beyond what it may have.
            let mut value = Vec::new();
            while let Some(piece) = field.chunk().await.map_err(|_| unread())? {
                value.extend(piece.iter().take(VALUE_BYTES_MAX.saturating_sub(value.len())));
            }
            if fields.len() >= FIELDS_MAX {
                return Err(unread());
            }
            fields.push((name, String::from_utf8_lossy(&value).into_owned()));
        }
    }
    Ok((Answers::new(fields), file))
}
