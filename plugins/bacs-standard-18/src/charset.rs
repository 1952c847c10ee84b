//! The characters that a file may hold, and what becomes of others.

use crate::settings::SmallLetters;

/// A text in the characters of the file, and how many of it were replaced by a space.
pub(crate) fn fitted(text: &str, small_letters: SmallLetters) -> (String, u64) {
    let mut replaced = 0;
    let fit = |character: char| match character {
        'a'..='z' if small_letters == SmallLetters::Capitals => character.to_ascii_uppercase(),
        allowed if is_allowed(allowed) => allowed,
        _ => {
            replaced += 1;
            ' '
        }
    };
    let fitted = text.chars().map(fit).collect();
    (fitted, replaced)
}

/// A to Z, 0 to 9, full stop, ampersand, slash, hyphen, space.
pub(crate) const fn is_allowed(character: char) -> bool {
    matches!(character, 'A'..='Z' | '0'..='9' | '.' | '&' | '/' | '-' | ' ')
}
