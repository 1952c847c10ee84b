//! Several text files as one input: each begins with a line `=== NAME`, so that mutations stay readable.

use std::collections::BTreeMap;

/// The files by name; the text before the first name is nothing.
pub(crate) fn files(input: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(input);
    let parts = text.split("=== ").skip(1);
    parts.filter_map(|part| part.split_once('\n')).map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
}
