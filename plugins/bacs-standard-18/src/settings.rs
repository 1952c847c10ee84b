//! What an operator sets. Whatever no public source tells for certain is here, with a default, and nowhere in the code.

use serde::Deserialize;

use crate::charset::is_allowed;
use crate::record::TEXT;

/// The settings of a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Settings {
    pub(crate) service_user_number: String,
    pub(crate) originator: Originator,
    #[serde(default)]
    pub(crate) form: Form,
    #[serde(default = "one")]
    pub(crate) processing_working_days_ahead: u8,
    #[serde(default = "credit")]
    pub(crate) transaction_code: String,
    #[serde(default = "credits")]
    credit_codes: Vec<String>,
    #[serde(default = "debits")]
    debit_codes: Vec<String>,
    #[serde(default = "advices")]
    advice_codes: Vec<String>,
    #[serde(default)]
    pub(crate) contra_narrative: String,
    #[serde(default = "contra")]
    pub(crate) contra_reference: String,
    #[serde(default = "debit")]
    pub(crate) contra_of_credits_code: String,
    #[serde(default = "credit")]
    pub(crate) contra_of_debits_code: String,
    #[serde(default)]
    pub(crate) small_letters: SmallLetters,
    #[serde(default)]
    pub(crate) long_texts: LongTexts,
    #[serde(default)]
    pub(crate) line_end: LineEnd,
    #[serde(default)]
    pub(crate) labels: Labels,
}

/// The account that payments are made from, unless a row names another.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Originator {
    pub(crate) sort_code: String,
    pub(crate) account: String,
    pub(crate) name: String,
}

/// Whether a record says its processing day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Form {
    /// Records of 100 characters; the file has one day.
    #[default]
    SingleDay,
    /// Records of 106 characters.
    MultiDay,
}

/// What becomes of a to z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SmallLetters {
    #[default]
    Capitals,
    Spaces,
}

/// What becomes of a text that is too long for its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LongTexts {
    #[default]
    Refuse,
    Cut,
}

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LineEnd {
    #[default]
    Lf,
    Crlf,
}

/// Whether the totals of the trailer count the contras.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TotalsOf {
    #[default]
    WithContras,
    WithoutContras,
}

/// Parts of the labels that no public source tells for certain. Each is filled up with spaces to its width.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Labels {
    pub(crate) vol1_serial: String,
    pub(crate) hdr1_set: String,
    #[serde(rename = "hdr1-28-41")]
    pub(crate) hdr1_28_41: String,
    #[serde(rename = "hdr1-54-80")]
    pub(crate) hdr1_54_80: String,
    pub(crate) expiry_days: u16,
    pub(crate) hdr2_single_day: String,
    pub(crate) hdr2_multi_day: String,
    #[serde(rename = "uhl1-11-28")]
    pub(crate) uhl1_11_28: String,
    pub(crate) uhl1_single_day: String,
    pub(crate) uhl1_multi_day: String,
    pub(crate) uhl1_file_number: String,
    #[serde(rename = "uhl1-41-80")]
    pub(crate) uhl1_41_80: String,
    #[serde(rename = "utl1-45-80")]
    pub(crate) utl1_45_80: String,
    pub(crate) totals: TotalsOf,
}

impl Default for Labels {
    fn default() -> Self {
        Self {
            vol1_serial: "000001".to_owned(),
            hdr1_set: "000001".to_owned(),
            hdr1_28_41: "00010001".to_owned(),
            hdr1_54_80: " 000000".to_owned(),
            expiry_days: 14,
            hdr2_single_day: "F0200000100".to_owned(),
            hdr2_multi_day: "F0212000106".to_owned(),
            uhl1_11_28: "999999    00".to_owned(),
            uhl1_single_day: "1 DAILY".to_owned(),
            uhl1_multi_day: "4 MULTI".to_owned(),
            uhl1_file_number: "001".to_owned(),
            uhl1_41_80: String::new(),
            utl1_45_80: String::new(),
            totals: TotalsOf::WithContras,
        }
    }
}

/// Which way a transaction goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Money to the destination.
    Credit,
    /// Money from the destination.
    Debit,
    /// No money: an instruction about direct debits.
    Advice,
}

impl Settings {
    /// The first text that has no place in the file: too long, or of other characters. The hub's schema refuses the same.
    pub(crate) fn unfit(&self) -> Option<&'static str> {
        let labels = &self.labels;
        [
            ("vol1-serial", &labels.vol1_serial, 6),
            ("hdr1-set", &labels.hdr1_set, 6),
            ("hdr1-28-41", &labels.hdr1_28_41, 14),
            ("hdr1-54-80", &labels.hdr1_54_80, 27),
            ("hdr2-single-day", &labels.hdr2_single_day, 76),
            ("hdr2-multi-day", &labels.hdr2_multi_day, 76),
            ("uhl1-11-28", &labels.uhl1_11_28, 18),
            ("uhl1-single-day", &labels.uhl1_single_day, 9),
            ("uhl1-multi-day", &labels.uhl1_multi_day, 9),
            ("uhl1-file-number", &labels.uhl1_file_number, 3),
            ("uhl1-41-80", &labels.uhl1_41_80, 40),
            ("utl1-45-80", &labels.utl1_45_80, 36),
            ("contra-narrative", &self.contra_narrative, TEXT),
            ("contra-reference", &self.contra_reference, TEXT),
            ("originator.name", &self.originator.name, TEXT),
            ("service-user-number", &self.service_user_number, 6),
        ]
        .into_iter()
        .find(|(_, text, most)| text.len() > *most || !text.chars().all(is_allowed))
        .map(|(name, ..)| name)
    }

    /// Which way a code goes; none for a code that is not known.
    pub(crate) fn side(&self, code: &str) -> Option<Side> {
        let sides = [(&self.credit_codes, Side::Credit), (&self.debit_codes, Side::Debit), (&self.advice_codes, Side::Advice)];
        sides.into_iter().find(|(codes, _)| codes.iter().any(|known| known == code)).map(|(_, side)| side)
    }
}

const fn one() -> u8 {
    1
}

fn contra() -> String {
    "CONTRA".to_owned()
}

fn credit() -> String {
    "99".to_owned()
}

fn debit() -> String {
    "17".to_owned()
}

fn credits() -> Vec<String> {
    vec![credit()]
}

fn debits() -> Vec<String> {
    ["01", "17", "18"].map(str::to_owned).to_vec()
}

fn advices() -> Vec<String> {
    ["0N", "0C", "0S"].map(str::to_owned).to_vec()
}
