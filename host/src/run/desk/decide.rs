//! A case decided at once: validated, in a fresh sandbox, with nothing kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::ledger::DecidesBy;
use crate::model::grant::Grant;
use crate::model::ids::{Digest, JobName, PartnerName, PluginName};
use crate::model::limits::Limits;
use crate::model::manifest::Kind;
use crate::model::outcome::Decision;
use crate::model::table::TableSet;
use crate::registry::schema::Violation;
use crate::run::Hub;
use crate::run::conduct::limits;
use crate::run::failure::RunError;
use crate::run::release::{ceiling_of, working};
use crate::run::shelf::Plugin;
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
    pub settings: Value,
    /// How long all of its cases may take; those whose turn has not come by then are not decided.
    pub within: Duration,
}

/// How long a thread stays with the cases of one request while others wait.
const TURN: Duration = Duration::from_millis(50);

/// A rule set ready to decide, for as long as what it decides by stands.
pub(in crate::run) struct Standing {
    by: Arc<DecidesBy>,
    plugin: Arc<Plugin>,
    grant: Grant,
    tables: Arc<TableSet>,
}

/// The rule sets that have decided, by whose and which.
pub(in crate::run) type AllStanding = Mutex<HashMap<(PartnerName, PluginName), Arc<Standing>>>;

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
    pub async fn decide(&self, question: &Question, cases: Vec<Value>) -> Result<Vec<Result<Decided, RunError>>, RunError> {
        let standing = self.standing(&question.partner, &question.plugin).await?;
        let Standing { plugin, grant, tables, .. } = &*standing;
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
            tables: Arc::clone(tables),
            state: std::collections::BTreeMap::new(),
            http: None,
            limits: limits(&plugin.manifest, &[], grant),
        });
        let decider = Arc::new(Decider { plugin: Arc::clone(plugin), setup, figures: Arc::clone(self.figures()) });
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

    /// A rule set ready to decide: made ready anew only when what it decides by has changed, which is asked each time.
    async fn standing(&self, partner: &PartnerName, name: &PluginName) -> Result<Arc<Standing>, RunError> {
        let missing = || RunError::NoRelease { partner: partner.clone(), plugin: name.clone() };
        let by = self.ledger().decides_by(partner, name).await?.ok_or_else(missing)?;
        let kept = self.shared.standing.lock().expect("nobody panics while holding it").get(&(partner.clone(), name.clone())).cloned();
        if let Some(standing) = kept.filter(|standing| standing.by == by) {
            return Ok(standing);
        }
        let plugin = self.plugin(by.release.release.key.digest).await?;
        let Kind::RuleSet(_) = &plugin.manifest.kind else { return Err(RunError::NotARuleSet { plugin: name.clone() }) };
        let grant = working(&plugin, by.release.grant().and(&ceiling_of(by.hub_toml.clone())?))?;
        let tables = self.shared.shelf.tables(self.ledger(), partner, &plugin, by.tables_through).await?;
        let standing = Arc::new(Standing { by, plugin, grant, tables });
        let mut all = self.shared.standing.lock().expect("nobody panics while holding it");
        all.insert((partner.clone(), name.clone()), Arc::clone(&standing));
        Ok(standing)
    }
}

impl Decider {
    /// Decides cases until the turn is over or there are no more.
    fn turn(&self, worker: &Worker, cases: &mut std::vec::IntoIter<Value>) -> Vec<Result<Decided, RunError>> {
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

    fn decide(&self, worker: &Worker, case: &Value) -> Result<Decided, RunError> {
        let schema = self.plugin.case_schema.as_deref().expect("a rule set has a schema");
        let violations = schema.violations(case);
        if !violations.is_empty() {
            let told = |violation: Violation| format!("{}: {}", violation.pointer, violation.message);
            return Err(RunError::BadCase { violations: violations.into_iter().map(told).collect() });
        }
        let (decision, _) = worker.decide(&self.setup, &case.to_string()).map_err(|failed| failed.error)?;
        Ok(Decided { decision, release: self.plugin.release.digest })
    }
}
