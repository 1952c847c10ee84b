//! What a measurement came to: the value of each round, and figures that are only told.

use super::rounds::median;

/// The value of each round, and what was seen beside them.
pub(super) struct Figures {
    pub(super) runs: Vec<f64>,
    pub(super) also: Vec<Also>,
}

/// A figure without a mark, for people.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Also {
    pub(super) what: String,
    pub(super) value: f64,
    pub(super) unit: String,
}

impl Figures {
    /// With a figure that is only told.
    pub(super) fn also(mut self, what: impl Into<String>, value: f64, unit: &str) -> Self {
        self.also.push(Also { what: what.into(), value, unit: unit.to_owned() });
        self
    }

    /// The one that counts.
    pub(super) fn value(&self) -> f64 {
        median(&self.runs)
    }
}

impl From<Vec<f64>> for Figures {
    fn from(runs: Vec<f64>) -> Self {
        Self { runs, also: Vec::new() }
    }
}
