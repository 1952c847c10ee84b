//! `cargo xtask docs`: writes the parts of pages that are made from the code. A test of the hub fails while they differ.

use anyhow::{Context as _, Result};

use crate::tools::{bailiwick, command, output, root};
use crate::{book, plugins};

const FIRST_MARK: &str = "<!-- made by cargo xtask docs -->\n";
const LAST_MARK: &str = "<!-- end -->";

/// Pages with a made part, and the arguments with which the hub's program prints it.
const PAGES: &[(&str, &[&str])] = &[("sdk/rust/docs/limits.md", &["plugin", "limits", "--markdown"])];

/// Files that are made whole, and the arguments with which the hub's program prints them.
const FILES: &[(&str, &[&str])] = &[("docs/openapi.json", &["openapi"])];

/// Puts every made part in its place.
pub(crate) fn run() -> Result<()> {
    book::write_contract()?;
    plugins::build_hub()?;
    for (page, arguments) in PAGES {
        let path = root().join(page);
        let text = std::fs::read_to_string(&path).with_context(|| format!("{page} cannot be read"))?;
        let made = output(command(bailiwick(), arguments))?;
        let told = replaced(&text, &made).with_context(|| format!("{page} lacks a mark: {FIRST_MARK:?} and then {LAST_MARK:?}"))?;
        println!("{page}: {}", if told == text { "as the code says" } else { "written" });
        std::fs::write(&path, told)?;
    }
    for (file, arguments) in FILES {
        let path = root().join(file);
        let told = format!("{}\n", output(command(bailiwick(), arguments))?.trim_end());
        let same = std::fs::read_to_string(&path).is_ok_and(|text| text == told);
        println!("{file}: {}", if same { "as the code says" } else { "written" });
        std::fs::write(&path, told)?;
    }
    Ok(())
}

fn replaced(text: &str, made: &str) -> Option<String> {
    let start = text.find(FIRST_MARK)? + FIRST_MARK.len();
    let end = start + text[start..].find(LAST_MARK)?;
    Some(format!("{}\n{}\n\n{}", &text[..start], made.trim(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let text = format!("before\n{FIRST_MARK}old{LAST_MARK}\nafter\n");
        let once = replaced(&text, "new\n").expect("both marks are there");
        assert_eq!(once, format!("before\n{FIRST_MARK}\nnew\n\n{LAST_MARK}\nafter\n"));
        assert_eq!(replaced(&once, "new\n"), Some(once));
        assert_eq!(replaced("no marks", "new"), None);
    }
}
