//! Civil dates: three ways of writing them, and days since 1970 in between.

use super::Fault;
use crate::model::job::DateStyle;

/// Reads a date of the years 1 to 9999.
#[inline]
pub(in crate::format) fn parse_date(text: &str, style: DateStyle) -> Result<i32, Fault> {
    let short = || if style == DateStyle::DayMonthYear { short_day_month_year(text) } else { None };
    let parts = usual_parts(text.as_bytes(), style).or_else(short);
    let (year, month, day) = parts.ok_or_else(|| Fault::nul_or(text, Fault::DateStyle { style }))?;
    in_calendar((year, month, day)).ok_or(Fault::NotInCalendar { year, month })
}

/// Reads a date that has all its noughts; none where anything is wrong with it.
#[inline]
pub(super) fn usual_date(text: &[u8], style: DateStyle) -> Option<i32> {
    usual_parts(text, style).and_then(in_calendar)
}

#[inline]
fn usual_parts(text: &[u8], style: DateStyle) -> Option<(u16, u16, u16)> {
    match (style, text) {
        (DateStyle::Iso, [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2])
        | (DateStyle::DayMonthYear, [d1, d2, b'/', m1, m2, b'/', y1, y2, y3, y4])
        | (DateStyle::Compact, [y1, y2, y3, y4, m1, m2, d1, d2]) => {
            two(*y1, *y2).zip(two(*y3, *y4)).zip(two(*m1, *m2).zip(two(*d1, *d2))).map(|((c, y), (m, d))| (c * 100 + y, m, d))
        }
        _ => None,
    }
}

#[inline]
fn in_calendar((year, month, day): (u16, u16, u16)) -> Option<i32> {
    let there_is = year > 0 && (1..=12).contains(&month) && day > 0 && day <= days_in_month(year, month);
    there_is.then(|| days_from_civil(year, month, day))
}

#[inline]
fn two(tens: u8, ones: u8) -> Option<u16> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| u16::from(tens) * 10 + u16::from(ones))
}

/// 1/3/2026: day and month without their noughts, as spreadsheets show them.
fn short_day_month_year(text: &str) -> Option<(u16, u16, u16)> {
    let mut parts = text.split('/');
    let mut part = |lengths: std::ops::RangeInclusive<usize>| {
        let part = parts.next().filter(|part| lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        part.parse().ok()
    };
    let (day, month, year) = (part(1..=2)?, part(1..=2)?, part(4..=4)?);
    parts.next().is_none().then_some((year, month, day))
}

const fn days_in_month(year: u16, month: u16) -> u16 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01, counting years from March, so that the leap day is a year's last.
#[inline]
const fn days_from_civil(year: u16, month: u16, day: u16) -> i32 {
    let (month, before_march) = (month as u32, (month <= 2) as u32);
    let year = year as u32 - before_march;
    let day_of_year = (153 * (month + 12 * before_march - 3) + 2) / 5 + day as u32 - 1;
    (year * 365 + year / 4 - year / 100 + year / 400 + day_of_year) as i32 - 719_468
}

/// The year, month and day of some days since 1970-01-01; none outside the years 1 to 9999.
const fn civil_from_days(days: i32) -> Option<(u16, u8, u8)> {
    if days < FIRST || days > LAST {
        return None;
    }
    let days = (days + 719_468) as u32;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + (month <= 2) as u32;
    Some((year as u16, month as u8, day as u8))
}

const FIRST: i32 = days_from_civil(1, 1, 1);
const LAST: i32 = days_from_civil(9999, 12, 31);

/// Longest date.
pub(in crate::format) const DATE_BYTES_MAX: usize = 10;

/// A date as it is written.
#[derive(Debug, Clone, Copy)]
pub(in crate::format) struct WrittenDate {
    bytes: [u8; DATE_BYTES_MAX],
    length: usize,
}

impl WrittenDate {
    pub(in crate::format) fn new(days: i32, style: DateStyle) -> Result<Self, Fault> {
        let (year, month, day) = civil_from_days(days).ok_or(Fault::YearOutside)?;
        let digit = |number: u16| b'0' + (number % 10) as u8;
        let [y1, y2, y3, y4] = [digit(year / 1000), digit(year / 100), digit(year / 10), digit(year)];
        let [m1, m2] = [b'0' + month / 10, b'0' + month % 10];
        let [d1, d2] = [b'0' + day / 10, b'0' + day % 10];
        Ok(match style {
            DateStyle::Iso => Self { bytes: [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2], length: 10 },
            DateStyle::DayMonthYear => Self { bytes: [d1, d2, b'/', m1, m2, b'/', y1, y2, y3, y4], length: 10 },
            DateStyle::Compact => Self { bytes: [y1, y2, y3, y4, m1, m2, d1, d2, 0, 0], length: 8 },
        })
    }

    /// Writes it to the beginning of some room and answers its length.
    #[inline]
    pub(in crate::format) fn put(&self, room: &mut [u8; DATE_BYTES_MAX]) -> usize {
        *room = self.bytes;
        self.length
    }
}

/// Writes a date.
#[inline]
pub(in crate::format) fn write_date(out: &mut Vec<u8>, days: i32, style: DateStyle) -> Result<(), Fault> {
    let date = WrittenDate::new(days, style)?;
    out.extend_from_slice(&date.bytes[..date.length]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::rows::date_of_days;

    #[test]
    fn every_day_of_twelve_centuries() {
        for days in days_from_civil(1600, 1, 1)..days_from_civil(2800, 1, 1) {
            let date = date_of_days(days).expect("in range");
            for (style, expect) in [(DateStyle::Iso, "%Y-%m-%d"), (DateStyle::DayMonthYear, "%d/%m/%Y"), (DateStyle::Compact, "%Y%m%d")] {
                let mut out = Vec::new();
                write_date(&mut out, days, style).expect("in range");
                let text = String::from_utf8(out).expect("digits");
                if days % 97 == 0 {
                    assert_eq!(text, date.strftime(expect).to_string());
                }
                assert_eq!(parse_date(&text, style), Ok(days), "{text}");
            }
        }
    }

    #[test]
    fn edges() {
        use DateStyle::{Compact, DayMonthYear, Iso};
        assert_eq!(parse_date("0001-01-01", Iso), Ok(FIRST));
        assert_eq!(parse_date("9999-12-31", Iso), Ok(LAST));
        assert_eq!(parse_date("1970-01-02", Iso), Ok(1));
        assert_eq!(parse_date("1/3/2026", DayMonthYear), parse_date("01/03/2026", DayMonthYear));
        assert!(write_date(&mut Vec::new(), LAST + 1, Iso).is_err());
        assert!(write_date(&mut Vec::new(), i32::MIN, Iso).is_err());
        for (text, style) in [
            ("2026-3-1", Iso),
            ("31/03/2026", Iso),
            ("2026-03-31T00:00", Iso),
            ("31/03/26", DayMonthYear),
            ("31-03-2026", DayMonthYear),
            ("1/2/3/2026", DayMonthYear),
            ("/1/2026", DayMonthYear),
            ("+1/01/2026", DayMonthYear),
            ("2026033", Compact),
            ("2026-3-31x", Iso),
        ] {
            assert_eq!(parse_date(text, style), Err(Fault::DateStyle { style }), "{text}");
        }
        for text in ["2026-02-29", "2100-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-04-00", "0000-01-01"] {
            assert!(matches!(parse_date(text, Iso), Err(Fault::NotInCalendar { .. })), "{text}");
        }
        assert!(parse_date("2000-02-29", Iso).is_ok());
    }
}
