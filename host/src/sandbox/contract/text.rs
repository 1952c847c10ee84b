//! Text that a plugin wrote for people: what could mislead a reader or a terminal is taken out, and it is bounded.

use crate::model::outcome::misleads;

/// What stands where a text was cut.
const CUT: &str = "…";

/// The text without characters that steer a terminal, turn the direction of reading or cannot be seen, and no longer
/// than `bytes_max`. Line breaks and tabs become spaces. What was taken out or cut off is added to `stripped`, in characters.
pub(in crate::sandbox) fn clean(text: String, bytes_max: usize, stripped: &mut u64) -> String {
    if text.len() <= bytes_max && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return text;
    }
    let mut cleaned = String::with_capacity(text.len().min(bytes_max));
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let kept = match character {
            '\n' | '\r' | '\t' => ' ',
            misleading if misleads(misleading) => {
                *stripped += 1;
                continue;
            }
            other => other,
        };
        let with_this = cleaned.len() + kept.len_utf8();
        if with_this > bytes_max.saturating_sub(CUT.len()) && with_this + characters.as_str().len() > bytes_max {
            *stripped += 1 + characters.count() as u64;
            cleaned.push_str(CUT);
            break;
        }
        cleaned.push(kept);
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn takes_out_what_misleads() {
        for (given, kept, taken) in [
            ("plain", "plain", 0),
            ("José £5 – ok", "José £5 – ok", 0),
            ("two\nlines\tand\r\n", "two lines and  ", 0),
            ("\u{1b}[31mred\u{1b}[0m\0", "[31mred[0m", 3),
            ("pay \u{202e}05.1\u{202c}\u{feff}", "pay 05.1", 3),
        ] {
            let mut stripped = 0;
            assert_eq!((clean(given.to_owned(), 100, &mut stripped).as_str(), stripped), (kept, taken));
        }
    }

    #[test]
    fn cuts_between_characters() {
        let mut stripped = 0;
        assert_eq!(clean("ééééé".to_owned(), 10, &mut stripped), "ééééé");
        assert_eq!(stripped, 0);
        assert_eq!(clean("éééééé".to_owned(), 10, &mut stripped), "ééé…");
        assert_eq!(stripped, 3);
    }

    proptest! {
        #[test]
        fn is_bounded_and_stable(text in any::<String>(), bytes_max in 3_usize..50) {
            let mut stripped = 0;
            let once = clean(text.clone(), bytes_max, &mut stripped);
            prop_assert!(once.len() <= bytes_max);
            prop_assert!(!once.chars().any(misleads));
            let spaced = text.replace(['\n', '\r', '\t'], " ");
            prop_assert_eq!(stripped == 0, once == spaced);
            let mut again = 0;
            prop_assert_eq!(&clean(once.clone(), bytes_max, &mut again), &once);
            prop_assert_eq!(again, 0);
        }
    }
}
