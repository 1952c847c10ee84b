//! One cost pool: its shares, its journal lines, its part of the summary.

use bailiwick_sdk::{Date, Failure, Money, Out, Reject};
use serde::{Deserialize, Serialize};

use crate::drivers::{Drivers, Shared};
use crate::split::largest_remainder;

/// A line of the input `pools`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Pool<'a> {
    pool: &'a str,
    service: &'a str,
    driver: &'a str,
    on: Date,
    provider: &'a str,
    account: &'a str,
    amount: Money,
}

/// A pool's shares: those of `shared.partners`, in their order.
#[derive(Debug)]
pub(crate) struct Shares<'d> {
    shared: Shared<'d>,
    amounts: Vec<Money>,
}

#[derive(Serialize)]
struct ShareLine<'a> {
    pool: &'a str,
    service: &'a str,
    driver: &'a str,
    basis: &'static str,
    partner: &'a str,
    quantity: Money,
    quantity_total: Money,
    share: Money,
}

#[derive(Serialize)]
struct JournalLine<'a> {
    pool: &'a str,
    account: &'a str,
    service: &'a str,
    partner: &'a str,
    counterparty: &'a str,
    debit: Money,
    credit: Money,
}

#[derive(Serialize)]
struct SummaryLine<'a> {
    partner: &'a str,
    service: &'a str,
    pools: i64,
    share: Money,
    recharged: Money,
}

/// Quantities have four places.
const QUANTITY_SCALE: u8 = 4;

impl Pool<'_> {
    /// Splits the pool.
    ///
    /// # Errors
    /// Why it cannot be split.
    pub(crate) fn apportion<'d>(&self, drivers: &'d Drivers) -> Result<Shares<'d>, Reject> {
        // The journal writes sizes without signs, and this one amount has none.
        if self.amount.coefficient() == i64::MIN {
            return Err(Reject::new("amount-too-large", "The amount is too large to be worked with.").column("amount"));
        }
        let shared = drivers.on(self.driver, self.on)?;
        let shares = largest_remainder(self.amount.coefficient(), &shared.units)
            .expect("drivers refuse quantities below nothing and totals of nothing");
        let amounts = shares.into_iter().map(|share| Money::new(share, self.amount.scale())).collect();
        Ok(Shares { shared, amounts })
    }

    /// Writes what follows from the shares.
    ///
    /// # Errors
    /// As [`Out::write`].
    pub(crate) fn write(&self, shares: &Shares<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
        let shared = &shares.shared;
        let mut recharged = Money::ZERO;
        for ((partner, units), share) in shared.partners.iter().zip(&shared.units).zip(&shares.amounts) {
            out.write(
                "shares",
                &ShareLine {
                    pool: self.pool,
                    service: self.service,
                    driver: self.driver,
                    basis: shared.basis.name(),
                    partner,
                    quantity: Money::new(*units, QUANTITY_SCALE),
                    quantity_total: Money::new(shared.total, QUANTITY_SCALE),
                    share: *share,
                },
            )?;
            let moved = if *partner == self.provider { Money::ZERO } else { *share };
            out.write("summary", &SummaryLine { partner, service: self.service, pools: 1, share: *share, recharged: moved })?;
            if !moved.is_zero() {
                self.write_journal(partner, moved, out)?;
                recharged += moved;
            }
        }
        if !recharged.is_zero() {
            let provider =
                SummaryLine { partner: self.provider, service: self.service, pools: 0, share: Money::ZERO, recharged: -recharged };
            out.write("summary", &provider)?;
        }
        Ok(())
    }

    /// Debits who bears a cost and credits who paid it; for a credit, the other way round.
    fn write_journal(&self, recipient: &str, moved: Money, out: &mut Out<'_>) -> Result<(), Failure> {
        let (debit, credit) = if moved.is_negative() { (Money::ZERO, moved.abs()) } else { (moved, Money::ZERO) };
        let line = |partner, counterparty, debit, credit| JournalLine {
            pool: self.pool,
            account: self.account,
            service: self.service,
            partner,
            counterparty,
            debit,
            credit,
        };
        out.write("journal", &line(recipient, self.provider, debit, credit))?;
        out.write("journal", &line(self.provider, recipient, credit, debit))
    }
}
