//! Unique taxpayer references.

use super::{compact, digits, weighted_sum};

const WEIGHTS: [i32; 9] = [6, 7, 8, 9, 10, 5, 4, 3, 2];
const CHECK_DIGITS: &[u8; 11] = b"21987654321";

/// What is wrong with a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UtrFault {
    /// It is not ten digits.
    Malformed,
    /// The first digit does not agree with the rest.
    CheckDigit,
}

/// Checks the form and the check digit, which is the first digit. A `K` before or after the digits is passed over.
///
/// # Errors
/// What is wrong with it.
pub fn check(text: &str) -> Result<(), UtrFault> {
    let number = compact(text);
    let number = number.strip_prefix('K').unwrap_or(&number);
    let number = number.strip_suffix('K').unwrap_or(number);
    let figures: [u8; 10] = digits(number).ok_or(UtrFault::Malformed)?;
    let place = usize::try_from(weighted_sum(&figures[1..], &WEIGHTS) % 11).expect("a sum of products of digits is not negative");
    if CHECK_DIGITS[place] == b'0' + figures[0] { Ok(()) } else { Err(UtrFault::CheckDigit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_references() {
        for (text, expect) in [
            ("1955839661", Ok(())),
            ("1123456789", Ok(())),
            ("K1955839661", Ok(())),
            ("19558 39661 K", Ok(())),
            ("2955839661", Err(UtrFault::CheckDigit)),
            ("0000000000", Err(UtrFault::CheckDigit)),
            ("195583966", Err(UtrFault::Malformed)),
            ("KK1955839661", Err(UtrFault::Malformed)),
            ("", Err(UtrFault::Malformed)),
        ] {
            assert_eq!(check(text), expect, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nine_digits_have_one_check_digit(rest in 0_u32..1_000_000_000) {
            let good = (0..10).filter(|first| check(&format!("{first}{rest:09}")).is_ok()).count();
            proptest::prop_assert_eq!(good, 1);
        }
    }
}
