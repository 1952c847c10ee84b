//! Natively: a stand-in for the hub that behaves as the sandbox does, for a plugin's own tests.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Instant, Level, StateError};
use crate::bindings::adapter::bailiwick::plugin::lookup::LookupError;
use crate::testing::Script;
use crate::values::Date;
use crate::wire;

/// Rows of one answer of a lookup, as in the hub.
const LOOKUP_ROWS_MAX: usize = 1_024;

/// Bytes of a job's state, as in the hub where nobody asks for more.
const STATE_BYTES_MAX: u64 = 64 << 10;

/// What `plugin.toml` asks for. The stand-in refuses what it does not ask for, as the sandbox would.
#[derive(Debug, Clone)]
pub(crate) struct Wants {
    pub(crate) log: bool,
    pub(crate) clock: bool,
    pub(crate) random: bool,
    pub(crate) state: bool,
    pub(crate) http: bool,
    pub(crate) lookup: Vec<String>,
}

/// A version of a table with its rows.
#[derive(Debug)]
pub(crate) struct TableData {
    pub(crate) version: wire::TableVersion,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// The stand-in.
#[derive(Debug)]
pub(crate) struct Backing {
    pub(crate) wants: Wants,
    pub(crate) today: Date,
    pub(crate) tables: Vec<Rc<TableData>>,
    pub(crate) seed: Cell<u64>,
    pub(crate) log: RefCell<Vec<(Level, String)>>,
    pub(crate) state: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(crate) http: Script,
}

/// One open table.
pub(crate) struct OneTable(Rc<TableData>);

impl Backing {
    fn wanted(&self, wanted: bool, interface: &str) {
        assert!(wanted, "the plugin uses {interface}, and plugin.toml does not ask for it: write {interface} = true under [wants]");
    }

    pub(crate) fn today(&self) -> Date {
        self.wanted(self.wants.clock, "clock");
        self.today
    }

    pub(crate) fn now(&self) -> Instant {
        self.wanted(self.wants.clock, "clock");
        Instant { seconds: i64::from(self.today.days()) * 86_400 + 43_200, nanoseconds: 0 }
    }

    pub(crate) fn log(&self, level: Level, message: &str) {
        self.wanted(self.wants.log, "log");
        self.log.borrow_mut().push((level, message.to_owned()));
    }

    pub(crate) fn http_send(&self, request: &wire::connector::Request) -> Result<wire::connector::Response, wire::connector::HttpError> {
        self.wanted(self.wants.http, "http");
        self.http.send(request)
    }

    pub(crate) fn http_wait(&self, seconds: u32) {
        self.wanted(self.wants.http, "http");
        self.http.wait(seconds);
    }

    /// SplitMix64: good enough for tests, and the same everywhere.
    pub(crate) fn random_u64(&self) -> u64 {
        self.wanted(self.wants.random, "random");
        let seed = self.seed.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.seed.set(seed);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn random_bytes(&self, count: u32) -> Vec<u8> {
        assert!(count <= 65_536, "a plugin may ask for at most 65,536 random bytes a call, and asked for {count}");
        (0..count).map(|_| self.random_u64() as u8).collect()
    }

    pub(crate) fn open(&self, name: &str, on: Date) -> Result<OneTable, LookupError> {
        if !self.wants.lookup.iter().any(|wanted| wanted == name) {
            return Err(LookupError::NotGranted);
        }
        let in_force = |version: &wire::TableVersion| {
            version.table == name && version.effective_from <= on.days() && version.effective_to.is_none_or(|last| on.days() <= last)
        };
        let found = self.tables.iter().rev().find(|table| in_force(&table.version));
        found.map(|table| OneTable(Rc::clone(table))).ok_or(LookupError::NoVersionInForce)
    }

    fn state_granted(&self) -> Result<(), StateError> {
        if self.wants.state { Ok(()) } else { Err(StateError::NotGranted) }
    }

    pub(crate) fn state_get(&self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        self.state_granted()?;
        Ok(self.state.borrow().get(key).cloned())
    }

    pub(crate) fn state_set(&self, key: &str, value: &[u8]) -> Result<(), StateError> {
        self.state_granted()?;
        let mut state = self.state.borrow_mut();
        let others = state.iter().filter(|(other, _)| *other != key).map(|(key, value)| key.len() + value.len()).sum::<usize>();
        if (others + key.len() + value.len()) as u64 > STATE_BYTES_MAX {
            return Err(StateError::Full { bytes_max: STATE_BYTES_MAX });
        }
        state.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    pub(crate) fn state_delete(&self, key: &str) -> Result<(), StateError> {
        self.state_granted()?;
        self.state.borrow_mut().remove(key);
        Ok(())
    }
}

impl OneTable {
    pub(crate) fn version(&self) -> wire::TableVersion {
        self.0.version.clone()
    }

    pub(crate) fn columns(&self) -> Vec<String> {
        self.0.columns.clone()
    }

    pub(crate) fn size(&self) -> u32 {
        self.0.rows.len() as u32
    }

    pub(crate) fn read(&self, start: u32, count: u32) -> Vec<Vec<String>> {
        self.0.rows.iter().skip(start as usize).take((count as usize).min(LOOKUP_ROWS_MAX)).cloned().collect()
    }

    pub(crate) fn find(&self, column: &str, value: &str) -> Result<Vec<Vec<String>>, LookupError> {
        self.matching(column, |held| held == value)
    }

    pub(crate) fn find_word(&self, column: &str, word: &str) -> Result<Vec<Vec<String>>, LookupError> {
        let word = word.to_lowercase();
        self.matching(column, |held| held.split(|c: char| !c.is_alphanumeric()).any(|held| held.to_lowercase() == word))
    }

    fn matching(&self, column: &str, matches: impl Fn(&str) -> bool) -> Result<Vec<Vec<String>>, LookupError> {
        let place = self.0.columns.iter().position(|name| name == column);
        let place = place.ok_or_else(|| LookupError::NoSuchColumn(column.to_owned()))?;
        let rows: Vec<_> = self.0.rows.iter().filter(|row| matches(&row[place])).cloned().collect();
        if rows.len() > LOOKUP_ROWS_MAX { Err(LookupError::TooManyRows(rows.len() as u32)) } else { Ok(rows) }
    }
}
