//! A file into payments: its labels, its order, its totals and the balance of its sections are checked as a whole.

use bailiwick_sdk::{Date, Done, Failure, FileReader, Line, Lines, Money, Reason, Records, Reject};

use crate::Payment;
use crate::charset::is_allowed;
use crate::labels::{BEFORE, BEHIND, LABEL};
use crate::record::{LONG, Record, SHORT, day_of_year, digits};
use crate::section::{Sections, Totals, is_contra};
use crate::settings::{Form, Settings};

/// A file on its way in.
#[derive(Debug)]
pub struct Reader {
    lines: Lines,
    sheet: Sheet,
}

/// What was read of it so far.
#[derive(Debug)]
struct Sheet {
    settings: Settings,
    /// The labels that were read.
    labels: usize,
    day: Option<Date>,
    sections: Sections,
    totals: Totals,
}

impl Reader {
    pub(crate) fn new(settings: Settings) -> Self {
        let sheet = Sheet { settings, labels: 0, day: None, sections: Sections::default(), totals: Totals::default() };
        Self { lines: Lines::new(LONG), sheet }
    }
}

impl FileReader for Reader {
    fn read(&mut self, bytes: &[u8], records: &mut Records<'_>) -> Result<(), Failure> {
        self.lines.push(bytes);
        while let Some(line) = self.lines.next()? {
            self.sheet.line(line, records)?;
        }
        Ok(())
    }

    fn finish(&mut self, records: &mut Records<'_>) -> Result<Done, Failure> {
        if let Some(line) = self.lines.rest()? {
            self.sheet.line(line, records)?;
        }
        if self.sheet.labels < BEFORE.len() + BEHIND.len() {
            return Err(Failure::input("file-truncated", "The file ends before its last label, UTL1."));
        }
        match self.sheet.sections.unbalanced() {
            None => Ok(Done::Yes),
            Some(message) => Err(Failure::input("section-unbalanced", message)),
        }
    }
}

impl Sheet {
    fn line(&mut self, line: Line<'_>, records: &mut Records<'_>) -> Result<(), Failure> {
        let number = line.place.line;
        let text = std::str::from_utf8(line.bytes).ok().filter(|text| text.is_ascii());
        let text =
            text.ok_or_else(|| Failure::input("characters-unknown", format!("Line {number} holds characters that no such file has.")))?;
        let expected = BEFORE.iter().chain(&BEHIND).nth(self.labels).copied();
        match expected {
            Some(name) if text.starts_with(name) && text.len() == LABEL => {
                self.label(name, text)?;
                self.labels += 1;
                Ok(())
            }
            Some(_) if self.labels == BEFORE.len() => self.record(line, text, records),
            Some(name) => Err(Failure::input("label-missing", format!("Line {number} is not the label {name} of {LABEL} characters."))),
            None => Err(Failure::input("line-behind-end", format!("Line {number} stands behind the last label, UTL1."))),
        }
    }

    fn label(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        let refused = |code: &str, message: String| Err(Failure::input(code, message));
        match name {
            "HDR1" | "EOF1" if text[5..11] != self.settings.service_user_number => {
                refused("service-user-differs", format!("{name} names another service user than the job does."))
            }
            "UHL1" => {
                self.day = day_of_year(&text[4..10]);
                if self.day.is_some() { Ok(()) } else { refused("processing-day-unreadable", "UHL1 has no day at 5 to 10.".to_owned()) }
            }
            "UTL1" if text[4..44] != self.totals.as_told() => {
                let message = format!("UTL1 tells {}, and the records come to {}.", &text[4..44], self.totals.as_told());
                refused("totals-disagree", message)
            }
            _ => Ok(()),
        }
    }

    /// A data record. What its totals need must be readable; whatever else is wrong refuses the record alone.
    fn record(&mut self, line: Line<'_>, text: &str, records: &mut Records<'_>) -> Result<(), Failure> {
        let number = line.place.line;
        let length = if self.settings.form == Form::MultiDay { LONG } else { SHORT };
        if text.len() != length {
            let message = format!("Line {number} has {} characters, and a record of this form has {length}.", text.len());
            return Err(Failure::input("record-length", message));
        }
        let unreadable = || Failure::input("record-unreadable", format!("Line {number} has no amount at 36 to 46, or no day behind 100."));
        let record = Record::read(text).ok_or_else(unreadable)?;
        let Some(side) = self.settings.side(record.code) else {
            return Err(Failure::input(
                "transaction-code-unknown",
                format!("Line {number} has a code at 16 and 17 that the settings lack."),
            ));
        };
        let file_day = self.day.expect("UHL1 came before the records");
        let day = record.day.unwrap_or(file_day);
        let contra = is_contra(&record, &self.settings);
        self.sections.add(&record, day, side)?;
        if Totals::counts(&self.settings, contra) {
            self.totals.add(record.pence, side)?;
        }
        if contra {
            return Ok(());
        }
        if let Some(reject) = Reject::all(faults(&record, text)) {
            return records.refuse(line.place, reject);
        }
        records.row(line.place, &payment(&record, day))
    }
}

fn payment<'a>(record: &Record<'a>, day: Date) -> Payment<'a> {
    let some = |text: &'a str| Some(text).filter(|text| !text.trim().is_empty());
    Payment {
        destination_sort_code: record.destination_sort_code,
        destination_account: record.destination_account,
        transaction_code: Some(record.code),
        originating_sort_code: Some(record.originating_sort_code),
        originating_account: Some(record.originating_account),
        originator_name: some(record.originator_name),
        free_format: some(record.free_format),
        amount: Money::from_pence(i64::try_from(record.pence).expect("eleven digits fit")),
        reference: some(record.reference),
        payee: record.payee,
        processing_day: Some(day),
    }
}

fn faults(record: &Record<'_>, text: &str) -> Vec<Reason> {
    let mut faults = Vec::new();
    for (column, digits_of, code) in [
        ("destination_sort_code", record.destination_sort_code, "sort-code-not-six-digits"),
        ("destination_account", record.destination_account, "account-not-eight-digits"),
        ("originating_sort_code", record.originating_sort_code, "sort-code-not-six-digits"),
        ("originating_account", record.originating_account, "account-not-eight-digits"),
    ] {
        if digits(digits_of).is_none() {
            faults.push(Reason::new(code, format!("It must be {} digits.", digits_of.len())).column(column));
        }
    }
    if record.payee.trim().is_empty() {
        faults.push(Reason::new("payee-empty", "The record names no payee.").column("payee"));
    }
    if &text[14..15] != "0" {
        faults.push(Reason::new("account-type-unknown", "Position 15 is not 0."));
    }
    if !text.chars().all(is_allowed) {
        faults.push(Reason::new("characters-unknown", "The record holds characters that Bacs does not have."));
    }
    faults
}
