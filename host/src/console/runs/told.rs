//! What happened to a run, in words.

use crate::console::look::words;
use crate::ledger::{DELIVERY_UNCERTAIN, Outcome, Reason, Run, RunEvent, Trigger};

/// The code of a trial that came to something else than the run that it was tried on.
pub(super) const TRIAL_DIFFERS: &str = "trial-differs";

/// Why a run stands as it does, for somebody at a page: without the ids and the commands that its events have.
pub(in crate::console) fn in_short(reason: &Reason) -> &str {
    match reason.code.as_str() {
        DELIVERY_UNCERTAIN => "A file was sent, and nobody can tell whether it arrived.",
        TRIAL_DIFFERS => "A new release was tried on what an earlier run read, and came to something else.",
        "replay-differs" => "An earlier run was done again, and came to something else.",
        _ => &reason.sentence,
    }
}

/// Why a run was enqueued.
pub(super) fn trigger(run: &Run) -> &'static str {
    match run.trigger() {
        Trigger::Schedule => "By schedule",
        Trigger::CatchUp => "Caught up",
        Trigger::Request => "On request",
        Trigger::Backfill => "Backfill",
        Trigger::Replay(_) => "Replay",
        Trigger::Resubmission(_) => "Corrected rejects",
    }
}

/// An event in a sentence.
pub(super) fn event(event: &RunEvent) -> String {
    match event {
        RunEvent::Enqueued(_) => "It was put in the queue.".to_owned(),
        RunEvent::Claimed(claimed) => format!("Hub {} took it up.", claimed.hub),
        RunEvent::Pulled(pulled) => {
            let files: Vec<String> = pulled.inputs.iter().map(|file| format!("{} ({})", file.path, words::size(file.size_bytes))).collect();
            if files.is_empty() { "There was no file to fetch.".to_owned() } else { format!("Fetched and stored: {}.", files.join(", ")) }
        }
        RunEvent::Partitioned(_) => "Its input was cut into parts, for any hub to take.".to_owned(),
        RunEvent::Processed(processed) => {
            let read: u64 = processed.totals.inputs.iter().map(|input| input.rows.read).sum();
            let (read, took) = (words::counted(read, "row", "rows"), words::duration(processed.took_ms));
            format!("Processed {read} in {took}; {} rejected. Nothing had been sent by then.", words::count(processed.rejects))
        }
        RunEvent::Delivered(sent) if sent.already_there => {
            format!("{} was at {}/{} already, from an attempt before.", sent.port, sent.connection, sent.target)
        }
        RunEvent::Delivered(sent) => {
            format!("Delivered {} to {}/{} ({}).", sent.port, sent.connection, sent.target, words::size(sent.size_bytes))
        }
        RunEvent::Closed(closed) => match closed.outcome {
            Outcome::Delivered => "Closed: every output was delivered.".to_owned(),
            Outcome::DryRun => "Closed as a dry run: nothing was delivered.".to_owned(),
        },
        RunEvent::Held(reason) => format!("Held for a person: {}", reason.sentence),
        RunEvent::Skipped(reason) => format!("Skipped: {}", reason.sentence),
        RunEvent::Failed(failed) => match failed.retry_at_ms {
            Some(at_ms) => format!(
                "The attempt failed: {} It is tried again on {}.",
                failed.reason.sentence,
                words::local(at_ms).strftime("%-d %b %Y at %H:%M:%S %Z")
            ),
            None => format!("Failed: {}", failed.reason.sentence),
        },
        RunEvent::Retried(retried) if retried.afresh => format!("Sent on its way from the beginning: {}", retried.why),
        RunEvent::Retried(retried) => format!("Sent on its way from where it stopped: {}", retried.why),
        RunEvent::Released(word) => format!("Let go on as it stands: {}", word.why),
        RunEvent::Cancelled(word) => format!("Cancelled: {}", word.why),
        RunEvent::Overdue(overdue) => {
            format!("Overdue: it should have been done by {}.", words::local(overdue.due_ms).strftime("%-d %b %Y, %H:%M %Z"))
        }
        RunEvent::Settled(settled) if settled.arrived.is_some() => {
            format!("Its receiver has {}, on a person’s word: {}", settled.port, settled.why)
        }
        RunEvent::Settled(settled) => format!("Its receiver has not got {}, on a person’s word: {}", settled.port, settled.why),
        RunEvent::ResendBegun(begun) => {
            format!("{} is sent again to {}/{}: {}", begun.port, begun.connection, begun.target, begun.why)
        }
        RunEvent::Resent(resent) => match (&resent.delivered, &resent.failed) {
            (Some(sent), _) => format!("Sent again: {} to {}/{}.", sent.port, sent.connection, sent.target),
            (None, Some(failed)) => format!("It could not be sent again: {}", failed.sentence),
            (None, None) => "What came of sending it again is not known.".to_owned(),
        },
    }
}
