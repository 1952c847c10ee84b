//! Reads `plugin.toml` and the schemas beside it into a validated [`Manifest`].
//!
//! Everything that is wrong is told at once, each with its line. It must not know components, signatures or the ledger.

mod connector;
mod format;
mod ports;
mod rules;
mod written;

use std::ops::Range;

use toml::Spanned;

use crate::model::ids::{PluginName, is_name};
use crate::model::limits::{Limit, Limits};
use crate::model::manifest::{AdapterShape, Kind, Manifest, Wants};
use crate::model::rows::ColumnKind;
use crate::model::totals::{Balance, Term};

use super::package::Files;
use super::schema::{self, Schema};
use super::source::{Problem, Problems, Source};
use written::{KindWord, Written};

pub(crate) use written::Pairs;

/// The file that every plugin has.
pub const MANIFEST_FILE: &str = "plugin.toml";

/// How the name of every schema file ends.
pub const SCHEMA_FILE_END: &str = ".schema.json";

/// Versions of the contract that this hub serves.
pub const CONTRACTS: &[&str] = &["0.1.0", "0.2.0"];

/// Most names of one list: ports, columns, tables, balances, outcomes. A package comes from anybody, and names are compared
/// with each other.
const NAMES_MAX: usize = 1_000;

/// Longest title, name of a balance or version, in characters.
const LINE_CHARS_MAX: usize = 120;

/// Reads the manifest of a plugin from its files.
///
/// # Errors
/// [`Problems`]: everything that is wrong with `plugin.toml` and its schemas.
pub fn read(files: &Files) -> Result<Manifest, Problems> {
    let source = files
        .get(MANIFEST_FILE)
        .map_err(|why| Problems::from(Source::new(MANIFEST_FILE, "").problem(None, why, "a plugin's folder has a plugin.toml")))?;
    let written: Written = source.toml()?;
    let mut reader = Reader { files, source, problems: Problems::default() };
    let manifest = reader.manifest(&written);
    reader.problems.or(manifest)
}

/// What is being read, and what was found wrong so far.
struct Reader<'a> {
    files: &'a Files,
    source: &'a Source,
    problems: Problems,
}

impl Reader<'_> {
    fn manifest(&mut self, written: &Written) -> Option<Manifest> {
        let name: Option<PluginName> = self.parsed(&written.name, "write a name such as \"lgps-return\"");
        self.version(&written.version);
        self.contract(written);
        self.line(&written.title, "title");
        let wants = self.wants(&written.wants);
        let limits = self.limits(&written.limits.0);
        let settings_schema = written.settings.as_ref().map(|settings| self.schema(&settings.schema));
        let kind = match written.kind {
            KindWord::Adapter => self.adapter(written).map(Kind::Adapter),
            KindWord::RuleSet => self.rule_set(written).map(Kind::RuleSet),
            KindWord::Format => self.format(written).map(Kind::Format),
            KindWord::Connector => self.connector(written).map(Kind::Connector),
        };
        let balances = self.balances(&written.balance, kind.as_ref());
        Some(Manifest {
            name: name?,
            version: written.version.get_ref().clone(),
            title: written.title.get_ref().trim().to_owned(),
            about: written.about.trim().to_owned(),
            contract: written.contract.get_ref().clone(),
            wants,
            limits,
            settings_schema: settings_schema.flatten(),
            balances,
            kind: kind?,
        })
    }

    /// The world of each kind stands in one version of the contract.
    fn contract(&mut self, written: &Written) {
        let (contract, wanted) = (written.contract.get_ref().as_str(), written.kind.contract());
        if !CONTRACTS.contains(&contract) {
            let what = format!("this hub does not serve contract {contract:?}");
            self.wrong(written.contract.span(), what, format!("build the plugin for {wanted}"));
        } else if contract != wanted {
            let what = format!("contract {contract} has no plugins of this kind");
            self.wrong(written.contract.span(), what, format!("write contract = {wanted:?}"));
        }
    }

    fn version(&mut self, version: &Spanned<String>) {
        let parts: Vec<_> = version.get_ref().split('.').collect();
        let number = |part: &&str| part.parse::<u32>().is_ok_and(|number| number.to_string() == **part);
        if parts.len() != 3 || !parts.iter().all(number) {
            self.wrong(version.span(), format!("{:?} is not a version", version.get_ref()), "write three numbers, such as \"1.0.0\"");
        }
    }

    fn wants(&mut self, written: &written::Wants) -> Wants {
        for table in &written.lookup {
            if !is_name(table.get_ref()) {
                self.wrong(
                    table.span(),
                    format!("{:?} is not a table's name", table.get_ref()),
                    "use lower-case letters, digits and hyphens",
                );
            }
        }
        self.once(&written.lookup, "table");
        let lookup = written.lookup.iter().map(|table| table.get_ref().clone()).collect();
        Wants { log: written.log, clock: written.clock, random: written.random, state: written.state, http: written.http, lookup }
    }

    fn limits(&mut self, written: &[(Spanned<String>, Spanned<u64>)]) -> Vec<(Limit, u64)> {
        let judged = written.iter().map(|(name, amount)| limit(self.source, name, amount)).collect::<Vec<_>>();
        judged.into_iter().filter_map(|result| self.problems.note(result)).collect()
    }

    fn adapter(&mut self, written: &Written) -> Option<AdapterShape> {
        self.no_format_keys(written);
        self.no_connector_keys(written);
        for (key, span) in [("case", written.case.as_ref().map(Spanned::span)), ("decision", written.decision.as_ref().map(Spanned::span))]
        {
            if let Some(span) = span {
                self.wrong(span, format!("an adapter has no [{key}]"), format!("take [{key}] out, or write kind = \"rule-set\""));
            }
        }
        for (ports, word) in [(&written.inputs, "input"), (&written.outputs, "output")] {
            if ports.is_empty() {
                let kind = self.source.span_of(&["kind"]);
                self.problems.add(self.source.problem(kind, format!("an adapter has at least one {word}"), format!("add [[{word}s]]")));
            }
        }
        let names: Vec<_> = written.inputs.iter().chain(&written.outputs).map(|port| port.get_ref().name.clone()).collect();
        if !self.once(&names, "port") {
            return None;
        }
        let inputs: Option<Vec<_>> = written.inputs.iter().map(|port| self.port(port, ports::Side::Input)).collect();
        let outputs: Option<Vec<_>> = written.outputs.iter().map(|port| self.port(port, ports::Side::Output)).collect();
        let independent_rows = written.rows.as_ref().is_some_and(|rows| rows.get_ref().independent);
        Some(AdapterShape { inputs: inputs?, outputs: outputs?, independent_rows })
    }

    fn balances(&mut self, written: &[written::Balance], kind: Option<&Kind>) -> Vec<Balance> {
        let names: Vec<_> = written.iter().map(|balance| balance.name.clone()).collect();
        if !self.once(&names, "balance") {
            return Vec::new();
        }
        let mut balances = Vec::new();
        for entry in written {
            self.line(&entry.name, "name of a balance");
            let Some(balance) = self.problems.note(Balance::parse(entry.name.get_ref(), entry.holds.get_ref()).map_err(|error| {
                self.source.problem(
                    Some(entry.holds.span()),
                    error.to_string(),
                    "write sums and counts of this plugin's ports on both sides of one =",
                )
            })) else {
                continue;
            };
            for why in kind.iter().flat_map(|kind| balance.terms().filter_map(|term| misses(term, kind))) {
                self.wrong(entry.holds.span(), why, "name ports and columns as this file declares them");
            }
            balances.push(balance);
        }
        balances
    }

    /// A schema that stands in a file beside `plugin.toml`, checked to compile.
    fn schema(&mut self, name: &Spanned<String>) -> Option<serde_json::Value> {
        let file = name.get_ref();
        if file.contains('/') || !file.ends_with(SCHEMA_FILE_END) {
            self.wrong(
                name.span(),
                format!("{file:?} is not the name of a schema file"),
                format!("name a file beside plugin.toml that ends in {SCHEMA_FILE_END}"),
            );
            return None;
        }
        let found = self.files.get(file).map_err(|why| self.source.problem(Some(name.span()), why, "put the schema beside plugin.toml"));
        let text = self.problems.note(found)?;
        if text.text.len() > schema::SCHEMA_BYTES_MAX {
            let what = format!("{file} has {} bytes and may have {}", text.text.len(), schema::SCHEMA_BYTES_MAX);
            self.wrong(name.span(), what, "make the schema smaller");
            return None;
        }
        let value = self.problems.note(text.json())?;
        self.problems.note(text.check_texts(&value))?;
        let usable =
            Schema::compile(&value).map_err(|error| text.problem(None, error.to_string(), "mend the schema; it must be whole in itself"));
        self.problems.note(usable).map(|_| value)
    }

    fn parsed<T>(&mut self, text: &Spanned<String>, to_do: &str) -> Option<T>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        let parsed = text.get_ref().parse().map_err(|error: T::Err| self.source.problem(Some(text.span()), error.to_string(), to_do));
        self.problems.note(parsed)
    }

    fn line(&mut self, text: &Spanned<String>, what: &str) {
        let trimmed = text.get_ref().trim();
        if trimmed.is_empty() || trimmed.chars().count() > LINE_CHARS_MAX || trimmed.contains(char::is_control) {
            self.wrong(text.span(), format!("the {what} is not one line"), format!("write 1 to {LINE_CHARS_MAX} characters"));
        }
    }

    /// Refuses names that stand in a list twice. False where there are more than can be looked at.
    fn once(&mut self, names: &[Spanned<String>], what: &str) -> bool {
        if let Some(first) = names.get(NAMES_MAX) {
            let most = format!("the first {what} beyond {NAMES_MAX}, and there are {}", names.len());
            self.wrong(first.span(), most, format!("declare at most {NAMES_MAX}"));
            return false;
        }
        for (place, name) in names.iter().enumerate() {
            if names[..place].iter().any(|earlier| earlier.get_ref() == name.get_ref()) {
                self.wrong(name.span(), format!("{what} {:?} stands here twice", name.get_ref()), "give each its own name");
            }
        }
        true
    }

    fn wrong(&mut self, at: Range<usize>, what: impl Into<String>, to_do: impl Into<String>) {
        self.problems.add(self.source.problem(Some(at), what, to_do));
    }
}

/// Reads one limit that a file asks for.
pub(crate) fn limit(source: &Source, name: &Spanned<String>, amount: &Spanned<u64>) -> Result<(Limit, u64), Problem> {
    let Some(limit) = Limits::named(name.get_ref()) else {
        let known: Vec<_> = Limits::default().iter().map(|(limit, _)| limit.name()).collect();
        return Err(source.problem(
            Some(name.span()),
            format!("there is no limit {:?}", name.get_ref()),
            format!("the limits are {}", known.join(", ")),
        ));
    };
    let wanted = *amount.get_ref();
    if wanted == 0 {
        return Err(source.problem(
            Some(amount.span()),
            format!("{limit} is 0, so nothing could run"),
            "write at least 1, or leave it out",
        ));
    }
    let checked = Limits::default().set(limit, wanted);
    checked.map_err(|error| source.problem(Some(amount.span()), error.to_string(), format!("write at most {}", error.ceiling)))?;
    Ok((limit, wanted))
}

/// What a term names that the plugin does not have.
fn misses(term: &Term, kind: &Kind) -> Option<String> {
    let (port, column) = match term {
        Term::Zero => return None,
        Term::Count { port } => (port, None),
        Term::Sum { port, column } => (port, Some(column)),
    };
    let no_such = |column: &String| format!("{term}: {port} has no {column:?} that could be added up");
    match kind {
        Kind::Adapter(shape) => {
            let Some(shape) = shape.inputs.iter().chain(&shape.outputs).find(|shape| shape.name == *port) else {
                return Some(format!("{term}: there is no input or output {port:?}"));
            };
            let sums = |column: &&String| shape.columns.iter().any(|known| known.name == **column && adds_up(known.kind));
            column.filter(|column| !sums(column)).map(no_such)
        }
        Kind::Format(_) | Kind::Connector(_) => Some(format!("{term}: this kind of plugin has no ports")),
        Kind::RuleSet(shape) => match (port.as_str(), column) {
            ("case", Some(column)) => (!shape.amounts.iter().any(|(name, _)| name == column)).then(|| no_such(column)),
            ("decision", Some(column)) => (!shape.figures.contains(column)).then(|| no_such(column)),
            ("case" | "decision", None) => None,
            _ => Some(format!("{term}: a rule set's ports are case and decision")),
        },
    }
}

/// Whether the hub adds up the values of a type.
const fn adds_up(kind: ColumnKind) -> bool {
    matches!(kind, ColumnKind::Integer | ColumnKind::Decimal { .. } | ColumnKind::Money { .. })
}

#[cfg(test)]
pub(in crate::registry) mod tests;
