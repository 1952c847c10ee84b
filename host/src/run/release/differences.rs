//! Two files of one output, row by row: which columns differ, in how many rows, and by how much in all.
//!
//! It must not know which releases made them, or who looks: personal values are dots unless it is told to show them.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{BufRead as _, BufReader};

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::connection::{ArtefactFile, Artefacts};
use crate::format::{Decoder, row_as_json};
use crate::model::ids::Digest;
use crate::model::job::{FileFormat, Format};
use crate::model::personal::Sight;
use crate::model::rows::{ColumnKind, PortShape};
use crate::model::totals::{ControlTotals, PortTotals};

/// Rows that are shown of each output; the others are counted.
const EXAMPLES_MAX: usize = 20;

/// Rows of files of unequal length that are held against each other: a number of eight bytes is kept for each.
const ROWS_MAX: u64 = 5_000_000;

/// What goes before a figure of a decision, where it is shown as a column.
const FIGURE: &str = "figure ";

/// What stands for a value that is not told.
const DOTS: &str = "••••••";

/// The two files of an output, and how to read them.
pub(in crate::run) struct Recorded {
    pub(in crate::run) port: String,
    /// The columns; none for the decisions of a rule set, which are JSON lines.
    pub(in crate::run) shape: Option<PortShape>,
    pub(in crate::run) format: Option<FileFormat>,
    pub(in crate::run) files: (Digest, Digest),
    pub(in crate::run) artefacts: Artefacts,
    pub(in crate::run) rows: (u64, u64),
    /// How whoever looks sees personal values.
    pub(in crate::run) sight: Sight,
}

/// How two files of one output differ.
#[derive(Debug, Default)]
pub struct OutputDifference {
    /// The output.
    pub output: String,
    /// Rows that there were, and that there are.
    pub rows: (u64, u64),
    /// Rows of the same place that differ.
    pub changed: u64,
    /// Rows that stand in one of the files only, where the files are of unequal length: before, and now.
    pub only: (u64, u64),
    /// By column: in how many rows it differs, and the sum of what its numbers went up by.
    pub columns: BTreeMap<String, ColumnDifference>,
    /// The first of them.
    pub examples: Vec<Example>,
    /// Why it could not be looked into further.
    pub note: Option<String>,
}

/// How a column differs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ColumnDifference {
    /// In how many rows.
    pub rows: u64,
    /// The sum of what its numbers went up by; none where it has no numbers.
    pub change: Option<Decimal>,
}

/// A value that is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The row, counted from 1.
    pub row: u64,
    /// The column; none where the whole row stands in one file only.
    pub column: Option<String>,
    /// What it was; none if it was not there.
    pub was: Option<String>,
    /// What it is; none if it is no longer there.
    pub is: Option<String>,
}

/// Sums that are others: port, total, what it was and is.
pub(in crate::run) fn totals(before: &ControlTotals, now: &ControlTotals) -> Vec<(String, String, String, String)> {
    let ports = |totals: &ControlTotals| -> BTreeMap<(String, String), String> {
        let of = |port: &PortTotals| -> Vec<((String, String), String)> {
            let counts = [("rows read", port.rows.read), ("rows accepted", port.rows.accepted), ("rows rejected", port.rows.rejected)];
            let counts = counts.into_iter().map(|(name, rows)| (name.to_owned(), rows.to_string()));
            let sums = port.sums.iter().map(|(name, sum)| (name.clone(), sum.to_string()));
            counts.chain(sums).map(|(name, amount)| ((port.port.clone(), name), amount)).collect()
        };
        totals.inputs.iter().chain(&totals.outputs).flat_map(of).collect()
    };
    let (before, now) = (ports(before), ports(now));
    let nothing = || "nothing".to_owned();
    let names: std::collections::BTreeSet<_> = before.keys().chain(now.keys()).cloned().collect();
    let pair = |name: (String, String)| {
        let (was, is) = (before.get(&name).cloned().unwrap_or_else(nothing), now.get(&name).cloned().unwrap_or_else(nothing));
        (was != is).then_some((name.0, name.1, was, is))
    };
    names.into_iter().filter_map(pair).collect()
}

/// Compares the files of an output.
pub(in crate::run) fn of_output(recorded: &Recorded) -> std::io::Result<OutputDifference> {
    let mut found = OutputDifference { output: recorded.port.clone(), rows: recorded.rows, ..OutputDifference::default() };
    let opened = rows_of(recorded, &recorded.files.0)?.zip(rows_of(recorded, &recorded.files.1)?);
    let Some((before, now)) = opened else {
        found.note = Some("its format cannot be read back row by row: compare the files themselves".to_owned());
        return Ok(found);
    };
    if recorded.rows.0 == recorded.rows.1 {
        side_by_side(recorded, (before, now), &mut found)?;
    } else if recorded.rows.0.max(recorded.rows.1) <= ROWS_MAX {
        as_sets(recorded, (before, now), &mut found)?;
    } else {
        found.note = Some(format!("it has another number of rows, and more than {ROWS_MAX}: compare the files themselves"));
    }
    Ok(found)
}

type Rows = Box<dyn Iterator<Item = std::io::Result<String>>>;

/// The rows of a file as JSON objects; none where its format cannot be read back.
fn rows_of(recorded: &Recorded, digest: &Digest) -> std::io::Result<Option<Rows>> {
    let file = recorded.artefacts.read(digest).map_err(std::io::Error::other)?;
    match (&recorded.shape, &recorded.format) {
        (None, _) => Ok(Some(Box::new(BufReader::new(file).lines()))),
        (Some(shape), Some(FileFormat::BuiltIn(format))) => Ok(decoded(format, shape, file)),
        (Some(_), _) => Ok(None),
    }
}

fn decoded(format: &Format, shape: &PortShape, file: ArtefactFile) -> Option<Rows> {
    let mut decoder = Decoder::open(format, shape, file).ok()?;
    let columns = shape.columns.clone();
    let batches = std::iter::from_fn(move || decoder.next_batch().map_err(std::io::Error::other).transpose());
    Some(Box::new(batches.flat_map(move |batch| -> Vec<std::io::Result<String>> {
        match batch {
            // A row that cannot be read back counts by what stands in the file.
            Ok(decoded) => {
                let unread = decoded.rejects.iter().map(|reject| Ok(String::from_utf8_lossy(&reject.raw).into_owned()));
                (0..decoded.batch.rows).map(|row| Ok(row_as_json(&columns, &decoded.batch, row))).chain(unread).collect()
            }
            Err(error) => vec![Err(error)],
        }
    })))
}

/// Files of as many rows each: row against row.
fn side_by_side(recorded: &Recorded, (before, now): (Rows, Rows), found: &mut OutputDifference) -> std::io::Result<()> {
    for (place, (was, is)) in before.zip(now).enumerate() {
        let (was, is) = (was?, is?);
        if was == is {
            continue;
        }
        found.changed += 1;
        let (was, is) = (object(recorded, &was), object(recorded, &is));
        let names: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        for name in names.into_iter().filter(|name| was.get(*name) != is.get(*name)) {
            let column = found.columns.entry(name.clone()).or_default();
            column.rows += 1;
            let change = number(recorded, name, is.get(name)).zip(number(recorded, name, was.get(name))).map(|(is, was)| is - was);
            column.change = column.change.map_or(change, |sum| Some(sum + change.unwrap_or_default()));
            if found.examples.len() < EXAMPLES_MAX {
                let told = |value: Option<&Value>| value.filter(|value| !value.is_null()).map(|value| told(recorded, name, value));
                let (was, is) = (told(was.get(name)), told(is.get(name)));
                found.examples.push(Example { row: place as u64 + 1, column: Some(name.clone()), was, is });
            }
        }
    }
    Ok(())
}

/// Files of unequal length: which rows stand in one of them only, wherever they stand.
fn as_sets(recorded: &Recorded, (before, now): (Rows, Rows), found: &mut OutputDifference) -> std::io::Result<()> {
    let hasher = RandomState::new();
    let mut left: HashMap<u64, i64> = HashMap::new();
    for row in before {
        *left.entry(hasher.hash_one(row?)).or_default() += 1;
    }
    for (place, row) in now.enumerate() {
        let hash = hasher.hash_one(row?);
        match left.get_mut(&hash).filter(|count| **count > 0) {
            Some(count) => *count -= 1,
            None => {
                found.only.1 += 1;
                if found.examples.len() < EXAMPLES_MAX {
                    let is = Some("a row that was not there".to_owned());
                    found.examples.push(Example { row: place as u64 + 1, column: None, was: None, is });
                }
            }
        }
    }
    let Some(before) = rows_of(recorded, &recorded.files.0)? else { return Ok(()) };
    for (place, row) in before.enumerate() {
        let Some(count) = left.get_mut(&hasher.hash_one(row?)).filter(|count| **count > 0) else { continue };
        *count -= 1;
        found.only.0 += 1;
        if found.examples.len() < EXAMPLES_MAX {
            let was = Some("a row that is no longer there".to_owned());
            found.examples.push(Example { row: place as u64 + 1, column: None, was, is: None });
        }
    }
    Ok(())
}

/// A row by column; of a decision, each figure is one.
fn object(recorded: &Recorded, row: &str) -> Map<String, Value> {
    match serde_json::from_str(row) {
        Ok(Value::Object(mut object)) => {
            if let (None, Some(Value::Object(figures))) = (&recorded.shape, object.remove("figures")) {
                object.extend(figures.into_iter().map(|(name, amount)| (format!("{FIGURE}{name}"), amount)));
            }
            object
        }
        _ => Map::from_iter([("row".to_owned(), Value::String(DOTS.to_owned()))]),
    }
}

fn number(recorded: &Recorded, column: &str, value: Option<&Value>) -> Option<Decimal> {
    let has_numbers = match &recorded.shape {
        Some(shape) => {
            matches!(shape.columns[shape.column(column)?].kind, ColumnKind::Money { .. } | ColumnKind::Decimal { .. } | ColumnKind::Integer)
        }
        None => column.starts_with(FIGURE),
    };
    if !has_numbers {
        return None;
    }
    match value? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}

/// A value as whoever looks may see it. Masked, decisions show the outcome and the figures: the rest may speak of people.
fn told(recorded: &Recorded, column: &str, value: &Value) -> String {
    let shown = match &recorded.shape {
        _ if recorded.sight == Sight::Full => true,
        Some(shape) => shape.column(column).is_some_and(|place| !shape.columns[place].personal),
        None => column == "outcome" || column.starts_with(FIGURE),
    };
    match value {
        _ if !shown => DOTS.to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::job::{DateStyle, JsonLinesFormat};
    use crate::model::rows::ColumnShape;

    fn lines(was: &[&str], is: &[&str]) -> OutputDifference {
        let folder = tempfile::tempdir().unwrap();
        let artefacts = Artefacts::open(folder.path()).unwrap();
        let files = (artefacts.put(was.join("\n").as_bytes()).unwrap().digest, artefacts.put(is.join("\n").as_bytes()).unwrap().digest);
        let rows = (was.len() as u64, is.len() as u64);
        let sight = Sight::Masked;
        of_output(&Recorded { port: "decision".to_owned(), shape: None, format: None, files, artefacts, rows, sight }).unwrap()
    }

    #[test]
    fn decisions_are_held_against_each_other_row_by_row() {
        let found = lines(
            &[r#"{"row":1,"outcome":"pay","reasons":["A. Person"]}"#, r#"{"row":2,"outcome":"pay"}"#],
            &[r#"{"row":1,"outcome":"refer","reasons":["B. Person"]}"#, r#"{"row":2,"outcome":"pay"}"#],
        );
        assert_eq!((found.changed, found.columns["outcome"].rows), (1, 1));
        let example = |column: &str, was: &str, is: &str| Example {
            row: 1,
            column: Some(column.to_owned()),
            was: Some(was.to_owned()),
            is: Some(is.to_owned()),
        };
        assert_eq!(found.examples, [example("outcome", "pay", "refer"), example("reasons", DOTS, DOTS)]);
    }

    #[test]
    fn figures_and_money_are_summed_and_personal_columns_not_told() {
        let found = lines(&[r#"{"row":1,"figures":{"share":"10.00"}}"#], &[r#"{"row":1,"figures":{"share":"10.05"}}"#]);
        assert_eq!(found.columns["figure share"], ColumnDifference { rows: 1, change: Some("0.05".parse().unwrap()) });

        let column = |name: &str, kind, personal| ColumnShape {
            name: name.to_owned(),
            kind,
            required: false,
            personal,
            length_max: None,
            about: String::new(),
        };
        let columns = vec![column("name", ColumnKind::Text, true), column("pay", ColumnKind::Money { scale: 2 }, false)];
        let name = "return".to_owned();
        let shape = PortShape { name, about: String::new(), optional: false, columns, unique: Vec::new(), aggregate_by: None };
        let folder = tempfile::tempdir().unwrap();
        let artefacts = Artefacts::open(folder.path()).unwrap();
        let put = |text: &str| artefacts.put(text.as_bytes()).unwrap().digest;
        let files = (
            put("{\"name\":\"A\",\"pay\":\"1.00\"}\n{\"name\":\"B\",\"pay\":\"2.00\"}\n"),
            put("{\"name\":\"C\",\"pay\":\"1.01\"}\n{\"name\":\"B\",\"pay\":\"1.99\"}\n"),
        );
        let format = Some(FileFormat::BuiltIn(Format::JsonLines(JsonLinesFormat { dates: DateStyle::Iso })));
        let mut recorded = Recorded {
            port: "return".to_owned(),
            shape: Some(shape),
            format,
            files,
            artefacts: artefacts.clone(),
            rows: (2, 2),
            sight: Sight::Masked,
        };
        let found = of_output(&recorded).unwrap();
        assert_eq!((found.changed, &found.note), (2, &None));
        assert_eq!(found.columns["pay"], ColumnDifference { rows: 2, change: Some(Decimal::ZERO) }, "what one gains another loses");
        assert_eq!((found.examples[0].was.as_deref(), found.examples[1].is.as_deref()), (Some(DOTS), Some("1.01")));
        recorded.sight = Sight::Full;
        let seen = of_output(&recorded).unwrap();
        assert_eq!((seen.examples[0].was.as_deref(), seen.examples[0].is.as_deref()), (Some("A"), Some("C")));
    }

    #[test]
    fn rows_of_files_of_unequal_length_are_counted_wherever_they_stand() {
        let found = lines(&["a", "b", "b", "c"], &["c", "b", "d", "e", "a"]);
        assert_eq!((found.only, found.changed), ((1, 2), 0));
        assert_eq!(found.examples.iter().map(|example| example.row).collect::<Vec<_>>(), [3, 4, 2], "of two that are the same, the first");
    }
}
