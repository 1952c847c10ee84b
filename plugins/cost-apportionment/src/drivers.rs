//! Who uses how much of what, and since when. It knows nothing of amounts.

use std::collections::HashMap;

use bailiwick_sdk::{Date, Money, Reject};
use serde::Deserialize;

/// A line of the input `drivers`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct DriverLine<'a> {
    driver: &'a str,
    basis: &'a str,
    partner: &'a str,
    /// An exact number of four places. It is no money, but `Money` is the SDK's fast exact number.
    quantity: Money,
    partners: u32,
    effective_from: Date,
    effective_to: Option<Date>,
}

/// What a driver counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    FloorArea,
    Headcount,
    Vehicles,
    Mileage,
    FixedShare,
}

const BASES: [Basis; 5] = [Basis::FloorArea, Basis::Headcount, Basis::Vehicles, Basis::Mileage, Basis::FixedShare];

impl Basis {
    /// Its name in the data.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::FloorArea => "floor-area",
            Self::Headcount => "headcount",
            Self::Vehicles => "vehicles",
            Self::Mileage => "mileage",
            Self::FixedShare => "fixed-share",
        }
    }

    fn named(name: &str) -> Option<Self> {
        BASES.into_iter().find(|basis| basis.name() == name)
    }
}

/// All drivers.
#[derive(Debug, Default)]
pub(crate) struct Drivers {
    by_name: HashMap<String, Driver>,
}

#[derive(Debug)]
struct Driver {
    /// None once a line of it was refused: to split without that line would charge the others for its partner.
    basis: Option<Basis>,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    partner: String,
    units: i64,
    partners: u32,
    from: Date,
    to: Option<Date>,
}

impl Line {
    fn in_force(&self, on: Date) -> bool {
        self.from <= on && self.to.is_none_or(|last| on <= last)
    }

    fn overlaps(&self, other: &DriverLine<'_>) -> bool {
        self.to.is_none_or(|last| other.effective_from <= last) && other.effective_to.is_none_or(|last| self.from <= last)
    }
}

/// What a pool is split by: partners and their quantities, in the order in which ties are decided.
#[derive(Debug)]
pub(crate) struct Shared<'d> {
    /// What the quantities count.
    pub basis: Basis,
    /// Who shares.
    pub partners: Vec<&'d str>,
    /// How much each uses, in ten-thousandths.
    pub units: Vec<i64>,
    /// All of it together, in ten-thousandths.
    pub total: i64,
}

/// A hundred percent in ten-thousandths of a percent.
const WHOLE: i64 = 100 * 10_000;

impl Drivers {
    /// Takes a line.
    ///
    /// # Errors
    /// What is wrong with it. Its driver can then no longer be used.
    pub(crate) fn add(&mut self, line: &DriverLine<'_>) -> Result<(), Reject> {
        let known = self.by_name.get(line.driver);
        let checked = check(line, known);
        if known.is_none() {
            self.by_name.insert(line.driver.to_owned(), Driver { basis: checked.as_ref().ok().copied(), lines: Vec::new() });
        }
        let driver = self.by_name.get_mut(line.driver).expect("it is known or was just inserted");
        match checked {
            Ok(_) => driver.lines.push(Line {
                partner: line.partner.to_owned(),
                units: line.quantity.coefficient(),
                partners: line.partners,
                from: line.effective_from,
                to: line.effective_to,
            }),
            Err(reject) => {
                driver.basis = None;
                return Err(reject);
            }
        }
        Ok(())
    }

    /// What to split by on a day.
    ///
    /// # Errors
    /// Why a pool that names this driver must wait.
    pub(crate) fn on(&self, name: &str, on: Date) -> Result<Shared<'_>, Reject> {
        let refuse = |code: &'static str, message: String| Err(Reject::new(code, message).column("driver"));
        let Some(driver) = self.by_name.get(name) else {
            return refuse("driver-unknown", format!("There is no driver {name}: add its lines to the drivers."));
        };
        let Some(basis) = driver.basis else {
            return refuse(
                "driver-unusable",
                format!("A line of driver {name} was rejected: mend it first, or the others would bear its share."),
            );
        };
        let in_force: Vec<&Line> = driver.lines.iter().filter(|line| line.in_force(on)).collect();
        if in_force.is_empty() {
            return refuse("driver-not-in-force", format!("Driver {name} has no line in force on {on}."));
        }
        if let Some(line) = in_force.iter().find(|line| usize::try_from(line.partners) != Ok(in_force.len())) {
            let (found, wanted) = (in_force.len(), line.partners);
            return refuse("driver-incomplete", format!("Driver {name} has {found} of {wanted} partners in force on {on}."));
        }
        let units: Vec<i64> = in_force.iter().map(|line| line.units).collect();
        let Ok(total) = i64::try_from(units.iter().map(|units| i128::from(*units)).sum::<i128>()) else {
            return refuse("driver-total-too-large", format!("The quantities of driver {name} are too large to be added up."));
        };
        if total == 0 {
            return refuse("driver-total-zero", format!("Driver {name} comes to nothing on {on}: there is nothing to split by."));
        }
        if basis == Basis::FixedShare && total != WHOLE {
            return refuse("fixed-shares-not-whole", format!("The fixed shares of driver {name} do not come to 100 percent on {on}."));
        }
        Ok(Shared { basis, partners: in_force.iter().map(|line| line.partner.as_str()).collect(), units, total })
    }
}

fn check(line: &DriverLine<'_>, known: Option<&Driver>) -> Result<Basis, Reject> {
    let Some(basis) = Basis::named(line.basis) else {
        let names = BASES.map(Basis::name).join(", ");
        return Err(Reject::new("basis-unknown", format!("The basis is none of {names}.")).column("basis"));
    };
    if line.quantity.is_negative() {
        return Err(Reject::new("quantity-negative", "A quantity cannot be below nothing.").column("quantity"));
    }
    if line.effective_to.is_some_and(|last| last < line.effective_from) {
        return Err(Reject::new("dates-reversed", "The last day in force is before the first.").column("effective_to"));
    }
    let Some(driver) = known else { return Ok(basis) };
    if driver.basis.is_some_and(|other| other != basis) {
        return Err(Reject::new("basis-mixed", format!("Driver {} has lines of another basis.", line.driver)).column("basis"));
    }
    if driver.lines.iter().any(|other| other.partner == line.partner && other.overlaps(line)) {
        let message = format!("Driver {} has another line for {} with some of the same days.", line.driver, line.partner);
        return Err(Reject::new("dates-overlap", message).column("effective_from"));
    }
    Ok(basis)
}
