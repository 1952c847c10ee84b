//! Tries a place step by step, and says which step failed. It leaves nothing behind: what it writes, it removes.

use std::path::Path;

use super::api::{Api, TokenSlot};
use super::error::{ConnectionError, Step};
use super::outside::{Credentials, Outside};
use super::{Looking, folder, https, mail, on_runtime, s3, sftp, sql};
use crate::model::job::Place;

/// One step of a check that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Which.
    pub step: Step,
    /// What was found, where that says something.
    pub found: String,
}

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// Whether a small file is written and removed again.
    pub writes: bool,
    /// The moment, in milliseconds since 1970.
    pub now_ms: i64,
}

/// Tries a place, step by step, up to the first that fails.
#[must_use]
pub fn check(outside: &Outside, trial: Trial) -> (Vec<Checked>, Option<ConnectionError>) {
    let mut steps = Vec::new();
    let mut done = |step, found| steps.push(Checked { step, found });
    let credentials = Credentials(&outside.credentials);
    let result = match &outside.place {
        Place::Folder { path, .. } => check_folder(path, trial, &mut done),
        Place::Sftp(place) => on_runtime(sftp::check(place, credentials, trial.writes, &mut done)),
        Place::Https(place) => https::check(place, credentials, &mut done),
        // A token of its own: one that is kept would not show whether one is given out.
        Place::Api(place) => Api::of_place(place, TokenSlot::default(), credentials).and_then(|api| api.check(&mut done)),
        Place::S3(place) => s3::check(place, outside.opened(), trial.writes, &mut done),
        Place::Sql(place) => on_runtime(sql::check(place, credentials, &mut done)),
        Place::Smtp(place) => mail::check(place, credentials, &mut done),
    };
    (steps, result.err())
}

fn check_folder(path: &Path, trial: Trial, done: &mut dyn FnMut(Step, String)) -> Result<(), ConnectionError> {
    let looking = Looking { pattern: "*", now_ms: trial.now_ms, mark: None };
    let listing = folder::list(path, looking.pattern, folder::Settled { now_ms: trial.now_ms, settle_ms: 0 })?;
    done(Step::List, counted(listing.files.len()));
    if trial.writes {
        let failed = |error| ConnectionError::at(path, "written", error);
        let probe = tempfile::Builder::new().prefix(PROBE_PREFIX).suffix(".tmp").tempfile_in(path).map_err(failed)?;
        done(Step::Write, String::new());
        probe.close().map_err(failed)?;
        done(Step::Remove, String::new());
    }
    Ok(())
}

/// What may help against a failure, where its own words do not say it.
#[must_use]
pub const fn advice(error: &ConnectionError) -> Option<&'static str> {
    match error {
        ConnectionError::Unreachable { step, .. } => Some(match step {
            Step::Resolve => "look at the host in connections.toml, and whether this machine can look names up",
            Step::Connect => {
                "look at the port in connections.toml, whether the server runs, and whether firewalls let this machine reach it"
            }
            Step::HostKey | Step::Certificate => "look whether this port is the right one, and whether a firewall cuts the connection off",
            Step::SignIn => "try again; if it stays so, ask the server's owner what its log says",
            Step::List | Step::Read | Step::Write | Step::Rename | Step::Remove => {
                "try again; if it stays so, ask the server's owner whether the server is in order and its disk has room"
            }
        }),
        ConnectionError::Refused { step: Step::List | Step::Read, .. } => {
            Some("look at the place in connections.toml, or ask the server's owner to let this user in there")
        }
        ConnectionError::Refused { step: Step::Write | Step::Rename | Step::Remove, .. } => {
            Some("ask the server's owner to let this user write, rename and remove files there")
        }
        _ => None,
    }
}

/// How the files that a check writes are called: hidden, so that no receiver takes one.
pub(super) const PROBE_PREFIX: &str = ".bailiwick-check-";

/// A count of files, for people.
pub(super) fn counted(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}
