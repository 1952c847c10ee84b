//! What refuses a row, with a stable code and a sentence for the clerk who mends it. Everything wrong is said at once.

use bailiwick_sdk::{Date, Decimal, Money, Reason, Reject};

use crate::rows::{PayLine, PreviousLine};
use crate::rules::{BreakReason, Hours, NiNumberFault, ReducedPay, Reduction, Section, Status, check_ni_number};
use crate::settings::{NoEmployerRate, Policy};

/// No amount of one employment in one month or year reaches this; below it nothing overflows.
const AMOUNT_END: Money = Money::from_pounds(1_000_000_000);

/// What a row's words mean, once nothing is wrong with it.
#[derive(Debug, Clone, Copy)]
pub struct Checked {
    /// Active, starter or leaver.
    pub status: Status,
    /// Main or 50/50.
    pub section: Section,
    /// The hours indicator, where given.
    pub hours: Option<Hours>,
    /// Why service was broken, where it was.
    pub break_reason: Option<BreakReason>,
    /// The days that assumed pensionable pay stands for, where there are any.
    pub reduced: Option<ReducedPay>,
    /// The employer's rate as a part of one.
    pub employer_rate: Decimal,
}

/// Checks a member's row of `payroll`.
///
/// # Errors
/// The refusal with all its reasons.
pub fn check(line: &PayLine<'_>, policy: &Policy, ends_month: bool) -> Result<Checked, Reject> {
    let mut wrong = Wrong::default();
    let status = wrong.known(Status::read(line.status), "status", ("status-unknown", "Write A, S or L: active, starter or leaver."));
    if let Err(fault) = check_ni_number(line.ni_number, policy.ni_number_suffix) {
        wrong.ni_number(fault);
    }
    if !ends_month {
        wrong.month_end();
    }
    let employer_rate = policy.employer_rate(line.employer_code, line.period_end);
    if let Err(missing) = employer_rate {
        wrong.employer(missing);
    }
    let section = wrong.section(line.section);
    let hours_unknown = ("hours-indicator-unknown", "Write F, P or C: full time, part time or casual.");
    let hours = line.hours_indicator.and_then(|word| wrong.known(Hours::read(word), "hours_indicator", hours_unknown));
    wrong.amounts(line);
    wrong.sections(line, section);
    if line.annual_pay.is_none() && hours != Some(Hours::Casual) {
        wrong.say("annual_pay", "annual-pay-missing", "Give the actual annual pensionable pay; only a casual employee's is estimated.");
    }
    wrong.dates(line);
    wrong.membership(line, status);
    let break_reason = wrong.service_break(line);
    let reduced = wrong.reduced_pay(line);
    match (status, section, employer_rate) {
        (Some(status), Some(section), Ok(employer_rate)) if wrong.reasons.is_empty() => {
            Ok(Checked { status, section, hours, break_reason, reduced, employer_rate })
        }
        _ => Err(wrong.reject().expect("what could not be read has its reason")),
    }
}

/// Checks a row of `previous`; the answer is its status, where it has one.
///
/// # Errors
/// The refusal with all its reasons.
pub fn check_previous(line: &PreviousLine<'_>) -> Result<Option<Status>, Reject> {
    let mut wrong = Wrong::default();
    if line.period_end != line.period_end.month_end() {
        wrong.month_end();
    }
    let unknown = ("status-unknown", "Write A, S or L: active, starter or leaver.");
    let status = line.status.and_then(|word| wrong.known(Status::read(word), "status", unknown));
    wrong.amount("pensionable_pay", Some(line.pensionable_pay), PAY_NEGATIVE);
    wrong.amount("reduction_ignored", line.reduction_ignored, PAY_NEGATIVE);
    wrong.reject().map_or(Ok(status), Err)
}

type Fault = (&'static str, &'static str);

const PAY_NEGATIVE: Fault = ("pay-negative", "Pay cannot be negative; correct the month in which too much was paid.");
const CONTRIBUTION_NEGATIVE: Fault = ("contribution-negative", "A contribution cannot be negative; refund it through the fund.");
const ADDITIONAL_NEGATIVE: Fault = ("additional-contribution-negative", "An additional contribution cannot be negative.");
const ANNUAL_NEGATIVE: Fault = ("annual-pay-negative", "A year's pay cannot be negative.");
const TOO_LARGE: Fault = ("amount-too-large", "No one is paid a thousand million pounds; look for a missing decimal point.");

/// The reasons found so far.
#[derive(Default)]
struct Wrong {
    reasons: Vec<Reason>,
}

impl Wrong {
    fn reject(self) -> Option<Reject> {
        Reject::all(self.reasons)
    }

    #[cold]
    fn say(&mut self, column: &'static str, code: &'static str, message: &'static str) {
        self.reasons.push(Reason::new(code, message).column(column));
    }

    #[inline]
    fn known<T>(&mut self, read: Option<T>, column: &'static str, unknown: Fault) -> Option<T> {
        if read.is_none() {
            self.say(column, unknown.0, unknown.1);
        }
        read
    }

    #[cold]
    fn month_end(&mut self) {
        self.say("period_end", "period-end-not-month-end", "The period must end on the last day of a month: this is a monthly return.");
    }

    #[cold]
    fn ni_number(&mut self, fault: NiNumberFault) {
        let (code, message) = match fault {
            NiNumberFault::Format => ("ni-number-invalid", "Write two letters, six digits and a letter A to D, without spaces: JJ123123D."),
            NiNumberFault::Example => {
                ("ni-number-example", "A number that begins with QQ is an example from a leaflet; ask the member for theirs.")
            }
            NiNumberFault::Administrative => {
                ("ni-number-administrative", "Offices use this prefix among themselves; ask the member for their own number.")
            }
            NiNumberFault::Temporary => {
                ("ni-number-temporary", "This is a temporary reference number; the fund needs the National Insurance number.")
            }
            NiNumberFault::SuffixMissing => ("ni-number-suffix-missing", "The letter at the end, A to D, is missing."),
        };
        self.say("ni_number", code, message);
    }

    #[cold]
    fn employer(&mut self, missing: NoEmployerRate) {
        let (code, message) = match missing {
            NoEmployerRate::UnknownEmployer => ("employer-unknown", "The job's settings have no employer with this code."),
            NoEmployerRate::NoRateOnThatDay => {
                ("employer-rate-missing", "The job's settings have no contribution rate of this employer for the month.")
            }
        };
        self.say("employer_code", code, message);
    }

    #[inline]
    fn section(&mut self, word: Option<&str>) -> Option<Section> {
        match word {
            Some(word) => self.known(Section::read(word), "section", ("section-unknown", "Write MAIN or 5050.")),
            None => self.known(None, "section", ("section-missing", "A member is in the main or the 50/50 section: write MAIN or 5050.")),
        }
    }

    #[inline]
    fn amount(&mut self, column: &'static str, amount: Option<Money>, negative: Fault) {
        match amount {
            Some(amount) if amount.is_negative() => self.say(column, negative.0, negative.1),
            Some(amount) if amount >= AMOUNT_END => self.say(column, TOO_LARGE.0, TOO_LARGE.1),
            _ => {}
        }
    }

    #[inline]
    fn amounts(&mut self, line: &PayLine<'_>) {
        self.amount("pay_main", Some(line.pay_main), PAY_NEGATIVE);
        self.amount("pay_5050", Some(line.pay_5050), PAY_NEGATIVE);
        self.amount("pay_while_reduced", line.pay_while_reduced, PAY_NEGATIVE);
        self.amount("assumed_pay", line.assumed_pay, PAY_NEGATIVE);
        self.amount("employee_main", Some(line.employee_main), CONTRIBUTION_NEGATIVE);
        self.amount("employee_5050", Some(line.employee_5050), CONTRIBUTION_NEGATIVE);
        self.amount("employer_contribution", line.employer_contribution, CONTRIBUTION_NEGATIVE);
        self.amount("apc", line.apc, ADDITIONAL_NEGATIVE);
        self.amount("scapc", line.scapc, ADDITIONAL_NEGATIVE);
        self.amount("avc", line.avc, ADDITIONAL_NEGATIVE);
        self.amount("annual_pay", line.annual_pay, ANNUAL_NEGATIVE);
        self.amount("fte_final_pay", line.fte_final_pay, ANNUAL_NEGATIVE);
    }

    #[inline]
    fn sections(&mut self, line: &PayLine<'_>, section: Option<Section>) {
        let ((pay_column, pay), (contribution_column, contribution)) = match section {
            None | Some(Section::Main) => (("pay_5050", line.pay_5050), ("employee_5050", line.employee_5050)),
            Some(Section::Half) => (("pay_main", line.pay_main), ("employee_main", line.employee_main)),
        };
        if line.pay_main > Money::ZERO && line.pay_5050 > Money::ZERO {
            self.say("pay_5050", "pay-in-both-sections", "A member is in one section in a month; pay stands in both columns.");
        } else if section.is_some() && pay > Money::ZERO {
            self.say(pay_column, "pay-in-unused-section", "Pay stands in the column of the other section; that column must be 0.");
        }
        if section.is_some() && contribution > Money::ZERO {
            self.say(
                contribution_column,
                "contribution-in-unused-section",
                "A contribution stands in the column of the other section; that column must be 0.",
            );
        }
    }

    #[inline]
    fn dates(&mut self, line: &PayLine<'_>) {
        let end = line.period_end;
        let after_end = |date: Option<Date>| date.is_some_and(|date| date > end);
        let backwards = |from: Option<Date>, to: Option<Date>| matches!((from, to), (Some(from), Some(to)) if to < from);
        if line.date_of_birth.is_some_and(|born| born >= line.date_joined.unwrap_or(end)) {
            self.out_of_order("date_of_birth", "The date of birth is not before membership.");
        }
        if after_end(line.date_joined) {
            self.out_of_order("date_joined", "Membership begins after the month that was paid.");
        }
        if backwards(line.date_joined, line.date_left) {
            self.out_of_order("date_left", "The leaving date is before the joining date.");
        }
        if after_end(line.hours_effective) {
            self.out_of_order("hours_effective", "The hours hold only from after the month that was paid.");
        }
        if backwards(line.break_from, line.break_to) {
            self.out_of_order("break_to", "The break ends before it begins.");
        }
        if after_end(line.reduced_pay_from) {
            self.out_of_order("reduced_pay_from", "Pay is reduced only from after the month that was paid.");
        }
        if backwards(line.reduced_pay_from, line.reduced_pay_to) || line.reduced_pay_to.is_some_and(|to| to < end.month_start()) {
            self.out_of_order("reduced_pay_to", "The time of reduced pay ends before it begins, or before the month that was paid.");
        }
    }

    #[cold]
    fn out_of_order(&mut self, column: &'static str, message: &'static str) {
        self.say(column, "dates-out-of-order", message);
    }

    #[inline]
    fn membership(&mut self, line: &PayLine<'_>, status: Option<Status>) {
        if status == Some(Status::Starter) && line.date_joined.is_none() {
            self.say("date_joined", "joining-date-missing", "A starter needs the day on which membership began.");
        }
        if status == Some(Status::Leaver) && line.date_left.is_none() {
            self.say("date_left", "leaving-date-missing", "A leaver needs a leaving date.");
        }
    }

    #[inline]
    fn service_break(&mut self, line: &PayLine<'_>) -> Option<BreakReason> {
        let word = line.break_reason?;
        let unknown = ("break-reason-unknown", "Write S, C, PL, M or A: strike, career, paternity, maternity or authorised.");
        let reason = self.known(BreakReason::read(word), "break_reason", unknown);
        if line.break_from.is_none() {
            self.say("break_from", "break-date-missing", "A break in service needs its first day.");
        }
        reason
    }

    #[inline]
    fn reduced_pay(&mut self, line: &PayLine<'_>) -> Option<ReducedPay> {
        let Some(word) = line.reduced_pay_reason else {
            if line.reduced_pay_from.is_some() || line.reduced_pay_to.is_some() {
                self.say("reduced_pay_reason", "reduced-pay-reason-missing", "Say why pay was reduced: SICK, CHILD, TRADE or PERMITTED.");
            }
            return None;
        };
        let unknown = ("reduced-pay-reason-unknown", "Write SICK, CHILD, TRADE or PERMITTED.");
        let reason = self.known(Reduction::read(word), "reduced_pay_reason", unknown)?;
        if !reason.brings_assumed_pay() {
            return None;
        }
        let missing = (
            "reduced-pay-date-missing",
            "Give the day on which pay became reduced: assumed pensionable pay is the average of the months before.",
        );
        let from = self.known(line.reduced_pay_from, "reduced_pay_from", missing)?;
        let reduced = ReducedPay::in_month(line.period_end, from, line.reduced_pay_to);
        match line.pay_while_reduced {
            None if !reduced.is_whole_month() => {
                let message = "Say how much of the pay was received on the days of reduced pay; they are not the whole month.";
                self.say("pay_while_reduced", "reduced-pay-split-missing", message);
            }
            // Both are below the end of amounts or already refused, so this comparison cannot mislead.
            Some(part) if line.pay_main.checked_add(line.pay_5050).is_ok_and(|pay| part > pay) => {
                self.say(
                    "pay_while_reduced",
                    "reduced-pay-above-pay",
                    "More was received on the days of reduced pay than in the whole month.",
                );
            }
            _ => {}
        }
        Some(reduced)
    }
}
