//! International bank account numbers: ISO 13616 with the check digits of ISO 7064 mod 97-10.

use super::{all_digits, compact};

/// What is wrong with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IbanFault {
    /// It is not two letters, two digits and 11 to 30 letters and digits.
    Malformed,
    /// It has another length or other characters than numbers of its country have.
    Structure,
    /// The check digits do not agree with the rest.
    CheckDigits,
}

/// Its capital letters and digits without what stands between groups.
///
/// # Errors
/// [`IbanFault::Malformed`].
pub fn parse(text: &str) -> Result<String, IbanFault> {
    let number = compact(text);
    let formed = (15..=34).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && number.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
        && all_digits(&number[2..4]);
    if formed { Ok(number) } else { Err(IbanFault::Malformed) }
}

/// Checks a parsed number against the structure of its country, such as `4a 14n`: so many letters (`a`), digits (`n`) or
/// either (`c`) after the check digits.
///
/// # Errors
/// [`IbanFault::Structure`] or [`IbanFault::CheckDigits`].
pub fn check(number: &str, structure: &str) -> Result<(), IbanFault> {
    if !fits(&number.as_bytes()[4..], structure) {
        return Err(IbanFault::Structure);
    }
    // 00, 01 and 99 leave the same remainders as 97, 98 and 02, but are never given out.
    if matches!(&number[2..4], "00" | "01" | "99") || remainder(number) != 1 {
        return Err(IbanFault::CheckDigits);
    }
    Ok(())
}

/// Sort code and account number that a British number holds.
#[must_use]
pub fn british_account(number: &str) -> Option<(&str, &str)> {
    (number.starts_with("GB") && number.len() == 22).then(|| (&number[8..14], &number[14..]))
}

fn fits(mut rest: &[u8], structure: &str) -> bool {
    for part in structure.split(' ') {
        let Some((count, kind)) = part.split_at_checked(part.len().saturating_sub(1)) else { return false };
        let Some((piece, after)) = count.parse().ok().and_then(|count| rest.split_at_checked(count)) else { return false };
        let good = match kind {
            "n" => piece.iter().all(u8::is_ascii_digit),
            "a" => piece.iter().all(u8::is_ascii_uppercase),
            "c" => piece.iter().all(u8::is_ascii_alphanumeric),
            _ => false,
        };
        if !good {
            return false;
        }
        rest = after;
    }
    rest.is_empty()
}

/// Remainder by 97 of the number with its first four characters moved to the end and its letters counted from A = 10.
fn remainder(number: &str) -> u32 {
    let (first, rest) = number.split_at(4);
    rest.bytes().chain(first.bytes()).fold(0, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte - b'A') + 10) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRITISH: &str = "4a 14n";

    #[test]
    fn known_numbers() {
        for (text, expect) in [
            ("GB29NWBK60161331926819", Ok(())),
            ("GB29 NWBK 6016 1331 9268 19", Ok(())),
            ("GB70NWBK08999966374958", Ok(())),
            ("GB29NWBK60161331926818", Err(IbanFault::CheckDigits)),
            ("GB28NWBK60161331926819", Err(IbanFault::CheckDigits)),
            ("GB29NWBK6016133192681", Err(IbanFault::Structure)),
            ("GB29NWB960161331926819", Err(IbanFault::Structure)),
            ("GB", Err(IbanFault::Malformed)),
            ("2929NWBK60161331926819", Err(IbanFault::Malformed)),
        ] {
            assert_eq!(parse(text).and_then(|number| check(&number, BRITISH)), expect, "{text}");
        }
        let german = parse("DE89 3704 0044 0532 0130 00").and_then(|number| check(&number, "18n"));
        assert_eq!(german, Ok(()));
        assert_eq!(check("DE89370400440532013000", "not a structure"), Err(IbanFault::Structure));
    }

    #[test]
    fn a_british_number_holds_an_account() {
        assert_eq!(british_account("GB70NWBK08999966374958"), Some(("089999", "66374958")));
        assert_eq!(british_account("DE89370400440532013000"), None);
    }

    proptest::proptest! {
        #[test]
        fn one_pair_of_check_digits_is_right(account in 0_u64..100_000_000_000_000) {
            let good = (0..100).filter(|pair| check(&format!("GB{pair:02}NWBK{account:014}"), BRITISH).is_ok()).count();
            proptest::prop_assert_eq!(good, 1);
        }

        #[test]
        fn any_text_has_an_answer(text in ".{0,40}") {
            if let Ok(number) = parse(&text) {
                let _ = (check(&number, BRITISH), british_account(&number));
            }
        }
    }
}
