//! What can go wrong between a column and a field: the value is at fault, or the plugin is.

use std::fmt;

use serde::{de, ser};

/// Why a value could not pass. Boxed, because it is rare and results are moved for every value.
#[derive(Debug)]
pub(crate) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    /// Place of the column, once known.
    column: Option<u32>,
    kind: Kind,
}

/// Who is at fault.
#[derive(Debug)]
pub(crate) enum Kind {
    /// The value: its row is rejected.
    Value {
        /// Code of the reject.
        code: &'static str,
        /// What this plugin would take. It never quotes the value, which may be personal.
        wanted: String,
    },
    /// The plugin: the run fails.
    Plugin(String),
}

impl Fault {
    #[cold]
    #[inline(never)]
    pub(crate) fn value(code: &'static str, wanted: impl Into<String>) -> Self {
        Self(Box::new(Inner { column: None, kind: Kind::Value { code, wanted: wanted.into() } }))
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn plugin(message: impl Into<String>) -> Self {
        Self(Box::new(Inner { column: None, kind: Kind::Plugin(message.into()) }))
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn at(mut self, column: u32) -> Self {
        self.0.column.get_or_insert(column);
        self
    }

    pub(crate) fn into_parts(self) -> (Option<u32>, Kind) {
        (self.0.column, self.0.kind)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            Kind::Value { wanted, .. } => f.write_str(wanted),
            Kind::Plugin(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::value("value-unusable", message.to_string())
    }

    #[cold]
    fn invalid_type(_: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Self::plugin(format!("the field's type wants {wanted}, and the column holds something else"))
    }

    #[cold]
    fn invalid_value(_: de::Unexpected<'_>, wanted: &dyn de::Expected) -> Self {
        Self::value("value-out-of-range", for_clerks(&wanted.to_string()).to_owned())
    }

    #[cold]
    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self::plugin("a row's struct has a field for each column that it reads, and no aliases, maps or lists")
    }

    #[cold]
    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::value("value-unknown", format!("one of {}", known.join(", ")))
    }
}

impl ser::Error for Fault {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::plugin(message.to_string())
    }
}

/// What serde calls a type, in the words of people who do not write Rust.
fn for_clerks(wanted: &str) -> &str {
    match wanted {
        "u8" => "a whole number from 0 to 255",
        "i8" => "a whole number from -128 to 127",
        "u16" => "a whole number from 0 to 65,535",
        "i16" => "a whole number from -32,768 to 32,767",
        "u32" => "a whole number from 0 to 4,294,967,295",
        "i32" => "a whole number from -2,147,483,648 to 2,147,483,647",
        "u64" | "usize" | "u128" => "a whole number that is not negative",
        other => other,
    }
}
