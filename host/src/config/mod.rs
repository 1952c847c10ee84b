//! A hub's configuration: a folder of TOML files under version control, read whole or not at all.
//!
//! ```text
//! hub.toml            [ceiling] without = ["http"], and [ceiling.limits]: what no plugin of any partner is lent (optional)
//! partners.toml       [[partner]] name, title, runs-at-once, releases = open | signed | approved | three-persons,
//!     [partner.proof] clean-runs, differences = none | explained, and [[partner.proof.plugin]] name, clean-runs, differences,
//!     changes = one-person | two-persons (for what is protected),
//!     and [partner.retention] artefacts-days, rejects-days, events-days
//! connections.toml    [[connection]] partner, name, runs-at-once, and one of
//!     kind = "folder"  path, settle-ms
//!     kind = "sftp"    host, port, user, host-key, password-secret or key-secret, folder, settle-ms
//!     kind = "https"   url, user and password-secret or token-secret, ca-file, client-certificate, method, idempotent, cursor-header
//!     kind = "api"     url, requests = ["GET /v2/payments"], redirects, allow-private, idempotent, answer-bytes-max, ca-file,
//!                      client-certificate, and one of: user and password-secret; token-secret; api-key-header and api-key-secret;
//!                      oauth-url, oauth-client, oauth-secret and oauth-scope
//!     kind = "s3"      url, region, bucket, prefix, path-style, access-key, key-secret, ca-file
//!     kind = "postgres"  host, port, database, user, password-secret, encrypted, ca-file; kind = "sqlite"  path; both with
//!                      query = "SELECT … WHERE {since} IS NULL OR …", cursor-column, rows-max, seconds-max: its rows as JSON lines
//!     kind = "smtp"    host, port, tls = "starttls" | "at-once", user, password-secret, from, ca-file: for [notify] only
//! webhooks.toml       [[webhook]] partner, name, url, events = ["run.held", …], signing-secret, allow-private, ca-file (optional)
//! plugins.toml        [[plugin]] partner, name, component: where the hub finds components (optional)
//! jobs/*.toml         one job a file:
//!     partner, name, title, plugin, release = "active" | "^1.2" | "sha256:0f3a…", zone = "Europe/London", attempts-max = 5, protected = false
//!     [schedule]  cron, working-day = any | before | after | skip, catch-up = "skip" | "once" | { all = 12 }
//!     [queue]     runs-at-once = 1, priority = low | normal | high, overlap = queue | skip | cancel-older, overdue-minutes
//!     [notify]    connection, to = ["payroll@example.org"], on = ["held", "failed", "delivered", "skipped", "overdue"]
//!     [[input]]   port, connection, file = "payroll-*.csv", take = next | latest, format, connector
//!     [[output]]  port, connection, file = "return-{month}.txt", format, connector
//!     [partitions] rows = 200000 or at-most = 8: where to cut the last input, if its rows are independent; by itself above 64 MiB
//!     [rejects]   rows-max, overdue-days = 5
//!     [limits]    as `bailiwick plugin inspect` names them
//!     [settings]  free for the plugin; money and rates as text
//! tables/*.toml       versions of reference tables, with their rows as CSV beside them; `partner` where it is one partner's own
//! ```
//!
//! A format is `{ kind = "csv", encoding, delimiter, dates, headings, other-columns }`, `{ kind = "json-lines", dates }` or
//! `{ kind = "fixed-width", encoding, dates, line-end, fields = [{ column, start, width, align, fill, point }] }`. What a connection
//! of the kind `api` needs besides is a connector: `{ plugin, settings }`.
//!
//! Keys that are not known are errors. Every file's errors are told at once, with file and line; of a file that cannot be read into its
//! form, the first.
//! This room must not know what the hub has in force; it reads files and nothing else.

mod check;
mod connections;
mod folder;
mod formats;
mod hub;
mod job;
mod webhooks;
mod written;

use std::path::PathBuf;

use crate::model::grant::Grant;
use crate::model::ids::{PartnerName, PluginName};
use crate::model::job::{Connection, Job, Partner, Webhook};
use crate::model::table::Table;
use crate::registry::source::{Problems, Source};

pub use check::check_job;
pub use connections::text as connections_text;
pub use folder::{load, load_texts, reload, reload_hub};
pub use hub::text as hub_text;
pub use job::{PLACEHOLDERS, ZONE_DEFAULT};
pub use webhooks::webhooks_text;

/// A folder that was read and found in order.
#[derive(Debug, Default)]
pub struct Configuration {
    /// What the operator of the hub allows at all.
    pub ceiling: Grant,
    /// Partners.
    pub partners: Vec<Partner>,
    /// Connections of known partners, each name once a partner.
    pub connections: Vec<Connection>,
    /// Addresses of known partners that are told what happens, each name once a partner.
    pub webhooks: Vec<Webhook>,
    /// Jobs of known partners over their own connections, each name once a partner.
    pub jobs: Vec<Job>,
    /// The file that declares each job, in the same order.
    pub job_files: Vec<Source>,
    /// Where components are found.
    pub plugins: Vec<PluginFile>,
    /// Versions of reference tables.
    pub tables: Vec<OperatorTable>,
}

/// Where a partner's plugin is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFile {
    /// Its owner.
    pub partner: PartnerName,
    /// The plugin.
    pub name: PluginName,
    /// The component, as an absolute path. Nobody has looked yet whether it is there.
    pub component: PathBuf,
}

/// A version of a reference table that an operator keeps.
#[derive(Debug)]
pub struct OperatorTable {
    /// Whose runs it answers; none for everybody's.
    pub partner: Option<PartnerName>,
    /// The version with its rows.
    pub table: Table,
}

/// Why a configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The operator mends the files.
    #[error(transparent)]
    Wrong(#[from] Problems),
    /// A file or folder could not be read.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        why: String,
    },
}

#[cfg(test)]
mod tests;
