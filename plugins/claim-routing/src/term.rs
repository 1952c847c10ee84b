//! Terms such as `30 working days`, and the day on which they end.
//!
//! It knows weekends. Which days are bank holidays it asks of its caller, a year at a time.

use bailiwick_sdk::Date;

/// A length of time, as a clock of the table `claim-tasks` gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// Days of the calendar.
    Days(u16),
    /// Days that are neither weekend nor bank holiday.
    WorkingDays(u16),
    /// Months of the calendar.
    Months(u16),
    /// Years of the calendar.
    Years(u16),
}

impl Term {
    /// Reads `14 days`, `1 working day`, `3 months`, `6 years`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.split_once(' ')?;
        let count = count.parse().ok()?;
        match unit {
            "day" | "days" => Some(Self::Days(count)),
            "working day" | "working days" => Some(Self::WorkingDays(count)),
            "month" | "months" => Some(Self::Months(count)),
            "year" | "years" => Some(Self::Years(count)),
            _ => None,
        }
    }

    /// The last day of the term that begins the day after `start`.
    ///
    /// `holidays` gives the bank holidays of a year, in order.
    ///
    /// # Errors
    /// Whatever `holidays` answers for a year that it does not know.
    pub fn end<E>(self, start: Date, holidays: &mut impl FnMut(i32) -> Result<Vec<Date>, E>) -> Result<Date, E> {
        match self {
            Self::Days(count) => Ok(start + i32::from(count)),
            Self::WorkingDays(count) => working_days_after(start, count, holidays),
            Self::Months(count) => Ok(start.add_months(i32::from(count))),
            Self::Years(count) => Ok(start.add_months(i32::from(count) * 12)),
        }
    }
}

fn working_days_after<E>(start: Date, count: u16, holidays: &mut impl FnMut(i32) -> Result<Vec<Date>, E>) -> Result<Date, E> {
    let mut day = start;
    let (mut year, mut days_off, mut new_year) = (day.year(), None, Date::new(day.year() + 1, 1, 1));
    let mut left = count;
    while left > 0 {
        day = day + 1;
        if day == new_year {
            year += 1;
            (days_off, new_year) = (None, Date::new(year + 1, 1, 1));
        }
        if day.is_weekend() {
            continue;
        }
        let days_off = match &days_off {
            Some(known) => known,
            None => days_off.insert(holidays(year)?),
        };
        if !days_off.contains(&day) {
            left -= 1;
        }
    }
    Ok(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read() {
        for (text, term) in [
            ("1 day", Some(Term::Days(1))),
            ("14 days", Some(Term::Days(14))),
            ("1 working day", Some(Term::WorkingDays(1))),
            ("30 working days", Some(Term::WorkingDays(30))),
            ("3 months", Some(Term::Months(3))),
            ("6 years", Some(Term::Years(6))),
            ("", None),
            ("days", None),
            ("-1 days", None),
            ("1.5 days", None),
            ("30 workdays", None),
        ] {
            assert_eq!(Term::parse(text), term, "{text}");
        }
    }

    #[test]
    fn ends() {
        let christmas = |year| if year == 2026 { Ok(vec![Date::new(2026, 12, 25), Date::new(2026, 12, 28)]) } else { Err(year) };
        let monday = Date::new(2026, 11, 2);
        for (term, start, end) in [
            (Term::WorkingDays(0), monday, Ok(monday)),
            (Term::WorkingDays(1), monday, Ok(Date::new(2026, 11, 3))),
            (Term::WorkingDays(15), monday, Ok(Date::new(2026, 11, 23))),
            (Term::WorkingDays(30), monday, Ok(Date::new(2026, 12, 14))),
            (Term::WorkingDays(40), monday, Ok(Date::new(2026, 12, 30))),
            (Term::WorkingDays(42), monday, Err(2027)),
            (Term::WorkingDays(1), Date::new(2026, 11, 7), Ok(Date::new(2026, 11, 9))),
            (Term::Days(14), monday, Ok(Date::new(2026, 11, 16))),
            (Term::Months(3), Date::new(2025, 11, 30), Ok(Date::new(2026, 2, 28))),
            (Term::Years(3), Date::new(2024, 2, 29), Ok(Date::new(2027, 2, 28))),
        ] {
            assert_eq!(term.end(start, &mut |year| christmas(year)), end, "{term:?} after {start}");
        }
    }
}
