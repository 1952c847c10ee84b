//! Reference tables: effective-dated data that plugins look things up in.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use jiff::civil::Date;

use super::ids::Digest;

/// Which version of a table answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersion {
    /// Name of the table.
    pub table: String,
    /// Name of the version.
    pub version: String,
    /// First day on which it is in force.
    pub effective_from: Date,
    /// Last day on which it is in force; none while it has no end.
    pub effective_to: Option<Date>,
    /// The day on which its source published it.
    pub published: Option<Date>,
}

impl TableVersion {
    /// Whether it is in force on a date.
    #[must_use]
    pub fn in_force(&self, on: Date) -> bool {
        self.effective_from <= on && self.effective_to.is_none_or(|last| on <= last)
    }
}

type Index = HashMap<String, Vec<u32>>;

/// One version of a reference table with its rows.
///
/// Indexes are made the first time that a column is searched, and kept.
#[derive(Debug)]
pub struct Table {
    /// Which version it is.
    pub version: TableVersion,
    /// Where it comes from, for people.
    pub source: String,
    /// SHA-256 of its rows as a CSV file.
    pub digest: Digest,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows, one text for each column.
    pub rows: Vec<Vec<String>>,
    by_value: Vec<OnceLock<Index>>,
    by_word: Vec<OnceLock<Index>>,
}

impl Table {
    /// A table from its rows. Every row must have one value for each column.
    #[must_use]
    pub fn new(version: TableVersion, source: String, digest: Digest, columns: Vec<String>, rows: Vec<Vec<String>>) -> Self {
        let indexes = || columns.iter().map(|_| OnceLock::new()).collect();
        Self { by_value: indexes(), by_word: indexes(), version, source, digest, columns, rows }
    }

    /// The rows whose column at `column` holds exactly `value`, in order.
    pub fn find(&self, column: usize, value: &str) -> impl ExactSizeIterator<Item = &[String]> {
        let index = self.by_value[column].get_or_init(|| self.index(|row| vec![row[column].clone()]));
        self.listed(index.get(value))
    }

    /// The rows whose column at `column` contains `word` as a whole word, whatever its case, in order.
    pub fn find_word(&self, column: usize, word: &str) -> impl ExactSizeIterator<Item = &[String]> {
        let index = self.by_word[column].get_or_init(|| self.index(|row| words(&row[column]).collect()));
        self.listed(index.get(&word.to_lowercase()))
    }

    fn index(&self, keys: impl Fn(&[String]) -> Vec<String>) -> Index {
        let mut index = Index::new();
        for (place, row) in (0_u32..).zip(&self.rows) {
            for key in keys(row) {
                let places = index.entry(key).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        index
    }

    fn listed<'a>(&'a self, places: Option<&'a Vec<u32>>) -> impl ExactSizeIterator<Item = &'a [String]> {
        places.map_or(&[][..], Vec::as_slice).iter().map(|place| self.rows[*place as usize].as_slice())
    }
}

/// The tables that a partner's runs look things up in: for each name its versions.
///
/// Where two versions are in force on a date, the one that was added later answers: an operator's word is newer than a plugin's.
#[derive(Debug, Clone, Default)]
pub struct TableSet {
    tables: HashMap<String, Vec<Arc<Table>>>,
}

impl TableSet {
    /// Adds a version.
    pub fn add(&mut self, table: Arc<Table>) {
        self.tables.entry(table.version.table.clone()).or_default().push(table);
    }

    /// The version in force on a date.
    #[must_use]
    pub fn in_force(&self, name: &str, on: Date) -> Option<&Arc<Table>> {
        self.tables.get(name)?.iter().rev().find(|table| table.version.in_force(on))
    }

    /// Whether there is any version of a table.
    #[must_use]
    pub fn knows(&self, name: &str) -> bool {
        self.tables.contains_key(name)
    }

    /// All versions of all tables, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values().flatten()
    }
}

/// The words of a text: runs of letters and digits, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn table() -> Table {
        let version = TableVersion {
            table: "names".into(),
            version: "1".into(),
            effective_from: date(2026, 4, 1),
            effective_to: Some(date(2027, 3, 31)),
            published: None,
        };
        let rows = [["1", "Acme Fleet, Acme"], ["2", "O'Neill & Sons"], ["1", "FLEET-hire"]];
        let rows = rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect();
        Table::new(version, String::new(), Digest::of(b""), vec!["id".into(), "name".into()], rows)
    }

    #[test]
    fn finds_values_and_words() {
        let table = table();
        let names = |rows: Vec<&[String]>| rows.iter().map(|row| row[1].clone()).collect::<Vec<_>>();
        assert_eq!(names(table.find(0, "1").collect()), ["Acme Fleet, Acme", "FLEET-hire"]);
        assert_eq!(names(table.find_word(1, "Fleet").collect()), ["Acme Fleet, Acme", "FLEET-hire"]);
        assert_eq!(names(table.find_word(1, "neill").collect()), ["O'Neill & Sons"]);
        assert_eq!(table.find(0, "3").len(), 0);
    }

    #[test]
    fn both_ends_are_in_force() {
        let version = table().version;
        assert!(version.in_force(date(2026, 4, 1)) && version.in_force(date(2027, 3, 31)));
        assert!(!version.in_force(date(2026, 3, 31)) && !version.in_force(date(2027, 4, 1)));
    }
}
