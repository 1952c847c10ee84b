//! `bailiwick plugin limits`: what a plugin can and cannot do, from the tables that the hub itself goes by.
//!
//! The page `sdk/rust/docs/limits.md` has the same between two marks; `cargo xtask docs` puts it there.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::json;

use crate::cli::Answer;
use crate::cli::paint::{Tone, count, paint, say, table};
use crate::model::limits as fixed;
use crate::model::limits::{LIMITS, Limit};
use crate::model::manifest::Wants;
use crate::registry::package;
use crate::sandbox;

/// What the hub lends, with the comments that stand in the contract.
const LENT: [&str; 2] = [include_str!("../../../../wit/0.1.0/host.wit"), include_str!("../../../../wit/0.2.0/http.wit")];

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Print the part of the SDK's page that is made from this.
    #[arg(long, hide = true)]
    markdown: bool,
}

/// Something that is the same for every plugin and every hub.
struct Fixed {
    what: &'static str,
    amount: u64,
    unit: Unit,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Bytes,
    Ms,
    Number,
}

/// An interface that the hub lends.
struct Lent {
    name: &'static str,
    /// The first sentence of its comment in the contract.
    about: String,
    /// What `plugin.toml` says under `[wants]` to have it; nothing where everybody has it.
    wanted_by: &'static str,
}

pub(super) fn limits(options: &Options) -> Answer {
    if options.markdown {
        say(markdown().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    if options.json {
        return crate::cli::show::json(&as_json());
    }
    say(paint(Tone::Strong, "what the hub lends"));
    let lent = lent().into_iter().map(|lent| vec![lent.name.to_owned(), asked(&lent).to_owned(), lent.about]);
    say(table(&["interface", "[wants]", "what it is"], &[], lent));
    say(paint(Tone::Strong, "\nlimits that plugin.toml and a job may change"));
    let facts = LIMITS.iter().map(|fact| {
        let unit = unit_of(fact.limit);
        vec![fact.name.to_owned(), amount(fact.default, unit), amount(fact.ceiling, unit), fact.why.to_owned()]
    });
    say(table(&["limit", "default", "at most", "why"], &[1, 2], facts));
    say(paint(Tone::Strong, "\nwhat is the same for everybody"));
    say(table(&["what", "at most"], &[1], fixed().into_iter().map(|each| vec![each.what.to_owned(), amount(each.amount, each.unit)])));
    Ok(ExitCode::SUCCESS)
}

fn as_json() -> serde_json::Value {
    let lent = lent().into_iter().map(|lent| json!({ "interface": lent.name, "about": lent.about, "wanted_by": lent.wanted_by }));
    let limits = LIMITS.iter().map(|fact| json!({ "name": fact.name, "default": fact.default, "ceiling": fact.ceiling, "why": fact.why }));
    let fixed = fixed().into_iter().map(|each| {
        let unit = match each.unit {
            Unit::Bytes => "bytes",
            Unit::Ms => "ms",
            Unit::Number => "number",
        };
        json!({ "what": each.what, "amount": each.amount, "unit": unit })
    });
    json!({ "lent": lent.collect::<Vec<_>>(), "limits": limits.collect::<Vec<_>>(), "fixed": fixed.collect::<Vec<_>>() })
}

fn markdown() -> String {
    let mut page = String::from(
        "## What it can call\n\n| interface of `bailiwick:plugin` | under `[wants]` in `plugin.toml` | what it is |\n|---|---|---|\n",
    );
    for lent in lent() {
        let asked = if lent.wanted_by.is_empty() { "everybody has it".to_owned() } else { format!("`{}`", lent.wanted_by) };
        line(&mut page, &format!("| `{}` | {asked} | {} |", lent.name, lent.about));
    }
    page.push_str("\n## What it may use up\n\n| limit | unless asked otherwise | at most | why |\n|---|--:|--:|---|\n");
    for fact in LIMITS {
        let unit = unit_of(fact.limit);
        line(&mut page, &format!("| `{}` | {} | {} | {} |", fact.name, amount(fact.default, unit), amount(fact.ceiling, unit), fact.why));
    }
    page.push_str("\n## What is the same for everybody\n\n| what | at most |\n|---|--:|\n");
    for each in fixed() {
        line(&mut page, &format!("| {} | {} |", each.what, amount(each.amount, each.unit)));
    }
    page
}

fn line(page: &mut String, text: &str) {
    writeln!(page, "{text}").expect("text takes text");
}

/// The interfaces of the contract that the hub lends, in its order.
fn lent() -> Vec<Lent> {
    let mut found = Vec::new();
    let mut about = "";
    let mut within_comment = false;
    for text in LENT.iter().flat_map(|file| file.lines()) {
        if let Some(comment) = text.strip_prefix("/// ") {
            if !within_comment {
                about = comment;
            }
            within_comment = true;
            continue;
        }
        // Between a comment and its interface stands only the version that brought it.
        within_comment &= text.starts_with("///");
        if let Some(name) = text.strip_prefix("interface ").and_then(|rest| rest.strip_suffix(" {")) {
            let (_, wanted_by) =
                sandbox::asked_for(name, &Wants::default()).expect("the hub lends what the contract says, as a test shows");
            found.push(Lent { name, about: about.to_owned(), wanted_by });
        }
    }
    found
}

fn asked(lent: &Lent) -> &'static str {
    if lent.wanted_by.is_empty() { "-" } else { lent.wanted_by }
}

fn unit_of(limit: Limit) -> Unit {
    match limit.name().rsplit('-').next() {
        Some("bytes") => Unit::Bytes,
        Some("ms") => Unit::Ms,
        _ => Unit::Number,
    }
}

/// An amount as a person reads it: exactly, in the largest unit that leaves nothing over.
fn amount(amount: u64, unit: Unit) -> String {
    let steps: &[(u64, &str)] = match unit {
        Unit::Bytes => &[(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes")],
        Unit::Ms => &[(3_600_000, "h"), (60_000, "min"), (1_000, "s"), (1, "ms")],
        Unit::Number => return count(amount),
    };
    let (step, word) = steps.iter().find(|(step, _)| amount >= *step && amount.is_multiple_of(*step)).unwrap_or(&(1, "bytes"));
    format!("{} {word}", count(amount / step))
}

/// What binds a plugin beside the table of limits. What binds only the hub is named in the tests, with a reason.
fn fixed() -> Vec<Fixed> {
    let of = |what, amount: usize, unit| Fixed { what, amount: amount as u64, unit };
    vec![
        of("rows of a batch", fixed::BATCH_ROWS, Unit::Number),
        of("text of a batch before it is closed early", fixed::BATCH_TEXT_BYTES_MAX, Unit::Bytes),
        of("a record of a file; a longer one is rejected", fixed::RECORD_BYTES_MAX, Unit::Bytes),
        of("a case of a rule set, as JSON", fixed::CASE_BYTES_MAX, Unit::Bytes),
        of("cases in one request for decisions", fixed::CASES_PER_REQUEST_MAX, Unit::Number),
        of("a request for decisions; cases whose turn comes later are not decided", fixed::DECISIONS_MS_MAX as usize, Unit::Ms),
        of("a message, reason or name of a party; a longer one is cut", fixed::MESSAGE_BYTES_MAX, Unit::Bytes),
        of("a note in the log; a longer one is cut", fixed::LOG_NOTE_BYTES_MAX, Unit::Bytes),
        of("a JSON Pointer given as evidence", fixed::EVIDENCE_BYTES_MAX, Unit::Bytes),
        of("a cursor that a connector leaves", fixed::CURSOR_BYTES_MAX, Unit::Bytes),
        of("rows of one answer of a table", fixed::LOOKUP_ROWS_MAX, Unit::Number),
        of("random bytes of one call; more trap", fixed::RANDOM_BYTES_PER_CALL_MAX as usize, Unit::Bytes),
        of("groups of an aggregate output", fixed::AGGREGATE_GROUPS_MAX, Unit::Number),
        of("warnings kept with a run; further ones are counted", fixed::WARNINGS_KEPT_MAX as usize, Unit::Number),
        of("codes by which skipped rows are counted; those of further codes are counted together", fixed::SKIP_CODES_MAX, Unit::Number),
        of("rejected rows before the run is held, unless the job says", fixed::REJECT_ROWS_DEFAULT as usize, Unit::Number),
        of("rejected rows that a job may allow", fixed::REJECT_ROWS_MAX as usize, Unit::Number),
        of("`initialize` at install; a longer one runs without a snapshot", fixed::INITIALISE_MS_MAX as usize, Unit::Ms),
        of("`plugin.toml`, schemas and tables together", package::SECTION_BYTES_MAX, Unit::Bytes),
        of("files of a package", package::FILES_MAX, Unit::Number),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../sdk/rust/docs/limits.md");

    /// Constants of the model's limits that bind the hub and no plugin.
    const OF_THE_HUB: [&str; 13] = [
        "REJECT_RAW_BYTES_MAX",
        "NOTED_BYTES_MAX",
        "UNIQUE_KEYS_IN_MEMORY",
        "RELEASES_LINKED_MAX",
        "SANDBOX_QUEUE_MAX",
        "REJECTS_OVERDUE_DAYS_DEFAULT",
        "REJECTS_OVERDUE_DAYS_MAX",
        "RETENTION_DAYS_MAX",
        "PROOF_RUNS_MAX",
        "CORRECTED_BYTES_MAX",
        "PARTITIONED_FROM_BYTES",
        "PARTITION_BYTES",
        "PARTITIONS_MAX",
    ];

    #[test]
    fn the_page_is_what_the_code_says() {
        let (_, after) = PAGE.split_once("<!-- made by cargo xtask docs -->\n").expect("the page has the first mark");
        let (made, _) = after.split_once("<!-- end -->").expect("the page has the last mark");
        assert!(made.trim() == markdown().trim(), "sdk/rust/docs/limits.md is not what the code says: run `cargo xtask docs`");
    }

    #[test]
    fn every_limit_of_the_model_is_on_the_page_or_is_the_hubs() {
        let (shown, _) = include_str!("limits.rs").split_once("#[cfg(test)]").unwrap();
        let constants = include_str!("../../model/limits/mod.rs").lines().filter_map(|line| line.strip_prefix("pub const "));
        let names: Vec<&str> = constants.map(|rest| rest.split(':').next().unwrap()).collect();
        assert!(names.len() > 15);
        for name in &names {
            let told = *name == "LIMITS" || shown.contains(&format!("fixed::{name},")) || shown.contains(&format!("fixed::{name} as"));
            assert_ne!(told, OF_THE_HUB.contains(name), "{name}: show it in `fixed`, or say here that it binds no plugin");
        }
        assert!(OF_THE_HUB.iter().all(|name| names.contains(name)));
    }

    #[test]
    fn whatever_the_hub_lends_is_told() {
        let names: Vec<_> = lent().iter().map(|lent| lent.name).collect();
        assert_eq!(names, ["log", "settings", "clock", "random", "lookup", "state", "http"]);
        assert!(lent().iter().all(|lent| lent.about.ends_with('.') && lent.about.len() > 20));
        // Asked for by nothing, and so refused to all that do not ask: everything but the settings.
        let refused = |name: &&str| !sandbox::asked_for(name, &Wants::default()).unwrap().0;
        assert_eq!(names.iter().filter(|name| refused(name)).count(), 6);
    }

    #[test]
    fn amounts_are_exact() {
        for (given, unit, told) in [
            (64 << 20, Unit::Bytes, "64 MiB"),
            (1 << 40, Unit::Bytes, "1 TiB"),
            (1_000, Unit::Bytes, "1,000 bytes"),
            (86_400_000, Unit::Ms, "24 h"),
            (1_500, Unit::Ms, "1,500 ms"),
            (20_000, Unit::Number, "20,000"),
        ] {
            assert_eq!(amount(given, unit), told);
        }
    }
}
