//! Which contribution band an annual pay falls in.

use std::fmt;

use bailiwick_sdk::{Date, Decimal, Money};

use super::contribution::percent_of_one;
use super::words::Section;

/// A contribution rate, kept in both forms so that no row divides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// As people say it: 5.80. `Money` is the exact number that passes in and out of columns fastest.
    pub percent: Money,
    /// As pay is multiplied by it: 0.058.
    pub of_one: Decimal,
}

impl Rate {
    /// A rate from its percentage.
    #[must_use]
    pub fn from_percent(percent: Money) -> Self {
        Self { percent, of_one: percent_of_one(percent.to_decimal()) }
    }
}

/// One band.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Band {
    /// 1 to 9.
    pub number: i64,
    /// Highest annual pay in whole pounds that is in it; none for the last band.
    pub upper: Option<Money>,
    /// Rate of the main section.
    pub main: Rate,
    /// Rate of the 50/50 section: half of it.
    pub half: Rate,
}

impl Band {
    /// The rate of a section.
    #[inline]
    #[must_use]
    pub const fn rate(&self, section: Section) -> &Rate {
        match section {
            Section::Main => &self.main,
            Section::Half => &self.half,
        }
    }
}

/// The bands of one version of the table, with the days on which it is in force.
#[derive(Debug, Clone)]
pub struct BandTable {
    version: String,
    from: Date,
    to: Option<Date>,
    bands: Vec<Band>,
}

/// Why a version of the table cannot be used: somebody made it wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandTableUnusable {
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for BandTableUnusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl BandTable {
    /// A table from its bands.
    ///
    /// # Errors
    /// [`BandTableUnusable`] unless the bands rise, the last alone is open, and each half rate is exactly half.
    pub fn new(version: String, in_force: (Date, Option<Date>), bands: Vec<Band>) -> Result<Self, BandTableUnusable> {
        let wrong = |what| Err(BandTableUnusable { what });
        let Some((last, others)) = bands.split_last() else { return wrong("it has no rows") };
        if last.upper.is_some() {
            return wrong("its last band has an upper end");
        }
        if others.iter().any(|band| band.upper.is_none()) || !others.is_sorted_by(|low, high| low.upper < high.upper) {
            return wrong("its upper ends do not rise from band to band");
        }
        if bands.iter().any(|band| band.half.percent + band.half.percent != band.main.percent) {
            return wrong("a half rate is not half of its rate");
        }
        Ok(Self { version, from: in_force.0, to: in_force.1, bands })
    }

    /// Its version, which every line of the return carries.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether it is in force on a date.
    #[must_use]
    pub fn in_force(&self, on: Date) -> bool {
        self.from <= on && self.to.is_none_or(|last| on <= last)
    }

    /// The band of an annual pay, which is first rounded down to whole pounds.
    #[inline]
    #[must_use]
    pub fn band(&self, annual_pay: Money) -> &Band {
        let pounds = annual_pay.floor_pounds();
        let place = self.bands.partition_point(|band| band.upper.is_some_and(|upper| upper < pounds));
        // The last band has no upper end, so it is never passed.
        &self.bands[place]
    }

    /// Whether any band has this rate, in either section.
    #[must_use]
    pub fn is_legal(&self, percent: Money) -> bool {
        self.bands.iter().any(|band| band.main.percent == percent || band.half.percent == percent)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn band(number: i64, upper: Option<i64>, tenths: i64) -> Band {
        let rate = |hundredths| Rate::from_percent(Money::new(hundredths, 2));
        Band { number, upper: upper.map(Money::from_pounds), main: rate(tenths * 10), half: rate(tenths * 5) }
    }

    fn table() -> BandTable {
        let in_force = (Date::new(2025, 4, 1), Some(Date::new(2026, 3, 31)));
        BandTable::new("2025-26".into(), in_force, vec![band(1, Some(17_800), 55), band(2, Some(28_000), 58), band(3, None, 65)]).unwrap()
    }

    #[test]
    fn upper_ends_are_inclusive_and_whole_pounds_count() {
        for (pence, number) in [(0, 1), (1_780_000, 1), (1_780_099, 1), (1_780_100, 2), (2_800_099, 2), (2_800_100, 3), (i64::MAX / 2, 3)] {
            assert_eq!(table().band(Money::from_pence(pence)).number, number, "{pence}");
        }
    }

    #[test]
    fn legal_rates_are_those_of_the_bands_and_their_halves() {
        let legal = |hundredths| table().is_legal(Money::new(hundredths, 2));
        assert!(legal(580) && legal(290) && legal(275) && legal(650));
        assert!(!legal(600) && !legal(300) && !legal(0));
    }

    #[test]
    fn what_is_wrong_with_a_table_is_found() {
        let new = |bands| BandTable::new(String::new(), (Date::new(2025, 4, 1), None), bands).map_err(|unusable| unusable.what);
        assert!(new(vec![]).is_err());
        assert!(new(vec![band(1, Some(1), 55)]).is_err());
        assert!(new(vec![band(1, Some(2), 55), band(2, Some(2), 58), band(3, None, 65)]).is_err());
        assert!(new(vec![band(1, None, 55), band(2, None, 58)]).is_err());
        let mut uneven = vec![band(1, None, 55)];
        uneven[0].half = Rate::from_percent(Money::new(28, 1));
        assert_eq!(new(uneven).unwrap_err(), "a half rate is not half of its rate");
    }

    #[test]
    fn both_ends_are_in_force() {
        assert!(table().in_force(Date::new(2025, 4, 1)) && table().in_force(Date::new(2026, 3, 31)));
        assert!(!table().in_force(Date::new(2025, 3, 31)) && !table().in_force(Date::new(2026, 4, 1)));
    }

    proptest! {
        #[test]
        fn a_band_holds_its_pay_and_the_one_below_does_not(pence in 0..5_000_000_i64) {
            let (table, pounds) = (table(), Money::from_pounds(pence / 100));
            let band = table.band(Money::from_pence(pence));
            prop_assert!(band.upper.is_none_or(|upper| pounds <= upper));
            let below = table.bands.iter().rfind(|other| other.number < band.number);
            prop_assert!(below.is_none_or(|below| below.upper.is_some_and(|upper| upper < pounds)));
        }
    }
}
