//! The files of a configuration folder as they are written: keys and types only. What they mean is judged elsewhere.

mod rules;

use serde::Deserialize;
use toml::Spanned;

use crate::registry::manifest::Pairs;

pub(super) use rules::{DifferencesWord, HubFile, Partners, Proof, ReleasesWord, Retention};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Connections {
    #[serde(default)]
    pub connection: Vec<Connection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Webhooks {
    #[serde(default)]
    pub webhook: Vec<Webhook>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Webhook {
    pub partner: Spanned<String>,
    pub name: Spanned<String>,
    pub url: Spanned<String>,
    pub events: Spanned<Vec<Spanned<String>>>,
    pub signing_secret: Spanned<String>,
    pub allow_private: Option<bool>,
    pub ca_file: Option<String>,
}

/// All options of all kinds of place, so that one that does not belong is told with its own line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Connection {
    pub partner: Spanned<String>,
    pub name: Spanned<String>,
    pub kind: Spanned<PlaceWord>,
    pub path: Option<Spanned<String>>,
    pub settle_ms: Option<Spanned<u64>>,
    pub runs_at_once: Option<Spanned<u64>>,
    pub host: Option<Spanned<String>>,
    pub port: Option<Spanned<u64>>,
    pub user: Option<Spanned<String>>,
    pub host_key: Option<Spanned<OneOrMore>>,
    pub folder: Option<Spanned<String>>,
    pub password_secret: Option<Spanned<String>>,
    pub key_secret: Option<Spanned<String>>,
    pub key_passphrase_secret: Option<Spanned<String>>,
    pub url: Option<Spanned<String>>,
    pub token_secret: Option<Spanned<String>>,
    pub ca_file: Option<Spanned<String>>,
    pub client_certificate: Option<Spanned<String>>,
    pub client_key_secret: Option<Spanned<String>>,
    pub method: Option<Spanned<MethodWord>>,
    pub content_type: Option<Spanned<String>>,
    pub idempotent: Option<Spanned<bool>>,
    pub cursor_header: Option<Spanned<String>>,
    pub region: Option<Spanned<String>>,
    pub bucket: Option<Spanned<String>>,
    pub prefix: Option<Spanned<String>>,
    pub path_style: Option<Spanned<bool>>,
    pub access_key: Option<Spanned<String>>,
    pub database: Option<Spanned<String>>,
    pub encrypted: Option<Spanned<bool>>,
    pub query: Option<Spanned<String>>,
    pub cursor_column: Option<Spanned<String>>,
    pub from: Option<Spanned<String>>,
    pub tls: Option<Spanned<TlsWord>>,
    pub rows_max: Option<Spanned<u64>>,
    pub seconds_max: Option<Spanned<u64>>,
    pub silence_seconds_max: Option<Spanned<u64>>,
    pub file_bytes_max: Option<Spanned<u64>>,
    pub requests: Option<Spanned<Vec<Spanned<String>>>>,
    pub redirects: Option<Spanned<Vec<Spanned<String>>>>,
    pub allow_private: Option<Spanned<bool>>,
    pub api_key_header: Option<Spanned<String>>,
    pub api_key_secret: Option<Spanned<String>>,
    pub oauth_url: Option<Spanned<String>>,
    pub oauth_client: Option<Spanned<String>>,
    pub oauth_secret: Option<Spanned<String>>,
    pub oauth_scope: Option<Spanned<String>>,
    pub answer_bytes_max: Option<Spanned<u64>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PlaceWord {
    Folder,
    Sftp,
    Https,
    Api,
    S3,
    Postgres,
    Sqlite,
    Smtp,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum TlsWord {
    #[serde(rename = "starttls")]
    StartTls,
    #[serde(rename = "at-once")]
    AtOnce,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MethodWord {
    Post,
    Put,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a text, or a list of texts")]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plugins {
    #[serde(default)]
    pub plugin: Vec<Plugin>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plugin {
    pub partner: Spanned<String>,
    pub name: Spanned<String>,
    pub component: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Job {
    pub partner: Spanned<String>,
    pub name: Spanned<String>,
    pub title: Spanned<String>,
    pub plugin: Spanned<String>,
    pub release: Option<Spanned<String>>,
    pub zone: Option<Spanned<String>>,
    pub attempts_max: Option<Spanned<u64>>,
    #[serde(default)]
    pub protected: bool,
    pub schedule: Option<Schedule>,
    #[serde(default)]
    pub queue: Queue,
    pub notify: Option<Notify>,
    #[serde(default)]
    pub input: Vec<Input>,
    #[serde(default)]
    pub output: Vec<Output>,
    #[serde(default)]
    pub partitions: Partitions,
    #[serde(default)]
    pub rejects: Rejects,
    #[serde(default)]
    pub limits: Pairs<Spanned<u64>>,
    #[serde(default)]
    pub settings: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Schedule {
    pub cron: Spanned<String>,
    #[serde(default = "any")]
    pub working_day: WorkingDayWord,
    pub catch_up: Spanned<CatchUpWord>,
}

const fn any() -> WorkingDayWord {
    WorkingDayWord::Any
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Queue {
    pub runs_at_once: Option<Spanned<u64>>,
    #[serde(default)]
    pub priority: PriorityWord,
    #[serde(default)]
    pub overlap: OverlapWord,
    pub overdue_minutes: Option<Spanned<u64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Partitions {
    pub rows: Option<Spanned<u64>>,
    pub at_most: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notify {
    pub connection: Spanned<String>,
    pub to: Vec<Spanned<String>>,
    pub on: Option<Vec<Spanned<String>>>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PriorityWord {
    Low,
    #[default]
    Normal,
    High,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OverlapWord {
    #[default]
    Queue,
    Skip,
    CancelOlder,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WorkingDayWord {
    Any,
    Before,
    After,
    Skip,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CatchUpWord {
    Skip,
    Once,
    All(u32),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub port: Spanned<String>,
    pub connection: Spanned<String>,
    pub file: Spanned<String>,
    pub take: TakeWord,
    pub format: Spanned<Format>,
    pub connector: Option<Spanned<Connector>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Connector {
    pub plugin: Spanned<String>,
    pub settings: Option<Spanned<toml::Table>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TakeWord {
    Next,
    Latest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Output {
    pub port: Spanned<String>,
    pub connection: Spanned<String>,
    pub file: Spanned<String>,
    pub format: Spanned<Format>,
    pub connector: Option<Spanned<Connector>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Rejects {
    pub rows_max: Option<Spanned<u64>>,
    pub overdue_days: Option<Spanned<u64>>,
}

/// All options of all formats, so that one that does not belong is told with its own line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Format {
    pub kind: FormatWord,
    pub encoding: Option<Spanned<EncodingWord>>,
    pub dates: Option<DatesWord>,
    pub delimiter: Option<Spanned<String>>,
    pub headings: Option<Spanned<Pairs<Spanned<String>>>>,
    pub other_columns: Option<Spanned<OtherColumnsWord>>,
    pub fields: Option<Spanned<Vec<Spanned<Field>>>>,
    pub line_end: Option<Spanned<LineEndWord>>,
    pub plugin: Option<Spanned<String>>,
    pub settings: Option<Spanned<toml::Table>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FormatWord {
    Csv,
    JsonLines,
    FixedWidth,
    Plugin,
}

#[derive(Clone, Copy, Deserialize)]
pub(super) enum EncodingWord {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

#[derive(Clone, Copy, Deserialize)]
pub(super) enum DatesWord {
    #[serde(rename = "iso")]
    Iso,
    #[serde(rename = "dd/mm/yyyy")]
    DayMonthYear,
    #[serde(rename = "yyyymmdd")]
    Compact,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OtherColumnsWord {
    Ignore,
    Refuse,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LineEndWord {
    Lf,
    Crlf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    pub column: Spanned<String>,
    pub start: Spanned<u64>,
    pub width: Spanned<u64>,
    pub align: Option<AlignWord>,
    pub fill: Option<Spanned<char>>,
    pub point: Option<PointWord>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AlignWord {
    Left,
    Right,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PointWord {
    Written,
    Implied,
}
