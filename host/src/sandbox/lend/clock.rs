//! The run's logical time. No clock is read here: a replay gets the same moment.

use super::super::contract::lent::clock::{Host, Instant};
use super::super::worker::InstanceState;
use crate::model::rows::days_of_date;

impl Host for InstanceState {
    fn now(&mut self) -> wasmtime::Result<Instant> {
        self.enter_host_call()?;
        let (mut seconds, mut nanoseconds) = (self.setup.now.as_second(), self.setup.now.subsec_nanosecond());
        if nanoseconds < 0 {
            // Before 1970 the two have the same sign; the contract counts nanoseconds upwards.
            (seconds, nanoseconds) = (seconds - 1, nanoseconds + 1_000_000_000);
        }
        Ok(Instant { seconds, nanoseconds: nanoseconds.unsigned_abs() })
    }

    fn today(&mut self) -> wasmtime::Result<i32> {
        self.enter_host_call()?;
        Ok(days_of_date(self.setup.today))
    }
}
