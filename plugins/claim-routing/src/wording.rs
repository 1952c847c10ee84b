//! How amounts are written in sentences for people.

use std::fmt;

use bailiwick_sdk::Money;

/// An amount as people write it: £138,500.00.
pub(crate) struct Pounds(pub Money);

impl fmt::Display for Pounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
        let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
        write!(f, "{sign}£")?;
        let first = whole.len() % 3;
        f.write_str(&whole[..first])?;
        for start in (first..whole.len()).step_by(3) {
            if start > 0 {
                f.write_str(",")?;
            }
            f.write_str(&whole[start..start + 3])?;
        }
        f.write_str(fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_parted() {
        for (pence, text) in [
            (0, "£0.00"),
            (1, "£0.01"),
            (99_999, "£999.99"),
            (100_000, "£1,000.00"),
            (13_850_000, "£138,500.00"),
            (-100_000_001, "-£1,000,000.01"),
        ] {
            assert_eq!(Pounds(Money::from_pence(pence)).to_string(), text);
        }
    }
}
