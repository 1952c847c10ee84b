//! In the sandbox: the contract's imports.

use super::{Instant, Level, StateError};
use crate::bindings::adapter::bailiwick::plugin::{clock, log, lookup, random, state};
use crate::bindings::connector::bailiwick::plugin0_2_0::http;
use crate::values::Date;
use crate::wire;

/// The imports. They need no value to be called on.
pub(crate) struct Backing;

/// One open table.
pub(crate) struct OneTable(lookup::Table);

fn state_error(error: state::StateError) -> StateError {
    match error {
        state::StateError::NotGranted => StateError::NotGranted,
        state::StateError::Full(bytes_max) => StateError::Full { bytes_max },
    }
}

impl Backing {
    pub(crate) fn today(&self) -> Date {
        Date::from_days(clock::today()).expect("the hub's dates are within the years of the calendar")
    }

    pub(crate) fn now(&self) -> Instant {
        let now = clock::now();
        Instant { seconds: now.seconds, nanoseconds: now.nanoseconds }
    }

    pub(crate) fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => log::Level::Debug,
            Level::Info => log::Level::Info,
            Level::Warn => log::Level::Warn,
            Level::Error => log::Level::Error,
        };
        log::write(level, message);
    }

    pub(crate) fn random_u64(&self) -> u64 {
        random::next()
    }

    pub(crate) fn random_bytes(&self, count: u32) -> Vec<u8> {
        random::bytes(count)
    }

    pub(crate) fn open(&self, name: &str, on: Date) -> Result<OneTable, lookup::LookupError> {
        lookup::open(name, on.days()).map(OneTable)
    }

    pub(crate) fn state_get(&self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        state::get(key).map_err(state_error)
    }

    pub(crate) fn state_set(&self, key: &str, value: &[u8]) -> Result<(), StateError> {
        state::set(key, value).map_err(state_error)
    }

    pub(crate) fn http_send(&self, request: &wire::connector::Request) -> Result<wire::connector::Response, wire::connector::HttpError> {
        http::send(request)
    }

    pub(crate) fn http_wait(&self, seconds: u32) {
        http::wait(seconds);
    }

    pub(crate) fn state_delete(&self, key: &str) -> Result<(), StateError> {
        state::delete(key).map_err(state_error)
    }
}

impl OneTable {
    pub(crate) fn version(&self) -> wire::TableVersion {
        self.0.version()
    }

    pub(crate) fn columns(&self) -> Vec<String> {
        self.0.columns()
    }

    pub(crate) fn size(&self) -> u32 {
        self.0.size()
    }

    pub(crate) fn read(&self, start: u32, count: u32) -> Vec<Vec<String>> {
        self.0.read(start, count)
    }

    pub(crate) fn find(&self, column: &str, value: &str) -> Result<Vec<Vec<String>>, lookup::LookupError> {
        self.0.find(column, value)
    }

    pub(crate) fn find_word(&self, column: &str, word: &str) -> Result<Vec<Vec<String>>, lookup::LookupError> {
        self.0.find_word(column, word)
    }
}
