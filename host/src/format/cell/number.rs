//! Whole numbers, decimals and money: exact, from digits to a 64-bit coefficient and back. Never a float.

use super::Fault;

/// 10^0 to 10^18.
const POWERS: [u64; 19] = {
    let mut powers = [1; 19];
    let mut place = 1;
    while place < 19 {
        powers[place] = powers[place - 1] * 10;
        place += 1;
    }
    powers
};

/// Digits that can be added up without a look at overflow.
const SHORT_BYTES: usize = 19;

/// Reads digits with at most one point, and a minus sign before them, as units of 10^-`scale`.
#[inline(always)]
pub(in crate::format) fn parse_fixed_point(text: &str, scale: u8) -> Result<i64, Fault> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    if digits.len() > SHORT_BYTES {
        return parse_long(text, negative, scale);
    }
    let mut value = 0_u64;
    let mut point = usize::MAX;
    for (place, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            value = value * 10 + u64::from(digit);
        } else if *byte == b'.' && point == usize::MAX {
            point = place;
        } else {
            return Err(explain(text));
        }
    }
    let missing = missing_digits(text, digits.len(), point, scale)?;
    value.checked_mul(POWERS[missing]).and_then(|magnitude| signed(negative, magnitude)).ok_or(Fault::TooLarge { scale })
}

/// How many noughts are missing at the end to reach the scale.
#[inline(always)]
fn missing_digits(text: &str, digits: usize, point: usize, scale: u8) -> Result<usize, Fault> {
    if point == usize::MAX {
        return if digits == 0 { Err(explain(text)) } else { Ok(usize::from(scale)) };
    }
    let fraction = digits - point - 1;
    if point == 0 || fraction == 0 {
        return Err(Fault::PointAlone);
    }
    usize::from(scale).checked_sub(fraction).ok_or(Fault::TooManyDecimals { scale })
}

#[inline(always)]
fn signed(negative: bool, magnitude: u64) -> Option<i64> {
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// Long ones: nineteen digits with a point, or filled up with noughts.
#[cold]
fn parse_long(text: &str, negative: bool, scale: u8) -> Result<i64, Fault> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let mut value = Some(0_u64);
    let mut point = usize::MAX;
    for (place, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => value = value.and_then(|sum| sum.checked_mul(10)?.checked_add(u64::from(byte - b'0'))),
            b'.' if point == usize::MAX => point = place,
            _ => return Err(explain(text)),
        }
    }
    let missing = missing_digits(text, digits.len(), point, scale)?;
    let magnitude = value.and_then(|value| value.checked_mul(POWERS[missing]));
    magnitude.and_then(|magnitude| signed(negative, magnitude)).ok_or(Fault::TooLarge { scale })
}

/// What is wrong with something that has more than digits, in the order in which a clerk would mend it.
#[cold]
fn explain(text: &str) -> Fault {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let has = |wanted: &[char]| text.contains(wanted);
    if has(&['\0']) {
        Fault::Nul
    } else if digits == 0 {
        Fault::NotANumber
    } else if has(&['£', '$', '€']) || text.to_ascii_uppercase().contains("GBP") {
        Fault::CurrencySign
    } else if has(&['%']) {
        Fault::PercentSign
    } else if has(&['(', ')']) || text.ends_with('-') || has(&['−', '–']) {
        Fault::MinusStyle
    } else if has(&[',']) {
        Fault::ThousandsComma
    } else if text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-' | b'e' | b'E')) && has(&['e', 'E']) {
        Fault::Exponent
    } else {
        Fault::NotANumber
    }
}

/// Two digits for each number below a hundred.
const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut number = 0;
    while number < 100 {
        pairs[number * 2] = b'0' + (number / 10) as u8;
        pairs[number * 2 + 1] = b'0' + (number % 10) as u8;
        number += 1;
    }
    pairs
};

/// Longest number: a sign, nineteen digits, a point.
const ROOM: usize = 24;

/// Writes a coefficient with its point; with a scale of 0 there is none.
#[inline]
pub(in crate::format) fn write_fixed_point(out: &mut Vec<u8>, coefficient: i64, scale: u8) {
    let mut digits = [b'0'; ROOM];
    let mut start = ROOM;
    let mut rest = coefficient.unsigned_abs();
    while rest >= 10 {
        let pair = (rest % 100) as usize * 2;
        rest /= 100;
        start -= 2;
        digits[start..start + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if rest > 0 {
        start -= 1;
        digits[start] = b'0' + rest as u8;
    }
    // At least one digit before the point, and a nought that a pair brought is no digit.
    let whole_end = ROOM - usize::from(scale);
    let mut first = start.min(whole_end - 1);
    while digits[first] == b'0' && first + 1 < whole_end {
        first += 1;
    }
    if coefficient < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[first..whole_end]);
    if scale > 0 {
        out.push(b'.');
        out.extend_from_slice(&digits[whole_end..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn read_exactly() {
        for (text, scale, expect) in [
            ("1234.5", 2, Ok(123_450)),
            ("-0.01", 2, Ok(-1)),
            ("-0.00", 2, Ok(0)),
            ("007", 0, Ok(7)),
            ("000000000000000000000000000012", 1, Ok(120)),
            ("9223372036854775807", 0, Ok(i64::MAX)),
            ("-9223372036854775808", 0, Ok(i64::MIN)),
            ("9223372036854775808", 0, Err(Fault::TooLarge { scale: 0 })),
            ("92233720368547758.08", 2, Err(Fault::TooLarge { scale: 2 })),
            ("99999999999999999999999999", 0, Err(Fault::TooLarge { scale: 0 })),
            ("10", 18, Err(Fault::TooLarge { scale: 18 })),
            ("12.345", 2, Err(Fault::TooManyDecimals { scale: 2 })),
            ("12.0", 0, Err(Fault::TooManyDecimals { scale: 0 })),
            ("12.", 2, Err(Fault::PointAlone)),
            (".5", 2, Err(Fault::PointAlone)),
            (".", 2, Err(Fault::PointAlone)),
            ("-", 2, Err(Fault::NotANumber)),
            ("--1", 2, Err(Fault::NotANumber)),
            ("+1", 2, Err(Fault::NotANumber)),
            ("1.2.3", 2, Err(Fault::NotANumber)),
            ("12 000", 2, Err(Fault::NotANumber)),
            ("£12", 2, Err(Fault::CurrencySign)),
            ("GBP 12", 2, Err(Fault::CurrencySign)),
            ("1,234.56", 2, Err(Fault::ThousandsComma)),
            ("12%", 2, Err(Fault::PercentSign)),
            ("(12.00)", 2, Err(Fault::MinusStyle)),
            ("12.00-", 2, Err(Fault::MinusStyle)),
            ("1E+05", 2, Err(Fault::Exponent)),
            ("1\0", 2, Err(Fault::Nul)),
            ("n/a", 2, Err(Fault::NotANumber)),
        ] {
            assert_eq!(parse_fixed_point(text, scale), expect, "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_as_amounts_are_and_read_back(coefficient in any::<i64>(), shift in 0_u32..63, scale in 0_u8..=18) {
            let coefficient = coefficient >> shift;
            let mut out = Vec::new();
            write_fixed_point(&mut out, coefficient, scale);
            let text = String::from_utf8(out).expect("digits");
            prop_assert_eq!(&text, &crate::model::rows::Amount::new(coefficient, scale).to_string());
            prop_assert_eq!(parse_fixed_point(&text, scale), Ok(coefficient));
        }

        #[test]
        fn agrees_with_amounts(text in "-?[0-9]{0,22}(\\.[0-9]{0,5})?") {
            if let Ok(value) = parse_fixed_point(&text, 3) {
                prop_assert_eq!(text.parse::<crate::model::rows::Amount>(), Ok(crate::model::rows::Amount::new(value, 3)));
            }
        }
    }
}
