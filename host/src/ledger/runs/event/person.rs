//! What persons do to runs, as events hold it: words, retries, deliveries that are settled or sent again.

use serde::{Deserialize, Serialize};

use super::{Delivered, Reason, wire};
use crate::model::ids::{ConnectionName, Digest};

/// A person sent a run on its way again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retried {
    /// Whether it begins anew with what is in force now; otherwise it goes on where it stopped, with what it was pinned to.
    pub afresh: bool,
    /// What the person gave as reason.
    pub why: String,
}

/// What a person gave as reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// The reason.
    pub why: String,
}

/// A person asked the receiver of a delivery of which nobody could tell whether it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The plugin's output.
    pub port: String,
    /// What arrived, on the person's word; none if it did not, and is sent again.
    pub arrived: Option<Delivered>,
    /// What the person gave as reason.
    pub why: String,
}

/// A person has an output sent again that was delivered before. Written down before its first byte is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResendBegun {
    /// The plugin's output.
    pub port: String,
    /// Where it goes.
    #[serde(with = "wire::text")]
    pub connection: ConnectionName,
    /// What it is to be called there.
    pub target: String,
    /// SHA-256 of what is sent: what was delivered before.
    #[serde(with = "wire::text")]
    pub digest: Digest,
    /// How many bytes.
    pub size_bytes: u64,
    /// Where the receiver is to take it for another delivery than the first: which one, from 1. None keeps the first one's key.
    pub new_key: Option<u64>,
    /// What the person gave as reason.
    pub why: String,
}

/// What came of sending an output again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resent {
    /// The event with which it began.
    pub begun: u64,
    /// What was delivered; none if it was not, or nobody can tell.
    pub delivered: Option<Delivered>,
    /// Why it was not, or why nobody can tell.
    pub failed: Option<Reason>,
}
