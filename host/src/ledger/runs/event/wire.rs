//! How the values in an event are written as JSON: names, ids, digests and amounts as text, state as hexadecimal.

use serde::{Deserialize, Serialize};

use crate::model::ids::RunId;
use crate::model::rows::Amount;
use crate::model::totals::{BalanceResult, ControlTotals, PortTotals, RowCounts};

use super::{RunEvent, Trigger};

/// Written straight from the event: as a kind and a body it would be a tree of JSON first.
pub(super) fn body_of(event: &RunEvent) -> String {
    let written = match event {
        RunEvent::Enqueued(body) => serde_json::to_string(body),
        RunEvent::Claimed(body) => serde_json::to_string(body),
        RunEvent::Pulled(body) => serde_json::to_string(body),
        RunEvent::Partitioned(body) => serde_json::to_string(body),
        RunEvent::Processed(body) => serde_json::to_string(body),
        RunEvent::Delivered(body) => serde_json::to_string(body),
        RunEvent::Closed(body) => serde_json::to_string(body),
        RunEvent::Held(body) | RunEvent::Skipped(body) => serde_json::to_string(body),
        RunEvent::Failed(body) => serde_json::to_string(body),
        RunEvent::Retried(body) => serde_json::to_string(body),
        RunEvent::Released(body) | RunEvent::Cancelled(body) => serde_json::to_string(body),
        RunEvent::Overdue(body) => serde_json::to_string(body),
        RunEvent::Settled(body) => serde_json::to_string(body),
        RunEvent::ResendBegun(body) => serde_json::to_string(body),
        RunEvent::Resent(body) => serde_json::to_string(body),
    };
    written.expect("an event has only text keys and no failing parts")
}

pub(super) fn event_of(kind: &str, body: &str) -> Result<RunEvent, serde_json::Error> {
    let body: serde_json::Value = serde_json::from_str(body)?;
    RunEvent::deserialize(serde_json::json!({ "kind": kind, "body": body }))
}

/// What can be shown and read back, as text.
pub(super) mod text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(in super::super) fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(in super::super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

/// The same where there may be none.
pub(super) mod text_option {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub(in super::super) fn serialize<T: Display, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        Option::<String>::deserialize(from)?.map(|text| text.parse().map_err(de::Error::custom)).transpose()
    }
}

/// A seed as 16 hexadecimal digits: JSON readers elsewhere cannot hold 64 bits in a number.
pub(super) mod seed {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(in super::super) fn serialize<S: Serializer>(seed: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{seed:016x}"))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        u64::from_str_radix(&String::deserialize(from)?, 16).map_err(de::Error::custom)
    }
}

/// A priority by its word.
pub(super) mod priority {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::model::job::Priority;

    pub(in super::super) fn serialize<S: Serializer>(priority: &Priority, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(priority.as_str())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Priority, D::Error> {
        let word = String::deserialize(from)?;
        Priority::ALL
            .into_iter()
            .find(|priority| priority.as_str() == word)
            .ok_or_else(|| de::Error::custom(format!("no priority {word:?}")))
    }
}

/// Bytes in hexadecimal.
pub(super) mod bytes_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    pub(in super::super) fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let pairs = text.as_bytes().chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).map_err(de::Error::custom)?;
            u8::from_str_radix(pair, 16).map_err(de::Error::custom)
        });
        pairs.collect::<Result<_, _>>().map(Some)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct TriggerWire {
    kind: String,
    #[serde(default)]
    origin: Option<String>,
}

impl From<Trigger> for TriggerWire {
    fn from(trigger: Trigger) -> Self {
        Self { kind: trigger.kind().to_owned(), origin: trigger.origin().map(|run| run.to_string()) }
    }
}

impl TryFrom<TriggerWire> for Trigger {
    type Error = String;

    fn try_from(wire: TriggerWire) -> Result<Self, String> {
        let origin: Option<RunId> = wire.origin.map(|text| text.parse()).transpose().map_err(|why| format!("{why}"))?;
        Self::read(&wire.kind, origin).ok_or_else(|| format!("no trigger {:?}", wire.kind))
    }
}

#[derive(Serialize, Deserialize)]
struct TotalsWire {
    inputs: Vec<PortWire>,
    outputs: Vec<PortWire>,
}

#[derive(Serialize, Deserialize)]
struct PortWire {
    port: String,
    read: u64,
    accepted: u64,
    rejected: u64,
    skipped: u64,
    sums: Vec<SumWire>,
}

#[derive(Serialize, Deserialize)]
struct SumWire {
    column: String,
    #[serde(with = "text")]
    sum: Amount,
}

impl From<&PortTotals> for PortWire {
    fn from(totals: &PortTotals) -> Self {
        let RowCounts { read, accepted, rejected, skipped } = totals.rows;
        let sums = totals.sums.iter().map(|(column, sum)| SumWire { column: column.clone(), sum: *sum }).collect();
        Self { port: totals.port.clone(), read, accepted, rejected, skipped, sums }
    }
}

impl From<PortWire> for PortTotals {
    fn from(wire: PortWire) -> Self {
        let PortWire { port, read, accepted, rejected, skipped, sums } = wire;
        let sums = sums.into_iter().map(|sum| (sum.column, sum.sum)).collect();
        Self { port, rows: RowCounts { read, accepted, rejected, skipped }, sums }
    }
}

/// Control totals.
pub(super) mod totals {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{ControlTotals, TotalsWire};

    pub(in super::super) fn serialize<S: Serializer>(totals: &ControlTotals, to: S) -> Result<S::Ok, S::Error> {
        let ports = |ports: &[super::PortTotals]| ports.iter().map(Into::into).collect();
        TotalsWire { inputs: ports(&totals.inputs), outputs: ports(&totals.outputs) }.serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ControlTotals, D::Error> {
        let wire = TotalsWire::deserialize(from)?;
        let ports = |ports: Vec<super::PortWire>| ports.into_iter().map(Into::into).collect();
        Ok(ControlTotals { inputs: ports(wire.inputs), outputs: ports(wire.outputs) })
    }
}

#[derive(Serialize, Deserialize)]
struct BalanceWire {
    name: String,
    equation: String,
    #[serde(with = "text")]
    left: Amount,
    #[serde(with = "text")]
    right: Amount,
}

/// Results of balances.
pub(super) mod balances {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{BalanceResult, BalanceWire};

    pub(in super::super) fn serialize<S: Serializer>(results: &[BalanceResult], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(results.iter().map(|result| BalanceWire {
            name: result.name.clone(),
            equation: result.equation.clone(),
            left: result.left,
            right: result.right,
        }))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<BalanceResult>, D::Error> {
        let wire = Vec::<BalanceWire>::deserialize(from)?;
        let result = |wire: BalanceWire| BalanceResult { name: wire.name, equation: wire.equation, left: wire.left, right: wire.right };
        Ok(wire.into_iter().map(result).collect())
    }
}
