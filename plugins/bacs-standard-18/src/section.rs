//! Sections, which must balance, and the totals that a file tells of itself.

use bailiwick_sdk::{Date, Failure};

use crate::record::{PENCE_MAX, Record};
use crate::settings::{Settings, Side, TotalsOf};

/// Most sections of a file: what is kept of one is kept to the end.
const SECTIONS_MAX: usize = 10_000;

/// The records of one originating account on one processing day.
#[derive(Debug)]
struct Section {
    day: Date,
    sort_code: String,
    account: String,
    name: String,
    credits: u64,
    debits: u64,
}

/// All sections of a file, in the order in which they first came.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    list: Vec<Section>,
    /// The one that came last.
    last: usize,
}

impl Sections {
    /// Enters a record. The day is that of the record, or of the file.
    pub(crate) fn add(&mut self, record: &Record<'_>, day: Date, side: Side) -> Result<(), Failure> {
        let is_of = |section: &Section| {
            section.day == day && section.account == record.originating_account && section.sort_code == record.originating_sort_code
        };
        if !self.list.get(self.last).is_some_and(is_of) {
            self.last = match self.list.iter().position(is_of) {
                Some(place) => place,
                None if self.list.len() == SECTIONS_MAX => {
                    let message = format!("The file has more than {SECTIONS_MAX} originating accounts and processing days.");
                    return Err(Failure::input("too-many-sections", message));
                }
                None => {
                    self.list.push(Section {
                        day,
                        sort_code: record.originating_sort_code.to_owned(),
                        account: record.originating_account.to_owned(),
                        name: record.originator_name.to_owned(),
                        credits: 0,
                        debits: 0,
                    });
                    self.list.len() - 1
                }
            };
        }
        let section = &mut self.list[self.last];
        let sum = match side {
            Side::Credit => &mut section.credits,
            Side::Debit => &mut section.debits,
            Side::Advice => return Ok(()),
        };
        *sum = sum.checked_add(record.pence).ok_or_else(too_large)?;
        Ok(())
    }

    /// The contras that make every section balance: a debit for its credits, a credit for its debits.
    pub(crate) fn contras<'a>(&'a self, settings: &'a Settings) -> Result<Vec<(Record<'a>, Date, Side)>, Failure> {
        let mut contras = Vec::new();
        for section in &self.list {
            let sides = [
                (section.credits, settings.contra_of_credits_code.as_str(), Side::Debit),
                (section.debits, settings.contra_of_debits_code.as_str(), Side::Credit),
            ];
            for (pence, code, side) in sides.into_iter().filter(|(pence, ..)| *pence > 0) {
                if pence > PENCE_MAX {
                    return Err(too_large());
                }
                let contra = Record {
                    destination_sort_code: &section.sort_code,
                    destination_account: &section.account,
                    code,
                    originating_sort_code: &section.sort_code,
                    originating_account: &section.account,
                    free_format: "",
                    pence,
                    originator_name: &settings.contra_narrative,
                    reference: &settings.contra_reference,
                    payee: &section.name,
                    day: None,
                };
                contras.push((contra, section.day, side));
            }
        }
        Ok(contras)
    }

    /// The first section whose credits and debits differ, in words.
    pub(crate) fn unbalanced(&self) -> Option<String> {
        let section = self.list.iter().find(|section| section.credits != section.debits)?;
        Some(format!(
            "On {} the credits from one account come to {} pence and the debits to {} pence, and they must be equal.",
            section.day, section.credits, section.debits
        ))
    }
}

/// Whether a record is a contra: from an account to itself, under the reference of contras.
pub(crate) fn is_contra(record: &Record<'_>, settings: &Settings) -> bool {
    record.reference == settings.contra_reference
        && record.destination_sort_code == record.originating_sort_code
        && record.destination_account == record.originating_account
}

/// What UTL1 tells: pence and records of each side.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    debit_pence: u64,
    credit_pence: u64,
    debits: u64,
    credits: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, pence: u64, side: Side) -> Result<(), Failure> {
        let (sum, count, most) = match side {
            Side::Debit => (&mut self.debit_pence, &mut self.debits, 9_999_999),
            Side::Credit => (&mut self.credit_pence, &mut self.credits, 9_999_999),
            Side::Advice => return Ok(()),
        };
        *sum += pence;
        *count += 1;
        if *sum > 9_999_999_999_999 || *count > most { Err(too_large()) } else { Ok(()) }
    }

    /// Whether a contra counts.
    pub(crate) fn counts(settings: &Settings, is_contra: bool) -> bool {
        !is_contra || settings.labels.totals == TotalsOf::WithContras
    }

    /// Positions 5 to 44.
    pub(crate) fn as_told(&self) -> String {
        format!("{:013}{:013}{:07}{:07}", self.debit_pence, self.credit_pence, self.debits, self.credits)
    }
}

#[cold]
fn too_large() -> Failure {
    Failure::input("totals-too-large", "The payments come to more than the file has digits for: send them in several files.")
}
