//! Monthly payroll rows of police staff to the pension fund's monthly return and its remittance totals.
//!
//! The life of a row: passed over if it is no member's ([`rules::Scheme`]), refused with every reason at once ([`refusals`]),
//! else worked out ([`figures`]), doubted where somebody should look ([`doubts`]), and written.
//! What was deducted from a member's pay is a fact and is returned as deducted; what the employer owes, and assumed pensionable pay,
//! are worked out here, and payroll's own figures of them are only compared.

#![forbid(unsafe_code)]

pub mod doubts;
pub mod figures;
pub mod history;
pub mod periods;
pub mod refusals;
pub mod rows;
pub mod rules;
pub mod settings;

use bailiwick_sdk::{Adapter, Context, Date, Done, Failure, Hub, Level, Out, Reason, Rows, register};

use doubts::Ground;
use history::{History, Months};
use periods::Periods;
use rows::{PayLine, PreviousLine};
use rules::Scheme;
use settings::{Policy, Settings};

/// One run of the plugin.
#[derive(Debug)]
pub struct LgpsReturn {
    policy: Policy,
    hub: Hub,
    today: Date,
    /// None if the job has no such input: then what needs it is not checked, and says so.
    history: Option<History>,
    periods: Periods,
}

impl Adapter for LgpsReturn {
    type Settings = Settings;

    fn open(context: &Context, settings: Settings, hub: &Hub) -> Result<Self, Failure> {
        let history = context.has_input("previous").then(History::default);
        if history.is_none() {
            let message = "There are no months before: missing starters and leavers, and changes of hours and final pay, are not checked.";
            hub.log(Level::Warn, message);
        }
        Ok(Self { policy: Policy::new(settings)?, hub: hub.clone(), today: hub.today(), history, periods: Periods::default() })
    }

    fn push(&mut self, input: &str, rows: &Rows<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
        if input == "previous" {
            self.keep(rows, out);
            return Ok(());
        }
        rows.read::<PayLine<'_>>().try_for_each(|row| self.line(row.number, &row.value, out))
    }

    fn end(&mut self, input: &str, out: &mut Out<'_>) -> Result<(), Failure> {
        if let (Some(history), "payroll") = (&self.history, input) {
            for row in history.gone() {
                out.warn_of("previous", row, doubts::leaver_undeclared())?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<Done, Failure> {
        let today = self.today;
        for period in self.periods.iter().filter(|period| today > period.payment_late_after) {
            let what = if today > period.payment_due { "was due" } else { "is due" };
            self.hub.log(Level::Warn, &format!("The payment for {} {what} on {}.", period.name, period.payment_due));
        }
        self.periods.write(out)?;
        Ok(Done::Yes)
    }
}

impl LgpsReturn {
    fn keep(&mut self, rows: &Rows<'_>, out: &mut Out<'_>) {
        let Some(history) = &mut self.history else { return };
        for row in rows.read::<PreviousLine<'_>>() {
            match refusals::check_previous(&row.value) {
                Ok(status) => history.keep(row.number, &row.value, status),
                Err(reject) => out.reject(row.number, reject),
            }
        }
    }

    #[inline]
    fn line(&mut self, number: u64, line: &PayLine<'_>, out: &mut Out<'_>) -> Result<(), Failure> {
        // Whoever is on the payroll is not missing, whatever becomes of the row.
        let months = self.history.as_mut().map(|history| history.meet(line.employment_number));
        match Scheme::read(line.scheme) {
            Some(Scheme::Lgps) => {}
            other => {
                not_a_member(other, number, out);
                return Ok(());
            }
        }
        let period = self.periods.meet(line.period_end, &self.policy);
        let checked = match refusals::check(line, &self.policy, period.is_some()) {
            Ok(checked) => checked,
            Err(reject) => {
                out.reject(number, reject);
                return Ok(());
            }
        };
        let care = match figures::care_pay(line, &checked, &self.policy, months.unwrap_or(Months::NONE)) {
            Ok(care) => care,
            Err(reject) => {
                out.reject(number, reject);
                return Ok(());
            }
        };
        let place = period.expect("a row whose period is no month was refused");
        let (period, table) = self.periods.with_bands(place, &self.hub)?;
        let figures = figures::work_out(line, &checked, care, (&self.policy, table));
        let ground = Ground { policy: &self.policy, period, months, today: self.today };
        if let Some(doubts) = doubts::doubts(line, &checked, &figures, ground) {
            out.warn(number, doubts);
        }
        let written = figures::return_line(line, &checked, &figures, period);
        out.write("return", &written)?;
        let amounts = periods::amounts(&written);
        period.owe(line.employer_code, amounts)
    }
}

#[cold]
fn not_a_member(scheme: Option<Scheme>, number: u64, out: &mut Out<'_>) {
    let (code, message) = match scheme {
        Some(Scheme::Police) => ("police-pension-scheme", "A police officer: their return goes to another administrator."),
        Some(Scheme::Firefighters) => ("firefighters-pension-scheme", "A firefighter: their return goes to another administrator."),
        Some(Scheme::OptedOut) => ("opted-out", "Opted out of the LGPS."),
        Some(Scheme::None) => ("not-a-member", "Not a member of any scheme."),
        Some(Scheme::Lgps) | None => {
            let unknown = Reason::new("scheme-unknown", "Write LGPS, PPS, FPS, OPT or NONE.").column("scheme");
            return out.reject(number, unknown);
        }
    };
    out.skip(number, Reason::new(code, message).column("scheme"));
}

register!(adapter LgpsReturn);
