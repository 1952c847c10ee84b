//! Exact sums. Never a float.

use std::fmt;
use std::str::FromStr;

/// Most digits of a value in a column, so that it fits 64 bits whatever they are.
pub const UNSCALED_DIGITS_MAX: usize = 18;

/// An exact decimal that can hold the sum of any number of column values: `coefficient` × 10^-`scale`.
///
/// Two amounts are equal when their values are, whatever their scales.
#[derive(Debug, Clone, Copy)]
pub struct Amount {
    /// All digits.
    pub coefficient: i128,
    /// How many of them stand after the point, 0 to 18.
    pub scale: u8,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self { coefficient: 0, scale: 0 };

    /// An amount from a column's value.
    #[must_use]
    pub const fn new(coefficient: i64, scale: u8) -> Self {
        Self { coefficient: coefficient as i128, scale }
    }

    /// The sum, or none if it does not fit 128 bits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let coefficient = self.coefficient_at(scale)?.checked_add(other.coefficient_at(scale)?)?;
        Some(Self { coefficient, scale })
    }

    /// The difference, or none if it does not fit 128 bits.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(Self { coefficient: other.coefficient.checked_neg()?, scale: other.scale })
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    fn coefficient_at(self, scale: u8) -> Option<i128> {
        let raised = u32::from(scale.checked_sub(self.scale)?);
        self.coefficient.checked_mul(10_i128.checked_pow(raised)?)
    }
}

impl Eq for Amount {}

impl PartialEq for Amount {
    fn eq(&self, other: &Self) -> bool {
        let scale = self.scale.max(other.scale);
        match (self.coefficient_at(scale), other.coefficient_at(scale)) {
            (Some(left), Some(right)) => left == right,
            _ => false,
        }
    }
}

impl fmt::Display for Amount {
    /// All digits, with a point where the scale puts it; with `{:#}`, thousands are parted by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.coefficient.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let mut text = String::new();
        if self.coefficient < 0 {
            text.push('-');
        }
        for (place, digit) in whole.chars().enumerate() {
            if f.alternate() && place > 0 && (whole.len() - place).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        if scale > 0 {
            text.push('.');
            text.push_str(fraction);
        }
        f.pad(&text)
    }
}

/// A text that is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an amount: write digits with at most one point, such as 1234.56")]
pub struct NotAnAmount;

impl FromStr for Amount {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || (digits.contains('.') && fraction.is_empty()) {
            return Err(NotAnAmount);
        }
        let scale = u8::try_from(fraction.len()).ok().filter(|scale| *scale <= 18).ok_or(NotAnAmount)?;
        let magnitude: i128 = format!("{whole}{fraction}").parse().map_err(|_| NotAnAmount)?;
        Ok(Self { coefficient: if negative { -magnitude } else { magnitude }, scale })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shown_for_people_and_machines() {
        let amount = Amount { coefficient: -123_456_789, scale: 2 };
        assert_eq!(format!("{amount}"), "-1234567.89");
        assert_eq!(format!("{amount:#}"), "-1,234,567.89");
        assert_eq!(Amount { coefficient: 5, scale: 2 }.to_string(), "0.05");
        assert_eq!(Amount::ZERO.to_string(), "0");
    }

    #[test]
    fn refuses_what_is_no_amount() {
        for text in ["", ".", "1.", ".5", "£1", "1,000", "1e3", "--1", "+1", " 1", "1.0000000000000000000"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn adding_is_exact(a in any::<i64>(), b in any::<i64>(), sa in 0_u8..=18, sb in 0_u8..=18) {
            let (x, y) = (Amount::new(a, sa), Amount::new(b, sb));
            let sum = x.checked_add(y).expect("two column values fit");
            prop_assert_eq!(sum.checked_sub(y).expect("fits"), x);
            prop_assert_eq!(sum, y.checked_add(x).expect("fits"));
        }

        #[test]
        fn text_reads_back(c in any::<i64>(), scale in 0_u8..=18) {
            let amount = Amount::new(c, scale);
            prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
        }
    }
}
