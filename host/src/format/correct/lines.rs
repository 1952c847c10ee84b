//! Formats of one record a line: its number and its reason before it, with tabs between.

use std::io::{self, Write};

use super::{CorrectionError, RejectedRecord, Taken, too_long};
use crate::format::window::{Line, Window};
use crate::model::job::{Format, LineEnd};

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn write(format: &Format, record: RejectedRecord<'_>, out: &mut dyn Write) -> io::Result<()> {
    let end: &[u8] = match format {
        Format::FixedWidth(options) if options.line_end == LineEnd::CrLf => b"\r\n",
        _ => b"\n",
    };
    write!(out, "{}\t{}\t", record.number, record.reason)?;
    out.write_all(record.raw)?;
    out.write_all(end)
}

pub(super) fn read(window: &mut Window<'_>, taken: &mut Taken<'_>) -> Result<(), CorrectionError> {
    if window.look()?.starts_with(UTF8_MARK) {
        window.advance(UTF8_MARK.len(), 0);
    }
    loop {
        let found = window.line()?;
        let line = window.place(0).line;
        let step = match found {
            Line::None => return Ok(()),
            Line::TooLong => return Err(too_long(line)),
            Line::Whole { step, .. } => step,
        };
        let text = &window.view()[..step];
        if !text.iter().all(u8::is_ascii_whitespace) {
            let wrong = |why: &str| CorrectionError::Line { line, why: why.to_owned() };
            let mut parts = text.splitn(3, |byte| *byte == b'\t');
            let number = parts.next().and_then(|number| std::str::from_utf8(number).ok()?.trim().parse().ok());
            let number =
                number.ok_or_else(|| wrong("it does not begin with the number of a reject and a tab: leave those as they were"))?;
            let record = parts.nth(1).filter(|record| !record.iter().all(u8::is_ascii_whitespace));
            let record = record.ok_or_else(|| wrong("nothing stands behind its number and its reason: leave the line out instead"))?;
            taken.record(line, number, record)?;
        }
        window.advance(step, 1);
    }
}
