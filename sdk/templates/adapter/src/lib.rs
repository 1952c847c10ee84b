//! Pays journeys by the mile. Change the structs, `plugin.toml` and the cases together.

#![forbid(unsafe_code)]

use bailiwick_sdk::{Adapter, Context, Date, Decimal, Failure, Hub, Money, Out, Reject, Rounding, Rows, register};
use serde::{Deserialize, Serialize};

/// The plugin, for one run.
#[derive(Debug)]
pub struct Plugin {
    settings: Settings,
}

/// What the operator sets in the job.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    /// For each mile.
    rate: Money,
    /// Longest journey that is paid without asking.
    miles_max: Decimal,
}

/// A row of the input `claims`: fields have the names of columns. Columns that are not needed can be left out.
#[derive(Deserialize)]
struct Claim<'a> {
    employee_number: &'a str,
    driven_on: Date,
    miles: Decimal,
    purpose: Option<&'a str>,
}

/// A row of the output `payments`: a field for every column.
#[derive(Serialize)]
struct Payment<'a> {
    employee_number: &'a str,
    driven_on: Date,
    amount: Money,
}

impl Adapter for Plugin {
    type Settings = Settings;

    fn open(_: &Context, settings: Settings, _: &Hub) -> Result<Self, Failure> {
        if settings.rate > Money::from_pounds(1) {
            return Err(Failure::settings("rate-too-high", "The rate is above one pound a mile. Is it in pence?"));
        }
        Ok(Self { settings })
    }

    fn push(&mut self, _input: &str, rows: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
        for row in rows.read::<Claim>() {
            match self.payment(&row.value) {
                Ok(payment) => out.write("payments", &payment)?,
                Err(reject) => out.reject(row.number, reject),
            }
        }
        Ok(())
    }
}

impl Plugin {
    fn payment<'a>(&self, claim: &Claim<'a>) -> Result<Payment<'a>, Reject> {
        if claim.miles <= Decimal::ZERO {
            return Err(Reject::new("miles-not-positive", "A journey has more than 0 miles.").column("miles"));
        }
        if claim.miles > self.settings.miles_max && claim.purpose.is_none() {
            let message = format!("A journey of more than {} miles needs a purpose.", self.settings.miles_max);
            return Err(Reject::new("purpose-missing", message).column("purpose"));
        }
        let amount = self.settings.rate.checked_times(claim.miles, Rounding::HalfUp)?;
        Ok(Payment { employee_number: claim.employee_number, driven_on: claim.driven_on, amount })
    }
}

register!(adapter Plugin);

#[cfg(test)]
mod tests {
    #[test]
    fn cases() {
        bailiwick_sdk::testing::run_cases::<super::Plugin>(env!("CARGO_MANIFEST_DIR"));
    }
}
