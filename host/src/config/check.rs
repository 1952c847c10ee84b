//! A job against the plugin that it runs: what only both together can show.

use crate::model::job::{DateStyle, Format, Job};
use crate::model::limits::Limits;
use crate::model::manifest::{Kind, Manifest};
use crate::model::rows::{ColumnKind, PortShape};
use crate::registry::schema::Schema;

/// The only input and output of a rule set.
const CASE: &str = "case";
const DECISION: &str = "decision";

/// Checks a job against its plugin's manifest. Each finding is a sentence; none means that the job can run.
#[must_use]
pub fn check_job(job: &Job, manifest: &Manifest) -> Vec<String> {
    let mut findings = Vec::new();
    match &manifest.kind {
        Kind::Adapter(shape) => {
            for input in &job.inputs {
                match port(&shape.inputs, &input.port) {
                    Ok(shape) => input_format(&input.format, shape, &mut findings),
                    Err(names) => findings.push(format!("The plugin has no input {:?}: its inputs are {names}.", input.port)),
                }
            }
            for output in &job.outputs {
                match port(&shape.outputs, &output.port) {
                    Ok(shape) => columns(&output.format, shape, &mut findings),
                    Err(names) => findings.push(format!("The plugin has no output {:?}: its outputs are {names}.", output.port)),
                }
            }
            for missing in shape.inputs.iter().filter(|shape| !shape.optional && !job.inputs.iter().any(|input| input.port == shape.name)) {
                findings.push(format!("Input {:?} is required and the job does not say where it comes from: add [[input]].", missing.name));
            }
            if job.outputs.is_empty() {
                findings.push("The job says for no output where it goes: add [[output]].".to_owned());
            }
        }
        Kind::RuleSet(_) => rule_set(job, &mut findings),
    }
    if manifest.wants.state && job.queue.runs_at_once > 1 {
        findings.push("The plugin remembers things from one run to the next: write runs-at-once = 1.".to_owned());
    }
    settings(job, manifest, &mut findings);
    let mut limits = Limits::default();
    let wanted = manifest.limits.iter().chain(&job.limits);
    findings.extend(wanted.filter_map(|(limit, amount)| limits.set(*limit, *amount).err()).map(|error| format!("Limit {error}.")));
    findings
}

fn port<'a>(shapes: &'a [PortShape], name: &str) -> Result<&'a PortShape, String> {
    let names = || shapes.iter().map(|shape| shape.name.as_str()).collect::<Vec<_>>().join(", ");
    shapes.iter().find(|shape| shape.name == name).ok_or_else(names)
}

fn rule_set(job: &Job, findings: &mut Vec<String>) {
    let inputs = job.inputs.iter().map(|input| (&input.port, &input.format, "input", CASE));
    let outputs = job.outputs.iter().map(|output| (&output.port, &output.format, "output", DECISION));
    for (port, format, word, only) in inputs.chain(outputs) {
        if port != only {
            findings.push(format!("The plugin is a rule set and has no {word} {port:?}: its only {word} is {only:?}."));
        } else if !matches!(format, Format::JsonLines(_)) {
            findings.push(format!("Cases and decisions are JSON: give {word} {port:?} the format {{ kind = \"json-lines\" }}."));
        }
    }
    for (missing, word, only) in [(job.inputs.is_empty(), "input", CASE), (job.outputs.is_empty(), "output", DECISION)] {
        if missing {
            findings.push(format!("The job has no [[{word}]]: a rule set's is named {only:?}."));
        }
    }
}

/// What reading needs beyond columns that exist: every required value has its place in the line.
fn input_format(format: &Format, shape: &PortShape, findings: &mut Vec<String>) {
    columns(format, shape, findings);
    if let Format::FixedWidth(fixed) = format {
        for column in shape.columns.iter().filter(|column| column.required && !fixed.fields.iter().any(|field| field.column == column.name))
        {
            findings.push(format!("Column {:?} of input {:?} is required and has no field: add one.", column.name, shape.name));
        }
    }
}

/// Columns that a format names must exist and fit their places.
fn columns(format: &Format, shape: &PortShape, findings: &mut Vec<String>) {
    let unknown = |column: &str| format!("Port {:?} has no column {column:?}: mend its format.", shape.name);
    match format {
        Format::JsonLines(_) => {}
        Format::Csv(csv) => {
            findings.extend(csv.headings.iter().filter(|(column, _)| shape.column(column).is_none()).map(|(column, _)| unknown(column)))
        }
        Format::FixedWidth(fixed) => {
            for field in &fixed.fields {
                let Some(place) = shape.column(&field.column) else {
                    findings.push(unknown(&field.column));
                    continue;
                };
                let kind = shape.columns[place].kind;
                if field.point_implied && kind.scale() == 0 {
                    findings.push(format!(
                        "Column {:?} of {:?} has no decimal point that could be implied: take point out.",
                        field.column, shape.name
                    ));
                }
                let needed = width_needed(kind, fixed.dates);
                if field.width < needed {
                    findings.push(format!(
                        "Column {:?} of {:?} needs {needed} characters and its field has {}.",
                        field.column, shape.name, field.width
                    ));
                }
            }
        }
    }
}

/// The narrowest field that can hold any value of a type at all.
fn width_needed(kind: ColumnKind, dates: DateStyle) -> usize {
    match (kind, dates) {
        (ColumnKind::Date, DateStyle::Compact) => "20260331".len(),
        (ColumnKind::Date, DateStyle::Iso | DateStyle::DayMonthYear) => "2026-03-31".len(),
        _ => 1,
    }
}

fn settings(job: &Job, manifest: &Manifest, findings: &mut Vec<String>) {
    let Some(wanted) = &manifest.settings_schema else {
        if job.settings.as_object().is_some_and(|settings| !settings.is_empty()) {
            findings.push("The plugin takes no settings: take [settings] out.".to_owned());
        }
        return;
    };
    match Schema::compile(wanted) {
        Ok(schema) => findings.extend(schema.violations(&job.settings).into_iter().map(|violation| {
            let key = violation.pointer.split('/').skip(1).map(|step| format!(".{}", step.replace("~1", "/").replace("~0", "~")));
            format!("settings{}: {}.", key.collect::<String>(), violation.message)
        })),
        Err(error) => findings.push(format!("The plugin's settings cannot be judged: {error}.")),
    }
}
