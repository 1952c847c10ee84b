//! A file that a run read or wrote: its first rows as people may see them, and its bytes for those who may have them.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read};

use serde_json::{Map, Value, json};

use crate::format::{Decoder, row_as_json};
use crate::ledger::{Act, By, LedgerError, Run, RunEvent, Scope};
use crate::model::ids::{Digest, RunId};
use crate::model::job::{FileFormat, Format};
use crate::model::limits::CASE_BYTES_MAX;
use crate::model::manifest::Kind;
use crate::model::rows::{ColumnKind, PortShape};
use crate::registry::masking::{DOTS, Masking};
use crate::run::Hub;
use crate::run::failure::RunError;

/// On which side of a run a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It was read.
    Input,
    /// It was written.
    Output,
}

/// A file that a run read or wrote.
#[derive(Debug, Clone)]
pub struct RunFile {
    /// What it was called outside.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// How many bytes.
    pub size_bytes: u64,
    run: Run,
    side: Side,
    port: String,
}

/// The first rows of a file, as people may see them.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// What stands above them.
    pub columns: Vec<PreviewColumn>,
    /// Their values, in the order of the columns; dots for what is personal.
    pub rows: Vec<Vec<String>>,
    /// Whether there are more.
    pub more: bool,
    /// Why none are shown.
    pub not_shown: Option<String>,
}

/// A column of what is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewColumn {
    /// Its name.
    pub name: String,
    /// Whether it holds numbers.
    pub number: bool,
}

impl Hub {
    /// A file of a run; none if it has none there.
    ///
    /// # Errors
    /// [`RunError::Ledger`] if there is no such run; [`RunError::Expired`] if its files are no longer kept.
    pub async fn file_of(&self, scope: Scope<'_>, run: RunId, (side, port): (Side, &str)) -> Result<Option<RunFile>, RunError> {
        let missing = || LedgerError::NotFound { what: "run", name: run.to_string() };
        let run = self.ledger().run(scope, run).await?.ok_or_else(missing)?;
        self.refuse_expired(scope, run.id).await?;
        let found = match side {
            Side::Input => {
                let events = self.ledger().events(scope, run.id, 0).await?;
                let pulled = events
                    .into_iter()
                    .rev()
                    .find_map(|logged| if let RunEvent::Pulled(pulled) = logged.event { Some(pulled) } else { None });
                let file = pulled.and_then(|pulled| pulled.inputs.into_iter().find(|file| file.port == port));
                file.map(|file| (file.path, file.digest, file.size_bytes))
            }
            Side::Output => {
                let processed = self.ledger().processed(scope, run.id).await?;
                let output = processed.and_then(|processed| processed.outputs.into_iter().find(|output| output.port == port));
                output.map(|output| (output.target, output.artefact, output.size_bytes))
            }
        };
        Ok(found.map(|(name, digest, size_bytes)| RunFile { name, digest, size_bytes, run, side, port: port.to_owned() }))
    }

    /// The first rows of a file, with dots for what is personal and for what the plugin does not declare.
    ///
    /// # Errors
    /// [`RunError`] if the job, its release or the file cannot be read.
    pub async fn preview(&self, file: &RunFile, rows_max: usize) -> Result<Preview, RunError> {
        let not_shown = |why: &str| Ok(Preview { not_shown: Some(why.to_owned()), ..Preview::default() });
        let Some((definition, release)) = file.run.pins.as_ref().and_then(|pins| Some((pins.definition, pins.release?))) else {
            return not_shown("Nothing says which of its columns are personal, as the run had no release.");
        };
        let configuration = self.configuration_with(file.run.partner(), definition).await?;
        let job = configuration.jobs.into_iter().next();
        let format = job.and_then(|job| match file.side {
            Side::Input => job.inputs.into_iter().find(|input| input.port == file.port).map(|input| input.format),
            Side::Output => job.outputs.into_iter().find(|output| output.port == file.port).map(|output| output.format),
        });
        let plugin = self.plugin(release).await?;
        let (artefacts, digest) = (self.artefacts(file.run.partner()).await?, file.digest);
        let side = file.side;
        let port = file.port.clone();
        let read = move || -> Result<Preview, RunError> {
            let source = artefacts.read(&digest)?;
            Ok(match (&plugin.manifest.kind, format) {
                (Kind::Adapter(shape), Some(FileFormat::BuiltIn(format))) => {
                    let ports = if side == Side::Input { &shape.inputs } else { &shape.outputs };
                    let of_all = shape.inputs.iter().chain(&shape.outputs).flat_map(|port| &port.columns);
                    let personal = of_all.filter(|column| column.personal).map(|column| column.name.as_str()).collect();
                    match ports.iter().find(|shape| shape.name == port) {
                        Some(shape) => rows_of((&format, shape), &personal, source, rows_max),
                        None => Preview::default(),
                    }
                }
                (Kind::RuleSet(_), _) => lines_of(side, &Masking::of(&plugin.manifest.kind), source, rows_max),
                _ => {
                    let why = "A format plugin reads and writes it, and the hub cannot tell its rows apart by itself.";
                    Preview { not_shown: Some(why.to_owned()), ..Preview::default() }
                }
            })
        };
        tokio::task::spawn_blocking(read).await.expect("reading does not panic")
    }

    /// The bytes of a file, personal data and all: that somebody takes them is noted in the audit trail first.
    ///
    /// # Errors
    /// [`RunError`] if the file cannot be read, or the act not noted.
    pub async fn take_file(&self, file: &RunFile, by: &By) -> Result<Box<dyn Read + Send>, RunError> {
        let (artefacts, digest) = (self.artefacts(file.run.partner()).await?, file.digest);
        let source = tokio::task::spawn_blocking(move || artefacts.read(&digest)).await.expect("reading does not panic")?;
        let side = if file.side == Side::Input { "input" } else { "output" };
        let act = Act {
            partner: Some(file.run.partner()),
            action: "artefact.download",
            subject: format!("run:{}", file.run.id),
            before: None,
            after: Some(json!({ side: file.port, "digest": file.digest.to_string() })),
        };
        self.ledger().note(act, by).await?;
        Ok(Box::new(source))
    }
}

/// Rows of a file in a format of the hub's own. What cannot be read as a row is not shown: nobody knows what stands in it.
fn rows_of((format, shape): (&Format, &PortShape), personal: &BTreeSet<&str>, source: impl Read + Send, rows_max: usize) -> Preview {
    let number = |kind: ColumnKind| matches!(kind, ColumnKind::Money { .. } | ColumnKind::Decimal { .. } | ColumnKind::Integer);
    let columns = shape.columns.iter().map(|column| PreviewColumn { name: column.name.clone(), number: number(column.kind) }).collect();
    let mut preview = Preview { columns, ..Preview::default() };
    let mut decoder = match Decoder::open(format, shape, source) {
        Ok(decoder) => decoder,
        Err(error) => return Preview { not_shown: Some(error.to_string()), ..Preview::default() },
    };
    loop {
        let decoded = match decoder.next_batch() {
            Ok(Some(decoded)) => decoded,
            Ok(None) => return preview,
            Err(error) => {
                preview.not_shown = preview.rows.is_empty().then(|| error.to_string());
                return preview;
            }
        };
        for row in 0..decoded.batch.rows {
            if preview.rows.len() == rows_max {
                preview.more = true;
                return preview;
            }
            let object: Map<String, Value> = serde_json::from_str(&row_as_json(&shape.columns, &decoded.batch, row)).unwrap_or_default();
            let cell = |name: &str| match object.get(name) {
                None | Some(Value::Null) => String::new(),
                Some(_) if personal.contains(name) => DOTS.to_owned(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            preview.rows.push(shape.columns.iter().map(|column| cell(&column.name)).collect());
        }
    }
}

/// Cases and decisions of a rule set, a JSON object each.
fn lines_of(side: Side, masking: &Masking, source: impl Read, rows_max: usize) -> Preview {
    let name = if side == Side::Input { "case" } else { "decision" };
    let mut preview = Preview { columns: vec![PreviewColumn { name: name.to_owned(), number: false }], ..Preview::default() };
    let mut lines = BufReader::new(source).take((CASE_BYTES_MAX as u64).saturating_mul(rows_max as u64)).lines();
    while let Some(Ok(line)) = lines.next() {
        if preview.rows.len() == rows_max {
            preview.more = true;
            break;
        }
        preview.rows.push(vec![if side == Side::Input { case(&line, masking) } else { decision(&line) }]);
    }
    preview
}

/// A case with dots for what is personal, and for what no schema lists.
fn case(line: &str, masking: &Masking) -> String {
    let Ok(mut case) = serde_json::from_str::<Value>(line) else { return DOTS.to_owned() };
    masking.mask(&mut case);
    case.to_string()
}

/// Of a decision, its outcome and its figures: the rest may speak of people.
fn decision(line: &str) -> String {
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(line) else { return DOTS.to_owned() };
    let shown = |(name, value): (String, Value)| {
        let harmless = matches!(name.as_str(), "outcome" | "figures" | "row") || value.is_null();
        (name, if harmless { value } else { Value::String(DOTS.to_owned()) })
    };
    Value::Object(object.into_iter().map(shown).collect()).to_string()
}
