//! Whether the outputs of a job meet each other or its own inputs, by where they go. Two connections may name one place.
//!
//! Must not know what lies there: a name is judged by what it may become.

use crate::model::ids::PartnerName;
use crate::model::job::Place;

use super::{Reader, pattern};
use crate::config::written::{self, TakeWord};

/// Stands for any run's id.
const RUN: &str = "01a0b1c2d3e4f5061728394a5b6c7d8e";

impl Reader<'_> {
    /// Refuses an output that would overwrite another, or be taken for the job's own input.
    pub(super) fn outputs_apart(&mut self, job: &written::Job, partner: &PartnerName) {
        // What stands for {input} is the name of a file that was taken; of one that is read again only where none is taken.
        let taken = job.input.iter().filter(|input| matches!(input.take, TakeWord::Next));
        let mut stems: Vec<String> = taken.map(|input| stem(input.file.get_ref())).collect();
        if stems.is_empty() {
            stems = job.input.iter().map(|input| stem(input.file.get_ref())).collect();
        }
        for (place, output) in job.output.iter().enumerate() {
            let at = output.connection.get_ref();
            let same = |other: &written::Output| {
                other.file.get_ref() == output.file.get_ref() && self.one_place(partner, other.connection.get_ref(), at)
            };
            if job.output[..place].iter().any(same) {
                self.wrong(output.file.span(), "another output of this job has the same file", "give each output its own file");
            }
            for input in &job.input {
                // What is sent to an API is not what is fetched there.
                if input.connector.is_some() || !self.one_place(partner, input.connection.get_ref(), at) {
                    continue;
                }
                let Ok(pattern) = pattern(input.file.get_ref()) else { continue };
                if names(output.file.get_ref(), &stems).iter().any(|name| pattern.is_match(name)) {
                    let what = format!("input {} would take this output for its own file {:?}", input.port.get_ref(), input.file.get_ref());
                    self.wrong(output.file.span(), what, "write to another place, or under another name");
                }
            }
        }
    }

    /// Whether two connections lead to one place, as far as can be told without looking.
    fn one_place(&self, partner: &PartnerName, one: &str, other: &str) -> bool {
        let of = |name: &str| {
            let connections = self.known.connections.iter();
            connections.filter(|each| each.partner == *partner).find(|each| each.name.as_str() == name).map(|each| &each.place)
        };
        one == other
            || match (of(one), of(other)) {
                (Some(Place::Folder { path: one, .. }), Some(Place::Folder { path: other, .. })) => one == other,
                (Some(Place::Sftp(one)), Some(Place::Sftp(other))) => {
                    let folder = |folder: &str| folder.trim_end_matches('/').to_owned();
                    (&one.host, one.port, &one.user, folder(&one.folder)) == (&other.host, other.port, &other.user, folder(&other.folder))
                }
                _ => false,
            }
    }
}

/// What an output may be called: on any day of a year, with any of the stems.
fn names(file: &str, stems: &[String]) -> Vec<String> {
    let mut names = vec![file.replace("{run}", RUN)];
    if file.contains("{input}") {
        names = stems.iter().map(|stem| names[0].replace("{input}", stem)).collect();
    }
    if !file.contains("{date}") && !file.contains("{month}") {
        return names;
    }
    let days = (1..=12).flat_map(|month| (1..=31).map(move |day| format!("2026-{month:02}-{day:02}")));
    days.flat_map(|day| names.iter().map(move |name| name.replace("{month}", &day[..7]).replace("{date}", &day)).collect::<Vec<_>>())
        .collect()
}

/// What {input} becomes of a file that a pattern matches: such a name without its ending.
fn stem(file: &str) -> String {
    let sample = sample(file);
    sample.rsplit_once('.').map_or(sample.as_str(), |(stem, _)| stem).to_owned()
}

/// A name that a pattern matches: an x for whatever may be anything, the first of what may be one of several.
fn sample(file: &str) -> String {
    let (mut name, mut left) = (String::new(), file.chars());
    while let Some(next) = left.next() {
        match next {
            '*' | '?' => name.push('x'),
            '\\' => name.extend(left.next()),
            '[' => {
                let class: String = left.by_ref().take_while(|letter| *letter != ']').collect();
                let first = class.trim_start_matches(['!', '^']).chars().next();
                let Ok(one) = pattern(&format!("[{class}]")) else { continue };
                name.extend(first.into_iter().chain("x0_A-".chars()).find(|letter| one.is_match(letter.to_string())));
            }
            '{' => {
                let choices: String = left.by_ref().take_while(|letter| *letter != '}').collect();
                name.push_str(&sample(choices.split(',').next().unwrap_or_default()));
            }
            other => name.push(other),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::{names, pattern, sample, stem};

    #[test]
    fn a_sample_is_matched_by_its_pattern() {
        for file in ["pay-*.csv", "pay-????-??.csv", "*", "pay-[0-9]*.csv", "pay-[!a-z].{csv,txt}", "{north,south}-*.jsonl", "plain.csv"] {
            let sample = sample(file);
            assert!(pattern(file).is_ok_and(|pattern| pattern.is_match(&sample)), "{file}: {sample}");
        }
        assert_eq!(stem("pay-*.v1.csv"), "pay-x.v1");
    }

    #[test]
    fn names_are_those_of_a_year() {
        let names = names("{input}-{month}-{date}.csv", &["a".to_owned(), "b".to_owned()]);
        assert_eq!(names.len(), 2 * 12 * 31);
        assert!(names.contains(&"b-2026-11-2026-11-18.csv".to_owned()));
    }
}
