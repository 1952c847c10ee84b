//! What the hub lends to a plugin. In the sandbox it calls the contract's imports; natively it is a stand-in for tests.
//!
//! A plugin imports only the interfaces whose methods it calls, because the linker drops the others.

mod table;

#[cfg(target_arch = "wasm32")]
#[path = "imports.rs"]
mod backing;

#[cfg(not(target_arch = "wasm32"))]
#[path = "native.rs"]
mod backing;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use crate::bindings::adapter::bailiwick::plugin::lookup::LookupError;
use crate::connector::Http;
use crate::failure::Failure;
use crate::values::Date;

pub use table::{Table, TableRow, TableVersion};

pub(crate) use backing::Backing;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use backing::{TableData, Wants};

/// What the hub lends. Cheap to clone, so an adapter can keep it.
///
/// Each group of methods is an interface of its own that `plugin.toml` asks for under `[wants]` and a person approves.
#[derive(Clone)]
pub struct Hub {
    backing: Rc<Backing>,
    opened: Rc<RefCell<Vec<TableVersion>>>,
}

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// For the plugin's author.
    Debug,
    /// For the operator who wants to follow.
    Info,
    /// Something to look at.
    Warn,
    /// Something that went wrong.
    Error,
}

/// A moment in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
}

/// Why a value could not be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateError {
    /// The release was not granted state.
    NotGranted,
    /// The job's state would hold more bytes than it may.
    Full {
        /// The limit.
        bytes_max: u64,
    },
}

impl Hub {
    pub(crate) fn new(backing: Backing) -> Self {
        Self { backing: Rc::new(backing), opened: Rc::default() }
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn of_guest() -> Self {
        Self::new(Backing)
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn backing(&self) -> &Backing {
        &self.backing
    }

    /// The civil date for which the run was due, in the job's zone. The same on every retry and replay. Wants `clock`.
    #[must_use]
    pub fn today(&self) -> Date {
        self.backing.today()
    }

    /// The moment for which the run was due. It is the same on every retry and replay, and does not advance. Wants `clock`.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.backing.now()
    }

    /// Writes a note to the run's log. The hub bounds number and size. Never put personal data in it. Wants `log`.
    pub fn log(&self, level: Level, message: &str) {
        self.backing.log(level, message);
    }

    /// From now on, a panic writes its message and place to the log before the sandbox ends the call. Wants `log`.
    ///
    /// The message of a panic can quote what it tripped over: leave this out where that may be personal.
    pub fn log_panics(&self) {
        #[cfg(target_arch = "wasm32")]
        std::panic::set_hook(Box::new(|info| {
            let message: String = info.to_string().chars().take(1_024).collect();
            Backing.log(Level::Error, &message);
        }));
    }

    /// A random number, uniform over all values, from the run's seed: the same on every retry and replay. Wants `random`.
    #[must_use]
    pub fn random_u64(&self) -> u64 {
        self.backing.random_u64()
    }

    /// Random bytes from the run's seed, at most 65,536 a call: more traps. Wants `random`.
    #[must_use]
    pub fn random_bytes(&self, count: u32) -> Vec<u8> {
        self.backing.random_bytes(count)
    }

    /// Opens the version of a reference table that is in force on a date. Wants `lookup = ["<table>"]`.
    ///
    /// The hub records the version in the run, and the SDK in the decision.
    ///
    /// # Errors
    /// [`Failure::TableMissing`] if no version is in force, [`Failure::PluginDefect`] if the table was not granted.
    pub fn table(&self, name: &str, on: Date) -> Result<Table, Failure> {
        let opened = self.backing.open(name, on).map_err(|error| match error {
            LookupError::NoVersionInForce => Failure::TableMissing { table: name.to_owned(), on },
            other => lookup_failure(name, other),
        })?;
        let table = Table::new(opened);
        let mut versions = self.opened.borrow_mut();
        if !versions.contains(table.version()) {
            versions.push(table.version().clone());
        }
        Ok(table)
    }

    /// The provider of the connection that the job names. Wants `http`, which only a connector can.
    #[must_use]
    pub fn http(&self) -> Http {
        Http::new(Rc::clone(&self.backing))
    }

    /// The value that this job keeps under a key, if there is one. Wants `state`.
    ///
    /// # Errors
    /// [`StateError::NotGranted`].
    pub fn state_get(&self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        self.backing.state_get(key)
    }

    /// Keeps a value under a key for the job's later runs, if this run closes. Wants `state`.
    ///
    /// # Errors
    /// [`StateError::NotGranted`], or [`StateError::Full`] if the job would keep too much.
    pub fn state_set(&self, key: &str, value: &[u8]) -> Result<(), StateError> {
        self.backing.state_set(key, value)
    }

    /// Forgets a key. Forgetting what is not there is no error. Wants `state`.
    ///
    /// # Errors
    /// [`StateError::NotGranted`].
    pub fn state_delete(&self, key: &str) -> Result<(), StateError> {
        self.backing.state_delete(key)
    }

    /// The versions of tables that were opened since the last time this was asked.
    pub(crate) fn take_opened(&self) -> Vec<TableVersion> {
        self.opened.take()
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGranted => f.write_str("the plugin was not granted state: plugin.toml asks for it with state = true under [wants]"),
            Self::Full { bytes_max } => write!(f, "the job may keep at most {bytes_max} bytes"),
        }
    }
}

impl std::error::Error for StateError {}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::defect("state-unusable", format!("A value cannot be kept: {error}."))
    }
}

pub(crate) fn lookup_failure(table: &str, error: LookupError) -> Failure {
    match error {
        LookupError::NotGranted => Failure::defect(
            "table-not-granted",
            format!("Table {table} was not granted: plugin.toml asks for it with lookup = [\"{table}\"] under [wants]."),
        ),
        LookupError::NoVersionInForce => Failure::defect("table-version-gone", format!("Table {table} has no version in force.")),
        LookupError::NoSuchColumn(column) => Failure::defect("table-column-missing", format!("Table {table} has no column {column}.")),
        LookupError::TooManyRows(rows) => {
            Failure::defect("table-answer-too-large", format!("Table {table} has {rows} rows that match, more than one answer may hold."))
        }
    }
}
