//! What is written down of a run: pure functions of what was done.

use std::collections::{BTreeMap, HashMap};

use super::Pinned;
use super::forms::widest;
use crate::ledger::{
    Claim, Found, FoundEffect, LimitUse, LogLine, NewFinding, Processed as ProcessedEvent, Pulled, Reason, Resubmitted, StagedOutput,
    StateChange, TableUsed, Trigger,
};
use crate::model::job::{FileFormat, Job, JobOutput};
use crate::model::limits::Limits;
use crate::model::manifest::{Kind, Manifest};
use crate::model::outcome::Effect;
use crate::model::personal::Kept;
use crate::model::rows::PortShape;
use crate::model::table::{TableSet, TableVersion};
use crate::run::failure::RunError;
use crate::run::process::{self, FileForm, InputFile, Processed};
use crate::sandbox::{LogNote, Setup};

/// Makes of a declared format, and of the port's columns, how a file is read or written.
type Form<'a> = &'a dyn Fn(&FileFormat, Option<&PortShape>) -> FileForm;

pub(super) fn input_files(manifest: &Manifest, job: &Job, pulled: &Pulled, form: Form<'_>) -> Vec<Option<InputFile>> {
    let of_port = |name: &str, port: Option<&PortShape>| {
        let file = pulled.inputs.iter().find(|file| file.port == name)?;
        let input = job.inputs.iter().find(|input| input.port == name)?;
        Some(InputFile { artefact: file.digest, form: form(&input.format, port), slice: None })
    };
    match &manifest.kind {
        Kind::Adapter(shape) => shape.inputs.iter().map(|port| of_port(&port.name, Some(port))).collect(),
        Kind::RuleSet(_) => vec![of_port("case", None)],
        Kind::Format(_) | Kind::Connector(_) => Vec::new(),
    }
}

pub(super) fn output_forms(manifest: &Manifest, job: &Job, form: Form<'_>) -> Vec<Option<FileForm>> {
    let of_port = |name: &str, port: Option<&PortShape>| {
        job.outputs.iter().find(|output| output.port == name).map(|output| form(&output.format, port))
    };
    match &manifest.kind {
        Kind::Adapter(shape) => shape.outputs.iter().map(|port| of_port(&port.name, Some(port))).collect(),
        Kind::RuleSet(_) => vec![of_port("decision", None)],
        Kind::Format(_) | Kind::Connector(_) => Vec::new(),
    }
}

/// Why the run waits for a person before anything is delivered, if it does.
pub(super) fn why_held(processed: &ProcessedEvent, job: &Job) -> Option<Reason> {
    let held = |code: &str, sentence: String| Some(Reason { code: code.to_owned(), sentence });
    if let Some(input) = processed.totals.inputs.iter().find(|input| !input.rows.conserved()) {
        let rows = input.rows;
        let sentence = format!(
            "Of {} rows read from {}, {} were accepted, {} rejected and {} skipped: that does not add up.",
            rows.read, input.port, rows.accepted, rows.rejected, rows.skipped
        );
        return held("rows-not-conserved", sentence);
    }
    if let Some(balance) = processed.balances.iter().find(|balance| !balance.holds()) {
        let sentence = format!(
            "The balance “{}” does not hold: {} comes to {:#} on the left and {:#} on the right.",
            balance.name, balance.equation, balance.left, balance.right
        );
        return held("totals-do-not-balance", sentence);
    }
    let rejected: u64 = processed.totals.inputs.iter().map(|input| input.rows.rejected).sum();
    if rejected > job.reject_rows_max {
        let sentence = format!(
            "{rejected} rows were rejected and this job allows {}. Look at the rejects; then release the run to deliver it without them, or cancel it and send a mended file.",
            job.reject_rows_max
        );
        return held("too-many-rejects", sentence);
    }
    None
}

/// Where a replay came to something else than its origin, if it did.
pub(super) fn why_other(before: &ProcessedEvent, now: &ProcessedEvent) -> Option<String> {
    for was in &before.outputs {
        match now.outputs.iter().find(|output| output.port == was.port) {
            None => return Some(format!("output {} was not written", was.port)),
            Some(is) if is.artefact != was.artefact => {
                let (was_digest, is_digest) = (was.artefact.short(), is.artefact.short());
                return Some(format!(
                    "output {} had {} rows with SHA-256 {was_digest}, and now has {} with {is_digest}",
                    was.port, was.rows, is.rows
                ));
            }
            Some(_) => {}
        }
    }
    if before.totals != now.totals {
        return Some("the outputs are the same and the control totals are not".to_owned());
    }
    if (before.rejects, before.warnings) != (now.rejects, now.warnings) {
        return Some(format!(
            "there were {} rejects and {} warnings, and now are {} and {}",
            before.rejects, before.warnings, now.rejects, now.warnings
        ));
    }
    None
}

/// The rows that were brought back, if each of them was read.
pub(super) fn all_accounted(resubmitted: Resubmitted, processed: &Processed) -> Result<Resubmitted, RunError> {
    let input = processed.totals.inputs.iter().find(|input| input.port == resubmitted.port);
    let read = input.map_or(0, |input| input.rows.read);
    if read != resubmitted.rows || read != resubmitted.supersedes.len() as u64 {
        return Err(RunError::RowsUnaccounted { resubmitted: resubmitted.rows, read });
    }
    Ok(resubmitted)
}

/// What was found about single rows. Those that were brought back know which reject they correct, by where their record begins.
pub(super) fn found(processed: &mut Processed, brought_back: Option<&Resubmitted>) -> Found {
    let corrects = |noted: &process::NotedRow| {
        let back = brought_back.filter(|back| back.port == noted.input && noted.effect == Effect::Reject)?;
        back.supersedes.get(&noted.byte_offset).copied()
    };
    let finding = |noted: process::NotedRow| NewFinding {
        effect: if noted.effect == Effect::Warn { FoundEffect::Warn } else { FoundEffect::Reject },
        supersedes: corrects(&noted),
        port: noted.input,
        row: noted.row,
        line: Some(noted.line),
        byte_offset: Some(noted.byte_offset),
        reasons: noted.reasons,
        record: Kept::plain((noted.effect == Effect::Reject).then_some(noted.raw), noted.decoded),
    };
    let mut log: Vec<LogLine> = processed
        .skipped
        .iter()
        .map(|(code, rows)| LogLine { level: "info".to_owned(), message: format!("{rows} rows skipped: {code}") })
        .collect();
    log.extend(log_lines(&processed.report.log));
    Found { findings: std::mem::take(&mut processed.noted).into_iter().map(finding).collect(), log }
}

/// What a plugin noted.
pub(in crate::run) fn log_lines(notes: &[LogNote]) -> impl Iterator<Item = LogLine> {
    notes.iter().map(|note| LogLine { level: note.level.as_str().to_owned(), message: note.message.clone() })
}

pub(super) fn event(
    processed: Processed,
    claim: &Claim,
    (pinned, pulled, setup): (&Pinned, &Pulled, &Setup),
) -> Result<ProcessedEvent, RunError> {
    let names: HashMap<&str, usize> = match &pinned.plugin.manifest.kind {
        Kind::Adapter(shape) => shape.outputs.iter().enumerate().map(|(place, port)| (port.name.as_str(), place)).collect(),
        Kind::RuleSet(_) => HashMap::from([("decision", 0)]),
        Kind::Format(_) | Kind::Connector(_) => HashMap::new(),
    };
    let staged = |output: &JobOutput| {
        let place = names.get(output.port.as_str())?;
        let stored = processed.outputs.get(*place)?.as_ref()?;
        let rows = processed.totals.outputs.get(*place).map_or(0, |totals| totals.rows.accepted);
        let target = target_name(&output.file, claim, (setup, pulled));
        Some(StagedOutput {
            port: output.port.clone(),
            artefact: stored.digest,
            size_bytes: stored.size,
            rows,
            connection: output.connection.clone(),
            target,
        })
    };
    let warnings = processed.warnings;
    let mut usage = processed.report.usage.clone();
    let allowed = widest(setup, pinned);
    // What the connectors used that fetched the inputs is of the run too.
    for used in pulled.inputs.iter().filter_map(|file| file.session.as_ref()).flat_map(|session| &session.limits) {
        if let (Some(limit), Some(amount)) = (Limits::named(&used.limit), used.used) {
            usage.raise(limit, amount);
        }
    }
    let tables = tables_used(&processed.report.tables, pinned)?;
    Ok(ProcessedEvent {
        outputs: pinned.job.outputs.iter().filter_map(staged).collect(),
        rejects: processed.totals.inputs.iter().map(|input| input.rows.rejected).sum(),
        warnings,
        limits: LimitUse::all(&allowed, &usage),
        tables,
        took_ms: u64::try_from(processed.took.as_millis()).unwrap_or(u64::MAX),
        log_lines_dropped: processed.report.log_dropped,
        state: state_changes(&setup.state, processed.report.state),
        totals: processed.totals,
        balances: processed.balances,
    })
}

/// The versions of tables that plugins opened, each with the digest of its content: a replay needs the same.
fn tables_used(opened: &[TableVersion], pinned: &Pinned) -> Result<Vec<TableUsed>, RunError> {
    let sets: Vec<&TableSet> =
        std::iter::once(&pinned.tables).chain(pinned.formats.values().map(|format| &format.tables)).map(|set| &**set).collect();
    opened.iter().map(|version| table_used(version, &sets)).collect()
}

fn table_used(version: &TableVersion, sets: &[&TableSet]) -> Result<TableUsed, RunError> {
    // Of two with one name and the same dates, the one that was added later answered. Another version may hide its first day.
    let opened = |tables: &&TableSet| tables.iter().filter(|table| table.version == *version).last().map(|table| table.digest);
    let (table, version_name) = (version.table.clone(), version.version.clone());
    match sets.iter().find_map(opened) {
        Some(digest) => Ok(TableUsed { table, version: version_name, digest }),
        None => Err(RunError::TableDamaged {
            table: format!("{table} {version_name}"),
            why: "the run opened it, and it is not among the tables that the run is pinned to".to_owned(),
        }),
    }
}

/// The name of a delivered file. It depends on nothing but the run, so that every attempt arrives at the same.
fn target_name(pattern: &str, claim: &Claim, (setup, pulled): (&Setup, &Pulled)) -> String {
    let date = setup.today.to_string();
    let input = pulled.inputs.iter().find(|file| file.taken).or(pulled.inputs.first()).map_or("", |file| file.path.as_str());
    let stem = input.rsplit_once('.').map_or(input, |(stem, _)| stem);
    let pattern = match claim.run.trigger() {
        // The first run's file has the name that the pattern gives.
        Trigger::Resubmission(_) if !pattern.contains("{run}") => &of_its_own(pattern, &claim.lease.run.to_string()),
        _ => pattern,
    };
    pattern.replace("{date}", &date).replace("{month}", &date[..7]).replace("{run}", &claim.lease.run.to_string()).replace("{input}", stem)
}

/// A name with the last digits of a run's id before its ending.
fn of_its_own(name: &str, run: &str) -> String {
    let (stem, ending) = name.rsplit_once('.').map_or((name, String::new()), |(stem, ending)| (stem, format!(".{ending}")));
    format!("{stem}-resubmission-{}{ending}", &run[run.len().saturating_sub(12)..])
}

/// What the plugin changed of the job's state.
fn state_changes(before: &BTreeMap<String, Vec<u8>>, left: Option<BTreeMap<String, Vec<u8>>>) -> Vec<StateChange> {
    let Some(left) = left else { return Vec::new() };
    let removed = before.keys().filter(|key| !left.contains_key(*key)).map(|key| StateChange { key: key.clone(), value: None });
    let written = left.iter().filter(|(key, value)| before.get(*key) != Some(value));
    removed.chain(written.map(|(key, value)| StateChange { key: key.clone(), value: Some(value.clone()) })).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use jiff::civil::{Date, date};

    use super::*;
    use crate::model::ids::Digest;
    use crate::model::table::Table;

    fn table(version: &str, from: Date, content: &[u8]) -> Arc<Table> {
        let (table, version) = ("rates".to_owned(), version.to_owned());
        let version = TableVersion { table, version, effective_from: from, effective_to: None, published: None };
        Arc::new(Table::new(version, String::new(), Digest::of(content), Vec::new(), Vec::new()))
    }

    #[test]
    fn a_table_is_recorded_by_its_content_or_not_at_all() {
        let (first, year) = (table("first", date(2026, 4, 1), b"a"), date(2026, 4, 1));
        let mut set = TableSet::default();
        // On the first day of the first version another one answers; later days may still be the first one's.
        for each in [&first, &table("spring", year, b"b"), &table("spring", year, b"c")] {
            set.add(Arc::clone(each));
        }
        let sets = [&TableSet::default(), &set];
        assert_eq!(table_used(&first.version, &sets).unwrap().digest, Digest::of(b"a"));
        assert_eq!(table_used(&table("spring", year, b"").version, &sets).unwrap().digest, Digest::of(b"c"));
        let error = table_used(&table("autumn", date(2026, 9, 1), b"").version, &sets).unwrap_err();
        assert!(matches!(&error, RunError::TableDamaged { table, .. } if table == "rates autumn"), "{error}");
    }
}
