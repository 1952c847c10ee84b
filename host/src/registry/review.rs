//! What an approver is told of a release, in sentences: what it may do, and what is different from the one before.
//!
//! It must not know who approves what.

use crate::model::grant::Lent;
use crate::model::limits::Limits;
use crate::model::manifest::{ConnectorShape, Kind, Manifest, Wants};
use crate::model::rows::{ColumnShape, PortShape};

/// What a plugin with this manifest may do, and what it sees.
#[must_use]
pub fn may_do(manifest: &Manifest) -> Vec<String> {
    let mut told = Vec::new();
    match &manifest.kind {
        Kind::Adapter(shape) => {
            told.extend(shape.inputs.iter().map(|port| format!("It reads the rows of {}{}.", port.name, personal(&port.columns))));
            told.extend(shape.outputs.iter().map(|port| format!("It writes the rows of {}{}.", port.name, personal(&port.columns))));
        }
        Kind::RuleSet(shape) => {
            told.push(format!("It decides cases. The outcomes are {}.", shape.outcomes.join(", ")));
            if !shape.personal.is_empty() {
                told.push(format!("It sees personal data of a case: {}.", shape.personal.join(", ")));
            }
        }
        Kind::Format(shape) => {
            let ways = [(shape.reads, "reads files into rows"), (shape.writes, "writes rows into files")];
            let ways: Vec<&str> = ways.iter().filter(|(goes, _)| *goes).map(|(_, way)| *way).collect();
            told.push(format!("It {}{}.", ways.join(" and "), personal(&shape.columns)));
        }
        Kind::Connector(shape) => {
            let ways = [(shape.pulls, "fetches files from a provider"), (shape.pushes, "sends files to a provider")];
            let ways: Vec<&str> = ways.iter().filter(|(goes, _)| *goes).map(|(_, way)| *way).collect();
            told.push(format!("It {}, through the connection that a job names and nowhere else.", ways.join(" and ")));
            told.extend(
                shape.requests.iter().map(|rule| format!("It asks to make requests {rule}, as far as the connection allows them.")),
            );
        }
    }
    told.extend(asks(&manifest.wants).into_iter().map(|(_, what)| format!("It {what}.")));
    let network = if manifest.wants.http { "no other network" } else { "no network" };
    told.push(format!("It has no files, {network}, no environment and no other plugin's data."));
    told
}

/// What is different from one release to the next, each a sentence; nothing where only the code is.
#[must_use]
pub fn changes(from: &Manifest, to: &Manifest) -> Vec<String> {
    let mut told = Vec::new();
    if from.version != to.version {
        told.push(format!("The version was {} and is {}.", from.version, to.version));
    }
    if from.contract != to.contract {
        told.push(format!("It was written for contract {} and is for {}.", from.contract, to.contract));
    }
    let (had, has) = (asks(&from.wants), asks(&to.wants));
    told.extend(has.iter().filter(|lent| !had.contains(lent)).map(|(_, what)| format!("It newly {what}.")));
    told.extend(had.iter().filter(|lent| !has.contains(lent)).map(|(name, _)| format!("It no longer asks for {name}.")));
    limits(from, to, &mut told);
    if from.settings_schema != to.settings_schema {
        told.push("Its settings are others: see its settings.schema.json.".to_owned());
    }
    let names = |manifest: &Manifest| manifest.balances.iter().map(|balance| format!("{}: {balance}", balance.name)).collect::<Vec<_>>();
    list(("balance that the hub checks", &names(from), &names(to)), &mut told);
    kinds(&from.kind, &to.kind, &mut told);
    told
}

/// What a plugin asks for beyond rows and settings, and what it does with each: half a sentence.
#[must_use]
pub fn asks(wants: &Wants) -> Vec<(Lent, String)> {
    let plain = [
        (wants.log, Lent::Log, "writes notes into the run's log"),
        (wants.clock, Lent::Clock, "asks for the run's time"),
        (wants.random, Lent::Random, "draws random numbers, the same on every replay"),
        (wants.state, Lent::State, "keeps data from one run of a job to the next"),
        (wants.http, Lent::Http, "sends requests through the connection that a job names; the hub adds the credentials"),
    ];
    let plain = plain.into_iter().filter(|(wanted, ..)| *wanted).map(|(_, lent, about)| (lent, about.to_owned()));
    let tables = wants.lookup.iter().map(|table| (Lent::Table(table.clone()), format!("looks things up in the table {table}")));
    plain.chain(tables).collect()
}

fn personal(columns: &[ColumnShape]) -> String {
    let names: Vec<&str> = columns.iter().filter(|column| column.personal).map(|column| column.name.as_str()).collect();
    if names.is_empty() { String::new() } else { format!(", personal data among them: {}", names.join(", ")) }
}

/// The limits that a plugin asks for; where it says nothing, the usual ones.
///
/// # Panics
/// Never: a manifest is checked against the ceilings when it is read.
#[must_use]
pub fn limits_asked(manifest: &Manifest) -> Limits {
    let mut limits = Limits::default();
    for (limit, amount) in &manifest.limits {
        limits.set(*limit, *amount).expect("a manifest was checked against the ceilings");
    }
    limits
}

fn limits(from: &Manifest, to: &Manifest, told: &mut Vec<String>) {
    for ((limit, was), (_, is)) in limits_asked(from).iter().zip(limits_asked(to).iter()).filter(|((_, was), (_, is))| was != is) {
        told.push(format!("Its limit {limit} was {was} and is {is}."));
    }
}

fn list((what, from, to): (&str, &[String], &[String]), told: &mut Vec<String>) {
    told.extend(to.iter().filter(|name| !from.contains(name)).map(|name| format!("New {what}: {name}.")));
    told.extend(from.iter().filter(|name| !to.contains(name)).map(|name| format!("Gone {what}: {name}.")));
}

fn kinds(from: &Kind, to: &Kind, told: &mut Vec<String>) {
    match (from, to) {
        (Kind::Adapter(from), Kind::Adapter(to)) => {
            ports("input", &from.inputs, &to.inputs, told);
            ports("output", &from.outputs, &to.outputs, told);
            if from.independent_rows != to.independent_rows {
                let now = if to.independent_rows { "apart from each other" } else { "together" };
                told.push(format!("Its rows are now processed {now}."));
            }
        }
        (Kind::RuleSet(from), Kind::RuleSet(to)) => {
            list(("outcome", &from.outcomes, &to.outcomes), told);
            list(("figure", &from.figures, &to.figures), told);
            list(("personal data of a case", &from.personal, &to.personal), told);
            if from.case_schema != to.case_schema {
                told.push("What a case must hold is different: see its case.schema.json.".to_owned());
            }
        }
        (Kind::Format(from), Kind::Format(to)) => {
            if (from.reads, from.writes) != (to.reads, to.writes) {
                told.push("The ways that it goes, reading or writing, are others.".to_owned());
            }
            columns("the file", &from.columns, &to.columns, told);
        }
        (Kind::Connector(from), Kind::Connector(to)) => {
            let rules = |shape: &ConnectorShape| shape.requests.iter().map(ToString::to_string).collect::<Vec<_>>();
            list(("request that it may make", &rules(from), &rules(to)), told);
            if (from.pulls, from.pushes) != (to.pulls, to.pushes) {
                told.push("The ways that it goes, fetching or sending, are others.".to_owned());
            }
        }
        _ => told.push("It is a plugin of another kind.".to_owned()),
    }
}

fn ports(word: &str, from: &[PortShape], to: &[PortShape], told: &mut Vec<String>) {
    let names = |ports: &[PortShape]| ports.iter().map(|port| port.name.clone()).collect::<Vec<_>>();
    list((word, &names(from), &names(to)), told);
    for (was, is) in from.iter().filter_map(|was| Some((was, to.iter().find(|is| is.name == was.name)?))) {
        columns(&format!("{word} {}", is.name), &was.columns, &is.columns, told);
        if was.optional != is.optional {
            told.push(format!("The {word} {} is {}.", is.name, if is.optional { "optional now" } else { "no longer optional" }));
        }
        if was.unique != is.unique || was.aggregate_by != is.aggregate_by {
            told.push(format!("How rows of the {word} {} are told apart or added up is different.", is.name));
        }
    }
}

fn columns(place: &str, from: &[ColumnShape], to: &[ColumnShape], told: &mut Vec<String>) {
    let names = |columns: &[ColumnShape]| columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
    list((&format!("column of {place}"), &names(from), &names(to)), told);
    for (was, is) in from.iter().filter_map(|was| Some((was, to.iter().find(|is| is.name == was.name)?))) {
        let name = format!("Column {} of {place}", is.name);
        if was.kind != is.kind {
            let digits = |column: &ColumnShape| match column.kind.scale() {
                0 => String::new(),
                scale => format!(" with {scale} decimal places"),
            };
            told.push(format!("{name} was {}{} and is {}{}.", was.kind, digits(was), is.kind, digits(is)));
        }
        if was.required != is.required {
            told.push(format!("{name} is {}.", if is.required { "required now" } else { "no longer required" }));
        }
        if was.personal != is.personal {
            told.push(format!(
                "{name} is {}.",
                if is.personal { "personal data now, and masked" } else { "no longer personal data: it is not masked" }
            ));
        }
        if was.length_max != is.length_max {
            let most = |most: Option<u32>| most.map_or_else(|| "of any length".to_owned(), |most| format!("of {most} characters at most"));
            told.push(format!("{name} was {} and is {}.", most(was.length_max), most(is.length_max)));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::limits::Limit;
    use crate::registry::manifest::tests::adapter;

    #[test]
    fn a_release_that_says_the_same_has_no_changes() {
        assert_eq!(changes(&adapter(), &adapter()), Vec::<String>::new());
    }

    #[test]
    fn every_widening_is_told() {
        let (from, mut to) = (adapter(), adapter());
        to.version = "9.0.0".to_owned();
        to.wants.state = !from.wants.state;
        to.wants.lookup.push("sanctions".to_owned());
        to.limits = vec![(Limit::MemoryBytes, 128 << 20)];
        let Kind::Adapter(shape) = &mut to.kind else { panic!("an adapter") };
        let column = &mut shape.inputs[0].columns[0];
        let name = column.name.clone();
        (column.personal, column.required) = (!column.personal, !column.required);
        let gone = shape.outputs[0].columns.pop().unwrap();
        let told = changes(&from, &to).join("\n");
        for wanted in
            ["and is 9.0.0.", "looks things up in the table sanctions", "Its limit memory-bytes was", &name, &gone.name, "Gone column of"]
        {
            assert!(told.contains(wanted), "{wanted:?} in {told}");
        }
        assert!(may_do(&to).iter().any(|told| told.contains("the table sanctions")));
    }
}
