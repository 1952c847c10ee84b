//! The reference tables, read into what the rules compare. Every table is the version in force on the day of the case.

use bailiwick_sdk::{Date, Failure, Hub, Table, TableRow};

use crate::numbers::digits;
use crate::numbers::weights::{WeightRow, WeightText};

const NAME_COLUMNS: [&str; 6] = ["Name 1", "Name 2", "Name 3", "Name 4", "Name 5", "Name 6"];

/// The tables of a day.
pub(crate) struct Tables<'a> {
    hub: &'a Hub,
    on: Date,
}

/// The sanctions list.
pub(crate) struct SanctionsList(Table);

/// What a search for a word gave.
pub(crate) enum Search {
    /// The rows that have it; perhaps none.
    Found(Vec<Listed>),
    /// More rows have it than one answer may hold.
    TooCommon,
}

/// A row of the sanctions list: one name of somebody designated.
pub(crate) struct Listed {
    /// What ties the rows of one designation together.
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whether it is a main name or an alias of good quality.
    pub(crate) strong_alias: bool,
}

/// The partner's suppliers.
pub(crate) struct KnownSuppliers(Table);

/// A known supplier.
pub(crate) struct Known {
    pub(crate) supplier_id: String,
    pub(crate) name: String,
    pub(crate) sort_code: String,
    pub(crate) account_number: String,
    pub(crate) iban: String,
}

impl<'a> Tables<'a> {
    /// The tables in force on a day.
    pub(crate) fn new(hub: &'a Hub, on: Date) -> Self {
        Self { hub, on }
    }

    /// The rows of weights for a sort code, in the table's order.
    pub(crate) fn weights(&self, sort_code: &[u8; 6]) -> Result<Vec<WeightRow>, Failure> {
        let table = self.hub.table("vocalink-weights", self.on)?;
        let rows = table.find_word("areas", &text(&sort_code[..3]))?;
        let rows: Vec<WeightRow> = rows.iter().map(weight_row).collect::<Result<_, _>>()?;
        Ok(rows.into_iter().filter(|row| row.covers(sort_code)).collect())
    }

    /// The sort code that stands in for another under exception 5.
    pub(crate) fn substitute(&self, sort_code: &[u8; 6]) -> Result<Option<[u8; 6]>, Failure> {
        let table = self.hub.table("vocalink-substitutions", self.on)?;
        let rows = table.find("sort_code", &text(sort_code))?;
        let Some(row) = rows.first() else { return Ok(None) };
        digits(row.text("substitute")?).map(Some).ok_or_else(|| unreadable("vocalink-substitutions"))
    }

    /// The structure of a country's international account numbers; none if the country is not in the table.
    pub(crate) fn iban_structure(&self, country: &str) -> Result<Option<String>, Failure> {
        let rows = self.hub.table("iban-countries", self.on)?.find("country", country)?;
        rows.first().map(|row| owned(row, "structure")).transpose()
    }

    /// The sanctions list.
    pub(crate) fn sanctions(&self) -> Result<SanctionsList, Failure> {
        self.hub.table("uk-sanctions", self.on).map(SanctionsList)
    }

    /// The partner's suppliers.
    pub(crate) fn known_suppliers(&self) -> Result<KnownSuppliers, Failure> {
        self.hub.table("known-suppliers", self.on).map(KnownSuppliers)
    }
}

impl SanctionsList {
    /// What its keeper calls the version.
    pub(crate) fn version(&self) -> &str {
        &self.0.version().version
    }

    /// When it was published, where that is known.
    pub(crate) fn published(&self) -> Option<Date> {
        self.0.version().published
    }

    /// The rows whose name has a word, given in small letters without accents.
    pub(crate) fn rows_with_name_word(&self, word: &str) -> Result<Search, Failure> {
        if !self.0.columns().iter().any(|column| column == "words") {
            let text = "Table uk-sanctions has no column of words to look names up by: make the version with make_sanctions.py.";
            return Err(Failure::settings("sanctions-words-missing", text));
        }
        match self.0.find_word("words", word) {
            Ok(rows) => Ok(Search::Found(rows.iter().map(listed).collect::<Result<_, _>>()?)),
            Err(Failure::PluginDefect(problem)) if problem.code == "table-answer-too-large" => Ok(Search::TooCommon),
            Err(other) => Err(other),
        }
    }

    /// The dates of birth of somebody designated, as the list writes them; some are known in part.
    pub(crate) fn births(&self, id: &str) -> Result<Vec<String>, Failure> {
        let rows = self.0.find("Unique ID", id)?;
        let births: Vec<String> = rows.iter().map(|row| owned(row, "D.O.B")).collect::<Result<_, _>>()?;
        Ok(births.into_iter().filter(|text| !text.is_empty()).collect())
    }

    /// The Unique IDs of those that have a company number among theirs.
    pub(crate) fn ids_with_registration_number(&self, number: &str) -> Result<Vec<String>, Failure> {
        let rows = self.0.find_word("Business registration number (s)", number)?;
        rows.iter().map(|row| owned(row, "Unique ID")).collect()
    }
}

impl KnownSuppliers {
    /// What its keeper calls the version.
    pub(crate) fn version(&self) -> &str {
        &self.0.version().version
    }

    /// The suppliers whose column holds one of these values. Empty values find nobody.
    pub(crate) fn find(&self, column: &str, values: &[&str]) -> Result<Vec<Known>, Failure> {
        let mut found = Vec::new();
        for (place, value) in values.iter().enumerate() {
            if !value.is_empty() && !values[..place].contains(value) {
                found.extend(self.0.find(column, value)?);
            }
        }
        found.iter().map(known).collect()
    }
}

fn weight_row(row: &TableRow) -> Result<WeightRow, Failure> {
    let text = WeightText {
        from: row.text("from")?,
        to: row.text("to")?,
        method: row.text("method")?,
        weights: row.text("weights")?,
        exception: row.text("exception")?,
    };
    WeightRow::parse(text).ok_or_else(|| unreadable("vocalink-weights"))
}

fn listed(row: &TableRow) -> Result<Listed, Failure> {
    let parts: Vec<&str> = NAME_COLUMNS.iter().map(|column| row.text(column)).collect::<Result<_, _>>()?;
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let quality = row.text("Alias strength")?.to_lowercase();
    Ok(Listed { id: owned(row, "Unique ID")?, name: parts.join(" "), strong_alias: !quality.contains("low") })
}

fn known(row: &TableRow) -> Result<Known, Failure> {
    Ok(Known {
        supplier_id: owned(row, "supplier_id")?,
        name: owned(row, "name")?,
        sort_code: owned(row, "sort_code")?,
        account_number: owned(row, "account_number")?,
        iban: owned(row, "iban")?,
    })
}

fn owned(row: &TableRow, column: &str) -> Result<String, Failure> {
    row.text(column).map(str::to_owned)
}

fn text(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(b'0' + digit)).collect()
}

/// A row that cannot be read must not pass for one that is not there, so it ends the call.
fn unreadable(table: &str) -> Failure {
    Failure::settings(
        "table-row-unreadable",
        format!("Table {table} has a row that cannot be read: make the version again with make_vocalink.py."),
    )
}
