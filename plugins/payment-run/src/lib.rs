//! Invoices that are approved and due, as the payments of one run.

#![forbid(unsafe_code)]

use std::collections::HashMap;

use bailiwick_sdk::{Adapter, Context, Date, Failure, Hub, Money, Out, Reject, Rows, register};
use serde::{Deserialize, Serialize};

/// Accounts that are watched over a run; what comes for others is paid all the same.
const ACCOUNTS_MAX: usize = 100_000;

/// The plugin, for one run.
#[derive(Debug)]
pub struct PaymentRun {
    settings: Settings,
    today: Date,
    /// For each account the first row that pays it, and what it gets.
    accounts: HashMap<(String, String), (u64, Money)>,
}

/// What the operator sets.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    amount_max: Money,
    account_watch: Money,
}

/// A row of the input `approved`.
#[derive(Deserialize)]
struct Invoice<'a> {
    destination_sort_code: &'a str,
    destination_account: &'a str,
    payee: &'a str,
    reference: &'a str,
    amount: Money,
    due_on: Option<Date>,
}

/// A row of the output `payments`.
#[derive(Serialize)]
struct Payment<'a> {
    destination_sort_code: &'a str,
    destination_account: &'a str,
    amount: Money,
    reference: &'a str,
    payee: &'a str,
}

impl Adapter for PaymentRun {
    type Settings = Settings;

    fn open(_: &Context, settings: Settings, hub: &Hub) -> Result<Self, Failure> {
        Ok(Self { settings, today: hub.today(), accounts: HashMap::new() })
    }

    fn push(&mut self, _: &str, rows: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
        for row in rows.read::<Invoice>() {
            let invoice = row.value;
            if invoice.amount <= Money::ZERO {
                out.reject(row.number, Reject::new("amount-not-positive", "A payment is of more than nothing.").column("amount"));
            } else if invoice.amount > self.settings.amount_max {
                let message = format!("A payment above £{} is not made in a run.", self.settings.amount_max);
                out.reject(row.number, Reject::new("amount-above-limit", message).column("amount"));
            } else if invoice.due_on.is_some_and(|due| due > self.today) {
                out.skip(row.number, Reject::new("not-due", "It is due after this run.").column("due_on"));
            } else {
                self.watch(&invoice, row.number)?;
                let Invoice { destination_sort_code, destination_account, payee, reference, amount, .. } = invoice;
                out.write("payments", &Payment { destination_sort_code, destination_account, amount, reference, payee })?;
            }
        }
        Ok(())
    }

    fn end(&mut self, _: &str, out: &mut Out<'_>) -> Result<(), Failure> {
        let mut much: Vec<(u64, Money)> = self.accounts.values().copied().filter(|(_, sum)| *sum > self.settings.account_watch).collect();
        much.sort_unstable_by_key(|(row, _)| *row);
        for (row, sum) in much {
            let message = format!("The account gets £{sum} in this run.");
            out.warn(row, Reject::new("account-paid-much", message).column("destination_account"));
        }
        Ok(())
    }
}

impl PaymentRun {
    fn watch(&mut self, invoice: &Invoice<'_>, row: u64) -> Result<(), Failure> {
        let account = (invoice.destination_sort_code.to_owned(), invoice.destination_account.to_owned());
        if self.accounts.len() < ACCOUNTS_MAX || self.accounts.contains_key(&account) {
            let (_, sum) = self.accounts.entry(account).or_insert((row, Money::ZERO));
            *sum = sum.checked_add(invoice.amount)?;
        }
        Ok(())
    }
}

register!(adapter PaymentRun);
