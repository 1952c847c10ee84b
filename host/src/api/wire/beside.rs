//! The JSON of a release beside the active one: how it stands there, what its trials came to, what people said of that.

use serde::Serialize;
use utoipa::ToSchema;

use super::moment;
use crate::ledger::{Candidate, CandidateWay, Explanation, ProofState, StoredTrial};

/// How a release did beside the active one, against what its partner asks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ProofJson {
    /// Runs on which it came to the same, or to differences that are explained where that counts.
    clean_runs: u32,
    /// How many of them its partner asks for; 0 where it asks for nothing.
    clean_runs_asked: u32,
    /// Whether a difference that somebody has explained counts as clean.
    explained_counts: bool,
    /// Why it cannot be activated yet, if that is so.
    lacks: Option<String>,
    /// What names the trials that came to something else, as they are now: an explanation and an activation may name it, and then hold for
    /// these and no others.
    code: String,
    /// Every trial, oldest first. What one differs in is at `/api/v1/runs/{run}/differences`.
    trials: Vec<TrialJson>,
    /// What people said of kinds of difference.
    explanations: Vec<ExplanationJson>,
    /// How it stands beside the active one now, if it does.
    beside: Option<CandidateJson>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct TrialJson {
    run: String,
    /// The run that it did again.
    origin: String,
    /// same, differs or failed.
    outcome: String,
    /// The kinds of difference, such as `return.employee_expected`.
    kinds: Vec<String>,
    /// Whether somebody has explained every one of them since.
    explained: bool,
    at: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct ExplanationJson {
    kind: String,
    why: String,
    by: String,
    at: String,
}

/// A release that stands, or stood, beside the active one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CandidateJson {
    plugin: String,
    /// SHA-256 of the release's component.
    release: String,
    /// 1, 2, 3 for each plugin.
    number: u64,
    /// parallel: every run is done again, and delivers nothing. canary: a share of the runs is done with it, and delivers.
    way: String,
    /// Of a canary: its bounds.
    bounds: Option<BoundsJson>,
    /// Of a canary: runs that closed, were held, and failed.
    runs: Option<[u64; 3]>,
    begun_at: String,
    begun_by: String,
    ended_at: Option<String>,
    ended_by: Option<String>,
    ended_why: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct BoundsJson {
    /// Of a hundred runs.
    share: u32,
    failures_max: u32,
    held_max: u32,
    took_ms_max: Option<u64>,
}

impl ProofJson {
    /// How a release did, and how it stands.
    pub(crate) fn new(proof: &ProofState, beside: Option<&Candidate>) -> Self {
        Self {
            clean_runs: proof.clean,
            clean_runs_asked: proof.asked.clean_runs,
            explained_counts: proof.asked.explained,
            lacks: proof.lacks.clone(),
            code: proof.code(),
            trials: proof.trials.iter().map(trial).collect(),
            explanations: proof.explanations.iter().map(explanation).collect(),
            beside: beside.map(CandidateJson::from),
        }
    }
}

fn trial(trial: &StoredTrial) -> TrialJson {
    TrialJson {
        run: trial.run.to_string(),
        origin: trial.origin.to_string(),
        outcome: trial.trial.outcome.as_str().to_owned(),
        kinds: trial.trial.kinds.clone(),
        explained: trial.explained,
        at: moment(trial.at_ms),
    }
}

fn explanation(said: &Explanation) -> ExplanationJson {
    ExplanationJson { kind: said.kind.clone(), why: said.why.clone(), by: said.by.to_string(), at: moment(said.at_ms) }
}

impl From<&Candidate> for CandidateJson {
    fn from(candidate: &Candidate) -> Self {
        let (way, bounds) = match candidate.way {
            CandidateWay::Parallel => ("parallel", None),
            CandidateWay::Canary(bounds) => ("canary", Some(bounds)),
        };
        let (closed, held, failed) = candidate.runs;
        let ended = candidate.ended.as_ref();
        Self {
            plugin: candidate.key.plugin.to_string(),
            release: candidate.key.digest.to_string(),
            number: candidate.number,
            way: way.to_owned(),
            runs: bounds.map(|_| [closed, held, failed]),
            bounds: bounds.map(|bounds| BoundsJson {
                share: bounds.share / 100,
                failures_max: bounds.failures_max,
                held_max: bounds.held_max,
                took_ms_max: bounds.took_ms_max,
            }),
            begun_at: moment(candidate.begun_at_ms),
            begun_by: candidate.begun_by.to_string(),
            ended_at: ended.map(|(at_ms, ..)| moment(*at_ms)),
            ended_by: ended.map(|(_, by, _)| by.to_string()),
            ended_why: ended.map(|(.., why)| why.clone()),
        }
    }
}
