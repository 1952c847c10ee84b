//! What makes somebody look at a row that is accepted all the same. A check that cannot be made says so.

use bailiwick_sdk::{Date, Money, Reason, Reject, Rounding};

use crate::figures::{Compared, Figures};
use crate::history::Months;
use crate::periods::Period;
use crate::refusals::Checked;
use crate::rows::PayLine;
use crate::rules::{Section, Status};
use crate::settings::Policy;

/// What a line is held against.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'g> {
    /// The operator's settings.
    pub policy: &'g Policy,
    /// The month.
    pub period: &'g Period,
    /// The months before; none if the job has no such input.
    pub months: Option<Months<'g>>,
    /// The run's date.
    pub today: Date,
}

/// All doubts about a row, if there are any.
#[inline]
pub fn doubts(line: &PayLine<'_>, checked: &Checked, figures: &Figures<'_>, ground: Ground<'_>) -> Option<Reject> {
    let mut doubts = Doubts::default();
    if ground.period.first > ground.today {
        doubts.say("period_end", "period-in-future", "The month that was paid has not begun.");
    }
    doubts.contributions(line, checked, figures, ground.policy);
    if line.annual_pay.is_none() {
        let message = "The band rests on an estimate: the month's pay of a casual employee, times the periods in a year.";
        doubts.say("annual_pay", "casual-pay-estimated", message);
    }
    doubts.final_pay(line.fte_final_pay, ground.policy);
    match figures.care.compared {
        Compared::Agrees => {}
        Compared::Differs => doubts.say(
            "assumed_pay",
            "assumed-pay-differs",
            "Payroll's assumed pensionable pay is not the average of the three complete months before; the average is returned.",
        ),
        Compared::NotChecked => doubts.say(
            "assumed_pay",
            "assumed-pay-not-checked",
            "Payroll's assumed pensionable pay is returned unchecked: the three complete months before are not known.",
        ),
    }
    if line.break_reason.is_none() && (line.break_from.is_some() || line.break_to.is_some()) {
        doubts.say("break_reason", "break-without-reason", "A break in service needs its reason: S, C, PL, M or A.");
    }
    if line.date_left.is_some_and(|left| left < ground.period.first) && line.pay() > Money::ZERO {
        doubts.say("date_left", "pay-after-leaving", "Somebody who left before this month was paid in it.");
    }
    match ground.months {
        Some(months) => doubts.against_before(line, checked, months, ground),
        None if checked.status == Status::Starter => {
            let message = "Without the months before it cannot be checked that this is a starter.";
            doubts.say("status", "cannot-check-without-previous", message);
        }
        None => {}
    }
    Reject::all(doubts.reasons)
}

/// Somebody paid last month of whom nothing is heard.
#[must_use]
pub fn leaver_undeclared() -> Reason {
    let message =
        "Paid in the last month of this file, but no row of the payroll could be read for this employment and no leaving date is known.";
    Reason::new("leaver-undeclared", message).column("employment_number")
}

#[derive(Default)]
struct Doubts {
    reasons: Vec<Reason>,
}

impl Doubts {
    #[cold]
    fn say(&mut self, column: &'static str, code: &'static str, message: &'static str) {
        self.reasons.push(Reason::new(code, message).column(column));
    }

    #[inline]
    fn contributions(&mut self, line: &PayLine<'_>, checked: &Checked, figures: &Figures<'_>, policy: &Policy) {
        let (column, deducted) = match checked.section {
            Section::Main => ("employee_main", line.employee_main),
            Section::Half => ("employee_5050", line.employee_5050),
        };
        if policy.tolerance.exceeded(deducted, figures.employee_expected) {
            self.contribution_differs(column, deducted, figures.employee_expected);
        }
        if let Some(percent) = line.rate_percent
            && percent != figures.band.rate(checked.section).percent
        {
            self.rate(percent, figures);
        }
        if let Some(given) = line.employer_contribution
            && policy.tolerance.exceeded(given, figures.employer)
        {
            self.employer_differs(given, figures.employer);
        }
    }

    #[cold]
    fn contribution_differs(&mut self, column: &'static str, deducted: Money, expected: Money) {
        let message = format!("£{deducted} was deducted; pay and the band's rate give £{expected}. It is returned as deducted.");
        self.reasons.push(Reason::new("contribution-differs", message).column(column));
    }

    #[cold]
    fn employer_differs(&mut self, given: Money, expected: Money) {
        let message = format!("Payroll's employer contribution is £{given}; CARE pay and the employer's rate give £{expected}.");
        self.reasons.push(Reason::new("employer-contribution-differs", message).column("employer_contribution"));
    }

    #[cold]
    fn rate(&mut self, percent: Money, figures: &Figures<'_>) {
        if figures.table.is_legal(percent) {
            self.say("rate_percent", "rate-not-of-band", "The rate is that of another band or section; look at the annual pay.");
        } else {
            self.say("rate_percent", "rate-not-legal", "No band has this rate, nor twice it.");
        }
    }

    #[inline]
    fn final_pay(&mut self, final_pay: Option<Money>, policy: &Policy) {
        match final_pay {
            None => self.say("fte_final_pay", "final-pay-missing", "The fund expects full-time equivalent final pay."),
            Some(pay) if pay < policy.final_pay_minimum => {
                self.say("fte_final_pay", "final-pay-low", "Final pay is low for a full-time year; look for a month's or an hour's pay.");
            }
            Some(_) => {}
        }
    }

    #[inline]
    fn against_before(&mut self, line: &PayLine<'_>, checked: &Checked, months: Months<'_>, ground: Ground<'_>) {
        let starter = checked.status == Status::Starter;
        let Some(before) = months.latest_before(ground.period.first) else {
            if !starter && line.date_joined.is_none_or(|joined| joined < ground.period.first) {
                let message = "Not paid in any month before, yet neither a starter nor with a joining date in this month.";
                self.say("status", "starter-undeclared", message);
            }
            return;
        };
        if starter {
            self.say(
                "status",
                "starter-seen-before",
                "A starter who was paid in a month before; a joining date is for genuine starters only.",
            );
        }
        if let (Some(now), Some(then)) = (line.fte_final_pay, before.fte_final_pay) {
            // Pence are whole, so more than the part cut off to the penny is more than the part itself.
            if (now - then).abs() > then.times(ground.policy.final_pay_change, Rounding::Down) {
                self.say("fte_final_pay", "final-pay-changed", "Final pay has changed by more than is usual since the last month known.");
            }
        }
        if let (Some(now), Some(then), None) = (line.weekly_hours, before.weekly_hours, line.hours_effective)
            && now != then
        {
            let message = "The hours are not those of the last month known; give the day from which they hold.";
            self.say("hours_effective", "hours-changed-without-date", message);
        }
    }
}
