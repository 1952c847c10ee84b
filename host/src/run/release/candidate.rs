//! A release beside the active one, before it takes its place: in parallel, as a canary; what its trials came to and what people say of
//! that; and a release that is given up.

use super::trial::Differences;
use super::{ReleaseError, Reviewed};
use crate::ledger::{
    By, Candidate, CandidateWay, Claim, Instruction, LedgerError, NewCandidate, NewTrial, ProofState, ReleaseKey, Run, RunFilter, RunState,
    Scope, TrialOutcome, Trigger,
};
use crate::model::ids::{Digest, PartnerName, PluginName, RunId};
use crate::model::manifest::Kind;
use crate::model::personal::Sight;
use crate::run::Hub;
use crate::run::conduct::{Pinned, shows};
use crate::run::failure::RunError;

/// Runs that are looked at while trials under way are sought.
const PAGE: u32 = 1_000;

impl Hub {
    /// Lets a release stand beside the active one, in place of any other that does: every run done again with it, or a share of the runs done
    /// with it. A canary delivers, so it needs all that an activation needs.
    ///
    /// # Errors
    /// [`ReleaseError::JobsUnfit`]; [`RunError::Ledger`] with what the release lacks. Each is noted in the audit trail.
    pub async fn begin_candidate(&self, of: impl Into<Reviewed<'_>>, way: CandidateWay, by: &By) -> Result<(), RunError> {
        let of: Reviewed<'_> = of.into();
        let begin = |by: By| async move {
            self.fits_its_jobs(of.key).await?;
            let plugin = self.plugin(of.key.digest).await?;
            if matches!((way, &plugin.manifest.kind), (CandidateWay::Canary(_), Kind::Format(_) | Kind::Connector(_))) {
                return Err(ReleaseError::NoCanary { plugin: of.key.plugin.clone() }.into());
            }
            let mut chance = [0; 32];
            getrandom::fill(&mut chance).expect("the system gives random numbers");
            let new = NewCandidate { key: of.key.clone(), way, choice_key: Digest::new(chance) };
            self.ledger().begin_candidate(&new, &by).await?;
            Ok(())
        };
        let begun = self.as_judged(of, by, begin).await;
        self.noted(of.key, begun, by).await
    }

    /// Ends it: from the next claim on, no run is done with the release that stands beside a plugin's active one. Answers which that was.
    /// Where the person says which they mean, no other is ended.
    ///
    /// # Errors
    /// [`RunError::Ledger`] if none does, or another than the person means.
    pub async fn end_candidate(
        &self,
        of: (&PartnerName, &PluginName),
        (meant, why): (Option<Digest>, &str),
        by: &By,
    ) -> Result<Candidate, RunError> {
        let ended = self.ledger().end_candidate(of, (meant, why), by).await.map_err(RunError::from);
        if let Err(error @ RunError::Ledger(LedgerError::OtherStands { meant, .. })) = &ended {
            self.note_refusal(of.0, ("release.turn-away", *meant, &error.to_string()), by).await?;
        }
        ended
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
    /// [`ReleaseError::OtherTrials`] if other trials differ than the person saw; [`RunError::Ledger`]: there is no such release or difference, or whoever added the release explains it, which is noted.
    pub async fn explain_difference(&self, of: impl Into<Reviewed<'_>>, (kind, why): (&str, &str), by: &By) -> Result<usize, RunError> {
        let of: Reviewed<'_> = of.into();
        let key = of.key;
        let said = self.as_judged(of, by, |by: By| async move { Ok(self.ledger().explain(key, (kind, why), &by).await?) }).await;
        self.noted(key, said, by).await?;
        let mut released = 0;
        let scope = Scope::Partner(&key.partner);
        // What depended on how the trail stood is done: its own entry is what the trail went on by.
        let then = By { as_of: None, ..by.clone() };
        for trial in self.ledger().proof(key).await?.trials.iter().filter(|trial| trial.explained) {
            if self.ledger().run(scope, trial.run).await?.is_some_and(|run| run.state == RunState::Held) {
                let instruction = Instruction::Release { why: format!("{kind}: {why}") };
                self.ledger().instruct(scope, trial.run, instruction, &then).await?;
                released += 1;
            }
        }
        Ok(released)
    }

    /// Gives a release up: it is not used again; what has begun with it goes on. Answers false if it was given up before.
    ///
    /// # Errors
    /// [`LedgerError::StillUsed`] while it is active, beside the active one, or named by a job.
    pub async fn retire_release(&self, of: impl Into<Reviewed<'_>>, why: &str, by: &By) -> Result<bool, RunError> {
        let of: Reviewed<'_> = of.into();
        let retired = self.as_judged(of, by, |by: By| async move { Ok(self.ledger().retire(of.key, why, &by).await?) }).await;
        self.noted(of.key, retired, by).await
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

    /// Keeps what a run came to that tried a release; of other runs, nothing, nor of one in which the release had nothing to do.
    pub(in crate::run) async fn keep_trial(&self, (claim, pinned): (&Claim, &Pinned), differs: bool) -> Result<(), RunError> {
        let Some(tried) = claim.run.enqueued.release else { return Ok(()) };
        let tried = self.plugin(tried).await?;
        if !shows(&pinned.job, &tried.manifest.name) {
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
