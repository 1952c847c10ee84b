//! A configuration folder: what is accepted is sound, what is refused says where.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Component;

use bailiwick::config::{self, ConfigError, Configuration};
use bailiwick::model::job::{FileFormat, Format, Place};
use bailiwick::registry::source::Problems;

/// The files of a configuration, each after its name.
pub fn config(input: &[u8]) {
    let texts = super::texts::files(input);
    match config::reload(&texts) {
        Ok(made) => {
            is_sound(&made);
            an_unknown_key_is_refused(&texts);
        }
        Err(ConfigError::Wrong(problems)) => say_where(&problems, &texts),
        Err(ConfigError::Unreadable { path, why }) => panic!("nothing is read but texts, yet {path}: {why}"),
    }
}

/// Whether every problem is in a line that there is, of a file that there is or ought to be.
pub(crate) fn say_where(problems: &Problems, texts: &BTreeMap<String, String>) {
    assert!(!problems.as_slice().is_empty(), "refused for nothing");
    for problem in problems.as_slice() {
        let text = texts.get(problem.file()).map_or("", String::as_str);
        assert!(problem.line().is_none_or(|line| (1..=text.matches('\n').count() + 1).contains(&line)), "{problem}");
        assert!(!problem.what().is_empty() && !problem.to_do().is_empty(), "{problem}");
    }
    // What a person is shown: the line, with what is wrong underlined.
    let shown = format!("{:?}", miette::Report::new(problems.clone()));
    assert!(!shown.is_empty());
}

fn is_sound(made: &Configuration) {
    let partners: BTreeSet<_> = made.partners.iter().map(|partner| &partner.name).collect();
    assert_eq!(partners.len(), made.partners.len());
    let connections: BTreeSet<_> = made.connections.iter().map(|connection| (&connection.partner, &connection.name)).collect();
    assert_eq!(connections.len(), made.connections.len());
    for connection in &made.connections {
        assert!(partners.contains(&connection.partner));
        let Place::Folder { path, .. } = &connection.place else { continue };
        assert!(path.is_absolute() && !path.components().any(|part| matches!(part, Component::ParentDir | Component::CurDir)), "{path:?}");
        for other in made.connections.iter().filter(|other| other.partner != connection.partner) {
            let Place::Folder { path: theirs, .. } = &other.place else { continue };
            assert!(!theirs.starts_with(path) && !path.starts_with(theirs), "two partners share {path:?} and {theirs:?}");
        }
    }
    let jobs: BTreeSet<_> = made.jobs.iter().map(|job| (&job.partner, &job.name)).collect();
    assert_eq!((jobs.len(), made.job_files.len()), (made.jobs.len(), made.jobs.len()));
    for job in &made.jobs {
        assert!(partners.contains(&job.partner));
        // A connection may have gone since the job was judged. It is looked for among its partner's own, where it is used.
        let names = job.inputs.iter().map(|input| &input.file).chain(job.outputs.iter().map(|output| &output.file));
        assert!(names.clone().all(|name| !name.contains(['/', '\\']) && !name.starts_with('.')), "a file's name is a path");
        for (limit, amount) in &job.limits {
            assert!((1..=limit.fact().ceiling).contains(amount), "{limit} is {amount}");
        }
        let formats = job.inputs.iter().map(|input| &input.format).chain(job.outputs.iter().map(|output| &output.format));
        formats.for_each(format_is_sound);
    }
}

fn format_is_sound(format: &FileFormat) {
    let fixed = match format {
        FileFormat::BuiltIn(Format::FixedWidth(fixed)) => fixed,
        FileFormat::BuiltIn(_) => return,
        FileFormat::Plugin(format) => {
            assert!(format.line >= 1 && format.settings.is_object());
            return;
        }
    };
    for (place, field) in fixed.fields.iter().enumerate() {
        assert!(field.start >= 1 && field.width >= 1);
        for other in &fixed.fields[..place] {
            assert!(field.start >= other.start + other.width || other.start >= field.start + field.width, "fields overlap");
        }
    }
}

fn an_unknown_key_is_refused(texts: &BTreeMap<String, String>) {
    for name in texts.keys().filter(|name| name.ends_with("s.toml") && !name.contains('/')) {
        if !["partners.toml", "connections.toml", "plugins.toml"].contains(&name.as_str()) {
            continue;
        }
        let mut more = texts.clone();
        let text = more.get_mut(name).expect("it has this name");
        *text = format!("unheard-of = 1\n{}", text.trim_start_matches('\u{feff}'));
        assert!(matches!(config::reload(&more), Err(ConfigError::Wrong(_))), "an unknown key in {name} is accepted");
    }
}
