//! Whole numbers, decimals and money: exact, from digits to a 64-bit coefficient and back. Never a float.

use super::{Fault, Within};

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

/// Bytes that are looked at together.
const WORD_BYTES: usize = 8;
const NOUGHTS: u64 = u64::from_le_bytes([b'0'; WORD_BYTES]);
const LOW_BITS: u64 = u64::from_le_bytes([1; WORD_BYTES]);
const HIGH_BITS: u64 = LOW_BITS << 7;

/// Reads up to eight characters that do not stand among the first: digits, with a point between two of them if there is any, in
/// units of 10^-`scale`. None for whatever else, be it right or wrong.
#[inline(always)]
pub(super) fn usual_fixed_point(text: Within<'_>, scale: u8) -> Option<i64> {
    let negative = text.around.get(text.start) == Some(&b'-');
    let length = text.end - text.start - usize::from(negative);
    if length == 0 || length > WORD_BYTES {
        return None;
    }
    // The last eight bytes up to the value's end, and noughts in place of those before it.
    let last = text.around.get(text.end.checked_sub(WORD_BYTES)?..text.end)?;
    let keep = u64::MAX << ((WORD_BYTES - length) * 8);
    let word = u64::from_le_bytes(last.try_into().expect("eight bytes")) & keep | NOUGHTS & !keep;
    // A point becomes zero, and the lowest zero is marked exactly.
    let pointed = word ^ (LOW_BITS * u64::from(b'.'));
    let marks = pointed.wrapping_sub(LOW_BITS) & !pointed & HIGH_BITS;
    let (digits, fraction) = if marks == 0 {
        (word, 0)
    } else {
        let at = marks.trailing_zeros() / 8;
        let fraction = WORD_BYTES as u32 - 1 - at;
        if fraction == 0 || fraction as usize + 1 == length {
            return None;
        }
        // The digits before the point move up by one place, to where it was.
        let before = (1_u64 << (at * 8)) - 1;
        let after = (u64::MAX << (at * 8)) << 8;
        ((word & after) | ((word & before) << 8) | u64::from(b'0'), fraction)
    };
    let missing = u32::from(scale).checked_sub(fraction)?;
    let value = eight_digits(digits)?;
    let power = POWERS.get(missing as usize)?;
    signed(negative, value.checked_mul(*power)?)
}

/// The number that eight characters are; none if any is no digit.
#[inline(always)]
const fn eight_digits(word: u64) -> Option<u64> {
    let digits = word ^ NOUGHTS;
    // A digit has four bits, and six more to it do not reach the fifth.
    if (digits | digits.wrapping_add(LOW_BITS * 6)) & (LOW_BITS * 0xf0) != 0 {
        return None;
    }
    let pairs = (digits.wrapping_mul(10) + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some((fours.wrapping_mul(10_000) + (fours >> 32)) & 0xffff_ffff)
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
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Longest number: a sign, nineteen digits or a nought and eighteen, a point.
pub(in crate::format) const NUMBER_BYTES_MAX: usize = 24;

/// Writes a coefficient with its point; with a scale of 0 there is none.
#[inline]
pub(in crate::format) fn write_fixed_point(out: &mut Vec<u8>, coefficient: i64, scale: u8) {
    let mut room = [0; NUMBER_BYTES_MAX];
    let length = put_fixed_point(&mut room, coefficient, scale);
    out.extend_from_slice(&room[..length]);
}

/// Writes it to the beginning of some room and answers its length; what follows in the room is of no meaning.
#[inline]
pub(in crate::format) fn put_fixed_point(room: &mut [u8; NUMBER_BYTES_MAX], coefficient: i64, scale: u8) -> usize {
    // Digits are written from the last; the room takes a window that begins with the first.
    let mut digits = [0; NUMBER_BYTES_MAX * 2];
    let mut start = NUMBER_BYTES_MAX;
    let magnitude = coefficient.unsigned_abs();
    let mut rest = match scale {
        0 => magnitude,
        2 => {
            put_pair(&mut digits, start - 2, magnitude % 100);
            start -= 3;
            digits[start] = b'.';
            magnitude / 100
        }
        _ => {
            let mut fraction = magnitude % POWERS[usize::from(scale)];
            for _ in 0..scale {
                start -= 1;
                digits[start] = b'0' + (fraction % 10) as u8;
                fraction /= 10;
            }
            start -= 1;
            digits[start] = b'.';
            magnitude / POWERS[usize::from(scale)]
        }
    };
    while rest >= 100 {
        start -= 2;
        put_pair(&mut digits, start, rest % 100);
        rest /= 100;
    }
    start -= 2;
    put_pair(&mut digits, start, rest);
    start += usize::from(rest < 10);
    if coefficient < 0 {
        start -= 1;
        digits[start] = b'-';
    }
    *room = *digits[start..].first_chunk().expect("it begins in the first half");
    NUMBER_BYTES_MAX - start
}

#[inline(always)]
fn put_pair(digits: &mut [u8; NUMBER_BYTES_MAX * 2], at: usize, number: u64) {
    *digits[at..].first_chunk_mut().expect("digits stand in the first half") = PAIRS[number as usize];
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
        fn usual_numbers_are_what_any_are(text in "-?[0-9.]{0,9}|[ -~]{0,9}|[0-9]{1,6}\\.[0-9]{1,2}", scale in 0_u8..=18) {
            let around = format!("12345678{text}");
            let usual = usual_fixed_point(Within { around: around.as_bytes(), start: 8, end: around.len() }, scale);
            if let Some(value) = usual {
                prop_assert_eq!(parse_fixed_point(&text, scale), Ok(value));
            } else if text.len() <= WORD_BYTES {
                prop_assert!(parse_fixed_point(&text, scale).is_err(), "{}", text);
            }
        }

        #[test]
        fn agrees_with_amounts(text in "-?[0-9]{0,22}(\\.[0-9]{0,5})?") {
            if let Ok(value) = parse_fixed_point(&text, 3) {
                prop_assert_eq!(text.parse::<crate::model::rows::Amount>(), Ok(crate::model::rows::Amount::new(value, 3)));
            }
        }
    }
}
