//! Days as people here type them. A browser's own date field shows the order of its own country, which the hub cannot choose.
//!
//! It must not know any page.

use jiff::civil::Date;

/// What helps to fill a day in.
pub(crate) const DAY_HINT: &str = "For example, 31/3/2026";

const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

/// A day that was typed: `31/3/2026`, `31.03.2026`, `31 3 2026`, `31 March 2026`, `31 Mar 2026` or `2026-03-31`. None of anything else: a
/// year of two digits may be of any century.
pub(crate) fn day_of(typed: &str) -> Option<Date> {
    let parts: Vec<&str> =
        typed.split(|each: char| each.is_whitespace() || "/.-,".contains(each)).filter(|part| !part.is_empty()).collect();
    let &[first, second, third] = parts.as_slice() else { return None };
    let (day, month, year) = if first.len() == 4 { (third, second, first) } else { (first, second, third) };
    Date::new(number(year, 4..=4)?, month_of(month)?, number(day, 1..=2)?).ok()
}

/// A day as a field shows it: by the day, the month and the year. What is no day stays as it was typed.
pub(crate) fn day_shown(typed: &str) -> String {
    day_of(typed).map_or_else(|| typed.to_owned(), |day| day.strftime("%-d/%-m/%Y").to_string())
}

/// By its number, or by three letters of its name or more.
fn month_of(text: &str) -> Option<i8> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return number(text, 1..=2);
    }
    let name = text.to_ascii_lowercase();
    let place = MONTHS.iter().position(|month| name.len() >= 3 && month.starts_with(name.as_str()))?;
    i8::try_from(place + 1).ok()
}

/// Digits, so many of them, and nothing else.
fn number<N: std::str::FromStr>(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<N> {
    (digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_however_a_clerk_writes_it() {
        let wanted = Some(jiff::civil::date(2026, 3, 31));
        for typed in
            ["31/3/2026", "31/03/2026", " 31 3 2026 ", "31.03.2026", "31-3-2026", "31 March 2026", "31 mar 2026", "2026-03-31", "2026/3/31"]
        {
            assert_eq!(day_of(typed), wanted, "{typed}");
            assert_eq!(day_shown(typed), "31/3/2026");
        }
        assert_eq!(day_of("5/4/2027"), Some(jiff::civil::date(2027, 4, 5)), "the day comes before the month");
        for typed in ["", "31/3/26", "3/31/2026", "31/2/2026", "31 3", "31 ma 2026", "+1/3/2026", "31/3/2026/1", "tomorrow", "３１/3/2026"]
        {
            assert_eq!(day_of(typed), None, "{typed}");
            assert_eq!(day_shown(typed), typed);
        }
    }
}
