//! The data record: every field at its place. It judges nothing.

use bailiwick_sdk::Date;

/// Bytes of a record without a processing day.
pub(crate) const SHORT: usize = 100;

/// Bytes of a record with one.
pub(crate) const LONG: usize = 106;

/// Characters of the three texts.
pub(crate) const TEXT: usize = 18;

/// The largest amount: eleven digits of pence.
pub(crate) const PENCE_MAX: u64 = 99_999_999_999;

/// A record. Its texts are no longer than their fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) destination_sort_code: &'a str,
    pub(crate) destination_account: &'a str,
    pub(crate) code: &'a str,
    pub(crate) originating_sort_code: &'a str,
    pub(crate) originating_account: &'a str,
    pub(crate) free_format: &'a str,
    pub(crate) pence: u64,
    pub(crate) originator_name: &'a str,
    pub(crate) reference: &'a str,
    pub(crate) payee: &'a str,
    /// In the form with a processing day in each record.
    pub(crate) day: Option<Date>,
}

impl Record<'_> {
    /// The record as 100 or 106 characters.
    pub(crate) fn line(&self) -> String {
        let day = self.day.map_or_else(String::new, year_and_day);
        format!(
            "{:6}{:8}0{:2}{:6}{:8}{:4}{:011}{:TEXT$}{:TEXT$}{:TEXT$}{day}",
            self.destination_sort_code,
            self.destination_account,
            self.code,
            self.originating_sort_code,
            self.originating_account,
            self.free_format,
            self.pence,
            self.originator_name,
            self.reference,
            self.payee,
        )
    }
}

impl<'a> Record<'a> {
    /// The fields of a line of 100 or 106 ASCII characters; none if the amount is none, or the day.
    pub(crate) fn read(line: &'a str) -> Option<Self> {
        let day = match line.len() {
            SHORT => None,
            _ => Some(day_of_year(&line[100..106])?),
        };
        Some(Self {
            destination_sort_code: &line[0..6],
            destination_account: &line[6..14],
            code: &line[15..17],
            originating_sort_code: &line[17..23],
            originating_account: &line[23..31],
            free_format: &line[31..35],
            pence: digits(&line[35..46])?,
            originator_name: line[46..64].trim_end(),
            reference: line[64..82].trim_end(),
            payee: line[82..100].trim_end(),
            day,
        })
    }
}

/// A number of digits alone.
pub(crate) fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A day as ` YYDDD`. The years are those from 2000 to 2099.
pub(crate) fn year_and_day(day: Date) -> String {
    let of_year = day - Date::new(day.year(), 1, 1) + 1;
    format!(" {:02}{of_year:03}", day.year().rem_euclid(100))
}

/// A day from ` YYDDD`.
pub(crate) fn day_of_year(text: &str) -> Option<Date> {
    let (year, day) = (digits(text.get(1..3)?)?, digits(text.get(3..6)?)?);
    let year = 2000 + i32::try_from(year).ok()?;
    let found = Date::new(year, 1, 1) + i32::try_from(day).ok()? - 1;
    (text.starts_with(' ') && found.year() == year).then_some(found)
}
