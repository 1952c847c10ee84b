//! What an instance is given, and what it leaves behind.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::install::Release;
use super::super::lend::{HttpLine, LogNote};
use crate::model::ids::{JobName, PartnerName};
use crate::model::limits::{Limits, Usage};
use crate::model::manifest::Wants;
use crate::model::table::{TableSet, TableVersion};

/// All that a plugin may know of a run, and all that it may use. The same setup and the same rows give the same bytes.
#[derive(Debug)]
pub struct Setup {
    /// The plugin.
    pub release: Release,
    /// What it is lent: what it asks for, or less.
    pub lent: Wants,
    /// The partner that owns the job.
    pub partner: PartnerName,
    /// The job.
    pub job: JobName,
    /// For each declared input, whether the run has it; for each column of a format, whether the job has it. Empty for a rule set.
    pub inputs_present: Vec<bool>,
    /// For each declared output, whether the job uses it. Empty for a rule set.
    pub outputs_present: Vec<bool>,
    /// The job's settings as a JSON object, validated against the manifest's schema.
    pub settings: String,
    /// The moment for which the run was due.
    pub now: Timestamp,
    /// Its civil date in the job's zone.
    pub today: Date,
    /// What random numbers are drawn from.
    pub seed: [u8; 32],
    /// The partner's reference tables.
    pub tables: Arc<TableSet>,
    /// The job's state.
    pub state: BTreeMap<String, Vec<u8>>,
    /// What a connector's requests go through; nobody else has any.
    pub http: Option<Arc<dyn HttpLine>>,
    /// The limits in force.
    pub limits: Limits,
}

impl Setup {
    /// For an instance that is made to see whether it can be.
    pub(super) fn for_trial(release: Release, limits: Limits) -> Self {
        Self {
            lent: release.manifest.wants.clone(),
            release,
            partner: "hub".parse().expect("it is a name"),
            job: "install".parse().expect("it is a name"),
            inputs_present: Vec::new(),
            outputs_present: Vec::new(),
            settings: "{}".to_owned(),
            now: Timestamp::UNIX_EPOCH,
            today: jiff::civil::date(1970, 1, 1),
            seed: [0; 32],
            tables: Arc::default(),
            state: BTreeMap::new(),
            http: None,
            limits,
        }
    }
}

/// What an instance used, logged and left behind, whether its calls succeeded or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was used of the limits, where it was more than nothing.
    pub usage: Usage,
    /// The notes that were kept.
    pub log: Vec<LogNote>,
    /// How many notes may be kept.
    pub log_lines_max: u64,
    /// Notes that were dropped because the log was full.
    pub log_dropped: u64,
    /// Characters taken out of notes and messages, because they steer terminals, cannot be seen, or were too many.
    pub characters_stripped: u64,
    /// The versions of tables that were opened, each once, in the order of first use.
    pub tables: Vec<TableVersion>,
    /// The job's state as the guest left it; none if it wrote nothing.
    pub state: Option<BTreeMap<String, Vec<u8>>>,
}

impl Report {
    /// Adds what another instance of the same run used, logged and left behind. The log is held to the notes that one run may keep: as
    /// many as the plugin that may keep most.
    pub fn join(&mut self, other: Self) {
        other.usage.iter().for_each(|(limit, amount)| self.usage.raise(limit, amount));
        self.log_lines_max = self.log_lines_max.max(other.log_lines_max);
        let room = usize::try_from(self.log_lines_max).unwrap_or(usize::MAX).saturating_sub(self.log.len());
        self.log_dropped += other.log_dropped + other.log.len().saturating_sub(room) as u64;
        self.log.extend(other.log.into_iter().take(room));
        self.characters_stripped += other.characters_stripped;
        for version in other.tables {
            if !self.tables.contains(&version) {
                self.tables.push(version);
            }
        }
        self.state = other.state.or(self.state.take());
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::lend::LogLevel;
    use super::*;

    fn noted(notes: usize, log_lines_max: u64) -> Report {
        let note = LogNote { level: LogLevel::Info, message: "noted".to_owned() };
        Report { log: vec![note; notes], log_lines_max, ..Report::default() }
    }

    #[test]
    fn a_log_is_held_to_the_limit_in_force() {
        let mut report = Report::default();
        (0..3_000).for_each(|_| report.join(noted(1, 2_500)));
        assert_eq!((report.log.len(), report.log_dropped), (2_500, 500));
        let mut report = noted(40, 50);
        report.join(noted(40, 45));
        assert_eq!((report.log.len(), report.log_dropped), (50, 30));
    }
}
