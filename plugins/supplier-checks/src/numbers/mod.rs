//! Numbers that identify a supplier or its bank account, and the arithmetic that shows a slip in them.
//!
//! Everything here is a pure function of text. Nothing here knows a case, a setting, a table or a verdict:
//! whether a number that is well formed belongs to anybody is a question that arithmetic cannot answer.

pub mod company;
pub mod iban;
pub mod modulus;
pub mod utr;
pub mod vat;
pub mod weights;

/// The text in capitals without spaces, hyphens and full stops, as people put them between groups of digits.
#[must_use]
pub fn compact(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '\u{a0}')).map(|c| c.to_ascii_uppercase()).collect()
}

/// The digits of a text that has exactly `N` characters, all of them digits.
#[must_use]
pub fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes: [u8; N] = text.as_bytes().try_into().ok()?;
    bytes.iter().all(u8::is_ascii_digit).then(|| bytes.map(|byte| byte - b'0'))
}

/// Whether a text is made of digits alone, and has at least one.
#[must_use]
pub fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The sum of each digit times its weight.
#[must_use]
pub fn weighted_sum(digits: &[u8], weights: &[i32]) -> i32 {
    digits.iter().zip(weights).map(|(digit, weight)| i32::from(*digit) * weight).sum()
}
