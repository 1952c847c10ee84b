//! What must be done: the rows of the table `claim-tasks` for what holds of a claim, each with the day on which it is due.

use bailiwick_sdk::{Action, Date, Failure, Hub, RuleReason, Table, TableRow};

use crate::case::{Change, Claim, Class, Equipment, Injury, Riddor};
use crate::term::Term;

/// Collects actions.
#[derive(Debug)]
pub(crate) struct Tasks<'c> {
    claim: &'c Claim,
    hub: &'c Hub,
    table: Table,
    holidays: Option<Table>,
    /// What is to be done so far.
    pub actions: Vec<Action>,
    /// What was found on the way.
    pub reasons: Vec<RuleReason>,
}

impl<'c> Tasks<'c> {
    /// None yet, by the table of the day on which the claim came in.
    pub(crate) fn new(claim: &'c Claim, hub: &'c Hub) -> Result<Self, Failure> {
        let table = hub.table("claim-tasks", claim.received_date)?;
        Ok(Self { claim, hub, table, holidays: None, actions: Vec::with_capacity(12), reasons: Vec::new() })
    }

    /// Adds what must be done because of an event; who is already told of something is not told again.
    pub(crate) fn because_of(&mut self, event: &str) -> Result<(), Failure> {
        for row in self.table.find("event", event)? {
            let (kind, party) = (row.text("action")?, row.text("party")?);
            if self.actions.iter().any(|other| other.kind == kind && other.party == party) {
                continue;
            }
            let Some(due) = self.due(&row)? else { continue };
            let mut action = Action::new(kind.to_owned(), party.to_owned(), row.text("text")?.to_owned());
            action.due = due;
            self.actions.push(action);
        }
        Ok(())
    }

    /// The day on which a task is due, `Some(None)` if it has none; `None` if its clock's first day is not known.
    fn due(&mut self, row: &TableRow) -> Result<Option<Option<Date>>, Failure> {
        let Some(text) = row.get("term") else { return Ok(Some(None)) };
        let unusable = |message| Failure::settings("claim-task-unusable", message);
        let term = Term::parse(text)
            .ok_or_else(|| unusable(format!("The table claim-tasks holds the term {text:?}: write, for instance, 30 working days.")))?;
        let (start, pointer, what) = match row.text("start")? {
            "received" => (Some(self.claim.received_date), "/received_date", "receipt"),
            "accident" => (self.claim.accident_date, "/accident_date", "accident"),
            "admission" => (self.claim.portal.admission_date, "/portal/admission_date", "admission"),
            "acknowledged" => (self.claim.portal.acknowledged_date, "/portal/acknowledged_date", "acknowledgement"),
            other => return Err(unusable(format!("The table claim-tasks lets a clock start with {other:?}, which is no day of a claim."))),
        };
        let Some(start) = start else {
            let text = format!("The day of the {what} is missing, so the term of {text} cannot be set.");
            self.reasons.push(RuleReason::cannot_check("clock-start", text).on(pointer));
            return Ok(None);
        };
        Ok(Some(Some(term.end(start, &mut |year| holidays(self.hub, &mut self.holidays, start, year))?)))
    }
}

/// The bank holidays of a year: of the table in force on the clock's first day, or of a later one that has the year.
fn holidays(hub: &Hub, opened: &mut Option<Table>, start: Date, year: i32) -> Result<Vec<Date>, Failure> {
    const NAME: &str = "bank-holidays";
    let text = year.to_string();
    let table = match opened {
        Some(table) => table,
        None => opened.insert(hub.table(NAME, start)?),
    };
    let mut rows = table.find("year", &text)?;
    let new_year = Date::new(year, 1, 1);
    if rows.is_empty() && new_year > start {
        *table = hub.table(NAME, new_year)?;
        rows = table.find("year", &text)?;
    }
    let Some(row) = rows.first() else { return Err(Failure::TableMissing { table: NAME.to_owned(), on: new_year.max(start) }) };
    let unusable = |_| Failure::settings("bank-holidays-unusable", format!("The table bank-holidays does not hold dates for {year}."));
    row.text("days")?.split(' ').map(|day| Date::parse(day).map_err(unusable)).collect()
}

/// What holds of a claim whoever pays: each the name of an event in the table.
pub(crate) fn events(claim: &Claim) -> impl Iterator<Item = &'static str> {
    let class = match (claim.class, claim.equipment) {
        (Class::Engineering, Some(Equipment::Building)) => Some("engineering-building"),
        (Class::Engineering, Some(Equipment::Vehicle)) => Some("engineering-vehicle"),
        (Class::Engineering, None) => None,
        (class, _) => Some(class.name()),
    };
    let admitted = claim.class == Class::EmployersLiability && claim.portal.admission_date.is_some();
    [
        class,
        claim.vehicle.driver_at_fault.then_some("driver-at-fault"),
        claim.conduct_complaint.then_some("conduct-complaint"),
        Some(hurt(claim.injury)),
        admitted.then_some("admitted-employers-liability"),
        claim.portal.exited.then_some("portal-exit"),
        claim.riddor.map(riddor),
    ]
    .into_iter()
    .flatten()
}

fn hurt(injury: Option<Injury>) -> &'static str {
    if injury.is_some() { "injury" } else { "damage" }
}

fn riddor(category: Riddor) -> &'static str {
    match category {
        Riddor::Death => "riddor-death",
        Riddor::SpecifiedInjury => "riddor-specified-injury",
        Riddor::DangerousOccurrence => "riddor-dangerous-occurrence",
        Riddor::OverSevenDays => "riddor-over-seven-days",
        Riddor::OverThreeDays => "riddor-over-three-days",
    }
}

/// The event that a planned change is.
pub(crate) fn advice(change: Option<Change>) -> &'static str {
    match change {
        Some(Change::Partnership) => "advice-partnership",
        Some(Change::Event) => "advice-event",
        Some(Change::Operation) => "advice-operation",
        Some(Change::BusinessCase) => "advice-business-case",
        Some(Change::PropertyLease) => "advice-property-lease",
        Some(Change::VehicleHire) => "advice-vehicle-hire",
        Some(Change::Other) | None => "advice-other",
    }
}
