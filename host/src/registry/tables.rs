//! Reads effective-dated reference tables: a TOML file that names the versions, and one CSV file of rows for each.
//!
//! A plugin's own tables and an operator's have the same form. It must not know where tables are kept.

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use crate::model::ids::{Digest, PartnerName, is_name};
use crate::model::table::{Table, TableVersion};

use super::source::{Problem, Problems, Source};

/// Most rows of one version: they are held in memory with their indexes.
pub const TABLE_ROWS_MAX: usize = 1_000_000;

/// Most columns of a table.
const TABLE_COLUMNS_MAX: usize = 64;

/// Longest name of a version, in characters.
const VERSION_CHARS_MAX: usize = 64;

/// What one table file declares.
#[derive(Debug)]
pub struct TableFile {
    /// For whom: none for a plugin's own tables and those of every partner.
    pub partner: Option<PartnerName>,
    /// What the table is, for people.
    pub about: String,
    /// Its versions, as written.
    pub versions: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    table: Spanned<String>,
    partner: Option<Spanned<String>>,
    #[serde(default)]
    about: String,
    versions: Vec<Spanned<WrittenVersion>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenVersion {
    version: Spanned<String>,
    effective_from: Spanned<Datetime>,
    effective_to: Option<Spanned<Datetime>>,
    published: Option<Spanned<Datetime>>,
    source: String,
    rows: Spanned<String>,
}

/// Reads one table file; `rows_of` gives the CSV file of a name in the same folder, or says why not.
///
/// # Errors
/// [`Problems`]: everything that is wrong with the file and its rows.
pub fn read(source: &Source, rows_of: &mut dyn FnMut(&str) -> Result<Source, String>) -> Result<TableFile, Problems> {
    let written: Written = source.toml()?;
    let mut problems = Problems::default();
    let table = written.table.get_ref();
    if !is_name(table) {
        problems.add(source.problem(
            Some(written.table.span()),
            format!("{table:?} is not a table's name"),
            "use lower-case letters, digits and hyphens",
        ));
    }
    if written.versions.is_empty() {
        problems.add(source.problem(None, "there is no version of the table", "add [[versions]]"));
    }
    let partner = written.partner.as_ref().and_then(|name| {
        problems
            .note(name.get_ref().parse().map_err(|error| source.problem(Some(name.span()), format!("{error}"), "name one of the partners")))
    });
    let mut versions: Vec<Table> = Vec::new();
    for entry in &written.versions {
        let Some(version) = judged(source, table, entry.get_ref(), &mut problems) else { continue };
        if let Some(problem) = clash(source, entry, &version, &versions) {
            problems.add(problem);
        }
        match rows(source, &entry.get_ref().rows, rows_of) {
            Ok((columns, rows, digest)) => versions.push(Table::new(version, entry.get_ref().source.clone(), digest, columns, rows)),
            Err(problem) => problems.add(problem),
        }
    }
    problems.or(Some(TableFile { partner, about: written.about, versions }))
}

fn judged(source: &Source, table: &str, written: &WrittenVersion, problems: &mut Problems) -> Option<TableVersion> {
    let name = written.version.get_ref();
    if name.trim().is_empty() || name.chars().count() > VERSION_CHARS_MAX || name.contains(char::is_control) {
        let to_do = format!("write 1 to {VERSION_CHARS_MAX} characters, such as \"2025-26\"");
        problems.add(source.problem(Some(written.version.span()), format!("{name:?} is not a version's name"), to_do));
    }
    let effective_from = problems.note(date(source, &written.effective_from));
    let mut optional = |written: &Option<Spanned<Datetime>>| written.as_ref().map(|written| problems.note(date(source, written)));
    let (effective_to, published) = (optional(&written.effective_to), optional(&written.published));
    let effective_from = effective_from?;
    if let (Some(Some(last)), Some(at)) = (effective_to, &written.effective_to)
        && last < effective_from
    {
        problems.add(source.problem(Some(at.span()), "the version ends before it begins", "write the last day on which it is in force"));
    }
    Some(TableVersion {
        table: table.to_owned(),
        version: name.clone(),
        effective_from,
        effective_to: effective_to.flatten(),
        published: published.flatten(),
    })
}

/// What a version has in common with one before it that it must not have.
fn clash(source: &Source, entry: &Spanned<WrittenVersion>, version: &TableVersion, before: &[Table]) -> Option<Problem> {
    let written = entry.get_ref();
    before.iter().map(|table| &table.version).find_map(|earlier| {
        if earlier.version == version.version {
            let what = format!("version {:?} stands here twice", version.version);
            return Some(source.problem(Some(written.version.span()), what, "give each version its own name"));
        }
        let day = earlier.effective_from.max(version.effective_from);
        (earlier.in_force(day) && version.in_force(day)).then(|| {
            let what = format!("versions {:?} and {:?} are both in force on {day}", earlier.version, version.version);
            source.problem(Some(written.effective_from.span()), what, "end one on the day before the other begins")
        })
    })
}

type Rows = (Vec<String>, Vec<Vec<String>>, Digest);

fn rows(source: &Source, file: &Spanned<String>, rows_of: &mut dyn FnMut(&str) -> Result<Source, String>) -> Result<Rows, Problem> {
    let name = file.get_ref();
    let plain = !name.contains(['/', '\\']) && name.ends_with(".csv") && name.len() > ".csv".len();
    if !plain {
        return Err(source.problem(
            Some(file.span()),
            format!("{name:?} is not the name of a CSV file"),
            "name a .csv file in the same folder",
        ));
    }
    let csv = rows_of(name).map_err(|why| source.problem(Some(file.span()), why, "put the rows into the same folder"))?;
    let (columns, rows) = parse_csv(&csv)?;
    Ok((columns, rows, Digest::of(csv.text.as_bytes())))
}

/// Reads a CSV file whose first line names its columns. Values are text; no line is longer or shorter than the first.
///
/// # Errors
/// [`Problem`] with the first line that is wrong.
pub fn parse_csv(csv: &Source) -> Result<(Vec<String>, Vec<Vec<String>>), Problem> {
    let text = csv.text.strip_prefix('\u{feff}').unwrap_or(&csv.text);
    let skipped = csv.text.len() - text.len();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut columns: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| {
            let at = error.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0)) + skipped;
            let end = csv.text[at..].find('\n').map_or(csv.text.len(), |length| at + length);
            csv.problem(
                Some(at..end),
                wrong_record(&error),
                "every line has as many values as the first line has columns; put quotes round a value with a comma",
            )
        })?;
        let values: Vec<String> = record.iter().map(ToOwned::to_owned).collect();
        match &columns {
            None => columns = Some(header(csv, values)?),
            Some(_) if rows.len() == TABLE_ROWS_MAX => {
                return Err(csv.problem(None, format!("there are more than {TABLE_ROWS_MAX} rows"), "split the table"));
            }
            Some(_) => rows.push(values),
        }
    }
    let columns = columns.ok_or_else(|| csv.problem(None, "the file is empty", "write the columns' names in its first line"))?;
    Ok((columns, rows))
}

fn wrong_record(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("this line has {len} values where the first line names {expected_len} columns")
        }
        _ => format!("this line cannot be read: {error}"),
    }
}

fn header(csv: &Source, names: Vec<String>) -> Result<Vec<String>, Problem> {
    let first_line = Some(0..csv.text.find('\n').unwrap_or(csv.text.len()));
    if names.len() > TABLE_COLUMNS_MAX {
        return Err(csv.problem(first_line, format!("there are {} columns", names.len()), format!("have at most {TABLE_COLUMNS_MAX}")));
    }
    for (place, name) in names.iter().enumerate() {
        if name.trim().is_empty() || name.trim() != name {
            return Err(csv.problem(
                first_line,
                format!("column {} has no clean name: {name:?}", place + 1),
                "name every column, without spaces round the name",
            ));
        }
        if names[..place].contains(name) {
            return Err(csv.problem(first_line, format!("column {name:?} stands here twice"), "give each column its own name"));
        }
    }
    Ok(names)
}

/// A TOML date without a time.
pub(crate) fn date(source: &Source, written: &Spanned<Datetime>) -> Result<Date, Problem> {
    let text = written.get_ref().to_string();
    let plain = written.get_ref().time.is_none();
    text.parse().ok().filter(|_| plain).ok_or_else(|| {
        source.problem(Some(written.span()), format!("{text} is not a date"), "write a date without a time, such as 2026-04-01")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const GOOD: &str = r#"table = "bands"
about = "Bands"
[[versions]]
version = "2025-26"
effective-from = 2025-04-01
effective-to = 2026-03-31
published = 2025-02-14
source = "LGA"
rows = "a.csv"
[[versions]]
version = "2026-27"
effective-from = 2026-04-01
source = "LGA"
rows = "a.csv"
"#;

    fn read_text(text: &str, csv: &str) -> Result<TableFile, Problems> {
        let csv = Source::new("a.csv", csv);
        read(&Source::new("t.toml", text), &mut |name| {
            if name == "a.csv" { Ok(csv.clone()) } else { Err(format!("there is no file {name}")) }
        })
    }

    #[test]
    fn versions_have_their_days_and_rows() {
        let file = read_text(GOOD, "\u{feff}band,up_to\n1,\"17,800\"\n2,\n").unwrap();
        let [old, new] = &file.versions[..] else { panic!("two versions") };
        assert_eq!((old.version.effective_to, old.version.published), (Some(date(2026, 3, 31)), Some(date(2025, 2, 14))));
        assert_eq!((new.version.effective_from, new.version.effective_to), (date(2026, 4, 1), None));
        assert_eq!(old.columns, ["band", "up_to"]);
        assert_eq!(old.rows, [["1", "17,800"], ["2", ""]]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (from, to, line, told) in [
            ("table = \"bands\"", "table = \"Bands\"", 1, "not a table's name"),
            ("about = \"Bands\"", "colour = 1", 2, "unknown field"),
            ("about = \"Bands\"", "partner = \"A B\"", 2, "not a name"),
            ("2026-03-31", "2024-03-31", 6, "ends before it begins"),
            ("2026-03-31", "2026-04-01", 12, "both in force on 2026-04-01"),
            ("2026-03-31", "2026-03-31T12:00:00", 6, "is not a date"),
            ("version = \"2026-27\"", "version = \"2025-26\"", 11, "stands here twice"),
            ("version = \"2026-27\"", "version = \" \"", 11, "not a version's name"),
            ("rows = \"a.csv\"\n[[", "rows = \"b.csv\"\n[[", 9, "there is no file b.csv"),
            ("rows = \"a.csv\"\n[[", "rows = \"../a.csv\"\n[[", 9, "not the name of a CSV file"),
        ] {
            assert!(GOOD.contains(from), "{from}");
            let problems = read_text(&GOOD.replacen(from, to, 1), "band\n1\n").unwrap_err();
            let problem = &problems.as_slice()[0];
            assert!(problem.what().contains(told) && problem.line() == Some(line), "{to}: {problem}");
        }
    }

    #[test]
    fn crooked_rows_are_refused_with_their_line() {
        for (csv, line, told) in [
            ("", None, "empty"),
            ("a,b\n1,2\n1\n", Some(3), "1 values where the first line names 2"),
            ("a,b\n1,2,3\n", Some(2), "3 values"),
            ("a,a\n", Some(1), "stands here twice"),
            ("a, b\n", Some(1), "no clean name"),
            ("a,\n", Some(1), "no clean name"),
        ] {
            let problems = read_text(GOOD, csv).unwrap_err();
            let problem = &problems.as_slice()[0];
            assert!(problem.what().contains(told) && problem.line() == line, "{csv:?}: {problem}");
        }
    }
}
