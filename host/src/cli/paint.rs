//! How the command line shows things: aligned tables, amounts, sizes, colour only on a terminal.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

use comfy_table::{CellAlignment, Table, presets};

/// Writes a line to standard output. A closed pipe ends the program quietly, as `| head` means it to.
pub(crate) fn say(text: impl Display) {
    if writeln!(anstream::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
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
