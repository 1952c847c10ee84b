//! Amounts worked out from pay, and how far another amount may be from them.

use bailiwick_sdk::{Decimal, Money, Rounding};

use super::words::Section;

/// 5.8 to 0.058, exactly.
#[must_use]
pub fn percent_of_one(percent: Decimal) -> Decimal {
    (percent / Decimal::ONE_HUNDRED).normalize()
}

/// Annual pension that some CARE pay builds up: 1/49 of it, or 1/98 in the 50/50 section, half up to the penny.
#[inline]
#[must_use]
pub fn accrued(care_pay: Money, section: Section) -> Money {
    let of = match section {
        Section::Main => 49,
        Section::Half => 98,
    };
    care_pay.share(1, of, Rounding::HalfUp).expect("a part of an amount is no larger than it")
}

/// How far an amount may be from what is expected before somebody should look: the wider of the two.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// In pounds.
    pub amount: Money,
    /// As a part of one, of what is expected.
    pub of_one: Decimal,
}

impl Tolerance {
    /// Whether an amount is beyond it.
    #[inline]
    #[must_use]
    pub fn exceeded(&self, given: Money, expected: Money) -> bool {
        let off = (given - expected).abs();
        // Pence are whole, so more than the part cut off to the penny is more than the part itself.
        off > self.amount && off > expected.times(self.of_one, Rounding::Down)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn contributions_round_half_up() {
        for (pay, percent, contribution) in [
            ("1930.00", "2.75", "53.08"),
            ("2410.00", "3.25", "78.33"),
            ("2456.78", "6.5", "159.69"),
            ("2456.78", "3.25", "79.85"),
            ("2333.42", "5.8", "135.34"),
            ("0.00", "12.5", "0.00"),
            ("0.08", "6.25", "0.01"),
        ] {
            let rate = percent_of_one(percent.parse().unwrap());
            assert_eq!(money(pay).times(rate, Rounding::HalfUp), money(contribution), "{pay} at {percent} %");
        }
    }

    #[test]
    fn a_years_pay_builds_up_a_pension() {
        assert_eq!(accrued(money("24000.00"), Section::Main), money("489.80"));
        assert_eq!(accrued(money("24000.00"), Section::Half), money("244.90"));
    }

    #[test]
    fn the_wider_tolerance_counts() {
        let tolerance = Tolerance { amount: money("1.00"), of_one: "0.01".parse().unwrap() };
        for (given, expected, exceeded) in [
            ("117.16", "116.00", false),
            ("117.17", "116.00", true),
            ("114.83", "116.00", true),
            ("6.80", "5.80", false),
            ("6.81", "5.80", true),
            ("0.00", "0.00", false),
        ] {
            assert_eq!(tolerance.exceeded(money(given), money(expected)), exceeded, "{given} for {expected}");
        }
    }

    proptest! {
        /// The comparison in whole pence is the exact one, multiplied out.
        #[test]
        fn tolerance_is_exact(given in 0..100_000_i64, expected in 0..100_000_i64, amount in 0..500_i64, hundredths in 0..500_i64) {
            let tolerance = Tolerance { amount: Money::from_pence(amount), of_one: percent_of_one(Decimal::new(hundredths, 2)) };
            let off = (given - expected).abs();
            let exact = off > amount && off * 10_000 > expected * hundredths;
            prop_assert_eq!(tolerance.exceeded(Money::from_pence(given), Money::from_pence(expected)), exact);
        }

        /// Half up to the penny: the contribution is the one whole number within half a penny, the upper one on a tie.
        #[test]
        fn contributions_are_within_half_a_penny(pay in 0..10_000_000_i64, hundredths in 0..2_000_i64) {
            let rate = percent_of_one(Decimal::new(hundredths, 2));
            let pence = Money::from_pence(pay).times(rate, Rounding::HalfUp).coefficient();
            let off = pay * hundredths - pence * 10_000;
            prop_assert!((-5_000..5_000).contains(&off), "{off}");
        }
    }
}
