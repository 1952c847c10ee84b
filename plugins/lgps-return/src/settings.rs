//! What the operator sets. Whatever the project could not verify of the fund's rules is here and not in code.

use bailiwick_sdk::{Date, Decimal, Failure, Money};
use serde::Deserialize;

use crate::rules::{Suffix, Tolerance, percent_of_one};

/// The settings as the job file has them; `settings.schema.json` has the same defaults.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    employers: Vec<EmployerSpan>,
    #[serde(default = "one_pound")]
    tolerance_amount: Money,
    #[serde(default = "one_percent")]
    tolerance_percent: Decimal,
    #[serde(default = "ten_percent")]
    final_pay_change_percent: Decimal,
    #[serde(default = "final_pay_minimum")]
    final_pay_minimum: Money,
    #[serde(default = "twelve")]
    casual_periods: i64,
    #[serde(default)]
    ni_number_suffix: Suffix,
    #[serde(default = "nineteenth")]
    payment_late_after_day: i32,
    #[serde(default = "twenty_second")]
    payment_due_day: i32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct EmployerSpan {
    code: String,
    rate_percent: Decimal,
    from: Date,
    to: Option<Date>,
}

/// The settings in the form that the rules use.
#[derive(Debug)]
pub struct Policy {
    employers: Vec<Employer>,
    /// How far a contribution may be from what is expected.
    pub tolerance: Tolerance,
    /// How far final pay may move from one month to the next, as a part of one.
    pub final_pay_change: Decimal,
    /// Final pay below this is doubted.
    pub final_pay_minimum: Money,
    /// Periods in a year of a casual employee whose annual pay is estimated.
    pub casual_periods: i64,
    /// Whether an NI number must end in its letter.
    pub ni_number_suffix: Suffix,
    /// Day of the following month after which an unpaid remittance is late.
    pub payment_late_after_day: i32,
    /// Day of the following month by which the fund must have the money.
    pub payment_due_day: i32,
}

#[derive(Debug)]
struct Employer {
    code: String,
    rate_of_one: Decimal,
    from: Date,
    to: Date,
}

/// Why there is no employer rate for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoEmployerRate {
    /// The settings have no such code.
    UnknownEmployer,
    /// They have the code, but no rate on that day.
    NoRateOnThatDay,
}

impl Policy {
    /// Checks the settings against each other.
    ///
    /// # Errors
    /// `SettingsUnusable` where a span of time ends before it begins, or two rates of an employer hold on the same day.
    pub fn new(settings: Settings) -> Result<Self, Failure> {
        let mut employers: Vec<_> = settings.employers.into_iter().map(Employer::new).collect();
        employers.sort_by(|a, b| (&a.code, a.from).cmp(&(&b.code, b.from)));
        if let Some(span) = employers.iter().find(|span| span.to < span.from) {
            let message = format!("The rate of employer {} from {} ends before it begins; mend its dates.", span.code, span.from);
            return Err(Failure::settings("employer-rate-backwards", message));
        }
        if let Some([_, late]) = employers.array_windows().find(|[early, late]| early.code == late.code && late.from <= early.to) {
            let message = format!("Employer {} has two rates on {}; let the earlier one end the day before.", late.code, late.from);
            return Err(Failure::settings("employer-rates-overlap", message));
        }
        Ok(Self {
            employers,
            tolerance: Tolerance { amount: settings.tolerance_amount, of_one: percent_of_one(settings.tolerance_percent) },
            final_pay_change: percent_of_one(settings.final_pay_change_percent),
            final_pay_minimum: settings.final_pay_minimum,
            casual_periods: settings.casual_periods,
            ni_number_suffix: settings.ni_number_suffix,
            payment_late_after_day: settings.payment_late_after_day,
            payment_due_day: settings.payment_due_day,
        })
    }

    /// The contribution rate of an employer on a day, as a part of one.
    ///
    /// # Errors
    /// [`NoEmployerRate`] saying what is missing.
    #[inline]
    pub fn employer_rate(&self, code: &str, on: Date) -> Result<Decimal, NoEmployerRate> {
        // A handful of entries: looking at each is faster than any index.
        let mut missing = NoEmployerRate::UnknownEmployer;
        for span in &self.employers {
            if span.code == code {
                if span.from <= on && on <= span.to {
                    return Ok(span.rate_of_one);
                }
                missing = NoEmployerRate::NoRateOnThatDay;
            }
        }
        Err(missing)
    }
}

impl Employer {
    fn new(span: EmployerSpan) -> Self {
        const NO_END: Date = Date::new(9999, 12, 31);
        Self { code: span.code, rate_of_one: percent_of_one(span.rate_percent), from: span.from, to: span.to.unwrap_or(NO_END) }
    }
}

const fn one_pound() -> Money {
    Money::from_pounds(1)
}

const fn one_percent() -> Decimal {
    Decimal::ONE
}

const fn ten_percent() -> Decimal {
    Decimal::TEN
}

const fn final_pay_minimum() -> Money {
    Money::from_pounds(12_000)
}

const fn twelve() -> i64 {
    12
}

const fn nineteenth() -> i32 {
    19
}

const fn twenty_second() -> i32 {
    22
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn policy(json: &str) -> Result<Policy, Failure> {
        Policy::new(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn rates_hold_from_day_to_day() {
        let spans = r#"{"employers": [
            {"code": "7", "rate-percent": "20.1", "from": "2023-04-01", "to": "2026-03-31"},
            {"code": "7", "rate-percent": "18.9", "from": "2026-04-01"}]}"#;
        let policy = policy(spans).unwrap();
        let rate = |code, on| policy.employer_rate(code, on);
        assert_eq!(rate("7", Date::new(2026, 3, 31)), Ok(Decimal::new(201, 3)));
        assert_eq!(rate("7", Date::new(2026, 4, 30)), Ok(Decimal::new(189, 3)));
        assert_eq!(rate("7", Date::new(2023, 3, 31)), Err(NoEmployerRate::NoRateOnThatDay));
        assert_eq!(rate("8", Date::new(2026, 4, 30)), Err(NoEmployerRate::UnknownEmployer));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (spans, code) in [
            (r#"{"code": "7", "rate-percent": "20", "from": "2026-04-01", "to": "2026-03-31"}"#, "employer-rate-backwards"),
            (
                r#"{"code": "7", "rate-percent": "20", "from": "2026-04-01"}, {"code": "7", "rate-percent": "21", "from": "2029-04-01"}"#,
                "employer-rates-overlap",
            ),
        ] {
            match policy(&format!(r#"{{"employers": [{spans}]}}"#)).unwrap_err() {
                Failure::SettingsUnusable(problem) => assert_eq!(problem.code, code),
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn defaults_are_those_of_the_schema() {
        let schema: serde_json::Value = serde_json::from_str(include_str!("../settings.schema.json")).unwrap();
        let mut written = serde_json::json!({"employers": [{"code": "7", "rate-percent": "20", "from": "2026-04-01"}]});
        let without = format!("{:?}", policy(&written.to_string()).unwrap());
        for (name, property) in schema["properties"].as_object().unwrap() {
            if let Some(default) = property.get("default") {
                written[name] = default.clone();
            }
        }
        let text = |policy: Policy| format!("{policy:?}");
        assert_eq!(written.as_object().unwrap().len(), schema["properties"].as_object().unwrap().len());
        assert_eq!(text(policy(&written.to_string()).unwrap()), without);
    }
}
