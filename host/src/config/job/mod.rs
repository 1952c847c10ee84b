//! One job file, judged against the partners and connections beside it.

mod apart;
mod connector;
mod notify;

use std::ops::Range;

use globset::{Glob, GlobMatcher};
use toml::Spanned;

use crate::config::folder::{no_such_partner, title};
use crate::config::written::{self, CatchUpWord, OverlapWord, PriorityWord, TakeWord, WorkingDayWord};
use crate::model::ids::{ConnectionName, Digest, PartnerName, is_name};
use crate::model::job::{
    CatchUp, Connection, Job, JobInput, JobOutput, Overlap, Partitions, Partner, Place, Priority, Queue, ReleaseChoice, Schedule, Take,
    WorkingDay,
};
use crate::model::limits::{PARTITIONS_MAX, REJECT_ROWS_DEFAULT, REJECT_ROWS_MAX, REJECTS_OVERDUE_DAYS_DEFAULT, REJECTS_OVERDUE_DAYS_MAX};
use crate::registry::manifest;
use crate::registry::source::{Problems, Source};
use crate::schedule::{self, CATCH_UP_SLOTS_MAX, Calendar, ScheduleError};

/// Zone of a job that names none.
pub const ZONE_DEFAULT: &str = "Europe/London";

/// What may stand in braces in the name of an output file.
pub const PLACEHOLDERS: &[&str] = &["date", "month", "run", "input"];

/// Attempts of one run where the job does not say: with back-off, they span an outage of some minutes.
const ATTEMPTS_DEFAULT: u32 = 5;

/// Most attempts of one run.
const ATTEMPTS_MAX: u32 = 100;

/// Most runs of a job, a partner or a connection at one time, where that is limited at all.
pub(super) const RUNS_AT_ONCE_MAX: u64 = 1_000;

/// Longest time after which a run may be said to be overdue: a year.
const OVERDUE_MINUTES_MAX: u64 = 366 * 24 * 60;

/// Longest name of a file, in characters.
const FILE_CHARS_MAX: usize = 200;

/// What a job file may refer to.
pub(super) struct Known<'a> {
    pub partners: &'a [Partner],
    pub connections: &'a [Connection],
    /// Whether the file was judged before, when it was applied, and is only read again. What it names may be gone since, and matters
    /// only where it is used; and what was allowed then goes on.
    pub judged: bool,
}

/// Reads one job file.
pub(super) fn read(source: &Source, written: written::Job, known: &Known<'_>) -> Result<Job, Problems> {
    let mut reader = Reader { source, known, problems: Problems::default() };
    let job = reader.job(written);
    reader.problems.or(job)
}

/// What is being read, and what was found wrong so far.
pub(super) struct Reader<'a> {
    pub source: &'a Source,
    pub known: &'a Known<'a>,
    pub problems: Problems,
}

impl Reader<'_> {
    fn job(&mut self, written: written::Job) -> Option<Job> {
        let partner = self.partner(&written.partner);
        let (name, plugin) = (self.name(&written.name), self.name(&written.plugin));
        let release = self.release(written.release.as_ref());
        title(self.source, &written.title, &mut self.problems);
        let zone = written.zone.as_ref().map_or(ZONE_DEFAULT, |zone| zone.get_ref()).to_owned();
        let queue = self.queue(&written.queue);
        let schedule = self.schedule(written.schedule.as_ref(), written.zone.as_ref());
        self.once(written.input.iter().map(|input| &input.port));
        self.once(written.output.iter().map(|output| &output.port));
        let inputs: Option<Vec<_>> = written.input.iter().map(|input| self.input(input, partner.as_ref())).collect();
        let outputs: Option<Vec<_>> = written.output.iter().map(|output| self.output(output, partner.as_ref())).collect();
        if let Some(partner) = partner.as_ref().filter(|_| !self.known.judged) {
            self.outputs_apart(&written, partner);
        }
        let notify = written.notify.as_ref().map(|notify| self.notify(notify, partner.as_ref()));
        let limits = written.limits.0.iter().map(|(name, amount)| manifest::limit(self.source, name, amount)).collect::<Vec<_>>();
        let limits = limits.into_iter().filter_map(|limit| self.problems.note(limit)).collect();
        let reject_rows_max =
            self.amount(written.rejects.rows_max.as_ref(), "rows-max", 0..=REJECT_ROWS_MAX).unwrap_or(REJECT_ROWS_DEFAULT);
        let overdue_days = self.amount(written.rejects.overdue_days.as_ref(), "overdue-days", 1..=u64::from(REJECTS_OVERDUE_DAYS_MAX));
        let attempts = self.amount(written.attempts_max.as_ref(), "attempts-max", 1..=u64::from(ATTEMPTS_MAX));
        let partitions = self.partitions(&written.partitions);
        let settings = self.source.settings("settings", written.settings, &mut self.problems);
        Some(Job {
            partner: partner?,
            name: name?,
            title: written.title.into_inner(),
            plugin: plugin?,
            release,
            inputs: inputs?,
            outputs: outputs?,
            schedule: schedule?,
            queue,
            notify: notify.flatten(),
            zone,
            settings,
            reject_rows_max,
            rejects_overdue_days: overdue_days.and_then(|days| u32::try_from(days).ok()).unwrap_or(REJECTS_OVERDUE_DAYS_DEFAULT),
            limits,
            partitions,
            attempts_max: attempts.and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or(ATTEMPTS_DEFAULT),
            protected: written.protected,
            definition: Digest::of(self.source.text.as_bytes()),
        })
    }

    fn release(&mut self, written: Option<&Spanned<String>>) -> ReleaseChoice {
        let Some(text) = written else { return ReleaseChoice::Active };
        text.get_ref().parse().unwrap_or_else(|why: String| {
            self.wrong(text.span(), why, "or leave it out for the active one");
            ReleaseChoice::Active
        })
    }

    fn partner(&mut self, name: &Spanned<String>) -> Option<PartnerName> {
        let parsed = self.name::<PartnerName>(name)?;
        if !self.known.partners.iter().any(|partner| partner.name == parsed) {
            self.wrong(name.span(), no_such_partner(name.get_ref()), "name one of partners.toml");
            return None;
        }
        Some(parsed)
    }

    /// The schedule; the outer none where it is wrong.
    fn schedule(&mut self, written: Option<&written::Schedule>, zone: Option<&Spanned<String>>) -> Option<Option<Schedule>> {
        let zone_name = zone.map_or(ZONE_DEFAULT, |zone| zone.get_ref());
        let Some(written) = written else {
            let checked = schedule::Cron::parse("0 0 * * *", zone_name).err();
            return self.judged(checked, zone, None).map(|()| None);
        };
        let catch_up = match *written.catch_up.get_ref() {
            CatchUpWord::Skip => CatchUp::Skip,
            CatchUpWord::Once => CatchUp::Once,
            CatchUpWord::All(slots_max) if (1..=CATCH_UP_SLOTS_MAX).contains(&slots_max) => CatchUp::All { slots_max },
            CatchUpWord::All(slots_max) => {
                let to_do = format!("write 1 to {CATCH_UP_SLOTS_MAX}, or catch-up = \"skip\"");
                self.wrong(written.catch_up.span(), format!("a catch-up of {slots_max} runs cannot be"), to_do);
                CatchUp::Skip
            }
        };
        let working_day = match written.working_day {
            WorkingDayWord::Any => WorkingDay::Any,
            WorkingDayWord::Before => WorkingDay::Before,
            WorkingDayWord::After => WorkingDay::After,
            WorkingDayWord::Skip => WorkingDay::Skip,
        };
        let schedule = Schedule { cron: written.cron.get_ref().trim().to_owned(), zone: zone_name.to_owned(), working_day, catch_up };
        let checked = schedule::check(&schedule, Calendar::england_and_wales()).err();
        self.judged(checked, zone, Some(&written.cron)).map(|()| Some(schedule))
    }

    fn queue(&mut self, written: &written::Queue) -> Queue {
        let runs = self.amount(written.runs_at_once.as_ref(), "runs-at-once", 1..=RUNS_AT_ONCE_MAX);
        let minutes = self.amount(written.overdue_minutes.as_ref(), "overdue-minutes", 1..=OVERDUE_MINUTES_MAX);
        Queue {
            runs_at_once: runs.and_then(|runs| u32::try_from(runs).ok()).unwrap_or(1),
            priority: match written.priority {
                PriorityWord::Low => Priority::Low,
                PriorityWord::Normal => Priority::Normal,
                PriorityWord::High => Priority::High,
            },
            overlap: match written.overlap {
                OverlapWord::Queue => Overlap::Queue,
                OverlapWord::Skip => Overlap::Skip,
                OverlapWord::CancelOlder => Overlap::CancelOlder,
            },
            overdue_minutes: minutes.and_then(|minutes| u32::try_from(minutes).ok()),
        }
    }

    fn partitions(&mut self, written: &written::Partitions) -> Partitions {
        let rows = self.amount(written.rows.as_ref(), "rows", 1..=u64::MAX >> 1);
        let most = self.amount(written.at_most.as_ref(), "at-most", 1..=PARTITIONS_MAX);
        if let (Some(at), true) = (&written.at_most, rows.is_some()) {
            self.wrong(at.span(), "rows and at-most do not go together", "write one of them");
        }
        rows.map(Partitions::Rows).or(most.map(Partitions::AtMost)).unwrap_or_default()
    }

    fn judged(&mut self, error: Option<ScheduleError>, zone: Option<&Spanned<String>>, cron: Option<&Spanned<String>>) -> Option<()> {
        let Some(error) = error else { return Some(()) };
        let (at, to_do) = match error {
            ScheduleError::NoSuchZone { .. } => (zone, "mend zone"),
            _ => (cron, "mend [schedule]"),
        };
        self.problems.add(self.source.problem(at.map(Spanned::span), error.to_string(), to_do));
        None
    }

    fn input(&mut self, written: &written::Input, partner: Option<&PartnerName>) -> Option<JobInput> {
        self.port(&written.port);
        let connection = self.connection(&written.connection, partner);
        if connection.as_ref().and_then(|name| self.place(name, partner)).is_some_and(|place| !place.gives_files()) {
            self.wrong(written.connection.span(), "nothing is taken from this kind of connection", "name one that has files");
        }
        self.file_name(&written.file);
        self.pattern(&written.file);
        let format = self.format(&written.format);
        let connector = connection.as_ref().map(|name| self.connector(written.connector.as_ref(), (name, &written.connection), partner));
        let take = match written.take {
            TakeWord::Next => Take::Next,
            TakeWord::Latest => Take::Latest,
        };
        Some(JobInput {
            port: written.port.get_ref().clone(),
            connection: connection?,
            file: written.file.get_ref().clone(),
            take,
            format: format?,
            connector: connector??,
        })
    }

    fn output(&mut self, written: &written::Output, partner: Option<&PartnerName>) -> Option<JobOutput> {
        self.port(&written.port);
        let connection = self.connection(&written.connection, partner);
        if connection.as_ref().and_then(|name| self.place(name, partner)).is_some_and(|place| !place.takes_files()) {
            self.wrong(written.connection.span(), "nothing is delivered to this kind of connection", "name one that takes files");
        }
        self.file_name(&written.file);
        for placeholder in placeholders(written.file.get_ref()) {
            if !placeholder.is_some_and(|name| PLACEHOLDERS.contains(&name)) {
                let what =
                    placeholder.map_or_else(|| "a brace stands alone".to_owned(), |name| format!("there is no placeholder {{{name}}}"));
                self.wrong(written.file.span(), what, format!("use {{{}}}", PLACEHOLDERS.join("}, {")));
            }
        }
        let format = self.format(&written.format);
        let connector = connection.as_ref().map(|name| self.connector(written.connector.as_ref(), (name, &written.connection), partner));
        Some(JobOutput {
            port: written.port.get_ref().clone(),
            connection: connection?,
            file: written.file.get_ref().clone(),
            format: format?,
            connector: connector??,
        })
    }

    /// The place of a connection.
    pub(super) fn place(&self, name: &ConnectionName, partner: Option<&PartnerName>) -> Option<&Place> {
        let same = |known: &&Connection| known.name == *name && Some(&known.partner) == partner;
        self.known.connections.iter().find(same).map(|known| &known.place)
    }

    pub(super) fn connection(&mut self, name: &Spanned<String>, partner: Option<&PartnerName>) -> Option<ConnectionName> {
        let parsed: ConnectionName = self.name(name)?;
        let partner = partner?;
        if !self.known.judged
            && !self.known.connections.iter().any(|connection| connection.partner == *partner && connection.name == parsed)
        {
            self.wrong(
                name.span(),
                format!("{partner} has no connection {:?}", name.get_ref()),
                "name one of this partner's in connections.toml",
            );
            return None;
        }
        Some(parsed)
    }

    fn port(&mut self, port: &Spanned<String>) {
        if !is_name(port.get_ref()) {
            self.wrong(port.span(), format!("{:?} is not a port's name", port.get_ref()), "name an input or output of the plugin");
        }
    }

    fn file_name(&mut self, file: &Spanned<String>) {
        let name = file.get_ref();
        if name.is_empty()
            || name.chars().count() > FILE_CHARS_MAX
            || name.starts_with('.')
            || name.contains(['/', '\\'])
            || name.contains(char::is_control)
        {
            self.wrong(file.span(), format!("{name:?} is not a file's name"), "name a file, not a path: the connection says where");
        }
    }

    fn pattern(&mut self, file: &Spanned<String>) {
        if let Err(error) = pattern(file.get_ref()) {
            self.wrong(
                file.span(),
                format!("{:?} is not a pattern: {}", file.get_ref(), error.kind()),
                "write, for instance, \"payroll-*.csv\"",
            );
        }
    }

    fn amount(&mut self, written: Option<&Spanned<u64>>, name: &str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let written = written?;
        if !range.contains(written.get_ref()) {
            self.wrong(written.span(), format!("{name} is {}", written.get_ref()), format!("write {} to {}", range.start(), range.end()));
        }
        Some(*written.get_ref())
    }

    fn once<'b>(&mut self, ports: impl Iterator<Item = &'b Spanned<String>>) {
        let mut seen = Vec::new();
        for port in ports {
            if seen.contains(&port.get_ref()) {
                self.wrong(port.span(), format!("port {:?} stands here twice", port.get_ref()), "map each port once");
            }
            seen.push(port.get_ref());
        }
    }

    pub(super) fn name<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, name: &Spanned<String>) -> Option<T> {
        let parsed = name
            .get_ref()
            .parse()
            .map_err(|error: T::Err| self.source.problem(Some(name.span()), error.to_string(), "write the name of something declared"));
        self.problems.note(parsed)
    }

    pub(super) fn wrong(&mut self, at: Range<usize>, what: impl Into<String>, to_do: impl Into<String>) {
        self.problems.add(self.source.problem(Some(at), what, to_do));
    }
}

pub(super) fn pattern(text: &str) -> Result<GlobMatcher, globset::Error> {
    Glob::new(text).map(|glob| glob.compile_matcher())
}

/// The names in braces; none for a brace that stands alone.
fn placeholders(name: &str) -> Vec<Option<&str>> {
    let mut found = Vec::new();
    let mut rest = name;
    while let Some(open) = rest.find(['{', '}']) {
        let inside = rest[open..].strip_prefix('{').and_then(|after| after.split_once('}'));
        match inside {
            Some((name, after)) => {
                found.push((!name.contains('{')).then_some(name));
                rest = after;
            }
            None => {
                found.push(None);
                return found;
            }
        }
    }
    found
}
