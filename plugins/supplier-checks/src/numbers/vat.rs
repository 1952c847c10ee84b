//! VAT registration numbers of the United Kingdom.
//!
//! The check digits show a slip of the pen. They do not show that the number is registered: only HMRC can say that.

use super::{all_digits, compact, digits, weighted_sum};

const WEIGHTS: [i32; 9] = [8, 7, 6, 5, 4, 3, 2, 10, 1];

/// What sort of number a well-formed one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VatKind {
    /// Check digits after the first scheme: the weighted sum is a multiple of 97.
    Mod97,
    /// Check digits after the scheme of 2009: 55 is added to the weighted sum, so that 42 is left.
    Mod9755,
    /// Check digits that leave 55, which some software takes and HMRC's description does not have.
    Residue55,
    /// A government department, `GD000` to `GD499`.
    GovernmentDepartment,
    /// A health authority, `HA500` to `HA999`.
    HealthAuthority,
}

/// What is wrong with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VatFault {
    /// It has the prefix of another country, whose numbers are not checked here.
    OtherCountry,
    /// It is neither 9 nor 12 digits, nor one of the forms with letters.
    Malformed,
    /// The number of a department or authority is outside its range.
    OutOfRange,
    /// The check digits do not agree with the rest.
    CheckDigits,
}

/// Checks the form and the check digits of a number, with or without `GB` or `XI` before it.
///
/// The scheme of 2009 began at 100, so a number below that must follow the first scheme.
///
/// # Errors
/// What is wrong with it.
pub fn check(text: &str, residue_55_accepted: bool) -> Result<VatKind, VatFault> {
    let number = compact(text);
    let number = number.strip_prefix("GB").or_else(|| number.strip_prefix("XI")).unwrap_or(&number);
    match number.get(..2) {
        Some("GD") => body(number, VatKind::GovernmentDepartment),
        Some("HA") => body(number, VatKind::HealthAuthority),
        Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_uppercase()) => Err(VatFault::OtherCountry),
        _ => standard(number, residue_55_accepted),
    }
}

/// The nine digits that name the business, without prefix and branch. Two numbers with one core are one registration.
#[must_use]
pub fn core(text: &str) -> String {
    let number = compact(text);
    let number = number.strip_prefix("GB").or_else(|| number.strip_prefix("XI")).unwrap_or(&number);
    if number.len() == 12 && all_digits(number) { number[..9].to_owned() } else { number.to_owned() }
}

fn standard(number: &str, residue_55_accepted: bool) -> Result<VatKind, VatFault> {
    let core = match (number.len(), all_digits(number)) {
        (9, true) => number,
        (12, true) => &number[..9],
        _ => return Err(VatFault::Malformed),
    };
    let figures: [u8; 9] = digits(core).ok_or(VatFault::Malformed)?;
    if figures == [0; 9] {
        return Err(VatFault::CheckDigits);
    }
    match weighted_sum(&figures, &WEIGHTS) % 97 {
        0 => Ok(VatKind::Mod97),
        42 if figures[0] > 0 => Ok(VatKind::Mod9755),
        55 if figures[0] > 0 && residue_55_accepted => Ok(VatKind::Residue55),
        _ => Err(VatFault::CheckDigits),
    }
}

/// `GD123`, or the form used in trade with the European Union, `GD8888` with the three digits and their remainder by 97.
fn body(number: &str, kind: VatKind) -> Result<VatKind, VatFault> {
    if !all_digits(&number[2..]) {
        return Err(VatFault::Malformed);
    }
    let (name, remainder) = match (number.len(), number.get(2..6)) {
        (5, _) => (&number[2..], None),
        (11, Some("8888")) => (&number[6..9], Some(&number[9..])),
        _ => return Err(VatFault::Malformed),
    };
    let name: u32 = name.parse().map_err(|_| VatFault::Malformed)?;
    if (name < 500) != (kind == VatKind::GovernmentDepartment) {
        return Err(VatFault::OutOfRange);
    }
    match remainder.map(str::parse::<u32>) {
        None => Ok(kind),
        Some(Ok(remainder)) if remainder == name % 97 => Ok(kind),
        Some(_) => Err(VatFault::CheckDigits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers() {
        for (text, expect) in [
            ("980780684", Ok(VatKind::Mod97)),
            ("GB 980 7806 84", Ok(VatKind::Mod97)),
            ("XI980780684", Ok(VatKind::Mod97)),
            ("980780684001", Ok(VatKind::Mod97)),
            ("123456782", Ok(VatKind::Mod97)),
            ("434031494", Ok(VatKind::Mod97)),
            ("107328000", Ok(VatKind::Mod97)),
            ("340804329", Ok(VatKind::Mod9755)),
            ("100190874", Ok(VatKind::Mod9755)),
            ("562235987", Ok(VatKind::Mod9755)),
            ("123456727", Ok(VatKind::Mod9755)),
            ("123456789", Err(VatFault::CheckDigits)),
            ("802311781", Err(VatFault::CheckDigits)),
            ("911920066", Err(VatFault::CheckDigits)),
            ("123456740", Err(VatFault::CheckDigits)),
            ("000000000", Err(VatFault::CheckDigits)),
            ("98078068", Err(VatFault::Malformed)),
            ("9807806840", Err(VatFault::Malformed)),
            ("GB", Err(VatFault::Malformed)),
            ("", Err(VatFault::Malformed)),
            ("９８０７８０６８４", Err(VatFault::Malformed)),
            ("GD001", Ok(VatKind::GovernmentDepartment)),
            ("GBGD499", Ok(VatKind::GovernmentDepartment)),
            ("GD500", Err(VatFault::OutOfRange)),
            ("HA500", Ok(VatKind::HealthAuthority)),
            ("HA499", Err(VatFault::OutOfRange)),
            ("GD888812326", Ok(VatKind::GovernmentDepartment)),
            ("GD888812327", Err(VatFault::CheckDigits)),
            ("HA888860018", Ok(VatKind::HealthAuthority)),
            ("GD12", Err(VatFault::Malformed)),
            ("GD8888é123", Err(VatFault::Malformed)),
            ("IE6388047V", Err(VatFault::OtherCountry)),
        ] {
            assert_eq!(check(text, false), expect, "{text}");
        }
        assert_eq!(check("123456740", true), Ok(VatKind::Residue55));
    }

    #[test]
    fn a_branch_has_the_core_of_its_business() {
        assert_eq!(core("GB 980 7806 84 001"), core("980780684"));
        assert_eq!(core("GD001"), "GD001");
    }

    proptest::proptest! {
        #[test]
        fn one_wrong_digit_is_seen(first in 1_000_000_u32..9_999_999, place in 0_usize..9, wrong in 1_u8..10) {
            let number = with_check_digits(first);
            let mut bytes = number.clone().into_bytes();
            bytes[place] = b'0' + (bytes[place] - b'0' + wrong) % 10;
            let slip = String::from_utf8(bytes).unwrap_or_default();
            proptest::prop_assert_eq!(check(&number, false), Ok(VatKind::Mod97));
            proptest::prop_assert_ne!(check(&slip, false), Ok(VatKind::Mod97));
        }

        #[test]
        fn any_text_has_an_answer(text in ".{0,16}") {
            let _ = check(&text, true);
            let _ = core(&text);
        }
    }

    fn with_check_digits(first: u32) -> String {
        let sum = weighted_sum(&digits::<7>(&first.to_string()).unwrap_or_default(), &WEIGHTS[..7]);
        format!("{first}{:02}", (97 - sum % 97) % 97)
    }
}
