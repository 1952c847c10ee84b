//! Where the columns of a port stand in a line.

use crate::format::Direction;
use crate::format::cell::Windows1252;
use crate::format::error::FormatError;
use crate::model::job::{Align, DateStyle, Encoding, FixedField, FixedWidthFormat};
use crate::model::rows::{ColumnKind, ColumnShape, PortShape};

/// Longest line that can be declared, so that a batch of lines stays small.
const LINE_CHARS_MAX: usize = 32 << 10;

/// A layout that fits its port.
#[derive(Debug)]
pub(in crate::format) struct Layout {
    /// For each declared column, its field; none where an input leaves an optional column out.
    pub(super) fields: Vec<Option<Field>>,
    /// Characters of a line.
    pub(super) width: usize,
}

/// One field of the line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// Its first character, counted from 0.
    pub(super) start: usize,
    pub(super) width: usize,
    pub(super) align: Align,
    pub(super) fill: char,
    pub(super) point_implied: bool,
}

impl Field {
    /// Whether what it is filled up with is taken away where it is read. Spaces go in any case. Noughts before a number
    /// stay: they change nothing, and may be all there is. What may stand in a value only fills where nothing is missing.
    pub(super) fn is_stripped(&self, kind: ColumnKind) -> bool {
        self.fill != ' ' && (kind == ColumnKind::Text || !may_be_of_a_value(self.fill))
    }
}

/// Characters that stand in numbers, dates and truth values.
fn may_be_of_a_value(fill: char) -> bool {
    fill.is_alphanumeric() || matches!(fill, '-' | '.' | '/')
}

impl Layout {
    /// Checks a declared layout against a port.
    pub(in crate::format) fn new(options: &FixedWidthFormat, port: &PortShape, direction: Direction) -> Result<Self, FormatError> {
        let mut fields = vec![None; port.columns.len()];
        for declared in &options.fields {
            let wrong = |message: String| Err(FormatError::Layout { port: port.name.clone(), message });
            let Some(place) = port.column(&declared.column) else {
                return wrong(format!("it has a field for column {}, which the plugin does not declare", declared.column));
            };
            if fields[place].is_some() {
                return wrong(format!("it has two fields for column {}", declared.column));
            }
            if let Some(message) = unfit(declared, &port.columns[place], options) {
                return wrong(format!("the field of column {} {message}", declared.column));
            }
            fields[place] = Some(Field {
                start: declared.start - 1,
                width: declared.width,
                align: declared.align,
                fill: declared.fill,
                point_implied: declared.point_implied,
            });
        }
        complete(fields, port, direction).map_err(|message| FormatError::Layout { port: port.name.clone(), message })
    }
}

fn complete(fields: Vec<Option<Field>>, port: &PortShape, direction: Direction) -> Result<Layout, String> {
    for (field, column) in fields.iter().zip(&port.columns) {
        if field.is_none() && (column.required || direction == Direction::Encode) {
            return Err(format!("column {} has no field", column.name));
        }
    }
    let mut order: Vec<usize> = (0..fields.len()).filter(|place| fields[*place].is_some()).collect();
    order.sort_by_key(|place| fields[*place].map(|field| field.start));
    let mut width = 0;
    let mut before = None;
    for place in order {
        let Some(field) = fields[place] else { continue };
        if let (Some(before), true) = (before, field.start < width) {
            return Err(format!("the fields of columns {before} and {} overlap", port.columns[place].name));
        }
        width = field.start + field.width;
        before = Some(port.columns[place].name.as_str());
    }
    if width == 0 {
        return Err("it has no fields".to_owned());
    }
    Ok(Layout { fields, width })
}

/// What a field must not be, whatever stands beside it.
fn unfit(field: &FixedField, shape: &ColumnShape, options: &FixedWidthFormat) -> Option<String> {
    let scaled = matches!(shape.kind, ColumnKind::Money { .. } | ColumnKind::Decimal { .. });
    let number = scaled || shape.kind == ColumnKind::Integer;
    let date_width = if options.dates == DateStyle::Compact { 8 } else { 10 };
    let end = field.start.checked_add(field.width);
    if field.start == 0 || field.width == 0 || end.is_none_or(|end| end > LINE_CHARS_MAX) {
        return Some(format!("must begin at character 1 or later, have a width, and end before character {LINE_CHARS_MAX}"));
    }
    if field.fill.is_control() || (options.encoding == Encoding::Windows1252 && Windows1252::encode(&field.fill.to_string()).is_err()) {
        return Some(format!("is filled up with {:?}, which a line cannot hold", field.fill));
    }
    if field.point_implied && !scaled {
        return Some(format!("has an implied point, and a {} has no point", shape.kind));
    }
    if shape.kind == ColumnKind::Date && field.width < date_width {
        return Some(format!("has {} characters, and a date takes {date_width}", field.width));
    }
    let harmless = !may_be_of_a_value(field.fill);
    let noughts = field.fill == '0' && number && field.align == Align::Right;
    let never_filled = shape.kind == ColumnKind::Date && field.width == date_width;
    if shape.kind != ColumnKind::Text && !(harmless || noughts || never_filled) {
        return Some(format!("is filled up with {:?} on that side, which would change a {}", field.fill, shape.kind));
    }
    None
}
