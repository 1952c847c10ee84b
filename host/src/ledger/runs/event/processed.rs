//! What a processing came to, as its event holds it: totals, staged outputs, limits and tables used.

use serde::{Deserialize, Serialize};

use super::{StateChange, wire};
use crate::model::ids::{ConnectionName, Digest};
use crate::model::limits::{Limits, Usage};
use crate::model::totals::{BalanceResult, ControlTotals};

/// What became of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Processed {
    /// Control totals.
    #[serde(with = "wire::totals")]
    pub totals: ControlTotals,
    /// How the plugin's equations came out.
    #[serde(with = "wire::balances")]
    pub balances: Vec<BalanceResult>,
    /// What is to be delivered. A run closes as delivered when each of these has been.
    pub outputs: Vec<StagedOutput>,
    /// Rows rejected.
    pub rejects: u64,
    /// Rows warned of, those not kept included.
    pub warnings: u64,
    /// Every limit in force, and what was used where that was measured.
    pub limits: Vec<LimitUse>,
    /// The tables that were looked things up in.
    pub tables: Vec<TableUsed>,
    /// How long it took.
    pub took_ms: u64,
    /// Log lines beyond the limit, which were dropped.
    pub log_lines_dropped: u64,
    /// What the plugin wants to remember for the job's next run, once this one closes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<StateChange>,
}

/// An output that is stored and waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedOutput {
    /// The plugin's output.
    pub port: String,
    /// The artefact, by SHA-256 of its bytes.
    #[serde(with = "wire::text")]
    pub artefact: Digest,
    /// How many bytes.
    pub size_bytes: u64,
    /// How many rows.
    pub rows: u64,
    /// Where it goes.
    #[serde(with = "wire::text")]
    pub connection: ConnectionName,
    /// What it is called there.
    pub target: String,
}

/// A limit and what a run used of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitUse {
    /// Its name, as in `model::limits`.
    pub limit: String,
    /// How much was allowed.
    pub allowed: u64,
    /// How much was used, where that was measured.
    pub used: Option<u64>,
}

impl LimitUse {
    /// Every limit in force beside what was measured.
    #[must_use]
    pub fn all(limits: &Limits, usage: &Usage) -> Vec<Self> {
        limits.iter().map(|(limit, allowed)| Self { limit: limit.name().to_owned(), allowed, used: usage.get(limit) }).collect()
    }
}

/// A version of a table that a run looked things up in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableUsed {
    /// The table.
    pub table: String,
    /// The version.
    pub version: String,
    /// SHA-256 of its rows.
    #[serde(with = "wire::text")]
    pub digest: Digest,
}
