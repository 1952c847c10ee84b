//! The marks: what each measurement is held to, as `tests/bench/marks.toml` says.

use anyhow::{Context as _, Result};

use crate::tools::root;

const FILE: &str = "tests/bench/marks.toml";

/// One measurement and what it is held to.
pub(super) struct Mark {
    pub(super) name: String,
    pub(super) what: String,
    pub(super) unit: String,
    pub(super) against: String,
    pub(super) how: String,
    pub(super) held: Held,
    /// What was tried to reach it.
    pub(super) tried: String,
}

/// On which side of the mark is good.
#[derive(Clone, Copy)]
pub(super) enum Held {
    AtMost(f64),
    AtLeast(f64),
    Told,
}

impl Held {
    /// Whether a value reaches it; none where there is no mark.
    pub(super) fn reached(self, value: f64) -> Option<bool> {
        match self {
            Self::AtMost(most) => Some(value <= most),
            Self::AtLeast(least) => Some(value >= least),
            Self::Told => None,
        }
    }

    pub(super) fn told(self) -> String {
        match self {
            Self::AtMost(most) => format!("≤ {most}"),
            Self::AtLeast(least) => format!("≥ {least}"),
            Self::Told => "–".to_owned(),
        }
    }
}

/// Reads them, in the order of the file.
pub(super) fn read() -> Result<Vec<Mark>> {
    let text = std::fs::read_to_string(root().join(FILE)).context(FILE)?;
    let file: toml::Table = text.parse().context(FILE)?;
    file.get("mark").and_then(toml::Value::as_array).into_iter().flatten().map(|mark| of(mark).context(FILE)).collect()
}

fn of(mark: &toml::Value) -> Result<Mark> {
    let optional = |key: &str| mark.get(key).and_then(toml::Value::as_str).map(str::trim).unwrap_or_default().to_owned();
    let text = |key: &str| Some(optional(key)).filter(|text| !text.is_empty()).with_context(|| format!("a mark has no {key}"));
    let amount = |key: &str| mark.get(key).and_then(toml::Value::as_float);
    let held = match (amount("at-most"), amount("at-least")) {
        (Some(most), _) => Held::AtMost(most),
        (None, Some(least)) => Held::AtLeast(least),
        (None, None) => Held::Told,
    };
    Ok(Mark {
        name: text("name")?,
        what: text("what")?,
        unit: text("unit")?,
        against: text("against")?,
        how: text("how")?,
        held,
        tried: optional("tried"),
    })
}
