//! A job against the plugins that it runs: what only all together can show.

use crate::model::job::{DateStyle, FileFormat, FilePlugin, Format, Job, Partitions};
use crate::model::limits::Limits;
use crate::model::manifest::{FormatShape, Kind, Manifest};
use crate::model::rows::{ColumnKind, PortShape};
use crate::registry::schema::Schema;

/// The only input and output of a rule set.
const CASE: &str = "case";
const DECISION: &str = "decision";

/// Which way a file goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// Checks a job against the manifests of its plugin and of those that its files go through. Each finding is a sentence; none
/// means that the job can run.
#[must_use]
pub fn check_job(job: &Job, manifest: &Manifest, plugins: &[&Manifest]) -> Vec<String> {
    let mut findings = Vec::new();
    match &manifest.kind {
        Kind::Adapter(shape) => {
            for input in &job.inputs {
                match port(&shape.inputs, &input.port) {
                    Ok(shape) => match &input.format {
                        FileFormat::Plugin(format) => plugin_format(format, (shape, Way::In), plugins, &mut findings),
                        FileFormat::BuiltIn(format) => input_format(format, shape, &mut findings),
                    },
                    Err(names) => findings.push(format!("The plugin has no input {:?}: its inputs are {names}.", input.port)),
                }
            }
            for output in &job.outputs {
                match port(&shape.outputs, &output.port) {
                    Ok(shape) => match &output.format {
                        FileFormat::Plugin(format) => plugin_format(format, (shape, Way::Out), plugins, &mut findings),
                        FileFormat::BuiltIn(format) => columns(format, shape, &mut findings),
                    },
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
        Kind::Format(_) | Kind::Connector(_) => findings.push(format!(
            "Plugin {} is of the kind {}: a job runs an adapter or a rule set, and names formats and connectors in its inputs and outputs.",
            manifest.name,
            manifest.kind_name()
        )),
    }
    connectors(job, plugins, &mut findings);
    if manifest.wants.state && job.queue.runs_at_once > 1 {
        findings.push("The plugin remembers things from one run to the next: write runs-at-once = 1.".to_owned());
    }
    partitions(job, manifest, &mut findings);
    settings(&job.settings, manifest, "settings", &mut findings);
    let mut limits = Limits::default();
    let wanted = manifest.limits.iter().chain(&job.limits);
    findings.extend(wanted.filter_map(|(limit, amount)| limits.set(*limit, *amount).err()).map(|error| format!("Limit {error}.")));
    findings
}

/// What is to be cut must be of pieces that one hub and another can do apart.
fn partitions(job: &Job, manifest: &Manifest, findings: &mut Vec<String>) {
    if matches!(job.partitions, Partitions::Automatic | Partitions::AtMost(1)) {
        return;
    }
    if !manifest.may_be_cut() {
        findings.push(
            "The plugin's rows are not independent, or it remembers things or draws random numbers: take [partitions] out.".to_owned(),
        );
    }
    let last = if let Kind::Adapter(shape) = &manifest.kind { shape.inputs.last() } else { None };
    let input = job.inputs.iter().filter(|input| last.is_some_and(|last| last.name == input.port)).map(|input| &input.format);
    if input.chain(job.outputs.iter().map(|output| &output.format)).any(|format| matches!(format, FileFormat::Plugin(_))) {
        findings.push("A file that a format plugin reads or writes is of one piece: take [partitions] out.".to_owned());
    }
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
        } else if !matches!(format, FileFormat::BuiltIn(Format::JsonLines(_))) {
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

/// A file of a format that a plugin is: it must be there, go that way, and agree with the port on columns.
fn plugin_format(format: &FilePlugin, (port, way): (&PortShape, Way), formats: &[&Manifest], findings: &mut Vec<String>) {
    let (name, line) = (&format.plugin, format.line);
    let Some(manifest) = formats.iter().find(|manifest| manifest.name == *name) else {
        findings.push(format!("Line {line}: there is no plugin {name}: name its component in plugins.toml."));
        return;
    };
    let Kind::Format(shape) = &manifest.kind else {
        findings.push(format!("Line {line}: plugin {name} is no format but of the kind {}.", manifest.kind_name()));
        return;
    };
    if !(if way == Way::In { shape.reads } else { shape.writes }) {
        let verb = if way == Way::In { "read" } else { "write" };
        findings.push(format!("Line {line}: format {name} does not {verb} files."));
    }
    findings.extend(columns_agree(shape, port, way).into_iter().map(|finding| format!("Line {line}: {finding}")));
    of_named((format, manifest), "format", findings);
}

/// The connectors that a job's files go through: each must be there and go that way.
fn connectors(job: &Job, plugins: &[&Manifest], findings: &mut Vec<String>) {
    let inputs = job.inputs.iter().filter_map(|input| Some((input.connector.as_ref()?, Way::In)));
    let outputs = job.outputs.iter().filter_map(|output| Some((output.connector.as_ref()?, Way::Out)));
    for (named, way) in inputs.chain(outputs) {
        let (name, line) = (&named.plugin, named.line);
        let Some(manifest) = plugins.iter().find(|manifest| manifest.name == *name) else {
            findings.push(format!("Line {line}: there is no plugin {name}: name its component in plugins.toml."));
            continue;
        };
        let Kind::Connector(shape) = &manifest.kind else {
            findings.push(format!("Line {line}: plugin {name} is no connector but of the kind {}.", manifest.kind_name()));
            continue;
        };
        if !(if way == Way::In { shape.pulls } else { shape.pushes }) {
            let verb = if way == Way::In { "fetch" } else { "send" };
            findings.push(format!("Line {line}: connector {name} does not {verb} files."));
        }
        of_named((named, manifest), "connector", findings);
    }
}

/// What a plugin that a file goes through makes of its limits and settings.
fn of_named((named, manifest): (&FilePlugin, &Manifest), word: &str, findings: &mut Vec<String>) {
    let line = named.line;
    let mut limits = Limits::default();
    let above = manifest.limits.iter().filter_map(|(limit, amount)| limits.set(*limit, *amount).err());
    findings.extend(above.map(|error| format!("Line {line}: limit {error}.")));
    let mut of_file = Vec::new();
    settings(&named.settings, manifest, &format!("settings of {word} {}", named.plugin), &mut of_file);
    findings.extend(of_file.into_iter().map(|finding| format!("Line {line}: {finding}")));
}

/// Where the columns of a format and of a port disagree. What one side requires, the other side has; what is written is never left
/// out in silence.
fn columns_agree(format: &FormatShape, port: &PortShape, way: Way) -> Vec<String> {
    let mut findings = Vec::new();
    for column in &format.columns {
        match port.columns.iter().find(|other| other.name == column.name) {
            Some(other) if other.kind != column.kind => findings.push(format!(
                "column {:?} of {:?} is {} with {} decimal places, and the format has it as {} with {}.",
                column.name,
                port.name,
                other.kind,
                other.kind.scale(),
                column.kind,
                column.kind.scale()
            )),
            None if way == Way::Out && column.required => {
                findings.push(format!("the format requires column {:?}, which {:?} does not have.", column.name, port.name));
            }
            _ => {}
        }
    }
    for column in &port.columns {
        let known = format.columns.iter().any(|other| other.name == column.name);
        if !known && way == Way::Out {
            findings.push(format!("{:?} has a column {:?}, which the format has no place for.", port.name, column.name));
        } else if !known && column.required {
            findings.push(format!("{:?} requires column {:?}, which the format does not read.", port.name, column.name));
        }
    }
    findings
}

fn settings(given: &serde_json::Value, manifest: &Manifest, what: &str, findings: &mut Vec<String>) {
    let Some(wanted) = &manifest.settings_schema else {
        if given.as_object().is_some_and(|settings| !settings.is_empty()) {
            findings.push(format!("The plugin {} takes no settings: take them out.", manifest.name));
        }
        return;
    };
    match Schema::compile(wanted) {
        Ok(schema) => findings.extend(schema.violations(given).into_iter().map(|violation| {
            let key = violation.pointer.split('/').skip(1).map(|step| format!(".{}", step.replace("~1", "/").replace("~0", "~")));
            format!("{what}{}: {}.", key.collect::<String>(), violation.message)
        })),
        Err(error) => findings.push(format!("The plugin's settings cannot be judged: {error}.")),
    }
}
