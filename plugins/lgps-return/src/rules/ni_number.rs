//! Whether a text is a National Insurance number (HMRC manual NIM39110).

use serde::Deserialize;

/// Whether the letter at the end may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suffix {
    /// It must be there.
    #[default]
    Required,
    /// Some providers cut it off.
    Optional,
}

/// Why a text is no National Insurance number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NiNumberFault {
    /// Not two letters, six digits and a letter A to D, or a prefix that is never given out.
    Format,
    /// QQ 12 34 56 A and its like stand in leaflets.
    Example,
    /// A prefix that offices use among themselves.
    Administrative,
    /// A temporary reference number, 11A11111.
    Temporary,
    /// The letter at the end is absent.
    SuffixMissing,
}

/// Checks a National Insurance number. Nothing is mended: spaces and small letters are faults too.
///
/// # Errors
/// [`NiNumberFault`] saying what it is instead.
#[inline]
pub fn check_ni_number(text: &str, suffix: Suffix) -> Result<(), NiNumberFault> {
    let bytes = text.as_bytes();
    if is_temporary(bytes) {
        return Err(NiNumberFault::Temporary);
    }
    let [first, second, rest @ ..] = bytes else { return Err(NiNumberFault::Format) };
    match [*first, *second] {
        [b'Q', b'Q'] => return Err(NiNumberFault::Example),
        [b'O', b'O'] | [b'C', b'R'] | [b'F', b'Y'] | [b'M', b'W'] | [b'N', b'C'] | [b'P', b'P'] => {
            return Err(NiNumberFault::Administrative);
        }
        [b'B', b'G'] | [b'G', b'B'] | [b'K', b'N'] | [b'N', b'K'] | [b'N', b'T'] | [b'T', b'N'] | [b'Z', b'Z'] => {
            return Err(NiNumberFault::Format);
        }
        _ => {}
    }
    let (digits, letter) = rest.split_at_checked(6).ok_or(NiNumberFault::Format)?;
    if !is_prefix_letter(*first) || !is_prefix_letter(*second) || *second == b'O' || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NiNumberFault::Format);
    }
    match (letter, suffix) {
        ([b'A'..=b'D'], _) | ([], Suffix::Optional) => Ok(()),
        ([], Suffix::Required) => Err(NiNumberFault::SuffixMissing),
        _ => Err(NiNumberFault::Format),
    }
}

const fn is_prefix_letter(letter: u8) -> bool {
    letter.is_ascii_uppercase() && !matches!(letter, b'D' | b'F' | b'I' | b'Q' | b'U' | b'V')
}

fn is_temporary(bytes: &[u8]) -> bool {
    matches!(bytes, [d1, d2, letter, digits @ ..] if digits.len() == 5
        && letter.is_ascii_uppercase() && d1.is_ascii_digit() && d2.is_ascii_digit() && digits.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_is_judged_as_the_published_pattern_judges_it() {
        let never = ["BG", "GB", "KN", "NK", "NT", "TN", "ZZ"];
        let administrative = ["OO", "CR", "FY", "MW", "NC", "PP"];
        let mut given_out = 0;
        for (first, second) in ('A'..='Z').flat_map(|first| ('A'..='Z').map(move |second| (first, second))) {
            let prefix = format!("{first}{second}");
            let by_pattern = !"DFIQUV".contains(first) && !"DFIOQUV".contains(second) && !never.contains(&prefix.as_str());
            let wanted = match prefix.as_str() {
                "QQ" => Err(NiNumberFault::Example),
                p if administrative.contains(&p) => Err(NiNumberFault::Administrative),
                _ if by_pattern => Ok(()),
                _ => Err(NiNumberFault::Format),
            };
            given_out += usize::from(wanted.is_ok());
            assert_eq!(check_ni_number(&format!("{prefix}123456C"), Suffix::Required), wanted, "{prefix}");
        }
        // 20 × 19 pairs by the pattern, less seven that are never given out, less CR, MW, NC and PP.
        assert_eq!(given_out, 20 * 19 - 7 - 4);
    }

    #[test]
    fn the_rest_of_the_number() {
        for (text, suffix, wanted) in [
            ("JJ123123D", Suffix::Required, Ok(())),
            ("JJ123123", Suffix::Optional, Ok(())),
            ("JJ123123", Suffix::Required, Err(NiNumberFault::SuffixMissing)),
            ("JJ123123E", Suffix::Optional, Err(NiNumberFault::Format)),
            ("JJ123123 ", Suffix::Optional, Err(NiNumberFault::Format)),
            ("JJ12312D", Suffix::Required, Err(NiNumberFault::Format)),
            ("JJ1231234D", Suffix::Required, Err(NiNumberFault::Format)),
            ("jj123123d", Suffix::Required, Err(NiNumberFault::Format)),
            ("11A11111", Suffix::Required, Err(NiNumberFault::Temporary)),
            ("JÉ123123D", Suffix::Required, Err(NiNumberFault::Format)),
            ("", Suffix::Required, Err(NiNumberFault::Format)),
            ("J", Suffix::Required, Err(NiNumberFault::Format)),
        ] {
            assert_eq!(check_ni_number(text, suffix), wanted, "{text}");
        }
    }
}
