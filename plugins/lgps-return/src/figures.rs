//! What is worked out for a member: band, contributions, assumed pensionable pay, CARE pay.

use bailiwick_sdk::{Date, Money, Reject, Rounding};

use crate::history::Months;
use crate::periods::Period;
use crate::refusals::Checked;
use crate::rows::{PayLine, ReturnLine};
use crate::rules::{Band, BandTable, accrued};
use crate::settings::Policy;

/// What payroll's own figure of assumed pensionable pay is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// There is none, or it agrees.
    Agrees,
    /// It is not what was worked out; what was worked out stands.
    Differs,
    /// Three complete months before are not known; payroll's figure stands.
    NotChecked,
}

/// Assumed pensionable pay and CARE pay of a month.
#[derive(Debug, Clone, Copy)]
pub struct CarePay {
    /// Assumed pensionable pay; nothing for most.
    pub assumed: Money,
    /// What payroll's own figure is worth.
    pub compared: Compared,
    /// Pay that counts for CARE.
    pub care: Money,
}

/// Everything worked out for one line.
#[derive(Debug)]
pub struct Figures<'t> {
    /// The band.
    pub band: &'t Band,
    /// The table that it stands in.
    pub table: &'t BandTable,
    /// Contribution by pay received and rate.
    pub employee_expected: Money,
    /// Contribution by CARE pay and the employer's rate.
    pub employer: Money,
    /// Assumed pensionable pay and CARE pay.
    pub care: CarePay,
}

/// Works out CARE pay: pay received, but on days of reduced pay the assumed pay in its place.
///
/// # Errors
/// A refusal where assumed pay can neither be worked out nor taken from payroll.
#[inline]
pub fn care_pay(line: &PayLine<'_>, checked: &Checked, policy: &Policy, months: Months<'_>) -> Result<CarePay, Reject> {
    let pay = line.pay();
    let (Some(reduced), Some(from)) = (checked.reduced, line.reduced_pay_from) else {
        return Ok(CarePay { assumed: Money::ZERO, compared: Compared::Agrees, care: pay });
    };
    let (assumed, compared) = match (months.average_before(from), line.assumed_pay) {
        (Some(average), given) => {
            let assumed = reduced.assumed(average);
            let differs = given.is_some_and(|given| policy.tolerance.exceeded(given, assumed));
            (assumed, if differs { Compared::Differs } else { Compared::Agrees })
        }
        (None, Some(given)) => (given, Compared::NotChecked),
        (None, None) => {
            let message = "Assumed pensionable pay needs the three complete months before pay was reduced, or payroll's own figure.";
            return Err(Reject::new("assumed-pay-unknown", message).column("assumed_pay"));
        }
    };
    let received_besides = if reduced.is_whole_month() { Money::ZERO } else { pay - line.pay_while_reduced.unwrap_or(Money::ZERO) };
    Ok(CarePay { assumed, compared, care: received_besides + assumed })
}

/// Works out band and contributions. Every rounding is half up to the penny.
#[inline]
#[must_use]
pub fn work_out<'t>(line: &PayLine<'_>, checked: &Checked, care: CarePay, (policy, table): (&Policy, &'t BandTable)) -> Figures<'t> {
    // Only a casual employee comes here without annual pay. CARE pay, so that reduced pay does not lower the band.
    let annual = line.annual_pay.unwrap_or_else(|| times(care.care, policy.casual_periods));
    let band = table.band(annual);
    Figures {
        band,
        table,
        employee_expected: line.pay().times(band.rate(checked.section).of_one, Rounding::HalfUp),
        employer: care.care.times(checked.employer_rate, Rounding::HalfUp),
        care,
    }
}

/// The line of the return.
#[inline]
#[must_use]
pub fn return_line<'a>(line: &PayLine<'a>, checked: &Checked, figures: &Figures<'a>, period: &'a Period) -> ReturnLine<'a> {
    let (pay_from, pay_to) = days_of_pay(line, period);
    ReturnLine {
        employer_code: line.employer_code,
        employment_number: line.employment_number,
        ni_number: line.ni_number,
        surname: line.surname,
        forenames: line.forenames,
        date_of_birth: line.date_of_birth,
        period: &period.name,
        section: checked.section.name(),
        band: figures.band.number,
        rate_percent: figures.band.rate(checked.section).percent,
        pay_main: line.pay_main,
        pay_5050: line.pay_5050,
        employee_main: line.employee_main,
        employee_5050: line.employee_5050,
        employee_expected: figures.employee_expected,
        employer_contribution: figures.employer,
        apc: line.apc.unwrap_or(Money::ZERO),
        scapc: line.scapc.unwrap_or(Money::ZERO),
        avc: line.avc.unwrap_or(Money::ZERO),
        assumed_pay: figures.care.assumed,
        care_pay: figures.care.care,
        pension_accrued: accrued(figures.care.care, checked.section),
        pay_from,
        pay_to,
        date_joined: line.date_joined,
        date_left: line.date_left,
        hours_indicator: checked.hours.map(|hours| hours.code()),
        weekly_hours: line.weekly_hours,
        hours_effective: line.hours_effective,
        fte_final_pay: line.fte_final_pay,
        break_reason: checked.break_reason.map(|reason| reason.code()),
        break_from: line.break_from,
        break_to: line.break_to,
        table_version: figures.table.version(),
    }
}

/// The days of the month to which the pay belongs: from joining, until leaving. Pay after leaving belongs to the last day.
fn days_of_pay(line: &PayLine<'_>, period: &Period) -> (Date, Date) {
    let from = line.date_joined.map_or(period.first, |joined| joined.max(period.first));
    let to = line.date_left.map_or(period.end, |left| left.min(period.end));
    (from.min(to), to)
}

fn times(pay: Money, periods: i64) -> Money {
    pay.share(periods, 1, Rounding::HalfUp).expect("amounts are below a thousand million pounds and periods at most twelve")
}
