//! Every misdeed under its limits: what it dies of, that the reason says so, and that nobody beside it notices.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bailiwick::model::limits::{LIMITS, Limit, MESSAGE_BYTES_MAX};
use bailiwick::model::manifest::Manifest;
use bailiwick::model::outcome::{Decision, Outcome};
use bailiwick::sandbox::{CallError, Report, Sandbox};
use proptest::prelude::*;

use super::misdeeds::{Answers, Asks, End, Forgeries, MISLEADING, Misdeed, Rules, Speaks, Takes, Trial};
use super::{
    adapter, adapter_run, on_decision_thread, on_run_thread, rows, rule_set, rule_set_manifest, sandbox, sandbox_in, setup, wait,
    with_limits,
};

/// Rows of each run: the second byte of each bitmap has one of them.
const ROWS: usize = 9;

/// How something came out, and every text in it that a person may see.
pub(super) struct Happened {
    pub(super) result: Result<(), CallError>,
    report: Report,
    texts: Vec<String>,
}

impl Happened {
    pub(super) fn new<T>(result: Result<T, CallError>, report: Report, texts_of: impl Fn(&T) -> Vec<String>) -> Self {
        let mut texts: Vec<String> = report.log.iter().map(|note| note.message.clone()).collect();
        match &result {
            Ok(answer) => texts.extend(texts_of(answer)),
            Err(error) => texts.push(error.to_string()),
        }
        Self { result: result.map(drop), report, texts }
    }

    /// What is not as the trial says; nothing if all is.
    pub(super) fn amiss(&self, name: &str, Trial(limits, end): &Trial) -> Option<String> {
        let as_told = match (end, &self.result) {
            (End::Dies(limit), Err(error @ CallError::LimitReached { limit: found, allowed, .. })) => {
                let text = error.to_string();
                (found, *allowed) == (limit, amount(limits, *limit)) && text.contains("plugin hostile") && named(&text, *limit, *allowed)
            }
            (End::Curbed(limit), Ok(()) | Err(CallError::Failed(_))) => {
                let allowed = amount(limits, *limit);
                self.report.usage.get(*limit).is_some_and(|used| used <= allowed && used > allowed / 2)
            }
            (End::Traps(words), Err(CallError::Trapped { message: text, .. }))
            | (End::Unsound(words), Err(CallError::Unsound { detail: text, .. })) => text.contains(words),
            (End::Fails(words), Err(CallError::Failed(failure))) => failure.to_string().contains(words),
            (End::Unharmed | End::CompilesOrStops, Ok(())) => true,
            _ => false,
        };
        let unread = self.texts.iter().find_map(|text| unfit_to_read(text));
        let unmeasured = self.report.usage.iter().any(|(_, used)| used == 0);
        let fault = if as_told && !unmeasured { unread? } else { format!("{:?} with {:?}", self.result, self.report.usage) };
        Some(format!("{name} {limits:?} should be {end:?}: {fault}"))
    }
}

fn amount(limits: &[(Limit, u64)], limit: Limit) -> u64 {
    limits.iter().find(|(set, _)| *set == limit).map_or(limit.fact().default, |(_, amount)| *amount)
}

fn named(text: &str, limit: Limit, amount: u64) -> bool {
    text.contains(limit.name()) && text.contains(&amount.to_string())
}

/// Why a person should not see a text; nothing if they may.
fn unfit_to_read(text: &str) -> Option<String> {
    let misleads = |character: char| MISLEADING.contains(character) && !character.is_ascii_graphic();
    let unfit = text.contains(misleads) || text.len() > 5 * MESSAGE_BYTES_MAX;
    unfit.then(|| format!("{} bytes are not fit to read: {:?}", text.len(), text.chars().take(200).collect::<String>()))
}

fn texts_of_outcome(outcome: &Outcome) -> Vec<String> {
    let reasons = outcome.findings.iter().flat_map(|finding| &finding.reasons);
    reasons.flat_map(|reason| [reason.code.clone(), reason.message.clone()]).collect()
}

fn texts_of_decision(decision: &Decision) -> Vec<String> {
    let reasons = decision.reasons.iter().flat_map(|reason| [&reason.rule, &reason.text].into_iter().chain(&reason.evidence));
    let actions = decision.actions.iter().flat_map(|action| [&action.kind, &action.party, &action.text]);
    let tables = decision.tables.iter().flat_map(|table| [&table.table, &table.version]);
    reasons.chain(actions).chain(tables).chain([&decision.outcome]).cloned().collect()
}

/// A run of the hostile adapter.
pub(super) fn run(misdeed: Misdeed, limits: &[(Limit, u64)]) -> Happened {
    let setup = with_limits(setup(adapter(), misdeed.name()), limits);
    let (result, report) = on_run_thread(move |worker| adapter_run(worker, &setup, &rows(10, ROWS)));
    Happened::new(result, report, texts_of_outcome)
}

/// A decision of the hostile rule set.
pub(super) fn decide(misdeed: Rules, limits: &[(Limit, u64)]) -> Happened {
    let setup = with_limits(setup(rule_set(), ""), limits);
    let case = serde_json::json!({ "misbehave": misdeed.name() }).to_string();
    let (result, report) = on_decision_thread(move |worker| match worker.decide(&setup, &case) {
        Ok((decision, report)) => (Ok(decision), report),
        Err(failed) => (Err(failed.error), failed.report),
    });
    Happened::new(result, report, texts_of_decision)
}

/// Installs a forgery and has it decide; it must come to its end in one or the other. Says what is amiss.
fn install_and_decide(sandbox: &Sandbox, forgery: Forgeries, component: &[u8], trial: &Trial) -> Option<String> {
    let Trial(limits, end) = trial;
    let manifest = Manifest { limits: limits.to_vec(), ..rule_set_manifest() };
    let begun = Instant::now();
    let release = match sandbox.install(component, &manifest) {
        Ok(release) => release,
        Err(error) => {
            let text = error.to_string();
            let is = |limit: Limit| named(&text, limit, amount(limits, limit));
            let as_told = match end {
                End::Dies(limit) => is(*limit),
                End::Refused(words) => text.contains(words),
                End::CompilesOrStops => is(Limit::CompileMs) || is(Limit::CompileBytes),
                _ => false,
            };
            // Ten seconds more for writing, reading and checking it on a busy machine.
            let allowed = Duration::from_millis(amount(limits, Limit::CompileMs).min(1_500)) + Duration::from_secs(10);
            let fault = if as_told && begun.elapsed() < allowed { unfit_to_read(&text)? } else { text };
            return Some(format!("{} {limits:?} should be {end:?}: after {:?} {fault}", forgery.name(), begun.elapsed()));
        }
    };
    let setup = with_limits(setup(release, ""), limits);
    let decided = wait(sandbox.on_decision_thread(move |worker| match worker.decide(&setup, "{}") {
        Ok((decision, report)) => Happened::new(Ok(decision), report, texts_of_decision),
        Err(failed) => Happened::new(Err(failed.error), failed.report, texts_of_decision),
    }));
    decided.expect("the thread answers").amiss(forgery.name(), trial)
}

/// Something that a limit must be the end of.
enum Culprit {
    Adapter(Misdeed),
    Forgery(Forgeries),
    Connector(Speaks),
}

/// One for each limit: a limit without one does not compile.
const fn culprit(limit: Limit) -> Culprit {
    match limit {
        Limit::MemoryBytes => Culprit::Adapter(Misdeed::Takes(Takes::MemoryBySteps)),
        Limit::TableEntries => Culprit::Forgery(Forgeries::TableGrowth),
        Limit::Instances => Culprit::Forgery(Forgeries::ManyInstances),
        Limit::CpuMs => Culprit::Adapter(Misdeed::Takes(Takes::EndlessLoop)),
        Limit::WallMs => Culprit::Adapter(Misdeed::Asks(Asks::ClockForever)),
        Limit::StackBytes => Culprit::Adapter(Misdeed::Takes(Takes::DeepRecursion)),
        Limit::HostCallBytes => Culprit::Forgery(Forgeries::OneTextAThousandTimes),
        Limit::RetainedBytes | Limit::StateBytes => Culprit::Adapter(Misdeed::Asks(Asks::StateFlood)),
        Limit::LogLines | Limit::LogBytes => Culprit::Adapter(Misdeed::Asks(Asks::LogFlood)),
        Limit::Handles => Culprit::Adapter(Misdeed::Asks(Asks::TablesFlood)),
        Limit::OutputRows | Limit::OutputBytes => Culprit::Adapter(Misdeed::Answers(Answers::OutputFlood)),
        Limit::RandomBytes => Culprit::Adapter(Misdeed::Asks(Asks::RandomFlood)),
        Limit::HttpRequests => Culprit::Connector(Speaks::RequestFlood),
        Limit::HttpSentBytes => Culprit::Connector(Speaks::SentFlood),
        Limit::HttpReceivedBytes => Culprit::Connector(Speaks::ReceivedFlood),
        Limit::HttpRequestMs => Culprit::Connector(Speaks::SlowAnswers),
        Limit::ComponentBytes => Culprit::Forgery(Forgeries::TwoHundredMegabytes),
        Limit::CompileMs | Limit::CompileBytes => Culprit::Forgery(Forgeries::OneHugeFunction),
    }
}

#[test]
fn every_limit_has_a_misdeed_that_dies_of_it() {
    for fact in LIMITS {
        let trials = match culprit(fact.limit) {
            Culprit::Adapter(misdeed) => misdeed.trials(),
            Culprit::Forgery(forgery) => forgery.trials(),
            Culprit::Connector(misdeed) => misdeed.trials(),
        };
        // That the trials end as they say is what the tests below are for.
        let ends = |Trial(_, end): &Trial| matches!(end, End::Dies(limit) | End::Curbed(limit) if *limit == fact.limit);
        assert!(trials.iter().any(ends), "{}", fact.name);
    }
}

#[test]
fn every_misdeed_of_an_adapter_comes_to_its_end_and_siblings_do_not_notice() {
    let over = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&over);
    // The run that is in order, again and again on the other thread.
    let sibling = std::thread::spawn(move || {
        let mut slowest = Duration::ZERO;
        let mut runs = 0;
        while !seen.load(Ordering::Relaxed) {
            let begun = Instant::now();
            let trial = Trial(&[], End::Unharmed);
            assert_eq!(run(Misdeed::Takes(Takes::Nothing), &[]).amiss("the sibling", &trial), None);
            slowest = slowest.max(begun.elapsed());
            runs += 1;
        }
        (runs, slowest)
    });
    let trials = Misdeed::all().flat_map(|misdeed| misdeed.trials().iter().map(move |trial| (misdeed, trial)));
    let amiss: Vec<String> = trials.filter_map(|(misdeed, trial)| run(misdeed, trial.0).amiss(misdeed.name(), trial)).collect();
    over.store(true, Ordering::Relaxed);
    let (runs, slowest) = sibling.join().expect("no sibling was harmed");
    assert!(amiss.is_empty(), "{}", amiss.join("\n"));
    assert!(runs > 20 && slowest < Duration::from_secs(5), "{runs} runs, the slowest in {slowest:?}");
}

#[test]
fn every_misdeed_of_a_rule_set_comes_to_its_end() {
    let trials = Rules::ALL.iter().flat_map(|misdeed| misdeed.trials().iter().map(move |trial| (*misdeed, trial)));
    let amiss: Vec<String> = trials.filter_map(|(misdeed, trial)| decide(misdeed, trial.0).amiss(misdeed.name(), trial)).collect();
    assert!(amiss.is_empty(), "{}", amiss.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]
    #[test]
    fn a_component_that_was_tampered_with_is_refused_or_does_no_harm(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 1..4),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let mut component = sound().to_vec();
        for (place, bit) in flips {
            component[place.index(sound().len())] ^= 1 << bit;
        }
        component.truncate(cut.map_or(component.len(), |at| at.index(component.len())));
        let manifest = Manifest { limits: vec![(Limit::CpuMs, 100)], ..rule_set_manifest() };
        match sandbox().install(&component, &manifest) {
            Err(error) => prop_assert_eq!(unfit_to_read(&error.to_string()), None),
            Ok(release) => {
                let setup = with_limits(setup(release, ""), &[(Limit::CpuMs, 100)]);
                let decided = on_decision_thread(move |worker| worker.decide(&setup, "{}").map_err(|failed| failed.error));
                prop_assert!(!matches!(decided, Err(CallError::HubFault { .. })), "{decided:?}");
            }
        }
    }
}

fn sound() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| Forgeries::Sound.component())
}

#[test]
fn every_forgery_comes_to_its_end() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sandbox = sandbox_in(folder.path(), 2).expect("it starts");
    let mut amiss = Vec::new();
    for forgery in Forgeries::ALL {
        let component = forgery.component();
        for trial in forgery.trials() {
            amiss.extend(install_and_decide(&sandbox, *forgery, &component, trial));
        }
    }
    assert!(amiss.is_empty(), "{}", amiss.join("\n"));
}
