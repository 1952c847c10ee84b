//! Text: what may stand in it, how it is trimmed, and Windows-1252.

use std::borrow::Cow;

use super::Fault;

/// Whether bytes are printable ASCII throughout: then no character of them needs a look.
#[inline]
pub(in crate::format) fn is_plain(bytes: &[u8]) -> bool {
    // Without an early exit, so that the compiler makes it wide.
    !bytes.iter().fold(false, |odd, byte| odd | (byte.wrapping_sub(0x20) > 0x5e))
}

/// Without the spaces around it.
#[inline]
pub(in crate::format) fn trimmed(text: &str, plain: bool) -> &str {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(first), Some(last)) if plain && *first != b' ' && *last != b' ' => text,
        (None, _) => text,
        _ => text.trim(),
    }
}

/// Checks characters and length. `plain` says that the characters are known to be in order.
#[inline]
pub(in crate::format) fn check_text(text: &str, plain: bool, length_max: Option<u32>) -> Result<(), Fault> {
    if !plain {
        check_characters(text)?;
    }
    match length_max {
        Some(max) if text.len() > max as usize => check_length(text, max),
        _ => Ok(()),
    }
}

fn check_length(text: &str, max: u32) -> Result<(), Fault> {
    let length = text.chars().count();
    if length > max as usize { Err(Fault::TextTooLong { length, max }) } else { Ok(()) }
}

/// Characters that no name, address or note needs, and that hide what a text says.
fn check_characters(text: &str) -> Result<(), Fault> {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ' '..='~' | '\n' | '\t' => {}
            '\r' if characters.peek() == Some(&'\n') => {}
            '\0' => return Err(Fault::Nul),
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                return Err(Fault::DirectionMark(character));
            }
            '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{feff}' => return Err(Fault::Invisible(character)),
            // How a file in the wrong encoding shows itself.
            '\u{fffd}' => return Err(Fault::Replacement),
            _ if character.is_control() => return Err(Fault::Control(character)),
            _ => {}
        }
    }
    Ok(())
}

/// Windows-1252, which gives every byte a character. The five that it leaves open become control characters.
pub(in crate::format) struct Windows1252;

impl Windows1252 {
    /// The text of some bytes.
    pub(in crate::format) fn decode(bytes: &[u8]) -> Cow<'_, str> {
        encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0
    }

    /// The bytes of some text.
    pub(in crate::format) fn encode(text: &str) -> Result<Cow<'_, [u8]>, Fault> {
        let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(text);
        if !unmappable {
            return Ok(bytes);
        }
        let lost = text.chars().find(|character| encoding_rs::WINDOWS_1252.encode(character.encode_utf8(&mut [0; 4])).2);
        Err(Fault::NotInWindows1252(lost.unwrap_or(char::REPLACEMENT_CHARACTER)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters() {
        assert_eq!(check_text("O’Brien-Núñez\r\n2 High St\tStafford 👮", false, None), Ok(()));
        for (text, expect) in [
            ("a\0b", Fault::Nul),
            ("a\rb", Fault::Control('\r')),
            ("a\u{7f}", Fault::Control('\u{7f}')),
            ("a\u{81}", Fault::Control('\u{81}')),
            ("\u{202e}a", Fault::DirectionMark('\u{202e}')),
            ("a\u{200b}", Fault::Invisible('\u{200b}')),
            ("a\u{fffd}", Fault::Replacement),
        ] {
            assert_eq!(check_text(text, is_plain(text.as_bytes()), None), Err(expect));
        }
        assert!(is_plain(b" !~") && !is_plain(b"\x1f") && !is_plain(b"\x7f") && !is_plain("é".as_bytes()));
    }

    #[test]
    fn lengths_are_characters() {
        assert_eq!(check_text("ééé", false, Some(3)), Ok(()));
        assert_eq!(check_text("éééé", false, Some(3)), Err(Fault::TextTooLong { length: 4, max: 3 }));
    }

    #[test]
    fn trimming() {
        assert_eq!(trimmed(" a ", true), "a");
        assert_eq!(trimmed("\u{a0}a\t", false), "a");
        assert_eq!(trimmed("", true), "");
        assert_eq!(trimmed("   ", true), "");
    }

    #[test]
    fn windows_1252() {
        assert_eq!(Windows1252::decode(b"\xa312 \x92"), "£12 ’");
        assert_eq!(Windows1252::encode("£12 ’").expect("mappable").as_ref(), b"\xa312 \x92");
        assert_eq!(Windows1252::encode("aŵb"), Err(Fault::NotInWindows1252('ŵ')));
    }
}
