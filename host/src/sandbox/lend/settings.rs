//! What the operator set for the job.

use super::super::contract::lent::{settings, types};
use super::super::worker::InstanceState;

impl settings::Host for InstanceState {
    fn get(&mut self) -> wasmtime::Result<String> {
        self.enter_host_call()?;
        Ok(self.setup.settings.clone())
    }
}

impl types::Host for InstanceState {}
