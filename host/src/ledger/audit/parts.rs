//! The rows of each kind of thing that the trail covers, as queries that put each row into one line of text.
//!
//! What is here stays as it is: a digest of last year is of these very columns in this very order. What comes new is a kind of its own.
//! Must not know what is done with the lines.

/// A column as text behind its length, so that nothing can be moved from one to the next; a dash where there is nothing.
macro_rules! column {
    ($name:literal) => {
        concat!("COALESCE(LENGTH(CAST(", $name, " AS TEXT)) || ':' || CAST(", $name, " AS TEXT), '-')")
    };
}

/// `rows!(key, place, table and condition; columns)`.
macro_rules! rows {
    ($key:literal, $place:literal, $from:literal; $first:literal $(, $next:literal)*) => {
        concat!(
            "SELECT ", $key, " AS key, CAST(", $place, " AS BIGINT) AS place, ",
            column!($first), $(" || ", column!($next),)*
            " AS line FROM ", $from, " AND ", $key, " >= $1 AND ", $key, " <= $2"
        )
    };
}

pub(super) const LOG: &[&str] = &[rows!("run_events.run", "seq", "run_events WHERE seq >= 1";
    "partner", "run", "seq", "kind", "at_ms", "actor", "hub", "lease", "body")];

pub(super) const RUN: &[&str] = &[
    rows!("runs.run", "0", "runs WHERE 1 = 1";
        "partner", "job", "slot", "trigger_kind", "origin_run", "dry_run", "logical_ms", "seed", "calendar", "asked_release",
        "first_pins", "definition", "release_digest", "tables_through", "state", "enqueued_at_ms", "started_at_ms", "ended_at_ms",
        "rows_read", "rows_accepted", "rows_rejected", "rows_skipped", "rows_written", "warnings", "processed_event", "processed_lease",
        "outputs", "deliveries", "released", "outcome", "reason_code", "reason"),
    rows!("receipts.run", "0", "receipts WHERE 1 = 1";
        "partner", "port", "connection", "target", "digest", "size_bytes", "receipt", "already_there", "delivered_at_ms"),
    rows!("taken_files.run", "0", "taken_files WHERE 1 = 1";
        "partner", "job", "connection", "path", "size_bytes", "modified_ms", "digest", "taken_at_ms", "duplicate_of"),
];

pub(super) const REJECTS: &[&str] = &[rows!("findings.run", "findings.number",
    "findings JOIN runs ON runs.run = findings.run AND runs.processed_lease = findings.lease WHERE findings.effect = 'reject'";
    "findings.partner", "findings.number", "findings.port", "findings.row_number", "findings.line", "findings.byte_offset",
    "findings.code", "findings.reasons", "HEX(findings.raw)", "findings.decoded", "HEX(findings.sealed)")];

pub(super) const STATE: &[&str] =
    &[rows!("partner || '/' || job", "0", "job_state WHERE 1 = 1"; "entry", "HEX(content)", "written_by_run")];

pub(super) const DECLARED: &[&str] = &[
    rows!("partner", "0", "partners WHERE 1 = 1";
        "title", "releases", "changes", "runs_max", "keep_artefacts_days", "keep_rejects_days", "keep_events_days", "proofs"),
    rows!("partner", "0", "sources WHERE 1 = 1"; "source", "definition"),
    rows!("partner", "0", "connections WHERE removed_at_ms IS NULL"; "connection", "definition", "runs_max"),
    rows!("partner", "0", "jobs WHERE removed_at_ms IS NULL";
        "job", "title", "plugin", "definition", "schedule", "runs_max", "priority", "overlap", "overdue_after_ms",
        "rejects_overdue_days", "notices", "release_choice"),
    rows!("partner", "0", "job_connections WHERE 1 = 1"; "job", "connection"),
    rows!("partner", "0", "webhooks WHERE removed_at_ms IS NULL"; "webhook", "definition", "events"),
];

pub(super) const RELEASE: &[&str] = &[
    rows!("partner || '/' || digest", "0", "releases WHERE 1 = 1";
        "plugin", "version", "manifest", "size_bytes", "artefact", "added_at_ms", "added_by", "signed_by", "signature", "signature_comment"),
    rows!("partner || '/' || digest", "number", "release_verdicts WHERE 1 = 1"; "plugin", "number", "verdict", "why", "at_ms", "said_by", "granted", "reviewed"),
];

pub(super) const ACTIVE: &[&str] = &[
    rows!("partner || '/' || plugin", "0", "active_releases WHERE 1 = 1"; "digest", "activated_at_ms", "activated_by"),
    rows!("partner || '/' || plugin", "number", "activations WHERE 1 = 1"; "number", "digest", "at_ms", "done_by"),
];

pub(super) const SECRET: &[&str] =
    &[rows!("partner || '/' || secret", "0", "secrets WHERE 1 = 1"; "key_id", "sealed", "set_at_ms", "set_by")];

pub(super) const SIGNING_KEY: &[&str] = &[rows!("partner || '/' || key_id", "0", "signing_keys WHERE 1 = 1";
    "public_key", "owner", "added_at_ms", "added_by", "revoked_at_ms", "revoked_by", "revoked_why")];

pub(super) const TOKEN: &[&str] = &[rows!("partner || '/' || token", "0", "tokens WHERE 1 = 1";
    "hash", "scopes", "created_at_ms", "created_by", "expires_at_ms", "revoked_at_ms")];

pub(super) const TABLES: &[&str] = &[rows!("partner", "number", "table_versions WHERE 1 = 1";
    "number", "table_name", "version", "effective_from", "effective_to", "published", "source", "digest", "added_at_ms", "added_by")];

pub(super) const CHANGE: &[&str] = &[rows!("partner || '/' || number", "0", "proposed_changes WHERE 1 = 1";
    "digest", "base", "difference", "proposed_at_ms", "proposed_by", "state", "decided_at_ms", "decided_by", "why")];

/// A person with all that they are, at every partner.
pub(super) const PERSON: &[&str] = &[
    rows!("person", "0", "people WHERE 1 = 1";
        "display_name", "email", "password", "account", "hub_operator", "stamp", "added_at_ms", "added_by", "disabled_at_ms"),
    rows!("person", "0", "roles WHERE 1 = 1"; "partner", "role", "granted_at_ms", "granted_by"),
];

/// Without what moves on as it is used.
pub(super) const SESSION: &[&str] =
    &[rows!("hash", "0", "sessions WHERE 1 = 1"; "person", "began_at_ms", "ends_at_ms", "came_from", "way")];

pub(super) const DATA_KEYS: &[&str] =
    &[rows!("partner", "generation", "data_keys WHERE 1 = 1"; "generation", "key_id", "sealed", "made_at_ms", "made_by")];

pub(super) const HUB_KEY: &[&str] =
    &[rows!("hub", "0", "hub_keys WHERE 1 = 1"; "key_id", "public_key", "master_key", "sealed", "made_at_ms")];

pub(super) const RETIRED: &[&str] = &[rows!("partner || '/' || digest", "0",
    "releases WHERE (retired_at_ms IS NOT NULL OR retired_by IS NOT NULL OR retired_why IS NOT NULL)";
    "plugin", "retired_at_ms", "retired_by", "retired_why")];

pub(super) const CANDIDATES: &[&str] = &[rows!("partner || '/' || plugin", "number", "candidates WHERE 1 = 1";
    "number", "digest", "way", "share", "choice_key", "failures_max", "held_max", "took_ms_max", "begun_at_ms", "begun_by",
    "ended_at_ms", "ended_by", "ended_why")];

pub(super) const TRIAL: &[&str] =
    &[rows!("run", "0", "trials WHERE 1 = 1"; "partner", "plugin", "digest", "origin", "outcome", "kinds", "differences", "at_ms")];

pub(super) const EXPLANATIONS: &[&str] = &[rows!("partner || '/' || digest", "number", "trial_explanations WHERE 1 = 1";
    "plugin", "number", "kind", "why", "at_ms", "said_by")];

pub(super) const PAUSED: &[&str] = &[rows!("partner || '/' || job", "0",
    "jobs WHERE (paused_at_ms IS NOT NULL OR paused_by IS NOT NULL OR paused_why IS NOT NULL)";
    "paused_at_ms", "paused_by", "paused_why")];

pub(super) const SIGHT: &[&str] =
    &[rows!("partner || '/' || actor || '/' || subject || '/' || CAST(hour AS TEXT)", "0", "sights WHERE 1 = 1"; "hour")];

/// Only what is not as the end of its run left it, so that a run of which nobody touched a reject has nothing here.
pub(super) const FATES: &[&str] = &[rows!("findings.run", "findings.number",
    "findings JOIN runs ON runs.run = findings.run WHERE (findings.owner IS NOT NULL OR findings.supersedes IS NOT NULL
       OR findings.resubmitted_by IS NOT NULL OR findings.resubmitted_offset IS NOT NULL OR findings.left_how IS NOT NULL
       OR findings.left_at_ms IS NOT NULL OR findings.left_by IS NOT NULL OR findings.left_why IS NOT NULL
       OR COALESCE(findings.waiting_since_ms, -1) <> CASE
         WHEN runs.outcome = 'delivered' AND runs.trigger_kind <> 'resubmission'
           AND findings.lease = runs.processed_lease AND findings.effect = 'reject'
         THEN COALESCE(runs.ended_at_ms, -1) ELSE -1 END)";
    "findings.lease", "findings.number", "findings.waiting_since_ms", "findings.owner", "findings.supersedes", "findings.resubmitted_by",
    "findings.resubmitted_offset", "findings.left_how", "findings.left_at_ms", "findings.left_by", "findings.left_why")];

/// What a run asked of providers until it ended, and what places said with the files that it took.
pub(super) const OUTSIDE: &[&str] = &[
    rows!("exchanges.run", "exchanges.seq",
        "exchanges JOIN runs ON runs.run = exchanges.run AND exchanges.at_ms <= runs.ended_at_ms WHERE 1 = 1";
        "exchanges.partner", "exchanges.session", "exchanges.lease", "exchanges.seq", "exchanges.request", "exchanges.method",
        "exchanges.target", "exchanges.answer", "exchanges.body", "exchanges.sent_bytes", "exchanges.received_bytes",
        "exchanges.took_ms", "exchanges.at_ms", "HEX(exchanges.sealed)"),
    rows!("run", "0", "pull_marks WHERE 1 = 1"; "partner", "job", "connection", "file", "mark"),
];

pub(super) const BEGUN: &[&str] =
    &[rows!("run", "0", "begun_deliveries WHERE 1 = 1"; "partner", "port", "digest", "hidden", "lease", "begun_at_ms")];

pub(super) const RESUBMISSION: &[&str] =
    &[rows!("run", "0", "resubmissions WHERE 1 = 1"; "partner", "origin_run", "port", "artefact", "size_bytes", "row_count")];

/// By their digests: each text is compared with its own.
pub(super) const DEFINITIONS: &[&str] = &[rows!("partner", "0", "definitions WHERE 1 = 1"; "digest")];

pub(super) const REASON: &[&str] =
    &[rows!("run", "0", "runs WHERE (reason_code IS NOT NULL OR reason IS NOT NULL)"; "state", "reason_code", "reason")];
