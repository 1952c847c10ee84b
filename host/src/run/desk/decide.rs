//! A case decided at once: validated, in a fresh sandbox, with nothing kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::ids::{Digest, JobName, PartnerName, PluginName};
use crate::model::limits::Limits;
use crate::model::manifest::Kind;
use crate::model::outcome::Decision;
use crate::registry::schema::Violation;
use crate::run::Hub;
use crate::run::conduct::limits;
use crate::run::failure::RunError;
use crate::run::release::working;
use crate::run::shelf::{self, Plugin};
use crate::sandbox::{Setup, Worker};
use crate::telemetry::{Counted, Figures};

/// A decision, and what made it.
#[derive(Debug)]
pub struct Decided {
    /// What was decided.
    pub decision: Decision,
    /// The release that decided.
    pub release: Digest,
}

/// What is asked: which rule set of which partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Whose rule set.
    pub partner: PartnerName,
    /// Which.
    pub plugin: PluginName,
    /// Its settings, a JSON object.
    pub settings: serde_json::Value,
    /// How long all of its cases may take; those whose turn has not come by then are not decided.
    pub within: Duration,
}

/// How long a thread stays with the cases of one request while others wait.
const TURN: Duration = Duration::from_millis(50);

/// What decides the cases of one request.
struct Decider {
    plugin: Arc<Plugin>,
    setup: Arc<Setup>,
    figures: Arc<Figures>,
}

impl Hub {
    /// Decides some cases by the active release of a rule set, each in a sandbox of its own. The answers stand in the order of the cases.
    /// Many cases take turns with those of other requests.
    ///
    /// # Errors
    /// [`RunError::NoRelease`], [`RunError::NotARuleSet`], or the hub's own failures. A case that cannot be decided has its error in its place.
    pub async fn decide(&self, question: &Question, cases: Vec<String>) -> Result<Vec<Result<Decided, RunError>>, RunError> {
        let active = shelf::active(self.ledger(), &question.partner, &question.plugin).await?;
        let plugin = self.plugin(active.release.key.digest).await?;
        let Kind::RuleSet(_) = &plugin.manifest.kind else { return Err(RunError::NotARuleSet { plugin: question.plugin.clone() }) };
        let ceiling = self.ceiling(&question.partner).await?;
        let grant = working(&plugin, active.grant().and(&ceiling))?;
        let through = self.ledger().tables_through(&question.partner).await?;
        let tables = self.shared.shelf.tables(self.ledger(), &question.partner, &plugin, through).await?;
        let now = self.clock().now();
        let setup = Arc::new(Setup {
            release: plugin.release.clone(),
            lent: grant.lend(&plugin.manifest.wants),
            partner: question.partner.clone(),
            job: "decision".parse::<JobName>().expect("this is a name"),
            inputs_present: Vec::new(),
            outputs_present: Vec::new(),
            settings: question.settings.to_string(),
            now,
            today: now.in_tz("Europe/London").map_or_else(|_| now.to_zoned(jiff::tz::TimeZone::UTC).date(), |zoned| zoned.date()),
            seed: [0; 32],
            tables,
            state: std::collections::BTreeMap::new(),
            http: None,
            limits: limits(&plugin.manifest, &[], &grant),
        });
        let decider = Arc::new(Decider { plugin, setup, figures: Arc::clone(self.figures()) });
        let (begun, mut cases) = (Instant::now(), cases.into_iter());
        let mut answers = Vec::with_capacity(cases.len());
        // Who waits no longer, drops this, and no further turn begins.
        while cases.len() > 0 && (answers.is_empty() || begun.elapsed() < question.within) {
            let decider = Arc::clone(&decider);
            let turn = move |worker: &Worker| {
                let decided = decider.turn(worker, &mut cases);
                (cases, decided)
            };
            let (left, decided) = self.shared.sandbox.on_decision_thread(turn).await?;
            answers.extend(decided);
            cases = left;
        }
        let within = question.within;
        answers.extend(cases.map(|_| Err(RunError::NotInTime { within })));
        Ok(answers)
    }
}

impl Decider {
    /// Decides cases until the turn is over or there are no more.
    fn turn(&self, worker: &Worker, cases: &mut std::vec::IntoIter<String>) -> Vec<Result<Decided, RunError>> {
        let begun = Instant::now();
        let mut decided = Vec::new();
        for case in cases {
            let asked = Instant::now();
            let answer = self.decide(worker, &case);
            self.count(&answer, asked.elapsed());
            decided.push(answer);
            if begun.elapsed() >= TURN {
                break;
            }
        }
        decided
    }

    fn count(&self, answer: &Result<Decided, RunError>, took: Duration) {
        let of = Counted { partner: self.setup.partner.as_str(), of: self.plugin.manifest.name.as_str() };
        self.figures.decided(of, answer.is_ok(), took);
        let limit = answer.as_ref().err().map(RunError::code).filter(|code| Limits::named(code).is_some());
        if let Some(limit) = limit {
            self.figures.stopped_by(Counted { of: self.setup.job.as_str(), ..of }, limit);
        }
    }

    fn decide(&self, worker: &Worker, case: &str) -> Result<Decided, RunError> {
        let value: serde_json::Value =
            serde_json::from_str(case).map_err(|error| RunError::BadCase { violations: vec![error.to_string()] })?;
        let schema = self.plugin.case_schema.as_deref().expect("a rule set has a schema");
        let violations = schema.violations(&value);
        if !violations.is_empty() {
            let told = |violation: Violation| format!("{}: {}", violation.pointer, violation.message);
            return Err(RunError::BadCase { violations: violations.into_iter().map(told).collect() });
        }
        let (decision, _) = worker.decide(&self.setup, case).map_err(|failed| failed.error)?;
        Ok(Decided { decision, release: self.plugin.release.digest })
    }
}
