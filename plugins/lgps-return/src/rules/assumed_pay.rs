//! Assumed pensionable pay (regulation 21): what counts for CARE while pay is reduced or nil.

use bailiwick_sdk::{Date, Money, Rounding};

/// The days of a month on which pay was reduced or nil.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReducedPay {
    days: i64,
    month_days: i64,
}

impl ReducedPay {
    /// The days of `month_end`'s month that fall in the absence `from` to `to`; `to` is none while it goes on.
    ///
    /// The caller has made sure that the absence touches the month.
    #[must_use]
    pub fn in_month(month_end: Date, from: Date, to: Option<Date>) -> Self {
        let month_days = i64::from(month_end.day());
        let first = from.max(month_end.month_start());
        let last = to.map_or(month_end, |to| to.min(month_end));
        Self { days: i64::from(last.days() - first.days()) + 1, month_days }
    }

    /// Whether pay was reduced on every day of the month.
    #[must_use]
    pub const fn is_whole_month(self) -> bool {
        self.days == self.month_days
    }

    /// The part of a month's average that stands for these days, half up to the penny.
    #[must_use]
    pub fn assumed(self, average: Money) -> Money {
        average.share(self.days, self.month_days, Rounding::HalfUp).expect("a part of an amount is no larger than it")
    }
}

/// The average of the three complete months before pay was reduced, half up to the penny.
#[must_use]
pub fn average_of_three(months: [Money; 3]) -> Money {
    let sum: Money = months.into_iter().sum();
    sum.share(1, 3, Rounding::HalfUp).expect("a third of an amount is no larger than it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_half_up() {
        let average = |pence: [i64; 3]| average_of_three(pence.map(Money::from_pence));
        assert_eq!(average([200_000, 210_000, 220_000]), Money::from_pence(210_000));
        assert_eq!(average([0, 0, 1]), Money::ZERO);
        assert_eq!(average([0, 0, 2]), Money::from_pence(1));
    }

    #[test]
    fn days_of_a_month() {
        let october = Date::new(2026, 10, 31);
        let days = |from, to| ReducedPay::in_month(october, from, to);
        assert!(days(Date::new(2026, 10, 1), None).is_whole_month());
        assert!(days(Date::new(2026, 3, 9), Some(Date::new(2026, 11, 2))).is_whole_month());
        assert!(!days(Date::new(2026, 10, 2), None).is_whole_month());
        let from_16th = days(Date::new(2026, 10, 16), None);
        assert_eq!(from_16th.assumed(Money::from_pence(210_000)), Money::from_pence(108_387));
        let until_10th = days(Date::new(2026, 9, 1), Some(Date::new(2026, 10, 10)));
        assert_eq!(until_10th.assumed(Money::from_pence(210_000)), Money::from_pence(67_742));
    }
}
