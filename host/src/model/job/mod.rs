//! What an operator declares: partners, connections, jobs and their schedules, in validated form.

mod format;
mod notify;
mod place;
mod query;
mod release;
mod webhook;

use crate::model::ids::{ConnectionName, Digest, JobName, PartnerName, PluginName};
use crate::model::limits::Limit;

pub use notify::{NotTold, Notify, Told};
pub use place::{
    ApiPlace, HttpsPlace, Place, PostgresServer, RedirectRule, S3Place, SendMethod, SftpPlace, SignIn, SmtpPlace, SqlDatabase, SqlPlace,
};
pub use query::Query;
pub use release::{Proof, Proofs, ReleaseChoice, ReleasePolicy};
pub use webhook::{Webhook, WebhookEvent};

pub use format::{
    Align, CsvFormat, DateStyle, Encoding, FileFormat, FilePlugin, FixedField, FixedWidthFormat, Format, JsonLinesFormat, LineEnd,
};

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Its name.
    pub name: PartnerName,
    /// What people call it.
    pub title: String,
    /// How many of its runs may be under way at one time, over all its jobs; none for as many as the hubs have places.
    pub runs_at_once: Option<u32>,
    /// What it asks of a release before its runs use it.
    pub releases: ReleasePolicy,
    /// How a release must have done beside the active one before it takes its place.
    pub proofs: Proofs,
    /// How many persons a protected change of what it declares takes.
    pub changes: ChangePolicy,
    /// How long what is kept of its runs.
    pub retention: Retention,
}

/// How many persons it takes to change what a partner declares, where the change is a protected one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChangePolicy {
    /// One: what is applied is in force.
    #[default]
    OnePerson,
    /// Two: one proposes by applying, and another approves.
    TwoPersons,
}

impl ChangePolicy {
    /// The word for it in `partners.toml`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnePerson => "one-person",
            Self::TwoPersons => "two-persons",
        }
    }
}

impl std::str::FromStr for ChangePolicy {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = [Self::OnePerson, Self::TwoPersons].into_iter().find(|policy| policy.as_str() == word);
        found.ok_or_else(|| format!("{word:?} is none of one-person, two-persons"))
    }
}

/// How long what is kept of a partner's runs after they ended, in days; none for good. Digests, totals and the audit trail always are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// What they read and wrote: without it a run is neither done again nor sent again.
    pub artefacts_days: Option<u32>,
    /// What rejected rows held, warnings, and what plugins noted.
    pub rejects_days: Option<u32>,
    /// Events that say no more than the run's totals and receipts do. Not before its artefacts have expired.
    pub events_days: Option<u32>,
}

/// A named place outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its owner.
    pub partner: PartnerName,
    /// Its name, within its partner.
    pub name: ConnectionName,
    /// Where and how.
    pub place: Place,
    /// How many runs may use it at one time, over all the partner's jobs; none for as many as the hubs have places.
    pub runs_at_once: Option<u32>,
}

/// A declared movement of data.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its owner.
    pub partner: PartnerName,
    /// Its name, within its partner.
    pub name: JobName,
    /// What people call it.
    pub title: String,
    /// The plugin that it runs.
    pub plugin: PluginName,
    /// Which release of it.
    pub release: ReleaseChoice,
    /// Where rows come from, one for each input of the plugin that is used. A rule set has one, named `case`.
    pub inputs: Vec<JobInput>,
    /// Where rows go, one for each output of the plugin that is used. A rule set has one, named `decision`.
    pub outputs: Vec<JobOutput>,
    /// When it runs by itself.
    pub schedule: Option<Schedule>,
    /// How its runs wait for their turn.
    pub queue: Queue,
    /// Who is told of them.
    pub notify: Option<Notify>,
    /// Zone of the job's dates, such as `Europe/London`.
    pub zone: String,
    /// Settings for the plugin: a JSON object.
    pub settings: serde_json::Value,
    /// Rows that may be rejected before the run is held.
    pub reject_rows_max: u64,
    /// Days that rejects may wait before they are overdue.
    pub rejects_overdue_days: u32,
    /// Limits other than what the plugin asks for.
    pub limits: Vec<(Limit, u64)>,
    /// How its input is cut, where its plugin's rows are independent.
    pub partitions: Partitions,
    /// Attempts of one run, the first included.
    pub attempts_max: u32,
    /// Whether every change of it is a protected one, its schedule's too: it moves money.
    pub protected: bool,
    /// SHA-256 of the file that declares it.
    pub definition: Digest,
}

/// Where the rows of an input come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobInput {
    /// The plugin's input.
    pub port: String,
    /// The place.
    pub connection: ConnectionName,
    /// Which files: a pattern such as `payroll-*.csv`.
    pub file: String,
    /// Which of the files that match and were not taken before.
    pub take: Take,
    /// How to read it.
    pub format: FileFormat,
    /// What speaks with the connection, where that is an API.
    pub connector: Option<FilePlugin>,
}

/// Which of several files to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// The first by name that was not taken before: a queue of files, one a run.
    Next,
    /// The last by name, taken before or not: a file that is kept up to date, such as a list of drivers.
    Latest,
}

/// Where the rows of an output go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOutput {
    /// The plugin's output.
    pub port: String,
    /// The place.
    pub connection: ConnectionName,
    /// The file's name, in which `{date}`, `{month}`, `{run}` and `{input}` are replaced by the run's logical date,
    /// its month, the run's id, and the name of the first input file without its ending.
    pub file: String,
    /// How to write it.
    pub format: FileFormat,
    /// What speaks with the connection, where that is an API.
    pub connector: Option<FilePlugin>,
}

/// How the last input of a run is cut into partitions, which several hubs may process at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Partitions {
    /// By its size, if it is large.
    #[default]
    Automatic,
    /// After so many records or a few more: between two batches.
    Rows(u64),
    /// Into so many of about one size; 1 for none.
    AtMost(u64),
}

/// How runs of a job wait for their turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queue {
    /// How many of them may be under way at one time.
    pub runs_at_once: u32,
    /// Who goes first.
    pub priority: Priority,
    /// What happens when its time comes while an earlier run is not done.
    pub overlap: Overlap,
    /// How long after it was enqueued a run should be done; where this does not say, a run should be done by the job's next time.
    pub overdue_minutes: Option<u32>,
}

impl Default for Queue {
    fn default() -> Self {
        Self { runs_at_once: 1, priority: Priority::Normal, overlap: Overlap::Queue, overdue_minutes: None }
    }
}

/// Who goes first where more runs wait than there are places. Each step is a head start of an hour, and no more, so that
/// nothing waits for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// Behind what came up to an hour later.
    Low,
    /// In the order in which they came.
    #[default]
    Normal,
    /// Before what came up to an hour earlier.
    High,
}

impl Priority {
    /// Every priority.
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::High];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }

    /// How much earlier it counts than it came, in milliseconds.
    #[must_use]
    pub const fn head_start_ms(self) -> i64 {
        match self {
            Self::Low => -3_600_000,
            Self::Normal => 0,
            Self::High => 3_600_000,
        }
    }
}

/// What happens when a job's time comes while a run that its schedule made earlier is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overlap {
    /// The new run waits for its turn.
    #[default]
    Queue,
    /// The new one is recorded as skipped.
    Skip,
    /// The earlier ones are cancelled, unless some of their outputs have been delivered.
    CancelOlder,
}

impl Overlap {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Queue, Self::Skip, Self::CancelOlder];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Skip => "skip",
            Self::CancelOlder => "cancel-older",
        }
    }
}

/// When a job runs by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Schedule {
    /// Five fields: minute, hour, day of month, month, day of week.
    pub cron: String,
    /// IANA zone in which they are read.
    pub zone: String,
    /// What happens when the day is no working day.
    pub working_day: WorkingDay,
    /// What happens to slots that passed while no hub was running.
    pub catch_up: CatchUp,
}

/// What happens when a slot falls on a weekend or a bank holiday of England and Wales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkingDay {
    /// It runs all the same.
    Any,
    /// It runs on the working day before.
    Before,
    /// It runs on the working day after.
    After,
    /// It does not run, and a skipped run is recorded.
    Skip,
}

/// What happens to slots that passed while no hub was running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CatchUp {
    /// They are recorded as skipped.
    Skip,
    /// The last one runs; those before it are recorded as skipped.
    Once,
    /// All run, oldest first, but at most this many; those before them are recorded as skipped.
    All {
        /// 1 to 1,000.
        slots_max: u32,
    },
}
