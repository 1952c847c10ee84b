//! Payments into a file: checked one by one, and each section balanced at the end.

use bailiwick_sdk::{Date, Done, Failure, FileOut, FileWriter, Hub, Level, Reason, Reject, Row, Rows};

use crate::Payment;
use crate::charset::{fitted, is_allowed};
use crate::labels::Labels;
use crate::record::{PENCE_MAX, Record, TEXT, digits};
use crate::section::{Sections, Totals, is_contra};
use crate::settings::{Form, LineEnd, LongTexts, Settings, Side};
use crate::working_days::WorkingDays;

/// Rows that the log tells of one by one; the rest are counted.
const TOLD_MAX: u64 = 100;

/// A file on its way out.
#[derive(Debug)]
pub struct Writer {
    settings: Settings,
    hub: Hub,
    working_days: WorkingDays,
    created: Date,
    /// The file's processing day.
    day: Date,
    sections: Sections,
    totals: Totals,
    changes: Changes,
    begun: bool,
}

/// What was changed of texts.
#[derive(Debug, Default)]
struct Changes {
    rows: u64,
    replaced: u64,
    cut: u64,
}

/// The texts of a row, as the file can hold them.
struct Texts {
    originator_name: String,
    reference: String,
    payee: String,
}

impl Writer {
    pub(crate) fn open(settings: Settings, hub: &Hub) -> Result<Self, Failure> {
        if let Some(name) = settings.unfit() {
            return Err(Failure::settings("text-unfit", format!("Setting {name} does not fit its place in the file.")));
        }
        for code in [&settings.transaction_code, &settings.contra_of_credits_code, &settings.contra_of_debits_code] {
            if settings.side(code).is_none() {
                return Err(Failure::settings("code-unknown", format!("Transaction code {code} is neither credit, debit nor advice.")));
            }
        }
        let sides = [(&settings.contra_of_credits_code, Side::Debit), (&settings.contra_of_debits_code, Side::Credit)];
        if sides.iter().any(|(code, side)| settings.side(code) != Some(*side)) {
            return Err(Failure::settings("contra-code-wrong", "The contra of credits is a debit, and the contra of debits a credit."));
        }
        let mut working_days = WorkingDays::new(hub);
        let created = hub.today();
        let day = working_days.after(created, settings.processing_working_days_ahead)?;
        Ok(Self {
            settings,
            hub: hub.clone(),
            working_days,
            created,
            day,
            sections: Sections::default(),
            totals: Totals::default(),
            changes: Changes::default(),
            begun: false,
        })
    }

    fn put(&self, line: &str, file: &mut FileOut<'_>) {
        file.put(line.as_bytes());
        file.put(match self.settings.line_end {
            LineEnd::Lf => b"\n",
            LineEnd::Crlf => b"\r\n",
        });
    }

    fn labels(&self) -> Labels<'_> {
        Labels { settings: &self.settings, processing_day: self.day, created: self.created }
    }

    /// Writes one payment, or answers why it cannot be written.
    fn payment(&mut self, row: &Row<Payment<'_>>, file: &mut FileOut<'_>) -> Result<Option<Reject>, Failure> {
        let payment = &row.value;
        let mut faults = Vec::new();
        let texts = self.texts(row, &mut faults);
        let own = (&self.settings.originator.sort_code, &self.settings.originator.account);
        let record = Record {
            destination_sort_code: payment.destination_sort_code,
            destination_account: payment.destination_account,
            code: payment.transaction_code.unwrap_or(&self.settings.transaction_code),
            originating_sort_code: payment.originating_sort_code.unwrap_or(own.0),
            originating_account: payment.originating_account.unwrap_or(own.1),
            free_format: payment.free_format.unwrap_or_default(),
            pence: u64::try_from(payment.amount.coefficient()).unwrap_or(u64::MAX),
            originator_name: &texts.originator_name,
            reference: &texts.reference,
            payee: &texts.payee,
            day: None,
        };
        judge(&record, &mut faults);
        let side = self.settings.side(record.code);
        amount_fits(&record, side, &mut faults);
        let day = payment.processing_day.unwrap_or(self.day);
        if !self.working_days.is_one(day)? {
            faults.push(Reason::new("processing-day-not-working", format!("{day} is no working day.")).column("processing_day"));
        } else if self.settings.form == Form::SingleDay && day != self.day {
            let message = format!("The file is of the form with one processing day, which is {}.", self.day);
            faults.push(Reason::new("processing-day-differs", message).column("processing_day"));
        }
        if is_contra(&record, &self.settings) {
            faults.push(Reason::new("payment-looks-like-contra", "It goes from an account to itself under the reference of contras."));
        }
        if let (Some(side), true) = (side, faults.is_empty()) {
            self.sections.add(&record, day, side)?;
            self.totals.add(record.pence, side)?;
            let line = Record { day: self.day_told(day), ..record }.line();
            self.put(&line, file);
        }
        Ok(Reject::all(faults))
    }

    /// The day as a record tells it.
    fn day_told(&self, day: Date) -> Option<Date> {
        (self.settings.form == Form::MultiDay).then_some(day)
    }

    /// The texts of a row in the characters of the file. What is changed is counted, and told without being quoted.
    fn texts(&mut self, row: &Row<Payment<'_>>, faults: &mut Vec<Reason>) -> Texts {
        let payment = &row.value;
        let name = payment.originator_name.unwrap_or(&self.settings.originator.name);
        let given = [("originator_name", name), ("reference", payment.reference.unwrap_or_default()), ("payee", payment.payee)];
        let (mut changed, small_letters, long_texts) = (Vec::new(), self.settings.small_letters, self.settings.long_texts);
        let changes = &mut self.changes;
        let [originator_name, reference, payee] = given.map(|(column, text)| {
            let (mut text, replaced) = fitted(text.trim_end(), small_letters);
            if text.len() > TEXT && long_texts == LongTexts::Refuse {
                let message = format!("It has {} characters, and the file has room for {TEXT}.", text.len());
                faults.push(Reason::new("text-too-long", message).column(column));
            }
            let cut = text.len().saturating_sub(TEXT);
            text.truncate(TEXT);
            if replaced > 0 || cut > 0 {
                changed.push(format!("{column}: {replaced} replaced by spaces, {cut} cut off"));
                changes.replaced += replaced;
                changes.cut += cut as u64;
            }
            text
        });
        if payee.trim().is_empty() {
            faults.push(Reason::new("payee-empty", "Nothing of the name can stand in the file.").column("payee"));
        }
        if !changed.is_empty() {
            changes.rows += 1;
            if changes.rows <= TOLD_MAX {
                self.hub.log(Level::Warn, &format!("row {}, characters of {}", row.number + 1, changed.join("; ")));
            }
        }
        Texts { originator_name, reference, payee }
    }
}

/// What a record must be, whatever stands around it.
fn judge(record: &Record<'_>, faults: &mut Vec<Reason>) {
    let mut is = |column: &'static str, text: &str, length: usize, code: &'static str| {
        if text.len() != length || digits(text).is_none() {
            faults.push(Reason::new(code, format!("It must be {length} digits.")).column(column));
        }
    };
    is("destination_sort_code", record.destination_sort_code, 6, "sort-code-not-six-digits");
    is("destination_account", record.destination_account, 8, "account-not-eight-digits");
    is("originating_sort_code", record.originating_sort_code, 6, "sort-code-not-six-digits");
    is("originating_account", record.originating_account, 8, "account-not-eight-digits");
    let free = record.free_format;
    let is_rti = free.len() == 4 && free.starts_with('/') && free.chars().all(is_allowed) && !free.ends_with(' ');
    if !(free.is_empty() || free == "0000" || is_rti) {
        faults.push(Reason::new("free-format-unknown", "It must be 0000, or a slash and three characters.").column("free_format"));
    }
}

fn amount_fits(record: &Record<'_>, side: Option<Side>, faults: &mut Vec<Reason>) {
    let unfit = match side {
        None => Some(("transaction-code-unknown", "transaction_code", "The settings do not say which way this code goes.")),
        Some(Side::Advice) => {
            (record.pence != 0).then_some(("amount-not-nothing", "amount", "An instruction about direct debits moves no money."))
        }
        Some(_) if record.pence == 0 => Some(("amount-nothing", "amount", "A payment is of at least a penny.")),
        Some(_) => {
            (record.pence > PENCE_MAX).then_some(("amount-unfit", "amount", "The amount is below nothing, or above £999,999,999.99."))
        }
    };
    faults.extend(unfit.map(|(code, column, message)| Reason::new(code, message).column(column)));
}

impl FileWriter for Writer {
    fn write(&mut self, rows: &Rows<'_>, file: &mut FileOut<'_>) -> Result<(), Failure> {
        if !self.begun {
            self.begun = true;
            self.labels().before().iter().for_each(|label| self.put(label, file));
        }
        for row in rows.read::<Payment>() {
            if let Some(reject) = self.payment(&row, file)? {
                file.refuse(row.number, reject);
            }
        }
        Ok(())
    }

    fn finish(&mut self, file: &mut FileOut<'_>) -> Result<Done, Failure> {
        if !self.begun {
            return Err(Failure::input("no-payments", "There is no payment, and a payment file without one is refused by Bacs."));
        }
        for (contra, day, side) in self.sections.contras(&self.settings)? {
            if Totals::counts(&self.settings, true) {
                self.totals.add(contra.pence, side)?;
            }
            self.put(&Record { day: self.day_told(day), ..contra }.line(), file);
        }
        self.labels().behind(&self.totals).iter().for_each(|label| self.put(label, file));
        let Changes { rows, replaced, cut } = self.changes;
        if rows > 0 {
            self.hub.log(Level::Warn, &format!("{replaced} characters of {rows} rows were replaced by spaces, {cut} cut off"));
        }
        Ok(Done::Yes)
    }
}
