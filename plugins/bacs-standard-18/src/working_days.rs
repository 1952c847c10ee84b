//! Working days of England and Wales, by the table `bank-holidays`.

use std::collections::BTreeMap;

use bailiwick_sdk::{Date, Failure, Hub};

/// The calendar, with the years that were looked up.
#[derive(Debug)]
pub(crate) struct WorkingDays {
    hub: Hub,
    holidays: BTreeMap<i32, Vec<Date>>,
}

impl WorkingDays {
    pub(crate) fn new(hub: &Hub) -> Self {
        Self { hub: hub.clone(), holidays: BTreeMap::new() }
    }

    /// Whether a day is one.
    pub(crate) fn is_one(&mut self, day: Date) -> Result<bool, Failure> {
        if day.is_weekend() {
            return Ok(false);
        }
        if !self.holidays.contains_key(&day.year()) {
            let found = self.hub.table("bank-holidays", day)?.find("year", &day.year().to_string())?;
            let days = match found.first() {
                Some(row) => row.text("days")?.split(' ').map(Date::parse).collect::<Result<Vec<_>, _>>(),
                None => return Err(Failure::TableMissing { table: "bank-holidays".to_owned(), on: day }),
            };
            let unreadable = |_| Failure::defect("holidays-unreadable", format!("The bank holidays of {} are not dates.", day.year()));
            self.holidays.insert(day.year(), days.map_err(unreadable)?);
        }
        Ok(!self.holidays[&day.year()].contains(&day))
    }

    /// The working day that comes so many working days after a day; for 0, the day itself or the working day behind it.
    pub(crate) fn after(&mut self, day: Date, count: u8) -> Result<Date, Failure> {
        let (mut day, mut left) = (day, count);
        loop {
            let is_one = self.is_one(day)?;
            if is_one && left == 0 {
                return Ok(day);
            }
            day = day + 1;
            if left > 0 && self.is_one(day)? {
                left -= 1;
            }
        }
    }
}
