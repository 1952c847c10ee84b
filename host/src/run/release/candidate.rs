//! A release beside the active one, before it takes its place: in parallel, as a canary; what its trials came to and what people say of
//! that; and a release that is given up.

use super::ReleaseError;
use super::trial::Differences;
use crate::ledger::{
    By, Candidate, CandidateWay, Claim, Instruction, LedgerError, NewCandidate, NewTrial, ProofState, ReleaseKey, Run, RunFilter, RunState,
    Scope, TrialOutcome, Trigger,
};
use crate::model::ids::{Digest, PartnerName, PluginName, RunId};
use crate::model::personal::Sight;
use crate::run::Hub;
use crate::run::failure::RunError;

/// Runs that are looked at while trials under way are sought.
const PAGE: u32 = 1_000;

impl Hub {
    /// Lets a release stand beside the active one, in place of any other that does: every run done again with it, or a share of the runs done
    /// with it. A canary delivers, so it needs all that an activation needs.
    ///
    /// # Errors
    /// [`ReleaseError::JobsUnfit`]; [`RunError::Ledger`] with what the release lacks. Each is noted in the audit trail.
    pub async fn begin_candidate(&self, key: &ReleaseKey, way: CandidateWay, by: &By) -> Result<(), RunError> {
        let begun = async {
            self.fits_its_jobs(key).await?;
            let mut chance = [0; 32];
            getrandom::fill(&mut chance).expect("the system gives random numbers");
            let new = NewCandidate { key: key.clone(), way, choice_key: Digest::new(chance) };
            self.ledger().begin_candidate(&new, by).await?;
            Ok(())
        };
        let begun = begun.await;
        self.noted(key, begun, by).await
    }

    /// Ends it: from the next claim on, no run is done with the release that stands beside a plugin's active one.
    ///
    /// # Errors
    /// [`RunError::Ledger`] if none does.
    pub async fn end_candidate(&self, of: (&PartnerName, &PluginName), why: &str, by: &By) -> Result<(), RunError> {
        Ok(self.ledger().end_candidate(of, why, by).await?)
    }

    /// Releases that stand or stood beside active ones, the last first.
    ///
    /// # Errors
    /// [`RunError::Ledger`].
    pub async fn candidates(&self, scope: Scope<'_>, plugin: Option<&PluginName>) -> Result<Vec<Candidate>, RunError> {
        Ok(self.ledger().candidates(scope, plugin).await?)
    }

    /// How a release did beside the active one, against what its partner asks before it is activated.
    ///
    /// # Errors
    /// [`RunError::Ledger`].
    pub async fn proof(&self, key: &ReleaseKey) -> Result<ProofState, RunError> {
        Ok(self.ledger().proof(key).await?)
    }

    /// Keeps a person's word on a kind of difference, such as `return.employee_expected`, which then holds for the trials that there are.
    /// Trials that were held and have no difference left that is not explained go on to their end. Answers how many.
    ///
    /// # Errors
    /// [`RunError::Ledger`]: there is no such release or difference, or whoever added the release explains it, which is noted.
    pub async fn explain_difference(&self, key: &ReleaseKey, (kind, why): (&str, &str), by: &By) -> Result<usize, RunError> {
        let said = self.ledger().explain(key, (kind, why), by).await.map_err(RunError::from);
        self.noted(key, said, by).await?;
        let mut released = 0;
        let scope = Scope::Partner(&key.partner);
        for trial in self.ledger().proof(key).await?.trials.iter().filter(|trial| trial.explained) {
            if self.ledger().run(scope, trial.run).await?.is_some_and(|run| run.state == RunState::Held) {
                let instruction = Instruction::Release { why: format!("{kind}: {why}") };
                self.ledger().instruct(scope, trial.run, instruction, by).await?;
                released += 1;
            }
        }
        Ok(released)
    }

    /// Gives a release up: it is not used again; what has begun with it goes on. Answers false if it was given up before.
    ///
    /// # Errors
    /// [`LedgerError::StillUsed`] while it is active, beside the active one, or named by a job.
    pub async fn retire_release(&self, key: &ReleaseKey, why: &str, by: &By) -> Result<bool, RunError> {
        match self.ledger().retire(key, why, by).await {
            Err(error @ LedgerError::StillUsed { .. }) => {
                self.note_refusal(&key.partner, ("release.turn-away", key.digest, &error.to_string()), by).await?;
                Err(error.into())
            }
            retired => Ok(retired?),
        }
    }

    /// Runs that try a release and have not come to their end.
    ///
    /// # Errors
    /// [`RunError::Ledger`].
    pub async fn trials_under_way(&self, key: &ReleaseKey) -> Result<Vec<RunId>, RunError> {
        let mut under_way = Vec::new();
        for state in [RunState::Queued, RunState::Running, RunState::Staged] {
            let filter = RunFilter { state: Some(state), ..RunFilter::default() };
            let runs = self.ledger().runs(Scope::Partner(&key.partner), &filter, PAGE).await?.items;
            let tries = |run: &&Run| run.enqueued.release == Some(key.digest) && matches!(run.trigger(), Trigger::Replay(_));
            under_way.extend(runs.iter().filter(tries).map(|run| run.id));
        }
        under_way.sort_unstable();
        Ok(under_way)
    }

    /// Keeps what a run came to that tried a release; of other runs, nothing.
    pub(in crate::run) async fn keep_trial(&self, claim: &Claim, differs: bool) -> Result<(), RunError> {
        if claim.run.enqueued.release.is_none() {
            return Ok(());
        }
        let mut trial = NewTrial { outcome: TrialOutcome::Same, kinds: Vec::new(), differences: None };
        if differs {
            let scope = Scope::Partner(claim.run.partner());
            let found = match self.compared(scope, claim.lease.run, Sight::Masked).await {
                Ok(found) => Some(found),
                // What the release wrote cannot be compared row by row, and differs all the same.
                Err(RunError::Release(ReleaseError::NotATrial { .. })) => None,
                Err(error) => return Err(error),
            };
            trial.outcome = TrialOutcome::Differs;
            trial.kinds =
                found.as_ref().map(Differences::kinds).filter(|kinds| !kinds.is_empty()).unwrap_or_else(|| vec!["other".to_owned()]);
            trial.differences = found.map(|found| found.told().to_string());
        }
        Ok(self.ledger().record_trial(&claim.lease, self.clock().now_ms(), &trial).await?)
    }
}
