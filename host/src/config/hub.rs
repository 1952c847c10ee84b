//! `hub.toml`, and what partners ask of releases before they use them: the rules that stand over plugins.

use serde::Serialize;
use toml::Spanned;

use super::ConfigError;
use super::folder::Reader;
use super::written;
use crate::model::grant::{Grant, Lent};
use crate::model::ids::PluginName;
use crate::model::job::{Proof, Proofs};
use crate::model::limits::PROOF_RUNS_MAX;
use crate::registry::manifest;
use crate::registry::source::Source;

/// The file of the hub's operator.
pub(super) const HUB_FILE: &str = "hub.toml";

impl Reader<'_> {
    /// What the operator allows at all; without a file, all that plugins ask for.
    pub(super) fn hub(&mut self) -> Result<(), ConfigError> {
        let Some((source, written)) = self.file::<written::HubFile>(HUB_FILE)? else { return Ok(()) };
        for text in &written.ceiling.without {
            let lent = text.get_ref().parse::<Lent>();
            let lent = lent.map_err(|why| source.problem(Some(text.span()), why, "name what no plugin is to be lent"));
            self.made.ceiling.without.extend(self.problems.note(lent));
        }
        for (name, amount) in &written.ceiling.limits.0 {
            let limit = manifest::limit(&source, name, amount);
            self.made.ceiling.limits.extend(self.problems.note(limit));
        }
        Ok(())
    }

    /// What a partner asks of a release before it becomes active.
    pub(super) fn proofs(&mut self, source: &Source, written: &written::Proof) -> Proofs {
        let mut proofs = Proofs::default();
        if let Some(runs) = &written.clean_runs {
            proofs.all = self.proof(source, runs, written.differences);
        }
        for entry in &written.plugin {
            let proof = self.proof(source, &entry.clean_runs, entry.differences);
            let Some(name) = self.name::<PluginName>(source, &entry.name) else { continue };
            if proofs.of.insert(name, proof).is_some() {
                self.twice(source, &entry.name, "plugin of this proof");
            }
        }
        proofs
    }

    fn proof(&mut self, source: &Source, runs: &Spanned<u64>, differences: written::DifferencesWord) -> Proof {
        let clean_runs = u32::try_from(*runs.get_ref()).ok().filter(|runs| *runs <= PROOF_RUNS_MAX);
        if clean_runs.is_none() {
            let what = format!("clean-runs is {}", runs.get_ref());
            self.problems.add(source.problem(Some(runs.span()), what, format!("write at most {PROOF_RUNS_MAX}")));
        }
        Proof { clean_runs: clean_runs.unwrap_or_default(), explained: differences == written::DifferencesWord::Explained }
    }
}

#[derive(Serialize)]
struct File<'a> {
    ceiling: Ceiling<'a>,
}

#[derive(Serialize)]
struct Ceiling<'a> {
    without: Vec<String>,
    limits: std::collections::BTreeMap<&'a str, u64>,
}

/// The file that says the same as a ceiling; none where everything is allowed.
#[must_use]
pub fn text(ceiling: &Grant) -> Option<String> {
    if *ceiling == Grant::default() {
        return None;
    }
    let without = ceiling.without.iter().map(ToString::to_string).collect();
    let limits = ceiling.limits.iter().map(|(limit, most)| (limit.name(), *most)).collect();
    Some(toml::to_string(&File { ceiling: Ceiling { without, limits } }).expect("names and numbers are TOML"))
}
