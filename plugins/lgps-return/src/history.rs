//! The months before, kept small: what `previous` said of each employment.

use std::collections::HashMap;

use bailiwick_sdk::{Date, Money};

use crate::rows::PreviousLine;
use crate::rules::{Status, average_of_three};

/// One month of an employment. Amounts are pence and hundredths of an hour, since there may be a million of these.
#[derive(Debug)]
struct Month {
    row: u64,
    pay: i64,
    fte_final_pay: Option<i64>,
    weekly_hours: Option<i32>,
    end: Date,
    /// The month of the same employment that was read before this one.
    before: Option<u32>,
    left: bool,
}

#[derive(Debug)]
struct Employment {
    newest_read: u32,
    seen: bool,
}

/// What is known of an employment's month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Full-time equivalent final pay.
    pub fte_final_pay: Option<Money>,
    /// Contractual hours a week.
    pub weekly_hours: Option<Money>,
}

/// All months of all employments.
#[derive(Debug, Default)]
pub struct History {
    employments: HashMap<Box<str>, Employment>,
    months: Vec<Month>,
    last: Option<Date>,
}

/// The months of one employment.
#[derive(Debug, Clone, Copy)]
pub struct Months<'h> {
    all: &'h [Month],
    newest_read: Option<u32>,
}

impl History {
    /// Keeps a month. The hub has made sure that there is one row for each employment and month.
    pub fn keep(&mut self, row: u64, line: &PreviousLine<'_>, status: Option<Status>) {
        let place = u32::try_from(self.months.len()).expect("memory ends before four thousand million months");
        let pay = line.pensionable_pay + line.reduction_ignored.unwrap_or(Money::ZERO);
        let mut month = Month {
            row,
            pay: pay.coefficient(),
            fte_final_pay: line.fte_final_pay.map(Money::coefficient),
            weekly_hours: line.weekly_hours.and_then(|hours| i32::try_from(hours.coefficient()).ok()),
            end: line.period_end,
            before: None,
            left: status == Some(Status::Leaver),
        };
        match self.employments.get_mut(line.employment_number) {
            Some(employment) => month.before = Some(std::mem::replace(&mut employment.newest_read, place)),
            None => {
                self.employments.insert(line.employment_number.into(), Employment { newest_read: place, seen: false });
            }
        }
        self.last = self.last.max(Some(line.period_end));
        self.months.push(month);
    }

    /// The months of an employment that is on the payroll now.
    pub fn meet(&mut self, employment_number: &str) -> Months<'_> {
        let newest_read = self.employments.get_mut(employment_number).map(|employment| {
            employment.seen = true;
            employment.newest_read
        });
        Months { all: &self.months, newest_read }
    }

    /// Rows of `previous`, in order: who was paid in its last month, did not leave, and was not met since.
    #[must_use]
    pub fn gone(&self) -> Vec<u64> {
        let in_last_month = |month: &&Month| Some(month.end) == self.last && !month.left;
        let unmet = self.employments.values().filter(|employment| !employment.seen);
        let months = unmet.filter_map(|employment| self.of(employment).iter().find(in_last_month));
        let mut rows: Vec<_> = months.map(|month| month.row).collect();
        // A map has no order, and findings must come in the same one every time.
        rows.sort_unstable();
        rows
    }

    fn of(&self, employment: &Employment) -> Months<'_> {
        Months { all: &self.months, newest_read: Some(employment.newest_read) }
    }
}

impl<'h> Months<'h> {
    /// An employment of which nothing is known.
    pub const NONE: Self = Self { all: &[], newest_read: None };

    /// The latest month that ended before a day.
    #[must_use]
    pub fn latest_before(self, day: Date) -> Option<Known> {
        let month = self.iter().filter(|month| month.end < day).max_by_key(|month| month.end)?;
        Some(Known {
            fte_final_pay: month.fte_final_pay.map(Money::from_pence),
            weekly_hours: month.weekly_hours.map(|hundredths| Money::new(hundredths.into(), 2)),
        })
    }

    /// The average pay of the three complete months before a day, if all three are known.
    #[must_use]
    pub fn average_before(self, day: Date) -> Option<Money> {
        let first = day.month_start();
        let pay = |months: i32| {
            let end = first.add_months(-months).month_end();
            self.iter().find(|month| month.end == end).map(|month| Money::from_pence(month.pay))
        };
        Some(average_of_three([pay(1)?, pay(2)?, pay(3)?]))
    }

    fn iter(self) -> impl Iterator<Item = &'h Month> {
        let at = move |place: Option<u32>| place.map(|place| &self.all[place as usize]);
        std::iter::successors(at(self.newest_read), move |month| at(month.before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(employment_number: &str, period_end: Date, pence: i64) -> PreviousLine<'_> {
        let hours = Some(Money::new(i64::from(period_end.month()), 2));
        PreviousLine {
            employment_number,
            period_end,
            status: None,
            pensionable_pay: Money::from_pence(pence),
            reduction_ignored: Some(Money::from_pence(1)),
            fte_final_pay: None,
            weekly_hours: hours,
        }
    }

    #[test]
    fn months_are_found_in_whatever_order_they_came() {
        let mut history = History::default();
        for (row, (who, month, pence)) in (0..).zip([("a", 9, 299), ("b", 9, 5), ("a", 7, 99), ("a", 8, 199), ("b", 8, 5)]) {
            history.keep(row, &line(who, Date::new(2026, month, 1).month_end(), pence), Some(Status::Active));
        }
        let months = history.meet("a");
        assert_eq!(months.average_before(Date::new(2026, 10, 17)), Some(Money::from_pence(200)));
        assert_eq!(months.average_before(Date::new(2026, 11, 1)), None);
        assert_eq!(months.latest_before(Date::new(2026, 10, 1)).and_then(|known| known.weekly_hours), Some(Money::new(9, 2)));
        assert_eq!(months.latest_before(Date::new(2026, 9, 1)).and_then(|known| known.weekly_hours), Some(Money::new(8, 2)));
        assert_eq!(months.latest_before(Date::new(2026, 7, 1)), None);
        assert_eq!(history.meet("c").latest_before(Date::new(2026, 10, 1)), None);
        assert_eq!(history.gone(), [1]);
    }

    #[test]
    fn who_left_or_was_gone_before_is_not_missed() {
        let mut history = History::default();
        history.keep(0, &line("left", Date::new(2026, 9, 30), 1), Some(Status::Leaver));
        history.keep(1, &line("long gone", Date::new(2026, 8, 31), 1), None);
        history.keep(2, &line("missed", Date::new(2026, 9, 30), 1), None);
        assert_eq!(history.gone(), [2]);
    }
}
