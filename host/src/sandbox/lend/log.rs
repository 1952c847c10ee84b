//! Notes for the run's log. What does not fit is dropped and counted: a plugin that writes too much does not fail of it.

use super::super::contract::lent::log::{Host, Level};
use super::super::contract::text::clean;
use super::super::worker::InstanceState;
use crate::model::limits::{LOG_NOTE_BYTES_MAX, Limit};

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the plugin's author.
    Debug,
    /// For the operator who wants to follow.
    Info,
    /// Something to look at.
    Warn,
    /// Something that went wrong.
    Error,
}

impl LogLevel {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// One note: one line, without characters that steer a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogNote {
    /// How much it matters.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
}

/// The notes of an instance.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct LogBook {
    pub(in crate::sandbox) notes: Vec<LogNote>,
    pub(in crate::sandbox) bytes: u64,
    pub(in crate::sandbox) dropped: u64,
}

impl Host for InstanceState {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.enter_host_call()?;
        let limits = &self.setup.limits;
        if self.log.notes.len() as u64 >= limits.get(Limit::LogLines) {
            self.log.dropped += 1;
            return Ok(());
        }
        let message = clean(message, LOG_NOTE_BYTES_MAX, &mut self.stripped);
        let bytes = self.log.bytes + message.len() as u64;
        if bytes > limits.get(Limit::LogBytes) {
            self.log.dropped += 1;
            return Ok(());
        }
        self.log.bytes = bytes;
        self.check_retained()?;
        let level = match level {
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        self.log.notes.push(LogNote { level, message });
        Ok(())
    }
}
