//! A stand-in for the hub, for tests that call a plugin's functions directly.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::manifest::Manifest;
use super::{Script, tables};
use crate::hub::{Backing, Hub, Level, TableData, Wants};
use crate::values::Date;

/// Makes a [`Hub`] that answers from a plugin's own `tables/` folder and lends what its `plugin.toml` asks for, and no more.
///
/// ```no_run
/// # use bailiwick_sdk::{Date, testing::TestHub};
/// let hub = TestHub::new(env!("CARGO_MANIFEST_DIR")).today(Date::new(2026, 10, 19)).hub();
/// let bands = hub.table("lgps-bands", hub.today());
/// ```
#[derive(Debug)]
pub struct TestHub {
    wants: Wants,
    tables: Vec<Rc<TableData>>,
    today: Date,
    seed: u64,
}

impl TestHub {
    /// A stand-in for a plugin's folder, `env!("CARGO_MANIFEST_DIR")`. Its day is 2026-01-01 unless told otherwise.
    ///
    /// # Panics
    /// If `plugin.toml` or a table cannot be read, with what is wrong.
    #[must_use]
    pub fn new(folder: impl AsRef<Path>) -> Self {
        let folder = folder.as_ref();
        Manifest::read(folder).and_then(|manifest| Self::of(&manifest, folder)).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(super) fn of(manifest: &Manifest, folder: &Path) -> Result<Self, String> {
        let tables = tables::read(&folder.join("tables"))?;
        Ok(Self { wants: manifest.wants(), tables, today: Date::new(2026, 1, 1), seed: 0 })
    }

    /// Sets the logical date of the run; the moment is noon of that day.
    #[must_use]
    pub const fn today(mut self, today: Date) -> Self {
        self.today = today;
        self
    }

    /// Sets the seed of random numbers.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds the versions of tables in another folder. They answer before those that were there.
    ///
    /// # Panics
    /// If a table cannot be read, with what is wrong.
    #[must_use]
    pub fn tables_from(mut self, folder: impl Into<PathBuf>) -> Self {
        self.tables.extend(tables::read(&folder.into()).unwrap_or_else(|error| panic!("{error}")));
        self
    }

    pub(super) fn try_tables_from(mut self, folder: &Path) -> Result<Self, String> {
        self.tables.extend(tables::read(folder)?);
        Ok(self)
    }

    /// The hub. Each call makes a fresh one, with an empty log and no state.
    #[must_use]
    pub fn hub(&self) -> Hub {
        self.hub_with(Script::default())
    }

    /// The hub, with a provider that answers what a script says.
    pub(super) fn hub_with(&self, http: Script) -> Hub {
        Hub::new(Backing {
            http,
            wants: self.wants.clone(),
            today: self.today,
            tables: self.tables.clone(),
            seed: Cell::new(self.seed),
            log: RefCell::default(),
            state: RefCell::new(BTreeMap::new()),
        })
    }

    /// What was written to the log of a hub that this made.
    #[must_use]
    pub fn logged(hub: &Hub) -> Vec<(Level, String)> {
        hub.backing().log.borrow().clone()
    }
}
