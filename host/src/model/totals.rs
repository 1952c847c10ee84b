//! Control totals: counts and sums at every stage, and the equations over them that must hold.
//!
//! The hub keeps them from the rows that it saw itself; a plugin's word plays no part.

use std::fmt;
use std::str::FromStr;

use super::rows::Amount;

/// Counts of an input. `read` is always the sum of the other three once the run is through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowCounts {
    /// Records in the file or files.
    pub read: u64,
    /// Rows that went into the outputs.
    pub accepted: u64,
    /// Rows refused, by the hub or the plugin.
    pub rejected: u64,
    /// Rows passed over as not of the job's concern.
    pub skipped: u64,
}

impl RowCounts {
    /// Whether every row that was read is accounted for.
    #[must_use]
    pub const fn conserved(&self) -> bool {
        self.read == self.accepted + self.rejected + self.skipped
    }
}

/// Totals of one input or output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortTotals {
    /// The port's name; `case` and `decision` for a rule set.
    pub port: String,
    /// Counts. For an output only `accepted` is used: the rows written.
    pub rows: RowCounts,
    /// Sum of each money and decimal and whole-number column over the accepted rows, in declared order.
    pub sums: Vec<(String, Amount)>,
}

/// Totals of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ControlTotals {
    /// One for each input.
    pub inputs: Vec<PortTotals>,
    /// One for each output.
    pub outputs: Vec<PortTotals>,
}

impl ControlTotals {
    fn port(&self, name: &str) -> Option<&PortTotals> {
        self.inputs.iter().chain(&self.outputs).find(|port| port.port == name)
    }
}

/// One term of a balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// `count(port)`: accepted rows of an input, written rows of an output.
    Count {
        /// The port.
        port: String,
    },
    /// `sum(port.column)`: over the same rows.
    Sum {
        /// The port.
        port: String,
        /// The column.
        column: String,
    },
    /// `0`.
    Zero,
}

/// An equation that must hold: `sum(payroll.pay) = sum(return.main_pay) + sum(return.half_pay)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// What a person calls it.
    pub name: String,
    /// Added up on the left, each with whether it is taken away.
    pub left: Vec<(bool, Term)>,
    /// Added up on the right, each with whether it is taken away.
    pub right: Vec<(bool, Term)>,
}

/// How a balance came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceResult {
    /// The balance's name.
    pub name: String,
    /// The equation.
    pub equation: String,
    /// What the left came to.
    pub left: Amount,
    /// What the right came to.
    pub right: Amount,
}

impl BalanceResult {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.left == self.right
    }
}

/// Why an equation cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a balance: {why}. Write, for instance, \"sum(payroll.pay) = sum(return.main_pay) + sum(return.half_pay)\"")]
pub struct NotABalance {
    /// What was given.
    pub text: String,
    /// What is wrong with it.
    pub why: String,
}

/// Why an equation cannot be worked out: it names what the totals do not have, or overflows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("balance {name:?} cannot be worked out: {term} has no total")]
pub struct NoSuchTotal {
    /// The balance's name.
    pub name: String,
    /// The term.
    pub term: Term,
}

impl Balance {
    /// Reads an equation.
    ///
    /// # Errors
    /// [`NotABalance`] saying what is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self, NotABalance> {
        let wrong = |why: &str| NotABalance { text: text.to_owned(), why: why.to_owned() };
        let (left, right) = text.split_once('=').ok_or_else(|| wrong("it has no ="))?;
        if right.contains('=') {
            return Err(wrong("it has more than one ="));
        }
        let side = |part: &str| terms(part).map_err(|why| wrong(&why));
        Ok(Self { name: name.to_owned(), left: side(left)?, right: side(right)? })
    }

    /// Every term.
    pub fn terms(&self) -> impl Iterator<Item = &Term> {
        self.left.iter().chain(&self.right).map(|(_, term)| term)
    }

    /// Works both sides out.
    ///
    /// # Errors
    /// [`NoSuchTotal`] if a term has no total.
    pub fn work_out(&self, totals: &ControlTotals) -> Result<BalanceResult, NoSuchTotal> {
        let side = |terms: &[(bool, Term)]| {
            terms.iter().try_fold(Amount::ZERO, |sum, (taken_away, term)| {
                let missing = || NoSuchTotal { name: self.name.clone(), term: term.clone() };
                let value = value(term, totals).ok_or_else(missing)?;
                if *taken_away { sum.checked_sub(value) } else { sum.checked_add(value) }.ok_or_else(missing)
            })
        };
        Ok(BalanceResult { name: self.name.clone(), equation: self.to_string(), left: side(&self.left)?, right: side(&self.right)? })
    }
}

fn value(term: &Term, totals: &ControlTotals) -> Option<Amount> {
    match term {
        Term::Zero => Some(Amount::ZERO),
        Term::Count { port } => Some(Amount { coefficient: i128::from(totals.port(port)?.rows.accepted), scale: 0 }),
        Term::Sum { port, column } => totals.port(port)?.sums.iter().find(|(name, _)| name == column).map(|(_, sum)| *sum),
    }
}

fn terms(side: &str) -> Result<Vec<(bool, Term)>, String> {
    let mut terms = Vec::new();
    let mut taken_away = false;
    let mut rest = side.trim();
    if let Some(after) = rest.strip_prefix('-') {
        (taken_away, rest) = (true, after);
    }
    loop {
        let end = rest.find(['+', '-']).unwrap_or(rest.len());
        terms.push((taken_away, rest[..end].parse()?));
        let Some(sign) = rest[end..].chars().next() else { return Ok(terms) };
        (taken_away, rest) = (sign == '-', &rest[end + 1..]);
    }
}

impl FromStr for Term {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text == "0" {
            return Ok(Self::Zero);
        }
        let inside = |word: &str| text.strip_prefix(word)?.trim_start().strip_prefix('(')?.strip_suffix(')').map(str::trim);
        if let Some(port) = inside("count").filter(|port| !port.is_empty() && !port.contains('.')) {
            return Ok(Self::Count { port: port.to_owned() });
        }
        match inside("sum").and_then(|inner| inner.split_once('.')) {
            Some((port, column)) if !port.is_empty() && !column.is_empty() => {
                Ok(Self::Sum { port: port.to_owned(), column: column.to_owned() })
            }
            _ => Err(format!("{text:?} is neither sum(port.column), count(port) nor 0")),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { port } => write!(f, "count({port})"),
            Self::Sum { port, column } => write!(f, "sum({port}.{column})"),
            Self::Zero => f.write_str("0"),
        }
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (side, between)) in [(&self.left, " = "), (&self.right, "")].into_iter().enumerate() {
            for (index, (taken_away, term)) in side.iter().enumerate() {
                match (index, taken_away) {
                    (0, false) => write!(f, "{term}")?,
                    (0, true) => write!(f, "-{term}")?,
                    (_, false) => write!(f, " + {term}")?,
                    (_, true) => write!(f, " - {term}")?,
                }
            }
            if place == 0 {
                f.write_str(between)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals() -> ControlTotals {
        let port = |name: &str, rows, sums: &[(&str, i64)]| PortTotals {
            port: name.to_owned(),
            rows: RowCounts { accepted: rows, ..RowCounts::default() },
            sums: sums.iter().map(|(column, pence)| ((*column).to_owned(), Amount::new(*pence, 2))).collect(),
        };
        ControlTotals {
            inputs: vec![port("payroll", 3, &[("pay", 300)])],
            outputs: vec![port("return", 3, &[("main", 100), ("half", 200)])],
        }
    }

    #[test]
    fn equations_hold_or_not() {
        for (equation, holds) in [
            ("sum(payroll.pay) = sum(return.main) + sum(return.half)", true),
            ("sum(payroll.pay) - sum(return.half) = sum(return.main)", true),
            ("-sum(payroll.pay) + sum(payroll.pay) = 0", true),
            ("count(payroll) = count(return)", true),
            ("sum(payroll.pay) = sum(return.half)", false),
        ] {
            let balance = Balance::parse("b", equation).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(balance.to_string(), equation);
            assert_eq!(balance.work_out(&totals()).map(|result| result.holds()), Ok(holds), "{equation}");
        }
    }

    #[test]
    fn what_cannot_be_read_or_worked_out_is_named() {
        for bad in ["", "sum(a.b)", "sum(a.b) = sum(c.d) = 0", "sum(a) = 0", "total(a.b) = 0", "1 = 0", "sum(a.b) + = 0"] {
            assert!(Balance::parse("b", bad).is_err(), "{bad}");
        }
        let missing = Balance::parse("b", "sum(payroll.hours) = 0").unwrap_or_else(|e| panic!("{e}"));
        assert!(missing.work_out(&totals()).is_err());
    }
}
