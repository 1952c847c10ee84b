//! The labels around the records: volume, header, user header, end of file, user trailer. Each has 80 characters.

use bailiwick_sdk::Date;

use crate::record::year_and_day;
use crate::section::Totals;
use crate::settings::{Form, Settings};

/// Characters of a label.
pub(crate) const LABEL: usize = 80;

/// The labels before the records, in their order.
pub(crate) const BEFORE: [&str; 4] = ["VOL1", "HDR1", "HDR2", "UHL1"];

/// The labels behind them.
pub(crate) const BEHIND: [&str; 3] = ["EOF1", "EOF2", "UTL1"];

/// A label that is being written.
struct Label([u8; LABEL]);

impl Label {
    fn new(name: &str) -> Self {
        Self([b' '; LABEL]).at(1, name)
    }

    /// Sets the characters from a position on, counted from 1.
    fn at(mut self, position: usize, text: &str) -> Self {
        self.0[position - 1..position - 1 + text.len()].copy_from_slice(text.as_bytes());
        self
    }

    fn text(self) -> String {
        self.0.into_iter().map(char::from).collect()
    }
}

/// What the labels of one file say.
#[derive(Debug)]
pub(crate) struct Labels<'s> {
    pub(crate) settings: &'s Settings,
    pub(crate) processing_day: Date,
    pub(crate) created: Date,
}

impl Labels<'_> {
    pub(crate) fn before(&self) -> [String; 4] {
        let (parts, owner) = (&self.settings.labels, &self.settings.service_user_number);
        let (uhl1_kind, _) = self.by_form();
        let vol1 = Label::new("VOL1").at(5, &parts.vol1_serial).at(42, owner).at(80, "1");
        let uhl1 = Label::new("UHL1")
            .at(5, &year_and_day(self.processing_day))
            .at(11, &parts.uhl1_11_28)
            .at(29, uhl1_kind)
            .at(38, &parts.uhl1_file_number)
            .at(41, &parts.uhl1_41_80);
        [vol1.text(), self.first("HDR1"), self.second("HDR2"), uhl1.text()]
    }

    pub(crate) fn behind(&self, totals: &Totals) -> [String; 3] {
        let utl1 = Label::new("UTL1").at(5, &totals.as_told()).at(45, &self.settings.labels.utl1_45_80);
        [self.first("EOF1"), self.second("EOF2"), utl1.text()]
    }

    fn first(&self, name: &str) -> String {
        let (parts, owner) = (&self.settings.labels, &self.settings.service_user_number);
        Label::new(name)
            .at(5, "A")
            .at(6, owner)
            .at(12, "S")
            .at(15, "1")
            .at(16, owner)
            .at(22, &parts.hdr1_set)
            .at(28, &parts.hdr1_28_41)
            .at(42, &year_and_day(self.created))
            .at(48, &year_and_day(self.processing_day + i32::from(parts.expiry_days)))
            .at(54, &parts.hdr1_54_80)
            .text()
    }

    fn second(&self, name: &str) -> String {
        Label::new(name).at(5, self.by_form().1).text()
    }

    /// The word of UHL1 and the contents of HDR2.
    fn by_form(&self) -> (&str, &str) {
        let parts = &self.settings.labels;
        match self.settings.form {
            Form::SingleDay => (&parts.uhl1_single_day, &parts.hdr2_single_day),
            Form::MultiDay => (&parts.uhl1_multi_day, &parts.hdr2_multi_day),
        }
    }
}
