//! The inputs and outputs of an adapter, with their columns.

use toml::Spanned;

use crate::model::ids::{NAME_BYTES_MAX, is_name};
use crate::model::limits::RECORD_BYTES_MAX;
use crate::model::rows::{ColumnKind, ColumnShape, PortShape, UNSCALED_DIGITS_MAX};

use super::written::{Column, Port, TypeWord};
use super::{Reader, adds_up};

/// Most columns of a port: each costs memory in every batch.
pub(super) const COLUMNS_MAX: usize = 256;

/// Digits after the point of money, where a column does not say.
const MONEY_SCALE_DEFAULT: u8 = 2;

/// Which side of the plugin a port is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Input,
    Output,
}

impl Reader<'_> {
    pub(super) fn port(&mut self, written: &Spanned<Port>, side: Side) -> Option<PortShape> {
        let port = written.get_ref();
        let name = port.name.get_ref();
        if !is_name(name) || name == "findings" {
            self.wrong(
                port.name.span(),
                format!("{name:?} is not a port's name"),
                "use lower-case letters, digits and hyphens; `findings` is taken",
            );
        }
        self.fits(port, side);
        if port.columns.is_empty() || port.columns.len() > COLUMNS_MAX {
            self.wrong(written.span(), format!("{name} has {} columns", port.columns.len()), format!("declare 1 to {COLUMNS_MAX}"));
            return None;
        }
        let names: Vec<_> = port.columns.iter().map(|column| column.get_ref().name.clone()).collect();
        self.once(&names, "column");
        let columns: Option<Vec<_>> = port.columns.iter().map(|column| self.column(column)).collect();
        let columns = columns?;
        let unique: Option<Vec<_>> = port.unique.iter().map(|set| self.places(set, &columns)).collect();
        let aggregate_by = match &port.aggregate_by {
            Some(keys) => Some(self.aggregate_keys(keys, &columns)?),
            None => None,
        };
        let optional = port.optional.as_ref().is_some_and(|optional| *optional.get_ref());
        Some(PortShape { name: name.clone(), about: port.about.trim().to_owned(), optional, columns, unique: unique?, aggregate_by })
    }

    /// Refuses what belongs to the other side.
    fn fits(&mut self, port: &Port, side: Side) {
        match side {
            Side::Input => {
                if let Some(keys) = &port.aggregate_by {
                    self.wrong(keys.span(), "an input cannot be an aggregate", "take aggregate-by out: the hub adds up outputs only");
                }
            }
            Side::Output => {
                if let Some(optional) = &port.optional {
                    self.wrong(optional.span(), "an output cannot be optional", "take it out: a job may always leave an output unmapped");
                }
                if let Some(set) = port.unique.first() {
                    self.wrong(set.span(), "an output cannot be unique", "declare it of the input: the hub rejects input rows only");
                }
            }
        }
    }

    pub(super) fn column(&mut self, written: &Spanned<Column>) -> Option<ColumnShape> {
        let column = written.get_ref();
        let name = column.name.get_ref();
        if !is_column_name(name) {
            let to_do = format!("use 1 to {NAME_BYTES_MAX} lower-case letters, digits and underscores, beginning with a letter");
            self.wrong(column.name.span(), format!("{name:?} is not a column's name"), to_do);
        }
        let kind = self.column_kind(written);
        Some(ColumnShape {
            name: name.clone(),
            kind: kind?,
            required: column.required.unwrap_or(true),
            personal: column.personal,
            length_max: self.length_max(column),
            about: column.about.trim().to_owned(),
        })
    }

    fn column_kind(&mut self, written: &Spanned<Column>) -> Option<ColumnKind> {
        let column = written.get_ref();
        let scale = match &column.scale {
            None => None,
            Some(scale) => match u8::try_from(*scale.get_ref()) {
                Ok(small) if usize::from(small) <= UNSCALED_DIGITS_MAX => Some(small),
                _ => {
                    self.wrong(
                        scale.span(),
                        format!("scale {} has no room in 64 bits", scale.get_ref()),
                        format!("write 0 to {UNSCALED_DIGITS_MAX}"),
                    );
                    return None;
                }
            },
        };
        let whole = match column.r#type {
            TypeWord::Money => return Some(ColumnKind::Money { scale: scale.unwrap_or(MONEY_SCALE_DEFAULT) }),
            TypeWord::Decimal => {
                if scale.is_none() {
                    self.wrong(written.span(), "a decimal column says its scale", "add, for instance, scale = 2");
                }
                return scale.map(|scale| ColumnKind::Decimal { scale });
            }
            TypeWord::Integer => ColumnKind::Integer,
            TypeWord::Date => ColumnKind::Date,
            TypeWord::Text => ColumnKind::Text,
            TypeWord::Boolean => ColumnKind::Boolean,
        };
        if let Some(scale) = &column.scale {
            self.wrong(scale.span(), "only decimal and money columns have a scale", "take scale out, or change the type");
        }
        Some(whole)
    }

    fn length_max(&mut self, column: &Column) -> Option<u32> {
        let length = column.length_max.as_ref()?;
        if column.r#type != TypeWord::Text {
            self.wrong(length.span(), "only text columns have a length-max", "take it out");
        }
        let fitting = u32::try_from(*length.get_ref()).ok().filter(|length| *length >= 1 && *length as usize <= RECORD_BYTES_MAX);
        if fitting.is_none() {
            self.wrong(length.span(), format!("length-max {} cannot be held", length.get_ref()), format!("write 1 to {RECORD_BYTES_MAX}"));
        }
        fitting
    }

    fn aggregate_keys(&mut self, keys: &Spanned<Vec<Spanned<String>>>, columns: &[ColumnShape]) -> Option<Vec<usize>> {
        let places = self.places(keys, columns)?;
        for (place, column) in columns.iter().enumerate() {
            if !places.contains(&place) && !adds_up(column.kind) {
                let what = format!("column {} is {} and cannot be added up", column.name, column.kind);
                self.wrong(keys.span(), what, "name it in aggregate-by, or take it out");
            }
        }
        Some(places)
    }

    /// The places of columns that a list names.
    fn places(&mut self, names: &Spanned<Vec<Spanned<String>>>, columns: &[ColumnShape]) -> Option<Vec<usize>> {
        if names.get_ref().is_empty() {
            self.wrong(names.span(), "this list names no column", "name at least one");
            return None;
        }
        if !self.once(names.get_ref(), "column") {
            return None;
        }
        let place = |name: &Spanned<String>| {
            let found = columns.iter().position(|column| column.name == *name.get_ref());
            found.ok_or_else(|| {
                self.source.problem(Some(name.span()), format!("there is no column {:?} here", name.get_ref()), "name one of `columns`")
            })
        };
        let found: Vec<_> = names.get_ref().iter().map(place).collect();
        let found: Vec<_> = found.into_iter().map(|place| self.problems.note(place)).collect();
        found.into_iter().collect()
    }
}

/// Whether a text is lower-case letters, digits and underscores, beginning with a letter.
pub(super) fn is_column_name(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
