//! What the API and `--json` say: the JSON of jobs, runs, rejects. A promise, so it is written down apart from the hub's own types.

mod audit;
mod beside;
mod differences;
mod findings;
mod jobs;
mod releases;
mod webhooks;

use serde::Serialize;
use utoipa::ToSchema;

pub use audit::AuditJson;
pub use beside::{CandidateJson, ProofJson};
pub use differences::DifferencesJson;
pub use findings::FindingJson;
pub use jobs::{JobDetailJson, JobJson};
pub use releases::{ReleaseJson, ReviewJson};
pub use webhooks::{WebhookDeliveryJson, WebhookJson, WebhookTestJson};

use crate::ledger::{FormatUsed, LoggedEvent, Partition, Processed, Quarantined, Receipt, Run, RunEvent};
use crate::model::ids::RunId;
use crate::model::totals::PortTotals;

use super::amend::{QuarantinedJson, ResendJson};

/// A moment as RFC 3339 text.
#[must_use]
pub fn moment(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |moment| moment.to_string())
}

/// A run, in short.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RunJson {
    id: String,
    partner: String,
    job: String,
    state: &'static str,
    trigger: &'static str,
    /// The run that it does again, or whose rejects it brings back.
    origin: Option<String>,
    dry_run: bool,
    slot: Option<String>,
    logical_time: String,
    attempt: u64,
    enqueued_at: String,
    started_at: Option<String>,
    ended_at: Option<String>,
    rows: RowsJson,
    warnings: u64,
    outcome: Option<&'static str>,
    reason: Option<ReasonJson>,
    /// When it should be done, where that was said; and whether it was not.
    due_by: Option<String>,
    overdue: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct RowsJson {
    read: u64,
    accepted: u64,
    rejected: u64,
    skipped: u64,
    written: u64,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct ReasonJson {
    code: String,
    sentence: String,
}

impl RunJson {
    /// A run as it stands.
    #[must_use]
    pub fn new(run: &Run) -> Self {
        let rows = run.rows;
        Self {
            id: run.id.to_string(),
            partner: run.partner().to_string(),
            job: run.job().to_string(),
            state: run.state.as_str(),
            trigger: run.trigger().kind(),
            origin: run.trigger().origin().map(|origin| origin.to_string()),
            dry_run: run.enqueued.dry_run,
            slot: run.enqueued.slot.clone(),
            logical_time: moment(run.enqueued.logical_ms),
            attempt: run.attempt,
            enqueued_at: moment(run.enqueued_at_ms),
            started_at: run.started_at_ms.map(moment),
            ended_at: run.ended_at_ms.map(moment),
            rows: RowsJson {
                read: rows.read,
                accepted: rows.accepted,
                rejected: rows.rejected,
                skipped: rows.skipped,
                written: rows.written,
            },
            warnings: run.warnings,
            outcome: run.outcome.map(|outcome| outcome.as_str()),
            reason: run.reason.as_ref().map(|reason| ReasonJson { code: reason.code.clone(), sentence: reason.sentence.clone() }),
            due_by: run.enqueued.overdue_at_ms.map(moment),
            overdue: run.overdue,
        }
    }
}

/// A run with its totals, its balances, what was delivered, what was used, and what happened.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RunDetailJson {
    #[serde(flatten)]
    run: RunJson,
    release: Option<String>,
    /// The formats that read and wrote its files, where those are plugins.
    formats: Vec<FormatJson>,
    inputs: Vec<PortJson>,
    outputs: Vec<PortJson>,
    balances: Vec<BalanceJson>,
    tables: Vec<TableJson>,
    limits: Vec<LimitJson>,
    deliveries: Vec<DeliveryJson>,
    /// What became of its rejects, and the runs that brought some of them back corrected.
    rejects: Option<QuarantinedJson>,
    resubmissions: Vec<String>,
    /// Outputs that a person had sent again.
    resends: Vec<ResendJson>,
    took_ms: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    partitions: Vec<PartitionJson>,
    events: Vec<EventJson>,
}

#[derive(Debug, Serialize, ToSchema)]
struct FormatJson {
    plugin: String,
    version: String,
    release: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct PortJson {
    name: String,
    rows: RowsJson,
    /// Sums as text, so that no reader makes a float of them.
    sums: std::collections::BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artefact: Option<String>,
}

/// Part of the last input, and who processed it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct PartitionJson {
    number: u64,
    state: &'static str,
    hub: Option<String>,
    rows_read: u64,
    started_at: Option<String>,
    ended_at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct BalanceJson {
    name: String,
    equation: String,
    left: String,
    right: String,
    holds: bool,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct TableJson {
    table: String,
    version: String,
    digest: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct LimitJson {
    limit: String,
    allowed: u64,
    used: Option<u64>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct DeliveryJson {
    output: String,
    connection: String,
    target: String,
    digest: String,
    bytes: u64,
    already_there: bool,
    at: String,
}

/// Something that happened to a run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct EventJson {
    seq: u64,
    kind: &'static str,
    at: String,
    actor: String,
    hub: String,
    lease: u64,
}

impl RunDetailJson {
    /// A run with everything that the ledger knows of it.
    #[must_use]
    pub fn new(run: &Run, processed: Option<&Processed>, receipts: &[Receipt], partitions: &[Partition], events: &[LoggedEvent]) -> Self {
        let artefact = |port: &str| {
            processed
                .and_then(|processed| processed.outputs.iter().find(|output| output.port == port))
                .map(|output| output.artefact.to_string())
        };
        let pulled = events.iter().rev().find_map(|event| match &event.event {
            RunEvent::Pulled(pulled) => Some(pulled),
            _ => None,
        });
        let source = |port: &str| {
            pulled.and_then(|pulled| pulled.inputs.iter().find(|input| input.port == port)).map(|input| input.digest.to_string())
        };
        Self {
            run: RunJson::new(run),
            release: run.pins.as_ref().and_then(|pins| pins.release).map(|release| release.to_string()),
            formats: pulled.map(|pulled| pulled.formats.iter().map(format_used).collect()).unwrap_or_default(),
            inputs: processed
                .map(|processed| processed.totals.inputs.iter().map(|totals| port(totals, source(&totals.port))).collect())
                .unwrap_or_default(),
            outputs: processed
                .map(|processed| processed.totals.outputs.iter().map(|totals| port(totals, artefact(&totals.port))).collect())
                .unwrap_or_default(),
            balances: processed.map(|processed| processed.balances.iter().map(balance).collect()).unwrap_or_default(),
            tables: processed.map(|processed| processed.tables.iter().map(table).collect()).unwrap_or_default(),
            limits: processed.map(|processed| processed.limits.iter().map(limit).collect()).unwrap_or_default(),
            deliveries: receipts.iter().map(delivery).collect(),
            rejects: None,
            resubmissions: Vec::new(),
            resends: ResendJson::of(events),
            took_ms: processed.map(|processed| processed.took_ms),
            partitions: partitions.iter().map(partition).collect(),
            events: events.iter().map(EventJson::new).collect(),
        }
    }
}

impl RunDetailJson {
    /// The same with what became of its rejects.
    #[must_use]
    pub fn with_rejects(self, quarantined: Quarantined, resubmissions: &[RunId]) -> Self {
        Self { rejects: Some(quarantined.into()), resubmissions: resubmissions.iter().map(ToString::to_string).collect(), ..self }
    }
}

fn format_used(format: &FormatUsed) -> FormatJson {
    FormatJson { plugin: format.plugin.to_string(), version: format.version.clone(), release: format.release.to_string() }
}

fn port(totals: &PortTotals, artefact: Option<String>) -> PortJson {
    let rows = totals.rows;
    PortJson {
        name: totals.port.clone(),
        rows: RowsJson { read: rows.read, accepted: rows.accepted, rejected: rows.rejected, skipped: rows.skipped, written: rows.accepted },
        sums: totals.sums.iter().map(|(column, sum)| (column.clone(), sum.to_string())).collect(),
        artefact,
    }
}

fn partition(partition: &Partition) -> PartitionJson {
    PartitionJson {
        number: partition.number,
        state: partition.state(),
        hub: partition.hub.as_ref().map(ToString::to_string),
        rows_read: partition.rows_read,
        started_at: partition.started_at_ms.map(moment),
        ended_at: partition.ended_at_ms.map(moment),
    }
}

fn balance(result: &crate::model::totals::BalanceResult) -> BalanceJson {
    BalanceJson {
        name: result.name.clone(),
        equation: result.equation.clone(),
        left: result.left.to_string(),
        right: result.right.to_string(),
        holds: result.holds(),
    }
}

fn table(used: &crate::ledger::TableUsed) -> TableJson {
    TableJson { table: used.table.clone(), version: used.version.clone(), digest: used.digest.to_string() }
}

fn limit(used: &crate::ledger::LimitUse) -> LimitJson {
    LimitJson { limit: used.limit.clone(), allowed: used.allowed, used: used.used }
}

fn delivery(receipt: &Receipt) -> DeliveryJson {
    let sent = &receipt.delivered;
    DeliveryJson {
        output: sent.port.clone(),
        connection: sent.connection.to_string(),
        target: sent.target.clone(),
        digest: sent.digest.to_string(),
        bytes: sent.size_bytes,
        already_there: sent.already_there,
        at: moment(receipt.delivered_at_ms),
    }
}

impl EventJson {
    /// An event, without its particulars: those stand in the run.
    #[must_use]
    pub fn new(logged: &LoggedEvent) -> Self {
        Self {
            seq: logged.seq,
            kind: logged.event.kind(),
            at: moment(logged.at_ms),
            actor: logged.actor.to_string(),
            hub: logged.hub.to_string(),
            lease: logged.lease,
        }
    }
}
