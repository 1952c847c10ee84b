//! The format of an input or output: which options belong to which kind.

use toml::Spanned;

use crate::model::job::{
    Align, CsvFormat, DateStyle, Encoding, FileFormat, FilePlugin, FixedField, FixedWidthFormat, Format, JsonLinesFormat, LineEnd,
};
use crate::model::limits::RECORD_BYTES_MAX;

use super::job::Reader;
use super::written::{self, AlignWord, DatesWord, EncodingWord, FormatWord, LineEndWord, OtherColumnsWord, PointWord};

impl Reader<'_> {
    pub(super) fn format(&mut self, written: &Spanned<written::Format>) -> Option<FileFormat> {
        let options = written.get_ref();
        self.belong(options);
        let dates = match options.dates {
            None | Some(DatesWord::Iso) => DateStyle::Iso,
            Some(DatesWord::DayMonthYear) => DateStyle::DayMonthYear,
            Some(DatesWord::Compact) => DateStyle::Compact,
        };
        let encoding = match options.encoding.as_ref().map(|encoding| *encoding.get_ref()) {
            None | Some(EncodingWord::Utf8) => Encoding::Utf8,
            Some(EncodingWord::Windows1252) => Encoding::Windows1252,
        };
        Some(FileFormat::BuiltIn(match options.kind {
            FormatWord::JsonLines => Format::JsonLines(JsonLinesFormat { dates }),
            FormatWord::Csv => Format::Csv(CsvFormat {
                encoding,
                delimiter: self.delimiter(options.delimiter.as_ref())?,
                dates,
                headings: self.headings(options),
                other_columns_ignored: matches!(options.other_columns.as_ref().map(Spanned::get_ref), Some(OtherColumnsWord::Ignore)),
            }),
            FormatWord::Plugin => return self.plugin(written).map(FileFormat::Plugin),
            FormatWord::FixedWidth => {
                let line_end = match options.line_end.as_ref().map(|line_end| *line_end.get_ref()) {
                    None | Some(LineEndWord::Lf) => LineEnd::Lf,
                    Some(LineEndWord::Crlf) => LineEnd::CrLf,
                };
                let Some(fields) = &options.fields else {
                    self.wrong(written.span(), "fixed width needs its fields", "add fields = [{ column = \"…\", start = 1, width = 9 }]");
                    return None;
                };
                Format::FixedWidth(FixedWidthFormat { encoding, dates, fields: self.fields(fields)?, line_end })
            }
        }))
    }

    /// Refuses options of another kind, each with its own line.
    fn belong(&mut self, options: &written::Format) {
        use FormatWord::{Csv, FixedWidth, Plugin};
        let present = [
            ("encoding", options.encoding.as_ref().map(Spanned::span), &[Csv, FixedWidth][..]),
            ("delimiter", options.delimiter.as_ref().map(Spanned::span), &[Csv]),
            ("headings", options.headings.as_ref().map(Spanned::span), &[Csv]),
            ("other-columns", options.other_columns.as_ref().map(Spanned::span), &[Csv]),
            ("fields", options.fields.as_ref().map(Spanned::span), &[FixedWidth]),
            ("line-end", options.line_end.as_ref().map(Spanned::span), &[FixedWidth]),
            ("plugin", options.plugin.as_ref().map(Spanned::span), &[Plugin]),
            ("settings", options.settings.as_ref().map(Spanned::span), &[Plugin]),
        ];
        for (option, at, kinds) in present {
            if let Some(at) = at.filter(|_| !kinds.contains(&options.kind)) {
                self.wrong(
                    at,
                    format!("{option} does not belong to this kind of format"),
                    format!("take {option} out, or change the kind"),
                );
            }
        }
    }

    /// A format that is a plugin. Whether the partner has it, and what it makes of the settings, is seen when the job is checked.
    fn plugin(&mut self, written: &Spanned<written::Format>) -> Option<FilePlugin> {
        let options = written.get_ref();
        if options.dates.is_some() {
            self.wrong(
                written.span(),
                "dates does not belong to this kind of format",
                "take dates out: the plugin says how dates are written",
            );
        }
        let Some(plugin) = &options.plugin else {
            self.wrong(written.span(), "the format names no plugin", "add plugin = \"…\", the name of a format in plugins.toml");
            return None;
        };
        let settings = self.settings_of(options.settings.as_ref());
        Some(FilePlugin { plugin: self.name(plugin)?, settings, line: self.line_of(plugin) })
    }

    fn delimiter(&mut self, written: Option<&Spanned<String>>) -> Option<u8> {
        let Some(written) = written else { return Some(b',') };
        match written.get_ref().as_bytes() {
            [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n\0".contains(byte) => Some(*byte),
            _ => {
                self.wrong(
                    written.span(),
                    format!("{:?} cannot part values", written.get_ref()),
                    "write one character, such as \";\", \"|\" or \"\\t\"",
                );
                None
            }
        }
    }

    fn headings(&mut self, options: &written::Format) -> Vec<(String, String)> {
        let Some(headings) = &options.headings else { return Vec::new() };
        let pairs = &headings.get_ref().0;
        for (place, (_, heading)) in pairs.iter().enumerate() {
            if pairs[..place].iter().any(|(_, other)| other.get_ref() == heading.get_ref()) {
                self.wrong(heading.span(), format!("heading {:?} stands here twice", heading.get_ref()), "each heading fills one column");
            }
            if heading.get_ref().trim().is_empty() {
                self.wrong(heading.span(), "this heading is empty", "write the heading as it stands in the file");
            }
        }
        pairs.iter().map(|(column, heading)| (column.get_ref().clone(), heading.get_ref().clone())).collect()
    }

    fn fields(&mut self, written: &Spanned<Vec<Spanned<written::Field>>>) -> Option<Vec<FixedField>> {
        if written.get_ref().is_empty() {
            self.wrong(written.span(), "there is no field", "name at least one");
        }
        let fields: Option<Vec<_>> = written.get_ref().iter().map(|field| self.field(field)).collect();
        let fields = fields?;
        for (place, field) in fields.iter().enumerate() {
            for other in &fields[..place] {
                let at = written.get_ref()[place].span();
                if other.column == field.column {
                    self.wrong(at, format!("column {:?} has two fields", field.column), "give each column one place");
                } else if field.start < other.start + other.width && other.start < field.start + field.width {
                    let last = |field: &FixedField| field.start + field.width - 1;
                    let what = format!(
                        "{} at {} to {} overlaps {} at {} to {}",
                        field.column,
                        field.start,
                        last(field),
                        other.column,
                        other.start,
                        last(other)
                    );
                    self.wrong(at, what, "give each field characters of its own");
                }
            }
        }
        Some(fields)
    }

    fn field(&mut self, written: &Spanned<written::Field>) -> Option<FixedField> {
        let field = written.get_ref();
        let within =
            |amount: &Spanned<u64>| usize::try_from(*amount.get_ref()).ok().filter(|amount| (1..=RECORD_BYTES_MAX).contains(amount));
        let mut place = |name: &str, amount: &Spanned<u64>| {
            let found = within(amount);
            if found.is_none() {
                self.wrong(
                    amount.span(),
                    format!("{name} is {}", amount.get_ref()),
                    format!("write 1 to {RECORD_BYTES_MAX}; the first character is 1"),
                );
            }
            found
        };
        let (start, width) = (place("start", &field.start), place("width", &field.width));
        let fill = field.fill.as_ref().map_or(' ', |fill| *fill.get_ref());
        if let Some(at) = field.fill.as_ref().filter(|fill| !fill.get_ref().is_ascii() || fill.get_ref().is_ascii_control()) {
            self.wrong(at.span(), format!("{fill:?} cannot fill up a field"), "write one plain character, such as \" \" or \"0\"");
        }
        let align = if field.align == Some(AlignWord::Right) { Align::Right } else { Align::Left };
        if align == Align::Left && fill.is_ascii_digit() {
            self.wrong(written.span(), format!("{fill:?} behind a value would change it"), "write align = \"right\", or fill with spaces");
        }
        Some(FixedField {
            column: field.column.get_ref().clone(),
            start: start?,
            width: width?,
            align,
            fill,
            point_implied: field.point == Some(PointWord::Implied),
        })
    }
}
