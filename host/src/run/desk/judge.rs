//! A component that is handed in, judged by the cases that it brings.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::rehearse::{CaseOutcome, Stage};
use crate::registry::package;
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::run::release::ReleaseError;
use crate::run::shelf::Plugin;
use crate::sandbox;

/// How long all cases of a component may take.
const CASES_WITHIN: Duration = Duration::from_secs(120);

/// Cases that are named of those that failed, and how long a name may be, in characters.
const NAMED_MAX: usize = 3;
const NAME_CHARS_MAX: usize = 80;

/// How much is told of a case that cannot be played, in characters.
const WHY_CHARS_MAX: usize = 400;

impl Hub {
    /// Plays the cases that a component brings, on a thread that no run and no decision waits for; how many there are. A component that
    /// brings none is not judged by any.
    ///
    /// # Errors
    /// [`ReleaseError::CasesFail`] if one comes out otherwise than it says; or what a case stops at.
    pub(in crate::run) async fn judge_by_own_cases(&self, component: &[u8], plugin: Arc<Plugin>) -> Result<usize, RunError> {
        let section = sandbox::read_section(component)?.ok_or(RunError::NoManifest)?;
        let cases = package::unpack(&section)?.cases;
        if cases.is_empty() {
            return Ok(0);
        }
        let folder = tempfile::tempdir_in(self.data().join("spill"))?;
        cases.write_to(folder.path())?;
        let stage = Stage { plugin, until: Some((Instant::now() + CASES_WITHIN, CASES_WITHIN)) };
        let play = stage.play(folder.path()).map_err(unplayable)?;
        // Some of the files are read while they are played.
        let judged = self.shared.sandbox.on_own_thread(play).await?.map_err(unplayable)?;
        if judged.cases.is_empty() {
            // Else a file that is no case would keep from whoever approves it that nothing was tried.
            return Err(ReleaseError::CasesUnplayable {
                why: "there are files in its folder of cases, and none of them is a case".to_owned(),
            }
            .into());
        }
        let fails = |case: &&CaseOutcome| !case.differences.is_empty();
        let failed: Vec<&CaseOutcome> = judged.cases.iter().filter(fails).collect();
        if failed.is_empty() {
            return Ok(judged.cases.len());
        }
        let first: Vec<String> = failed.iter().take(NAMED_MAX).map(|case| shown(&case.name, NAME_CHARS_MAX)).collect();
        Err(ReleaseError::CasesFail { failed: failed.len(), of: judged.cases.len(), first }.into())
    }
}

/// What is wrong with a case is wrong with the component that brings it, unless the hub itself has failed.
fn unplayable(error: RunError) -> RunError {
    match error {
        error @ (RunError::Disk(_) | RunError::Ledger(_) | RunError::Sandbox(_)) => error,
        error => ReleaseError::CasesUnplayable { why: shown(&error.to_string(), WHY_CHARS_MAX) }.into(),
    }
}

/// A text that may come from anybody, in one line.
fn shown(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for each in text.chars().take(most) {
        match each {
            '\n' => shown.push(' '),
            '\'' | '"' => shown.push(each),
            other => shown.extend(other.escape_debug()),
        }
    }
    shown
}
