//! The months that were met: their dates, their band table, what each employer owes for them.

use bailiwick_sdk::{Date, Failure, Hub, Money, Out, Table};

use crate::rows::{RemittanceLine, ReturnLine};
use crate::rules::{Band, BandTable, Rate};
use crate::settings::Policy;

/// Name of the reference table.
const TABLE: &str = "lgps-bands";

/// One month.
#[derive(Debug)]
pub struct Period {
    /// Its first day.
    pub first: Date,
    /// Its last day.
    pub end: Date,
    /// 2026-10.
    pub name: String,
    /// Day by which the fund must have the money.
    pub payment_due: Date,
    /// Day after which it needs a reminder.
    pub payment_late_after: Date,
    owed: Vec<Owed>,
}

/// What one employer owes for a month, added up here so that the hub gets one row and not a million.
#[derive(Debug)]
struct Owed {
    employer_code: String,
    members: i64,
    amounts: Amounts,
}

/// Pay, employee contributions in either section, then what the employer and additional contributions bring.
type Amounts = [Money; 7];

/// The months met so far, and the versions of the band table that they opened.
#[derive(Debug, Default)]
pub struct Periods {
    months: Vec<Period>,
    tables: Vec<BandTable>,
}

impl Periods {
    /// The place of the month that ends on a day; none if no month does.
    #[inline]
    pub fn meet(&mut self, end: Date, policy: &Policy) -> Option<usize> {
        // A file has one month, or a few.
        let known = self.months.iter().position(|month| month.end == end);
        known.or_else(|| self.meet_first(end, policy))
    }

    /// The month at a place, and the band table in force on its last day.
    ///
    /// # Errors
    /// `TableMissing` if no version is in force: no rate is guessed.
    #[inline]
    pub fn with_bands(&mut self, place: usize, hub: &Hub) -> Result<(&mut Period, &BandTable), Failure> {
        let end = self.months[place].end;
        let table = match self.tables.iter().position(|table| table.in_force(end)) {
            Some(known) => known,
            None => {
                self.tables.push(read(&hub.table(TABLE, end)?)?);
                self.tables.len() - 1
            }
        };
        Ok((&mut self.months[place], &self.tables[table]))
    }

    /// Writes what is owed, and forgets it.
    ///
    /// # Errors
    /// A defect of this plugin.
    pub fn write(&mut self, out: &mut Out<'_>) -> Result<(), Failure> {
        for month in &mut self.months {
            for owed in std::mem::take(&mut month.owed) {
                out.write("ctr1", &owed.line(month))?;
            }
        }
        Ok(())
    }

    /// The months.
    pub fn iter(&self) -> impl Iterator<Item = &Period> {
        self.months.iter()
    }

    #[cold]
    fn meet_first(&mut self, end: Date, policy: &Policy) -> Option<usize> {
        if end != end.month_end() {
            return None;
        }
        self.months.push(Period {
            first: end.month_start(),
            end,
            name: format!("{:04}-{:02}", end.year(), end.month()),
            payment_due: end + policy.payment_due_day,
            payment_late_after: end + policy.payment_late_after_day,
            owed: Vec::new(),
        });
        Some(self.months.len() - 1)
    }
}

impl Period {
    /// Adds a line's amounts to what its employer owes.
    ///
    /// # Errors
    /// `InputUnusable` if the amounts of all rows together do not fit.
    #[inline]
    pub fn owe(&mut self, employer_code: &str, amounts: Amounts) -> Result<(), Failure> {
        let place = match self.owed.iter().position(|owed| owed.employer_code == employer_code) {
            Some(known) => known,
            None => {
                self.owed.push(Owed { employer_code: employer_code.to_owned(), members: 0, amounts: [Money::ZERO; 7] });
                self.owed.len() - 1
            }
        };
        let owed = &mut self.owed[place];
        owed.members += 1;
        for (sum, amount) in owed.amounts.iter_mut().zip(amounts) {
            *sum = sum.checked_add(amount)?;
        }
        Ok(())
    }
}

/// The amounts of a line of the return that its employer owes.
#[inline]
#[must_use]
pub const fn amounts(line: &ReturnLine<'_>) -> Amounts {
    [line.pay_main, line.pay_5050, line.employee_main, line.employee_5050, line.employer_contribution, line.apc, line.scapc]
}

impl Owed {
    fn line<'a>(&'a self, month: &'a Period) -> RemittanceLine<'a> {
        let [pay_main, pay_5050, employee_main, employee_5050, employer_contribution, apc, scapc] = self.amounts;
        RemittanceLine {
            employer_code: &self.employer_code,
            period: &month.name,
            payment_due: month.payment_due,
            members: self.members,
            pay_main,
            pay_5050,
            employee_main,
            employee_5050,
            employer_contribution,
            apc,
            scapc,
            total_due: employee_main + employee_5050 + employer_contribution + apc + scapc,
        }
    }
}

fn read(table: &Table) -> Result<BandTable, Failure> {
    let version = table.version();
    let mut bands = Vec::with_capacity(9);
    for row in table.read_all() {
        let upper = if row.text("upper")?.is_empty() { None } else { Some(row.money("upper")?) };
        let rate = |column| row.money(column).map(Rate::from_percent);
        bands.push(Band { number: row.integer("band")?, upper, main: rate("rate")?, half: rate("half_rate")? });
    }
    BandTable::new(version.version.clone(), (version.effective_from, version.effective_to), bands).map_err(|unusable| {
        let message = format!("Version {} of table {TABLE} cannot be used: {unusable}. Add a corrected version.", version.version);
        Failure::settings("band-table-unusable", message)
    })
}
