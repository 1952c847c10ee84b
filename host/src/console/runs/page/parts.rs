//! The parts of a run's page: totals and balances, rejects, deliveries, files, limits, what it was pinned to, other runs.

use maud::{Markup, html};

use super::Seen;
use crate::access::Action;
use crate::console::look::{Column, Summary, Table, Tone, bad_inset, digest, share_bar, tag, words};
use crate::console::runs::{short, told};
use crate::console::visit::At;
use crate::ledger::{Processed, Receipt, Run, RunEvent, RunState, StagedOutput};
use crate::model::rows::Amount;
use crate::model::totals::PortTotals;

/// The control totals: what the picture says, in numbers.
pub(super) fn totals(processed: &Processed, money: &[String]) -> Markup {
    let columns = [
        Column::words("File"),
        Column::number("Read"),
        Column::number("Accepted"),
        Column::number("Rejected"),
        Column::number("Skipped"),
        Column::words("Sums"),
    ];
    let mut table = Table::new("Control totals", columns);
    for port in &processed.totals.inputs {
        let rows = port.rows;
        table.push([
            html! { (port.port) span class="small quiet" { "read" } },
            html! { (words::count(rows.read)) },
            html! { (words::count(rows.accepted)) },
            html! { (words::count(rows.rejected)) },
            html! { (words::count(rows.skipped)) },
            sums(port, money),
        ]);
    }
    for port in &processed.totals.outputs {
        table.push([
            html! { (port.port) span class="small quiet" { "written" } },
            html! {},
            html! { (words::count(port.rows.accepted)) },
            html! {},
            html! {},
            sums(port, money),
        ]);
    }
    let lost = processed.totals.inputs.iter().filter(|port| !port.rows.conserved());
    html! {
        (table)
        @for port in lost {
            (bad_inset(html! {
                p { "Of " (words::count(port.rows.read)) " rows read from " (port.port) ", "
                    (words::count(port.rows.accepted + port.rows.rejected + port.rows.skipped)) " are accounted for. Nothing is delivered while that is so." }
            }))
        }
    }
}

fn sums(port: &PortTotals, money: &[String]) -> Markup {
    html! {
        @if !port.sums.is_empty() {
            dl class="sums" {
                @for (column, sum) in &port.sums {
                    div {
                        dt { (words::spaced(column)) }
                        dd { @if money.contains(column) { (words::pounds(*sum)) } @else { (format!("{sum:#}")) } }
                    }
                }
            }
        }
    }
}

/// The equations that the hub worked out, with both sides.
pub(super) fn balances(processed: &Processed, state: RunState) -> Markup {
    if processed.balances.is_empty() {
        return html! {};
    }
    let columns =
        [Column::words("Balance"), Column::number("Left"), Column::number("Right"), Column::number("Apart by"), Column::words("Holds")];
    let mut table = Table::new("Balances", columns);
    for balance in &processed.balances {
        let apart = balance.left.checked_sub(balance.right).unwrap_or(Amount::ZERO);
        let verdict = if balance.holds() { tag(Tone::Good, "Balances") } else { tag(Tone::Bad, "Does not balance") };
        table.push([
            html! { (words::capital(&balance.name)) span class="small quiet mono" { (balance.equation) } },
            html! { (format!("{:#}", balance.left)) },
            html! { (format!("{:#}", balance.right)) },
            html! { @if balance.holds() { "0" } @else { span class="bad" { (format!("{apart:#}")) } } },
            verdict,
        ]);
    }
    html! {
        (table)
        @if processed.balances.iter().any(|balance| !balance.holds()) && state == RunState::Held {
            (bad_inset(html! { p { "The run is held, and nothing is delivered, until a person has looked at where the two sides part." } }))
        }
    }
}

pub(super) fn rejects(at: &At, seen: &Seen) -> Markup {
    let rejected = seen.run.rows.rejected;
    let all = seen.quarantined;
    let closed = all.waiting + all.dismissed + all.superseded > 0;
    html! {
        h2 id="rejects" { "Rejected rows" }
        (Summary::new()
            .row("Rejected", words::counted(rejected, "row", "rows"))
            .row("In quarantine", if closed { words::count(all.waiting) } else { "None: its rejects come there when the run closes".to_owned() })
            .row("Coming back corrected", words::count(all.resubmitted))
            .row("Came back corrected", words::count(all.superseded))
            .row("Dismissed", words::count(all.dismissed)))
        p { a href=(at.href(format_args!("rejects?run={}", seen.run.id))) { "Look at the rejected rows" } }
    }
}

pub(super) fn deliveries(at: &At, seen: &Seen, processed: &Processed) -> Markup {
    let columns = [Column::words("Output"), Column::words("Where to"), Column::words("How it stands"), Column::words("Act")];
    let mut table = Table::new("Deliveries", columns).caption_read_out().empty("This run has nothing to deliver.");
    for output in &processed.outputs {
        let receipt = seen.receipts.iter().find(|receipt| receipt.delivered.port == output.port);
        table.push([
            html! { (output.port) span class="small quiet" { (words::counted(output.rows, "row", "rows")) ", " (words::size(output.size_bytes)) } },
            html! { (output.connection) span class="small" { (output.target) } },
            standing(seen, output, receipt),
            delivery_acts(at, seen, output, receipt),
        ]);
    }
    html! { (table) (resends(seen)) }
}

fn standing(seen: &Seen, output: &StagedOutput, receipt: Option<&Receipt>) -> Markup {
    let word = seen.events.iter().rev().find_map(|logged| match &logged.event {
        RunEvent::Settled(settled) if settled.port == output.port && settled.arrived.is_some() => Some(&settled.why),
        _ => None,
    });
    html! {
        @if let Some(receipt) = receipt {
            (tag(Tone::Good, "Delivered")) " " span class="small" { (words::exact_moment(receipt.delivered_at_ms)) }
            span class="small quiet" { (receipt.delivered.receipt) }
        } @else if let Some(why) = word {
            (tag(Tone::Good, "Arrived")) span class="small" { "On a person’s word: " (why) }
        } @else if seen.uncertain.contains(&output.port) {
            (tag(Tone::Bad, "Uncertain")) span class="small" { "It may have arrived or not." }
        } @else if seen.run.enqueued.dry_run {
            (tag(Tone::Quiet, "Not delivered")) span class="small" { "It is a dry run." }
        } @else {
            (tag(Tone::Quiet, "Not delivered"))
        }
    }
}

fn delivery_acts(at: &At, seen: &Seen, output: &StagedOutput, receipt: Option<&Receipt>) -> Markup {
    let href = |act: &str| at.href(format_args!("runs/{}/deliveries/{}/{act}", seen.run.id, output.port));
    let settled = seen.run.claimable_at_ms.is_none();
    html! {
        @if at.caller.can(Action::Correct) {
            @if seen.uncertain.contains(&output.port) {
                a class="plain" href=(href("settle")) { "Say whether it arrived" span class="hidden" { ": " (output.port) } }
            } @else if receipt.is_some() && settled && seen.expired_at_ms.is_none() {
                a class="plain" href=(href("resend")) { "Send again" span class="hidden" { ": " (output.port) } }
            }
        }
    }
}

/// What persons had sent again, and what came of it.
fn resends(seen: &Seen) -> Markup {
    let ended = |begun: u64| {
        seen.events.iter().find_map(|logged| match &logged.event {
            RunEvent::Resent(resent) if resent.begun == begun => Some(told::event(&logged.event)),
            _ => None,
        })
    };
    let mut table = Table::new("Sent again", ["When", "What", "What came of it"].map(Column::words));
    let mut any = false;
    for logged in seen.events.iter().filter(|logged| matches!(logged.event, RunEvent::ResendBegun(_))) {
        any = true;
        let outcome = ended(logged.seq).unwrap_or_else(|| "Not known: it is under way, or its hub ended before it could say.".to_owned());
        table.push([
            html! { (words::exact_moment(logged.at_ms)) span class="small quiet" { (words::actor(&logged.actor)) } },
            html! { (told::event(&logged.event)) },
            html! { (outcome) },
        ]);
    }
    html! { @if any { (table) } }
}

/// What it read and wrote, by digest.
pub(super) fn files(at: &At, seen: &Seen, processed: &Processed) -> Markup {
    let columns = [Column::words("File"), Column::number("Size"), Column::words("SHA-256"), Column::words("Look")];
    let mut table = Table::new("Files", columns).caption_read_out().empty("It read and wrote no file.");
    let pulled = seen.events.iter().rev().find_map(|logged| match &logged.event {
        RunEvent::Pulled(pulled) => Some(pulled),
        _ => None,
    });
    let look = |side: &str, port: &str| {
        let href = at.href(format_args!("runs/{}/files/{side}/{port}", seen.run.id));
        html! { @if seen.expired_at_ms.is_none() { a class="plain" href=(href) { "First rows" span class="hidden" { " of " (side) " " (port) } } } }
    };
    for file in pulled.into_iter().flat_map(|pulled| &pulled.inputs) {
        table.push([
            html! { (file.path) span class="small quiet" { "input " (file.port) ", from " (file.connection) } },
            html! { (words::size(file.size_bytes)) },
            digest(&file.digest),
            look("in", &file.port),
        ]);
    }
    for output in &processed.outputs {
        table.push([
            html! { (output.target) span class="small quiet" { "output " (output.port) ", to " (output.connection) } },
            html! { (words::size(output.size_bytes)) },
            digest(&output.artefact),
            look("out", &output.port),
        ]);
    }
    html! { (table) }
}

pub(super) fn limits(processed: &Processed) -> Table {
    let columns = [Column::words("Limit"), Column::number("Used"), Column::number("Allowed"), Column::words("Share")];
    let mut table = Table::new("Limits", columns).caption_read_out();
    for limit in &processed.limits {
        table.push([
            html! { (words::spaced(&limit.limit)) },
            html! { @match limit.used { Some(used) => { (words::count(used)) } None => { span class="quiet" { "not measured" } } } },
            html! { (words::count(limit.allowed)) },
            html! { @if let Some(used) = limit.used { (share_bar(used, limit.allowed)) } },
        ]);
    }
    table
}

pub(super) fn pinned(at: &At, seen: &Seen) -> Summary {
    let run = &seen.run;
    let release = run.pins.as_ref().and_then(|pins| pins.release);
    let tables = seen.processed.as_ref().map(|processed| &processed.tables).filter(|tables| !tables.is_empty());
    let compare = at.href(format_args!("runs/{}/compare", run.id));
    let summary = Summary::new()
        .row("Run", html! { code { (run.id) } })
        .maybe(
            "Release",
            release
                .as_ref()
                .map(|release| html! { a class="plain" href=(at.href(format_args!("releases/{release}"))) { (digest(release)) } }),
        )
        .maybe("Tables", tables.map(|tables| html! { @for table in tables { p { (table.table) " " (table.version) } } }))
        .row("Bank holidays", &*run.enqueued.calendar)
        .maybe("Attempt", (run.attempt > 0).then(|| words::count(run.attempt)))
        .maybe("Hub", run.hub.as_ref().map(ToString::to_string))
        .maybe("Parts", (seen.parts > 0).then(|| words::count(seen.parts as u64)));
    if seen.processed.is_some() {
        summary.row("Compare", html! { a class="plain" href=(compare) { "With another run of this job" } })
    } else {
        summary
    }
}

pub(super) fn later(at: &At, runs: &[Run]) -> Table {
    let columns = [Column::words("Run"), Column::words("Why"), Column::words("State"), Column::number("Rows")];
    let mut table = Table::new("Runs that came of this one", columns).caption_read_out();
    for run in runs {
        table.push([
            html! { a class="plain" href=(at.href(format_args!("runs/{}", run.id))) { "Run " (short(run.id)) } },
            html! { (told::trigger(run)) span class="small quiet" { (words::short_moment(run.enqueued_at_ms)) } },
            words::run_tag(run),
            html! { (words::count(run.rows.read)) },
        ]);
    }
    table
}
