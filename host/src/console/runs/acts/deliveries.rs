//! Deliveries of a run: an uncertain one settled by a person's word, a delivered one sent again.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::html;

use super::act_page;
use crate::access::Action;
use crate::console::look::form::reason_field;
use crate::console::look::{Check, Faults, Field, Summary, Weight, button, form, warning};
use crate::console::runs::{Titled, titled};
use crate::console::visit::{Answers, At, Fault, Posted};
use crate::ledger::{ResendAsk, StagedOutput};
use crate::run::Hub;

type Named = Path<(String, String, String)>;

/// A staged output of a run.
async fn output_of(hub: &Hub, at: &At, (run, output): (&str, &str)) -> Result<(Titled, StagedOutput), Fault> {
    at.may(Action::Correct)?;
    let run = titled(hub, at, run).await?;
    let processed = hub.ledger().processed(at.scope(), run.id).await?.ok_or(Fault::NotFound)?;
    let output = processed.outputs.into_iter().find(|staged| staged.port == output).ok_or(Fault::NotFound)?;
    Ok((run, output))
}

pub(super) async fn ask_settle(State(hub): State<Hub>, at: At, Path((_, run, output)): Named) -> Result<Response, Fault> {
    let (run, output) = output_of(&hub, &at, (&run, &output)).await?;
    Ok(settle_form((&at, &run, &output), &Answers::default(), &Faults::new()))
}

fn settle_form((at, run, output): (&At, &Titled, &StagedOutput), answers: &Answers, faults: &Faults) -> Response {
    let action = at.href(format_args!("runs/{}/deliveries/{}/settle", run.id, output.port));
    let content = html! {
        p { "Ask the receiver of " (output.connection) " whether it has " span class="strong" { (output.target) } ", with the SHA-256 "
            code { (output.artefact.short()) } "…" }
        (form(&action, at.csrf(), html! {
            (Field::new("arrived", "Did it arrive?").value(answers.text("arrived")).faults(faults).radios(&[
                ("yes", "Yes, the receiver has it", Some("The run goes on to its end.")),
                ("no", "No, the receiver has not got it", Some("It is sent again.")),
            ]))
            (reason_field("Who said so, and how?", answers.text("reason"), faults))
            (button(Weight::First, "Continue"))
        }))
    };
    act_page(at, run, "Say whether a delivery arrived").faults(faults).body(content)
}

pub(super) async fn settle(
    State(hub): State<Hub>,
    at: At,
    Path((_, run, output)): Named,
    Posted(answers): Posted,
) -> Result<Response, Fault> {
    let (run, output) = output_of(&hub, &at, (&run, &output)).await?;
    let arrived = answers.text("arrived");
    let mut faults = Faults::new();
    if !matches!(arrived, "yes" | "no") {
        faults.add("arrived", "Select whether it arrived");
    }
    let reason = match (answers.reason(), faults.is_empty()) {
        (Ok(reason), true) => reason,
        (said, _) => {
            said.err().iter().flat_map(Faults::iter).for_each(|(field, sentence)| faults.add(field, sentence));
            return Ok(settle_form((&at, &run, &output), &answers, &faults));
        }
    };
    if answers.confirmed() {
        hub.ledger().settle_delivery(at.scope(), (run.id, &output.port), (arrived == "yes", reason), &at.by(&hub)).await?;
        return Ok(Redirect::to(&at.href(format_args!("runs/{}?done=settled", run.id))).into_response());
    }
    let action = at.href(format_args!("runs/{}/deliveries/{}/settle", run.id, output.port));
    let check = Check {
        action: &action,
        csrf: at.csrf(),
        answers: Summary::new()
            .row("Output", &*output.port)
            .row("Where to", format!("{} / {}", output.connection, output.target))
            .row_with("Did it arrive?", if arrived == "yes" { "Yes" } else { "No" }, (&action, "Change", "whether it arrived"))
            .row_with("Reason", reason, (&action, "Change", "the reason")),
        warning: Some(if arrived == "yes" {
            "It is not sent again."
        } else {
            "It is sent again. If it did arrive, its receiver has it twice."
        }),
        fields: &[("arrived", arrived), ("reason", reason)],
        button: (Weight::First, "Confirm"),
        back: &at.href(format_args!("runs/{}", run.id)),
    };
    Ok(act_page(&at, &run, "Check what you say of this delivery").body(check))
}

pub(super) async fn ask_resend(State(hub): State<Hub>, at: At, Path((_, run, output)): Named) -> Result<Response, Fault> {
    let (run, output) = output_of(&hub, &at, (&run, &output)).await?;
    Ok(resend_form((&at, &run, &output), &Answers::default(), &Faults::new()))
}

fn resend_form((at, run, output): (&At, &Titled, &StagedOutput), answers: &Answers, faults: &Faults) -> Response {
    let action = at.href(format_args!("runs/{}/deliveries/{}/resend", run.id, output.port));
    let taken_for = if answers.text("as").is_empty() { "same" } else { answers.text("as") };
    let content = html! {
        p { "The same bytes are sent to " (output.connection) " again, after their digest is compared." }
        (warning("Its receiver may use it a second time. Agree with them first."))
        (form(&action, at.csrf(), html! {
            (Field::new("name", "Name there").value(answers.text("name")).faults(faults)
                .hint(&format!("Leave empty for the name that it had: {}", output.target)).text())
            (Field::new("as", "What should its receiver take it for?").value(taken_for).radios(&[
                ("same", "The same delivery once more", Some("A receiver that recognises repeats does nothing with it.")),
                ("new", "A new delivery", Some("It is used again even by a receiver that recognises repeats.")),
            ]))
            (reason_field("Why is it to be sent again?", answers.text("reason"), faults))
            (button(Weight::First, "Continue"))
        }))
    };
    act_page(at, run, "Send a delivered output again").faults(faults).body(content)
}

pub(super) async fn resend(
    State(hub): State<Hub>,
    at: At,
    Path((_, run, output)): Named,
    Posted(answers): Posted,
) -> Result<Response, Fault> {
    let (run, output) = output_of(&hub, &at, (&run, &output)).await?;
    let reason = match answers.reason() {
        Ok(reason) => reason,
        Err(faults) => return Ok(resend_form((&at, &run, &output), &answers, &faults)),
    };
    let (name, new_key) = (answers.text("name"), answers.text("as") == "new");
    if answers.confirmed() {
        let target = (!name.is_empty()).then(|| name.to_owned());
        let ask = ResendAsk { port: output.port.clone(), target, new_key, why: reason.to_owned() };
        let sent = match hub.resend(at.scope(), run.id, ask, &at.by(&hub)).await.map_err(Fault::from) {
            Ok(sent) => sent,
            Err(fault) => match fault.sentence() {
                Some(sentence) => return Ok(resend_form((&at, &run, &output), &answers, &Faults::one("name", sentence))),
                None => return Err(fault),
            },
        };
        let done = if sent.delivered.is_some() { "resent" } else { "not-resent" };
        return Ok(Redirect::to(&at.href(format_args!("runs/{}?done={done}", run.id))).into_response());
    }
    let action = at.href(format_args!("runs/{}/deliveries/{}/resend", run.id, output.port));
    let target = if name.is_empty() { output.target.as_str() } else { name };
    let taken_for = if new_key { "A new delivery" } else { "The same delivery once more" };
    let check = Check {
        action: &action,
        csrf: at.csrf(),
        answers: Summary::new()
            .row("Output", &*output.port)
            .row_with("Where to", format!("{} / {target}", output.connection), (&action, "Change", "its name there"))
            .row_with("Taken for", taken_for, (&action, "Change", "what its receiver takes it for"))
            .row_with("Reason", reason, (&action, "Change", "the reason")),
        warning: Some("It is sent at once. Its receiver may use it a second time."),
        fields: &[("name", name), ("as", answers.text("as")), ("reason", reason)],
        button: (Weight::First, "Send it again"),
        back: &at.href(format_args!("runs/{}", run.id)),
    };
    Ok(act_page(&at, &run, "Check before you send it again").body(check))
}
