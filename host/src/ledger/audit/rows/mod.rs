//! The rows of the database compared with what the trail says of them: whoever changed one past the hub is found, and what is
//! different is named.
//!
//! ```text
//! spill   what entries say of runs, in the order of the runs, however many there are
//! ```
//!
//! Must not know what the rows mean.

mod spill;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::covers::{CoveredKind, FIELD, Folded, LAST_KEY, digests};
use super::entry::AuditRow;
use super::old;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, query};
use crate::model::ids::{Digest, RunId};
use spill::{SaidOfRun, Sorted, Spill, an_id, run_of};

/// Runs whose rows are read at one time.
const RUNS_AT_ONCE: i64 = 200;

/// Faults that are told; the others are counted.
const FAULTS_TOLD: usize = 100;

/// What the rows say against the trail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowsCheck {
    /// Things whose rows are as the trail says.
    pub fitting: u64,
    /// Things that the trail speaks of without digests: they are older than those.
    pub uncovered: u64,
    /// What does not fit, the first of them.
    pub faults: Vec<RowFault>,
    /// How many there are besides.
    pub more: u64,
}

/// Something whose rows are not as the trail says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} {of} {why}")]
pub struct RowFault {
    /// What it is: `run-log`, `active-release`.
    pub what: &'static str,
    /// Which: a run's id, a partner's name, `PARTNER/NAME`.
    pub of: String,
    /// What is wrong with it.
    pub why: String,
}

/// What is said last of something.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    seq: i64,
    through: Option<u64>,
    /// None in an entry that is older than digests of rows.
    digest: Option<Digest>,
}

/// What is said last of each of some runs.
type Runs = BTreeMap<String, Claim>;

/// What the trail says of rows, by what they are of.
#[derive(Debug, Default)]
pub(super) struct Claims {
    said: BTreeMap<CoveredKind, BTreeMap<String, Claim>>,
    /// The same of runs, of which there may be very many.
    of_runs: Spill,
    /// Whether anything was said with a digest: from then on everything is that the first digests were of.
    began: bool,
    /// The first entry of each form: from there on what came with that form is too.
    forms: BTreeMap<u64, i64>,
    /// What an act found otherwise than the act before had left it.
    found: Vec<RowFault>,
}

impl Claims {
    /// Takes in what an entry says.
    pub(super) fn take(&mut self, row: &AuditRow) {
        let after: Option<Value> = row.after_json.as_deref().and_then(|after| serde_json::from_str(after).ok());
        let covers = after.as_ref().and_then(|after| after[FIELD].as_array());
        // From the first digest on an act of these kinds has one, so one without is no older act but a forged one.
        for (kind, key) in old::spoken_of(row, after.as_ref()) {
            let before = match kind.since() {
                1 => !self.began && covers.is_none(),
                form => self.first_of(form).is_none(),
            };
            if before {
                let claim = Claim { seq: row.seq, through: None, digest: None };
                match run_of(kind, &key) {
                    Some(run) => self.of_runs.push(claim.of_run((run, kind), None)),
                    None => drop(self.said.entry(kind).or_default().insert(key, claim)),
                }
            }
        }
        let Some(all) = covers else { return };
        self.began = true;
        for said in all.iter().filter_map(|one| read(row.seq, one)) {
            self.forms.entry(said.form).or_insert(row.seq);
            self.say(said);
        }
    }

    /// The first entry of a form, or of one that came after it.
    fn first_of(&self, form: u64) -> Option<i64> {
        self.forms.range(form..).map(|(_, seq)| *seq).min()
    }

    fn say(&mut self, Said { kind, key, claim, was, .. }: Said) {
        if let Some(run) = run_of(kind, &key) {
            return self.of_runs.push(claim.of_run((run, kind), was));
        }
        let now = claim.clone();
        let before = self.said.entry(kind).or_default().insert(key.clone(), claim);
        self.found.extend(now.covered_up((kind, &key), before.as_ref(), was));
    }

    /// Compares everything that is said with what is there, and the other way round.
    pub(super) async fn compare(mut self, reader: &mut Transaction) -> Result<RowsCheck, LedgerError> {
        let mut check = RowsCheck::default();
        std::mem::take(&mut self.found).into_iter().for_each(|fault| check.add(fault));
        self.texts(reader, &mut check).await?;
        for kind in CoveredKind::ALL.into_iter().filter(|kind| !kind.is_of_run()) {
            let claims = self.said.remove(&kind).unwrap_or_default();
            let found = digests(reader, kind, ("", LAST_KEY), |_| None).await?;
            for key in found.keys().filter(|key| !claims.contains_key(*key)) {
                // A job without a word in the trail remembers what it did before there were digests, if anything was before.
                if kind == CoveredKind::State && self.first_of(2) != Some(1) {
                    check.uncovered += 1;
                } else {
                    check.fault(kind, key, "is there, and no entry of the trail says so");
                }
            }
            for (key, claim) in &claims {
                check.judge(kind, key, (claim, found.get(key)));
            }
        }
        self.runs(reader, &mut check).await?;
        Ok(check)
    }

    /// Files that declare, and tables, are named by the digest of their text, which is covered.
    async fn texts(&self, reader: &mut Transaction, check: &mut RowsCheck) -> Result<(), LedgerError> {
        for (what, sql) in [
            (
                "definition",
                "SELECT partner || '/' || digest, digest, content FROM definitions
                 WHERE partner || '/' || digest > $1 ORDER BY partner || '/' || digest LIMIT 50",
            ),
            (
                "table",
                "SELECT partner || '/' || table_name || '/' || version, digest, content FROM table_versions
                 WHERE partner || '/' || table_name || '/' || version > $1 ORDER BY partner || '/' || table_name || '/' || version LIMIT 50",
            ),
            (
                "change",
                "SELECT partner || '/' || CAST(number AS TEXT), digest, content FROM proposed_changes
                 WHERE partner || '/' || CAST(number AS TEXT) > $1 ORDER BY partner || '/' || CAST(number AS TEXT) LIMIT 50",
            ),
        ] {
            let mut after = String::new();
            loop {
                let rows: Vec<(String, String, String)> = query(sql).bind(after.as_str()).fetch_all(&mut *reader).await?;
                let Some((last, _, _)) = rows.last() else { break };
                after.clone_from(last);
                for (of, digest, content) in rows {
                    if Digest::of(content.as_bytes()).to_string() != digest {
                        check.add(RowFault { what, of, why: format!("is not the text with the digest {digest}") });
                    }
                }
            }
        }
        let gone: Vec<(String,)> = query(
            "SELECT DISTINCT named.partner || '/' || named.definition FROM (
               SELECT partner, definition FROM sources UNION SELECT partner, definition FROM connections
               UNION SELECT partner, definition FROM jobs UNION SELECT partner, definition FROM webhooks
               UNION SELECT partner, definition FROM runs WHERE definition IS NOT NULL) AS named
             WHERE NOT EXISTS (SELECT 1 FROM definitions AS kept WHERE kept.partner = named.partner AND kept.digest = named.definition)
             ORDER BY 1",
        )
        .fetch_all(&mut *reader)
        .await?;
        gone.into_iter()
            .for_each(|(of,)| check.add(RowFault { what: "definition", of, why: "is gone, and something is declared by it".to_owned() }));
        Ok(())
    }

    /// Runs, some at a time, in the order of their ids.
    async fn runs(&mut self, reader: &mut Transaction, check: &mut RowsCheck) -> Result<(), LedgerError> {
        let mut sorted = std::mem::take(&mut self.of_runs).sorted().map_err(sqlx::Error::Io)?;
        let mut after = String::new();
        loop {
            let runs: Vec<(String, String)> = query("SELECT run, state FROM runs WHERE run > $1 ORDER BY run LIMIT $2")
                .bind(after.as_str())
                .bind(RUNS_AT_ONCE)
                .fetch_all(&mut *reader)
                .await?;
            let (Some((first, _)), Some((last, _))) = (runs.first(), runs.last()) else { break };
            let all = said_of(&mut sorted, &runs, check)?;
            // Where the trail spoke of each last: of some when there were no digests of the rest yet.
            let spoken: BTreeMap<String, i64> = runs.iter().filter_map(|(run, _)| Some((run.clone(), all[0].1.get(run)?.seq))).collect();
            for (kind, claims) in &all {
                let through = |key: &str| claims.get(key).and_then(|claim| claim.through);
                let found = match *kind {
                    // One by one, as a run may have very many.
                    CoveredKind::Rejects | CoveredKind::Fates => {
                        let mut found = if *kind == CoveredKind::Fates { fated(reader, (first, last)).await? } else { BTreeMap::new() };
                        for (run, _) in runs.iter().filter(|(run, _)| claims.contains_key(run)) {
                            found.extend(digests(reader, *kind, (run, run), through).await?);
                        }
                        found
                    }
                    kind => digests(reader, kind, (first, last), through).await?,
                };
                let from = self.first_of(kind.since());
                for (run, state) in &runs {
                    let claim = claims.get(run);
                    if kind.since() > 1 {
                        let old = from.is_none_or(|from| spoken.get(run).is_some_and(|seq| *seq < from));
                        check.of_run(*kind, (run, state, old), (claim, found.get(run)));
                    } else {
                        check.run(*kind, (run, state), (claim, found.get(run)));
                    }
                }
            }
            after.clone_from(last);
        }
        // Of runs that are not there, and of what is no run's id.
        while let Some(some) = sorted.next(None).map_err(sqlx::Error::Io)? {
            check.gone(&some);
        }
        for (kind, claims) in self.said.iter().filter(|(kind, _)| kind.is_of_run()) {
            claims.iter().for_each(|(run, claim)| check.judge(*kind, run, (claim, None)));
        }
        Ok(())
    }
}

impl Claim {
    /// The same of a run, as it waits to be compared.
    fn of_run(self, (run, kind): (RunId, CoveredKind), was: Option<Digest>) -> SaidOfRun {
        let Self { seq, through, digest } = self;
        SaidOfRun { run, kind, seq, through, digest, was }
    }

    /// What is wrong where the act found something otherwise than the act before had left it.
    fn covered_up(&self, (kind, key): (CoveredKind, &str), before: Option<&Self>, was: Option<Digest>) -> Option<RowFault> {
        let left = before.map_or_else(|| Some(Folded::default().digest()), |before| before.digest);
        was.zip(left).filter(|(was, left)| was != left)?;
        let seq = self.seq;
        let why = format!("was changed past the hub before audit entry {seq}: that act found it otherwise than the trail had left it");
        Some(RowFault { what: kind.as_str(), of: key.to_owned(), why })
    }

    /// What is said last of one thing of a run, and what was covered up before.
    fn last_of(some: &[SaidOfRun]) -> (Option<Self>, Vec<RowFault>) {
        let (mut last, mut found): (Option<Self>, Vec<RowFault>) = (None, Vec::new());
        for SaidOfRun { run, kind, seq, through, digest, was } in some {
            let claim = Self { seq: *seq, through: *through, digest: *digest };
            found.extend(claim.covered_up((*kind, &run.to_string()), last.as_ref(), *was));
            last = Some(claim);
        }
        (last, found)
    }
}

/// What is said last of some runs, by kind: the log first. What is said of others before the last of them is judged: they are gone.
fn said_of(sorted: &mut Sorted, runs: &[(String, String)], check: &mut RowsCheck) -> Result<Vec<(CoveredKind, Runs)>, LedgerError> {
    let mut all: Vec<_> = CoveredKind::ALL.into_iter().filter(|kind| kind.is_of_run()).map(|kind| (kind, Runs::new())).collect();
    // A row that was put in may have an id that is none.
    let Some(last) = runs.iter().rev().find_map(|(run, _)| an_id(run)) else { return Ok(all) };
    let there: BTreeSet<&str> = runs.iter().map(|(run, _)| run.as_str()).collect();
    while let Some(some) = sorted.next(Some(last)).map_err(sqlx::Error::Io)? {
        let run = some[0].run.to_string();
        if !there.contains(run.as_str()) {
            check.gone(&some);
            continue;
        }
        let (claim, found) = Claim::last_of(&some);
        found.into_iter().for_each(|fault| check.add(fault));
        if let (Some((_, claims)), Some(claim)) = (all.iter_mut().find(|(kind, _)| *kind == some[0].kind), claim) {
            claims.insert(run, claim);
        }
    }
    Ok(all)
}

impl RowsCheck {
    fn run(&mut self, kind: CoveredKind, (run, state): (&str, &str), (claim, found): (Option<&Claim>, Option<&Folded>)) {
        let Some(claim) = claim else {
            // What has not ended is covered as far as a person or its end has put it into the trail.
            if kind == CoveredKind::Run && state == "closed" {
                self.fault(kind, run, "is closed, and no entry of the trail says so");
            }
            return;
        };
        let beyond = found.zip(claim.through).is_some_and(|(found, through)| found.last > through);
        if kind == CoveredKind::Log && state == "closed" && beyond {
            self.fault(kind, run, "goes on after what the trail says was its last event");
        }
        self.judge(kind, run, (claim, found));
    }

    /// What belongs to a run besides, of which the end of most runs says nothing, as there is nothing.
    fn of_run(&mut self, kind: CoveredKind, (run, state, old): (&str, &str, bool), (claim, found): (Option<&Claim>, Option<&Folded>)) {
        match (kind, state) {
            // Of what is under way it is not said yet, and of what went on no longer.
            (CoveredKind::Outside, state) if state != "closed" => {}
            (CoveredKind::Reason, state) if !matches!(state, "held" | "failed") => {}
            (CoveredKind::Begun, "queued" | "running" | "staged" | "delivering" | "skipped") => {}
            (CoveredKind::Begun, "closed") => {
                if found.is_some() {
                    self.fault(kind, run, "are there, and the run is closed: nothing of it can be under way");
                }
            }
            _ => match (claim, found) {
                (Some(claim), found) => self.judge(kind, run, (claim, found)),
                // A session that came to nothing leaves no word in the log.
                (None, Some(_)) if old || kind == CoveredKind::Outside => self.uncovered += 1,
                (None, Some(_)) => self.fault(kind, run, "is there, and no entry of the trail says so"),
                (None, None) => {}
            },
        }
    }

    fn judge(&mut self, kind: CoveredKind, key: &str, (claim, found): (&Claim, Option<&Folded>)) {
        let Some(digest) = claim.digest else {
            self.uncovered += 1;
            return;
        };
        let nothing = Folded::default();
        if found.unwrap_or(&nothing).digest() == digest {
            self.fitting += 1;
        } else if found.is_none() && kind.goes() {
            // It ended, and was cleared away.
        } else if found.is_none() {
            self.fault(kind, key, &format!("is gone, and audit entry {} says that it is there", claim.seq));
        } else {
            self.fault(kind, key, &format!("is not what audit entry {} says: its rows were changed past the hub", claim.seq));
        }
    }

    /// Judges what is said of a run that is not there.
    fn gone(&mut self, some: &[SaidOfRun]) {
        let (claim, found) = Claim::last_of(some);
        found.into_iter().for_each(|fault| self.add(fault));
        if let (Some(first), Some(claim)) = (some.first(), claim) {
            self.judge(first.kind, &first.run.to_string(), (&claim, None));
        }
    }

    fn fault(&mut self, kind: CoveredKind, of: &str, why: &str) {
        self.add(RowFault { what: kind.as_str(), of: of.to_owned(), why: why.to_owned() });
    }

    fn add(&mut self, fault: RowFault) {
        if self.faults.len() < FAULTS_TOLD {
            self.faults.push(fault);
        } else {
            self.more += 1;
        }
    }
}

/// What an entry says of something.
struct Said {
    kind: CoveredKind,
    key: String,
    claim: Claim,
    was: Option<Digest>,
    /// 1 where it says nothing of its form.
    form: u64,
}

fn read(seq: i64, one: &Value) -> Option<Said> {
    let kind = CoveredKind::read(one["what"].as_str()?)?;
    let digest = one["sha256"].as_str()?.parse().ok()?;
    let was = one["was"].as_str().and_then(|was| was.parse().ok());
    let claim = Claim { seq, through: one["through"].as_u64(), digest: Some(digest) };
    Some(Said { kind, key: one["of"].as_str()?.to_owned(), claim, was, form: one["form"].as_u64().unwrap_or(1) })
}

/// The runs of which somebody touched a reject, without what became of it: of those that the trail speaks of it is read run by run.
async fn fated(reader: &mut Transaction, (first, last): (&str, &str)) -> Result<BTreeMap<String, Folded>, LedgerError> {
    let [fates] = CoveredKind::Fates.parts() else { return Ok(BTreeMap::new()) };
    let mut ask = query("SELECT DISTINCT fates.key FROM (");
    ask.push(fates).push(") AS fates");
    let runs: Vec<(String,)> = ask.bind(first).bind(last).fetch_all(reader).await?;
    Ok(runs.into_iter().map(|(run,)| (run, Folded::default())).collect())
}
