//! Whether the supplier, or somebody behind it, bears a name of the UK Sanctions List.
//!
//! Only the columns of names are compared, and the numbers of business registers. A designated person or body has several
//! rows, one for each name and address, that share their Unique ID: what is found is reported once for each.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bailiwick_sdk::{Date, Decimal, Failure};

use super::{Look, is_practice};
use crate::findings::{Findings, rule};
use crate::names::{Likeness, keys, likeness, words};
use crate::numbers::company;
use crate::tables::{Listed, SanctionsList, Search};

const NAME: &str = "sanctions-name";

/// Somebody whose name is looked up.
struct Subject<'a> {
    name: &'a str,
    pointer: String,
    born: Option<Date>,
    /// Whether a listing of theirs is a listing of the supplier: it is the supplier, or owns more than half of it.
    is_supplier: bool,
}

/// The best of the rows of one Unique ID.
struct Match {
    likeness: Likeness,
    strong_alias: bool,
    name: String,
}

pub(crate) fn check(look: &Look<'_>, findings: &mut Findings) -> Result<(), Failure> {
    let list = look.tables.sanctions()?;
    if !list_usable(look, &list, findings) {
        return Ok(());
    }
    for subject in subjects(look) {
        check_name(&subject, &list, findings)?;
    }
    registration_number(look, &list, findings)
}

/// An old list is still searched: what it names counts, but that it names nobody does not.
fn list_usable(look: &Look<'_>, list: &SanctionsList, findings: &mut Findings) -> bool {
    let rule = rule("sanctions-list", &[]);
    if is_practice(list.version(), look) {
        findings.cannot_check(rule, "The list in force is the practice list with invented rows: add the UK Sanctions List as a table.");
        findings.action("renew-table", "Operator", "Add the UK Sanctions List as a version of the table uk-sanctions.", None);
        return false;
    }
    let most = look.settings.sanctions_age_days_max;
    match list.published().map(|published| look.today - published) {
        Some(age) if (0..=most).contains(&age) => findings.pass(rule, &format!("The sanctions list is {age} days old.")),
        Some(age) if age > most => {
            findings.cannot_check(
                rule,
                &format!("The sanctions list is {age} days old and may be at most {most}: names that it does not have prove nothing."),
            );
            findings.action("renew-table", "Operator", "Add a newer version of the table uk-sanctions.", None);
        }
        _ => {
            findings.cannot_check(rule, "It is not known when the sanctions list was published, or that day is still to come.");
            findings.action("renew-table", "Operator", "Give the version of the table uk-sanctions its day of publication.", None);
        }
    }
    true
}

fn subjects<'a>(look: &Look<'a>) -> Vec<Subject<'a>> {
    let case = look.case;
    let own = |name: &'a str, pointer: String| Subject { name, pointer, born: None, is_supplier: true };
    let mut subjects = vec![own(&case.name, "/name".to_owned())];
    subjects.extend(case.trading_names.iter().enumerate().map(|(place, name)| own(name, format!("/trading_names/{place}"))));
    subjects.extend(case.bank.iter().map(|bank| own(&bank.account_name, "/bank/account_name".to_owned())));
    subjects.extend(case.connected_persons.iter().enumerate().map(|(place, person)| Subject {
        name: &person.name,
        pointer: format!("/connected_persons/{place}/name"),
        born: person.born,
        is_supplier: person.share_percent.is_some_and(|share| share > Decimal::from(50)),
    }));
    subjects
}

fn check_name(subject: &Subject<'_>, list: &SanctionsList, findings: &mut Findings) -> Result<(), Failure> {
    let evidence = [subject.pointer.as_str()];
    let rule = rule(NAME, &evidence);
    let own = words(subject.name);
    let mut matches: BTreeMap<String, Match> = BTreeMap::new();
    let mut searched = false;
    let keys = keys(subject.name);
    for key in &keys {
        let Search::Found(rows) = list.rows_with_name_word(key)? else { continue };
        searched = true;
        for row in rows {
            if let Some(likeness) = likeness(&own, &words(&row.name)) {
                add(&mut matches, row, likeness);
            }
        }
    }
    if !keys.iter().all(|key| key.is_ascii()) {
        findings.cannot_check(
            rule,
            "The name has letters that the sanctions list does not use, so it cannot be looked up: give it in Latin letters.",
        );
    } else if !searched {
        findings
            .cannot_check(rule, "Every word of the name is too common in the sanctions list, or it has none, so it cannot be looked up.");
    } else if matches.is_empty() {
        findings.pass(rule, "The sanctions list in force has no such name.");
    }
    for (id, found) in &matches {
        report(subject, (id, found), list, findings)?;
    }
    Ok(())
}

fn add(matches: &mut BTreeMap<String, Match>, row: Listed, likeness: Likeness) {
    let found = Match { likeness, strong_alias: row.strong_alias, name: row.name };
    match matches.entry(row.id) {
        Entry::Vacant(free) => drop(free.insert(found)),
        Entry::Occupied(mut taken) => {
            let best = taken.get_mut();
            if (found.likeness, found.strong_alias) > (best.likeness, best.strong_alias) {
                *best = found;
            }
        }
    }
}

fn report(subject: &Subject<'_>, (id, found): (&str, &Match), list: &SanctionsList, findings: &mut Findings) -> Result<(), Failure> {
    let Match { likeness, strong_alias, name } = found;
    let other_birth = match subject.born {
        Some(born) => {
            let born = [born.day().into(), born.month().into(), born.year()];
            let births = list.births(id)?;
            !births.is_empty() && births.iter().all(|listed| differs(listed, born))
        }
        None => false,
    };
    let text = match likeness {
        Likeness::Same if other_birth => format!("The sanctions list has the name as {name} ({id}), but with another date of birth."),
        Likeness::Same if !strong_alias => format!("The sanctions list has the name as a weak alias, {name} ({id})."),
        Likeness::Same => format!("The sanctions list has the name: {name} ({id})."),
        Likeness::Near => format!("The sanctions list has nearly the same name: {name} ({id})."),
        Likeness::Partial => format!("The sanctions list has a name that shares its words: {name} ({id})."),
    };
    let evidence = [subject.pointer.as_str()];
    if *likeness == Likeness::Same && *strong_alias && !other_birth && subject.is_supplier {
        findings.fail(rule(NAME, &evidence), &text);
    } else {
        findings.refer(rule(NAME, &evidence), &text);
    }
    investigate(id, findings);
    Ok(())
}

fn investigate(id: &str, findings: &mut Findings) {
    let text = format!("Find out whether this is {id} of the sanctions list; pay nothing until then.");
    findings.action("investigate", "Sanctions lead", &text, None);
}

/// Whether a date of birth such as `14/02/1962` or `dd/mm/1962` is another than the day, month and year given.
fn differs(listed: &str, born: [i32; 3]) -> bool {
    listed.split('/').map(|part| part.trim().parse::<i32>().ok()).zip(born).any(|(part, own)| part.is_some_and(|part| part != own))
}

fn registration_number(look: &Look<'_>, list: &SanctionsList, findings: &mut Findings) -> Result<(), Failure> {
    let Some(number) = look.case.company_number.as_deref().and_then(|text| company::check(text).ok()) else { return Ok(()) };
    let rule = rule("sanctions-registration-number", &["/company_number"]);
    let mut ids: Vec<String> = list.ids_with_registration_number(&number.number)?;
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        findings.pass(rule, "The sanctions list in force has no such company number.");
    }
    for id in ids {
        findings.fail(rule, &format!("The sanctions list has the company number under {id}."));
        investigate(&id, findings);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_birth_that_are_partly_known() {
        for (listed, expect) in
            [("14/02/1962", false), ("dd/mm/1962", false), ("dd/02/1962", false), ("dd/mm/1963", true), ("15/02/1962", true), ("", false)]
        {
            assert_eq!(differs(listed, [14, 2, 1962]), expect, "{listed}");
        }
    }
}
