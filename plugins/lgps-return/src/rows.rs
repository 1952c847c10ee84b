//! The rows of the inputs and outputs, field by column as `plugin.toml` declares them. No rule stands here.

use bailiwick_sdk::{Date, Money};
use serde::{Deserialize, Serialize};

/// One employment's pay of a month: a row of `payroll`.
///
/// Decimals that are no money (hours, percentages) are read as `Money` too, which is exact and costs least.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "plugin.toml documents every column")]
pub struct PayLine<'a> {
    pub employer_code: &'a str,
    pub employment_number: &'a str,
    pub ni_number: &'a str,
    pub surname: &'a str,
    pub forenames: &'a str,
    pub date_of_birth: Option<Date>,
    pub period_end: Date,
    pub status: &'a str,
    pub scheme: &'a str,
    #[serde(borrow)]
    pub section: Option<&'a str>,
    #[serde(borrow)]
    pub hours_indicator: Option<&'a str>,
    pub weekly_hours: Option<Money>,
    pub hours_effective: Option<Date>,
    pub date_joined: Option<Date>,
    pub date_left: Option<Date>,
    pub annual_pay: Option<Money>,
    pub fte_final_pay: Option<Money>,
    pub pay_main: Money,
    pub pay_5050: Money,
    pub rate_percent: Option<Money>,
    pub employee_main: Money,
    pub employee_5050: Money,
    pub employer_contribution: Option<Money>,
    pub apc: Option<Money>,
    pub scapc: Option<Money>,
    pub avc: Option<Money>,
    #[serde(borrow)]
    pub reduced_pay_reason: Option<&'a str>,
    pub reduced_pay_from: Option<Date>,
    pub reduced_pay_to: Option<Date>,
    pub pay_while_reduced: Option<Money>,
    pub assumed_pay: Option<Money>,
    #[serde(borrow)]
    pub break_reason: Option<&'a str>,
    pub break_from: Option<Date>,
    pub break_to: Option<Date>,
}

impl PayLine<'_> {
    /// Pensionable pay received, in whichever section. The refusals have made sure that it fits.
    #[inline]
    #[must_use]
    pub fn pay(&self) -> Money {
        self.pay_main + self.pay_5050
    }
}

/// One employment's pay of an earlier month: a row of `previous`.
#[derive(Debug, Deserialize)]
#[allow(missing_docs, reason = "plugin.toml documents every column")]
pub struct PreviousLine<'a> {
    pub employment_number: &'a str,
    pub period_end: Date,
    #[serde(borrow)]
    pub status: Option<&'a str>,
    pub pensionable_pay: Money,
    pub reduction_ignored: Option<Money>,
    pub fte_final_pay: Option<Money>,
    pub weekly_hours: Option<Money>,
}

/// One employment's line for the fund: a row of `return`.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "plugin.toml documents every column")]
pub struct ReturnLine<'a> {
    pub employer_code: &'a str,
    pub employment_number: &'a str,
    pub ni_number: &'a str,
    pub surname: &'a str,
    pub forenames: &'a str,
    pub date_of_birth: Option<Date>,
    pub period: &'a str,
    pub section: &'static str,
    pub band: i64,
    pub rate_percent: Money,
    pub pay_main: Money,
    pub pay_5050: Money,
    pub employee_main: Money,
    pub employee_5050: Money,
    pub employee_expected: Money,
    pub employer_contribution: Money,
    pub apc: Money,
    pub scapc: Money,
    pub avc: Money,
    pub assumed_pay: Money,
    pub care_pay: Money,
    pub pension_accrued: Money,
    pub pay_from: Date,
    pub pay_to: Date,
    pub date_joined: Option<Date>,
    pub date_left: Option<Date>,
    pub hours_indicator: Option<&'static str>,
    pub weekly_hours: Option<Money>,
    pub hours_effective: Option<Date>,
    pub fte_final_pay: Option<Money>,
    pub break_reason: Option<&'static str>,
    pub break_from: Option<Date>,
    pub break_to: Option<Date>,
    pub table_version: &'a str,
}

/// What one employer owes for one month: a row of `ctr1`, which the hub adds up.
#[derive(Debug, Serialize)]
#[allow(missing_docs, reason = "plugin.toml documents every column")]
pub struct RemittanceLine<'a> {
    pub employer_code: &'a str,
    pub period: &'a str,
    pub payment_due: Date,
    pub members: i64,
    pub pay_main: Money,
    pub pay_5050: Money,
    pub employee_main: Money,
    pub employee_5050: Money,
    pub employer_contribution: Money,
    pub apc: Money,
    pub scapc: Money,
    pub total_due: Money,
}
