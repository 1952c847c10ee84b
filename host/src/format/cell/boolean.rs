//! Yes and no, as people and programs write them.

use super::Fault;

/// Reads `true`, `false`, `yes`, `no`, `y`, `n`, `1` or `0`, in any case.
pub(in crate::format) fn parse_boolean(text: &str) -> Result<bool, Fault> {
    const WORDS: [(&str, bool); 8] =
        [("true", true), ("false", false), ("y", true), ("n", false), ("yes", true), ("no", false), ("1", true), ("0", false)];
    let word = WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
    word.map(|(_, value)| *value).ok_or_else(|| Fault::nul_or(text, Fault::NotABoolean))
}
