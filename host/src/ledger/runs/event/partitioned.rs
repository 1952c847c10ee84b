//! Where a run's last input was cut, as its event holds it.

use serde::{Deserialize, Serialize};

use super::wire;
use crate::model::ids::Digest;

/// The last input was cut, so that any hub may process a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partitioned {
    /// The input.
    pub port: String,
    /// Where each partition begins; it ends where the next one begins, the last one where the file does. At least one.
    pub cuts: Vec<Cut>,
    /// The file that says which rows repeat an earlier one, by the SHA-256 of its bytes: no partition sees the rows before it.
    #[serde(with = "wire::text")]
    pub repeats: Digest,
}

/// Where a partition begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The number of its first row, from 0 over all rows of the input that could be read.
    pub first_row: u64,
    /// Where its first record begins, from 0.
    pub byte_offset: u64,
    /// On which line, from 1.
    pub line: u64,
}
