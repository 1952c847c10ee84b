//! How the command line shows things: aligned tables, amounts, sizes, colour only on a terminal.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

use comfy_table::{CellAlignment, Table, presets};

use crate::model::outcome::visible;

/// Writes a line to standard output. A closed pipe ends the program quietly, as `| head` means it to.
pub(crate) fn say(text: impl Display) {
    if writeln!(anstream::stdout(), "{}", clean(&text.to_string())).is_err() {
        std::process::exit(0);
    }
}

/// What [`paint`] writes into a text.
const OWN_COLOURS: [&str; 6] = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"];

/// A text of ours with all that others brought into it made visible: only our own colours steer the terminal.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let own = OWN_COLOURS.iter().find(|colour| rest.starts_with(**colour)).map(|colour| colour.len());
        let (kept, after) = rest.split_at(own.unwrap_or(character.len_utf8()));
        if own.is_some() || matches!(character, '\n' | '\t') {
            cleaned += kept;
        } else {
            cleaned += &visible(kept);
        }
        rest = after;
    }
    cleaned
}

/// What a word means, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Attention,
    Bad,
    Quiet,
    Strong,
}

/// A text in the colour of its meaning. Colours vanish where standard output is no terminal.
pub(crate) fn paint(tone: Tone, text: impl Display) -> String {
    use anstyle::{AnsiColor, Style};
    let style = match tone {
        Tone::Good => AnsiColor::Green.on_default(),
        Tone::Attention => AnsiColor::Yellow.on_default(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
        Tone::Quiet => Style::new().dimmed(),
        Tone::Strong => Style::new().bold(),
    };
    format!("{style}{text}{style:#}")
}

/// Whether a person watches: progress is shown only then.
pub(crate) fn watched() -> bool {
    std::io::stderr().is_terminal()
}

/// A table with headings; columns named in `right` stand on the right.
pub(crate) fn table(headings: &[&str], right: &[usize], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headings.iter().map(|heading| paint(Tone::Quiet, heading)));
    table.add_rows(rows);
    for place in right {
        if let Some(column) = table.column_mut(*place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let shown = table.to_string();
    shown.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// A count with its thousands parted.
pub(crate) fn count(number: u64) -> String {
    format!("{:#}", crate::model::rows::Amount { coefficient: i128::from(number), scale: 0 })
}

/// A size for people.
pub(crate) fn bytes(size: u64) -> String {
    match size {
        0..1_024 => format!("{size} B"),
        1_024..1_048_576 => format!("{} KiB", size.div_ceil(1_024)),
        _ => format!("{} MiB", size.div_ceil(1_048_576)),
    }
}

/// A duration for people, from milliseconds.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_colours_steer_a_terminal() {
        for tone in [Tone::Good, Tone::Attention, Tone::Bad, Tone::Quiet, Tone::Strong] {
            let own = format!("{}\tand\nmore", paint(tone, "a £ file"));
            assert_eq!(clean(&own), own, "{tone:?}");
        }
        let theirs = "pay\x1b]0;owned\x07\x1b[2J\x1b[8m\r\u{202e}vsc.csv\u{9b}\u{e0041}";
        assert_eq!(clean(theirs), "pay\\u001b]0;owned\\u0007\\u001b[2J\\u001b[8m\\u000d\\u202evsc.csv\\u009b\\udb40\\udc41");
        // JSON stays the same JSON.
        let json = serde_json::json!({"name": "pay\u{202e}\u{e0041}\u{7f}.csv"});
        let back: serde_json::Value = serde_json::from_str(&clean(&json.to_string())).expect("it is JSON");
        assert_eq!(back, json);
    }
}
