//! A file of deductions, out and in. Change the struct, `plugin.toml` and the cases together.

#![forbid(unsafe_code)]

use bailiwick_sdk::{
    Date, Done, Failure, FileContext, FileOut, FileReader, FileWriter, Format, Hub, Line, Lines, Money, Records, Reject, Rows, register,
};
use serde::{Deserialize, Serialize};

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

/// What the operator sets for a file.
#[derive(Debug, Deserialize)]
pub struct Settings {
    /// Who sends the file.
    sender: String,
}

/// A row: a field for every column.
#[derive(Deserialize, Serialize)]
struct Deduction<'a> {
    employee_number: &'a str,
    taken_on: Date,
    amount: Money,
    note: Option<&'a str>,
}

impl Format for Plugin {
    type Settings = Settings;
    type Writer = Writer;
    type Reader = Reader;

    fn writer(_: &FileContext, settings: Settings, _: &Hub) -> Result<Writer, Failure> {
        Ok(Writer { sender: settings.sender, totals: Totals::default(), begun: false })
    }

    fn reader(_: &FileContext, settings: Settings, _: &Hub) -> Result<Reader, Failure> {
        Ok(Reader {
            lines: Lines::new(1_024),
            sheet: Sheet { sender: settings.sender, totals: Totals::default(), header: false, trailer: false },
        })
    }
}

/// What the trailer says.
#[derive(Debug, Default)]
struct Totals {
    count: u64,
    amount: Money,
}

impl Totals {
    fn add(&mut self, amount: Money) -> Result<(), Failure> {
        self.count += 1;
        self.amount = self.amount.checked_add(amount)?;
        Ok(())
    }

    fn line(&self) -> String {
        format!("T|{}|{}", self.count, self.amount)
    }
}

/// A file on its way out.
#[derive(Debug)]
pub struct Writer {
    sender: String,
    totals: Totals,
    begun: bool,
}

impl Writer {
    fn begin(&mut self, file: &mut FileOut<'_>) {
        if !self.begun {
            file.put(format!("H|{}\n", self.sender).as_bytes());
            self.begun = true;
        }
    }
}

impl FileWriter for Writer {
    fn write(&mut self, rows: &Rows<'_>, file: &mut FileOut<'_>) -> Result<(), Failure> {
        self.begin(file);
        for row in rows.read::<Deduction>() {
            let deduction = row.value;
            let note = deduction.note.unwrap_or_default();
            if deduction.employee_number.contains('|') || note.contains(['|', '\n', '\r']) {
                file.refuse(
                    row.number,
                    Reject::new("separator-in-text", "The text holds a |, which parts the fields of the file.").column("note"),
                );
                continue;
            }
            self.totals.add(deduction.amount)?;
            file.put(format!("D|{}|{}|{}|{note}\n", deduction.employee_number, deduction.taken_on, deduction.amount).as_bytes());
        }
        Ok(())
    }

    fn finish(&mut self, file: &mut FileOut<'_>) -> Result<Done, Failure> {
        self.begin(file);
        file.put(format!("{}\n", self.totals.line()).as_bytes());
        Ok(Done::Yes)
    }
}

/// A file on its way in.
#[derive(Debug)]
pub struct Reader {
    lines: Lines,
    sheet: Sheet,
}

/// What was read of it so far.
#[derive(Debug)]
struct Sheet {
    sender: String,
    totals: Totals,
    header: bool,
    trailer: bool,
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
        if self.sheet.trailer { Ok(Done::Yes) } else { Err(Failure::input("trailer-missing", "The file ends without a trailer.")) }
    }
}

impl Sheet {
    /// One line: what it means depends on its first letter.
    fn line(&mut self, line: Line<'_>, records: &mut Records<'_>) -> Result<(), Failure> {
        let number = line.place.line;
        let text = std::str::from_utf8(line.bytes).map_err(|_| Failure::input("not-utf-8", format!("Line {number} is not UTF-8 text.")))?;
        match text.split('|').collect::<Vec<_>>().as_slice() {
            ["H", sender] if number == 1 && *sender == self.sender => self.header = true,
            ["D", fields @ ..] if self.header && !self.trailer => match deduction(fields) {
                Ok(deduction) => {
                    self.totals.add(deduction.amount)?;
                    records.row(line.place, &deduction)?;
                }
                Err(reject) => records.refuse(line.place, reject)?,
            },
            ["T", ..] if self.header && text == self.totals.line() => self.trailer = true,
            ["T", ..] => {
                let message = format!("The trailer is {text}, and the lines before it come to {}.", self.totals.line());
                return Err(Failure::input("totals-disagree", message));
            }
            _ => return Err(Failure::input("line-unknown", format!("Line {number} is not what should stand there."))),
        }
        Ok(())
    }
}

/// The fields of a line as a row, or why they are none.
fn deduction<'a>(fields: &[&'a str]) -> Result<Deduction<'a>, Reject> {
    let [employee_number, taken_on, amount, note] = *fields else {
        return Err(Reject::new("fields-missing", "A deduction has four fields."));
    };
    let taken_on =
        Date::parse(taken_on).map_err(|_| Reject::new("date-unreadable", "The date is not like 2026-10-19.").column("taken_on"))?;
    let amount = amount.parse::<Money>().ok().filter(|amount| amount.scale() == 2);
    let amount = amount.ok_or_else(|| Reject::new("amount-unreadable", "The amount is not like 12.34.").column("amount"))?;
    Ok(Deduction { employee_number, taken_on, amount, note: Some(note).filter(|note| !note.is_empty()) })
}

register!(format Plugin);

#[cfg(test)]
mod tests {
    #[test]
    fn cases() {
        bailiwick_sdk::testing::run_cases::<super::Plugin>(env!("CARGO_MANIFEST_DIR"));
    }
}
