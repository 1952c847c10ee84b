//! The few values that a job keeps from one run to the next. What is written here is only kept if the run closes, which
//! is for others to do.

use std::collections::BTreeMap;

use super::super::contract::lent::state::{Host, StateError};
use super::super::worker::InstanceState;
use crate::model::limits::Limit;

/// The job's state as the instance sees it: shared until it is written to.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct KeptState {
    written: Option<BTreeMap<String, Vec<u8>>>,
    bytes: u64,
    /// The most bytes that were held at one time.
    pub(in crate::sandbox) bytes_most: u64,
}

impl KeptState {
    /// Bytes of the instance's own copy; 0 until it writes.
    pub(in crate::sandbox) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// As the guest left it; none if it wrote nothing.
    pub(in crate::sandbox) fn into_written(self) -> Option<BTreeMap<String, Vec<u8>>> {
        self.written
    }
}

fn bytes_of(key: &str, value: &[u8]) -> u64 {
    key.len() as u64 + value.len() as u64
}

impl InstanceState {
    fn state_granted(&mut self) -> wasmtime::Result<bool> {
        self.enter_host_call()?;
        Ok(self.setup.lent.state)
    }

    /// The state as a map of the instance's own, copied from the setup the first time.
    fn own_state(&mut self) -> &mut BTreeMap<String, Vec<u8>> {
        let kept = &mut self.kept;
        kept.written.get_or_insert_with(|| {
            kept.bytes = self.setup.state.iter().map(|(key, value)| bytes_of(key, value)).sum();
            self.setup.state.clone()
        })
    }
}

impl Host for InstanceState {
    fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, StateError>> {
        if !self.state_granted()? {
            return Ok(Err(StateError::NotGranted));
        }
        Ok(Ok(self.kept.written.as_ref().unwrap_or(&self.setup.state).get(&key).cloned()))
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), StateError>> {
        if !self.state_granted()? {
            return Ok(Err(StateError::NotGranted));
        }
        let before = self.own_state().get(&key).map_or(0, |old| bytes_of(&key, old));
        let (bytes, allowed) = (self.kept.bytes - before + bytes_of(&key, &value), self.setup.limits.get(Limit::StateBytes));
        if bytes > allowed {
            return Ok(Err(StateError::Full(allowed)));
        }
        self.kept.bytes = bytes;
        self.kept.bytes_most = self.kept.bytes_most.max(bytes);
        self.own_state().insert(key, value);
        self.check_retained()?;
        Ok(Ok(()))
    }

    fn delete(&mut self, key: String) -> wasmtime::Result<Result<(), StateError>> {
        if !self.state_granted()? {
            return Ok(Err(StateError::NotGranted));
        }
        if let Some(old) = self.own_state().remove(&key) {
            self.kept.bytes -= bytes_of(&key, &old);
        }
        Ok(Ok(()))
    }
}
