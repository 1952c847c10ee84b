//! Splits shared costs over partners by what each of them uses, to the penny, and writes the journal that moves the cost.
//!
//! Drivers come first and are kept; pools stream through, so memory does not grow with them.
//! It knows no rate, no partner and no service: all of them are data.

#![forbid(unsafe_code)]

mod drivers;
mod pool;
mod split;

use bailiwick_sdk::{Adapter, Context, Failure, Hub, Out, Rows, register};

use drivers::{DriverLine, Drivers};
use pool::Pool;

pub use split::{Unsplittable, largest_remainder};

/// The adapter.
#[derive(Debug, Default)]
pub struct CostApportionment {
    drivers: Drivers,
}

impl Adapter for CostApportionment {
    type Settings = ();

    fn open(_context: &Context, _settings: (), _hub: &Hub) -> Result<Self, Failure> {
        Ok(Self::default())
    }

    fn push(&mut self, input: &str, rows: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
        if input == "drivers" {
            for row in rows.read::<DriverLine>() {
                if let Err(reject) = self.drivers.add(&row.value) {
                    out.reject(row.number, reject);
                }
            }
        } else {
            for row in rows.read::<Pool>() {
                match row.value.apportion(&self.drivers) {
                    Ok(shares) => row.value.write(&shares, out)?,
                    Err(reject) => out.reject(row.number, reject),
                }
            }
        }
        Ok(())
    }
}

register!(adapter CostApportionment);
