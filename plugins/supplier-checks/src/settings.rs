//! What an operator can set, with its defaults. The schema beside the plugin says the same to people.

use bailiwick_sdk::Money;
use serde::Deserialize;

use crate::case::Subject;

/// Settings of a job.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether VAT numbers whose check leaves 55 are taken.
    pub residue_55_accepted: bool,
    /// Whether the invented lists that come with the plugin count as lists.
    pub practice_lists_accepted: bool,
    /// Days after which the sanctions list is stale.
    pub sanctions_age_days_max: i32,
    /// Whether a confirmation of payee is asked for.
    pub payee_check_required: bool,
    /// Days after which a confirmation of payee is stale.
    pub payee_check_age_days_max: i32,
    /// Days between a request to change bank details and the first payment.
    pub cooling_off_days: i32,
    /// People who must approve a change of bank details.
    pub approvals_min: usize,
    /// Whether exclusion grounds must have been looked at.
    pub exclusions_required: bool,
    /// Who must have been looked at.
    pub exclusion_scope: Vec<Subject>,
    /// Years that exclusion grounds look back.
    pub exclusion_look_back_years: i32,
    /// Turnover from which a modern slavery statement is asked for; none: it is not.
    pub modern_slavery_turnover: Option<Money>,
    /// First digits of sort codes with account numbers of nine digits.
    pub nine_digit_sort_codes: Vec<String>,
    /// First digits of sort codes with account numbers of ten digits, of which the first eight count.
    pub ten_digit_first_eight_sort_codes: Vec<String>,
    /// First digits of sort codes with account numbers of ten digits, of which the last eight count.
    pub ten_digit_last_eight_sort_codes: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            residue_55_accepted: false,
            practice_lists_accepted: false,
            sanctions_age_days_max: 7,
            payee_check_required: true,
            payee_check_age_days_max: 30,
            cooling_off_days: 3,
            approvals_min: 2,
            exclusions_required: true,
            exclusion_scope: vec![Subject::Supplier, Subject::ConnectedPerson, Subject::AssociatedPerson, Subject::SubContractor],
            exclusion_look_back_years: 5,
            modern_slavery_turnover: None,
            nine_digit_sort_codes: texts(&["09", "72"]),
            ten_digit_first_eight_sort_codes: texts(&["08"]),
            ten_digit_last_eight_sort_codes: texts(&["50", "51", "52", "53", "54", "55", "56", "57", "58", "59", "60"]),
        }
    }
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_those_of_the_schema() {
        let schema: serde_json::Value = serde_json::from_str(include_str!("../settings.schema.json")).expect("a schema");
        let properties = schema["properties"].as_object().expect("properties");
        let defaults: serde_json::Map<_, _> =
            properties.iter().filter_map(|(name, property)| Some((name.clone(), property.get("default")?.clone()))).collect();
        let read: Settings = serde_json::from_value(defaults.into()).expect("settings");
        assert_eq!(format!("{read:?}"), format!("{:?}", Settings::default()));
        let none: Settings = serde_json::from_str("{}").expect("settings");
        assert_eq!(format!("{none:?}"), format!("{:?}", Settings::default()));
    }
}
