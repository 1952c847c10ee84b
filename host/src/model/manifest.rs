//! What a plugin says of itself: the validated form of `plugin.toml`.

use super::http::RequestRule;
use super::ids::PluginName;
use super::limits::Limit;
use super::rows::{ColumnShape, PortShape};
use super::totals::Balance;

/// A validated manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// The plugin's name.
    pub name: PluginName,
    /// Its version, for people: the digest of the component is what names a release.
    pub version: String,
    /// One line for people.
    pub title: String,
    /// A paragraph for people.
    pub about: String,
    /// Version of the contract that it was written for, `0.1.0`.
    pub contract: String,
    /// What it asks for beyond the interfaces that everyone has.
    pub wants: Wants,
    /// Limits that it asks to be other than the default.
    pub limits: Vec<(Limit, u64)>,
    /// JSON Schema of its settings; none where it has no settings.
    pub settings_schema: Option<serde_json::Value>,
    /// Equations over control totals that the hub checks.
    pub balances: Vec<Balance>,
    /// What kind of plugin it is, and what that kind declares.
    pub kind: Kind,
}

/// What a plugin asks for. An interface that it does not ask for, it must not import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// Whether it writes to the log.
    pub log: bool,
    /// Whether it asks for the run's logical time.
    pub clock: bool,
    /// Whether it draws random numbers.
    pub random: bool,
    /// Whether it keeps state between runs.
    pub state: bool,
    /// Whether it sends requests through a connection that the job names. Only connectors can.
    pub http: bool,
    /// The tables that it looks things up in.
    pub lookup: Vec<String>,
}

/// The kinds of plugin.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Rows in, rows out.
    Adapter(AdapterShape),
    /// A case in, a decision out.
    RuleSet(RuleSetShape),
    /// Rows into a file, a file into rows.
    Format(FormatShape),
    /// Files fetched from a provider's API and sent to it.
    Connector(ConnectorShape),
}

/// The ports of an adapter.
#[derive(Debug, Clone)]
pub struct AdapterShape {
    /// Inputs, in the order in which they are pushed.
    pub inputs: Vec<PortShape>,
    /// Outputs.
    pub outputs: Vec<PortShape>,
    /// Whether the rows of the last input can be processed apart from each other.
    pub independent_rows: bool,
}

/// The case and decision of a rule set.
#[derive(Debug, Clone)]
pub struct RuleSetShape {
    /// JSON Schema of a case.
    pub case_schema: serde_json::Value,
    /// The names that the schema's objects list, of each object in the order of its author: JSON values do not keep it.
    pub case_order: Vec<Vec<String>>,
    /// JSON Pointer to what a person calls the case by.
    pub reference: String,
    /// Amounts in the case that control totals add up: name and JSON Pointer.
    pub amounts: Vec<(String, String)>,
    /// JSON Pointers to personal data in the case, to be masked.
    pub personal: Vec<String>,
    /// The outcomes that a decision can have.
    pub outcomes: Vec<String>,
    /// The figures that a decision can fix.
    pub figures: Vec<String>,
}

/// The columns of a format, and the ways that it goes.
#[derive(Debug, Clone)]
pub struct FormatShape {
    /// The columns, in order.
    pub columns: Vec<ColumnShape>,
    /// Whether it writes files.
    pub writes: bool,
    /// Whether it reads files.
    pub reads: bool,
}

/// The ways that a connector goes, and what it asks of the provider.
#[derive(Debug, Clone)]
pub struct ConnectorShape {
    /// Whether it fetches files.
    pub pulls: bool,
    /// Whether it sends files.
    pub pushes: bool,
    /// Requests that it may make, as far as the connection allows them too.
    pub requests: Vec<RequestRule>,
}

impl Manifest {
    /// Whether its last input may be processed in parts. Random numbers and what is remembered from run to run are of the whole.
    #[must_use]
    pub const fn may_be_cut(&self) -> bool {
        matches!(&self.kind, Kind::Adapter(AdapterShape { independent_rows: true, .. })) && !self.wants.state && !self.wants.random
    }

    /// The word for its kind, as in `plugin.toml`.
    #[must_use]
    pub const fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::Adapter(_) => "adapter",
            Kind::RuleSet(_) => "rule-set",
            Kind::Format(_) => "format",
            Kind::Connector(_) => "connector",
        }
    }
}
