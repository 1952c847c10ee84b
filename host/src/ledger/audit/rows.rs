//! The rows of the database compared with what the trail says of them: whoever changed one past the hub is found, and what is
//! different is named.
//!
//! Must not know what the rows mean.

use std::collections::BTreeMap;

use serde_json::Value;

use super::covers::{CoveredKind, FIELD, Folded, LAST_KEY, digests};
use super::entry::AuditRow;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Transaction, query};
use crate::model::ids::Digest;

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

/// What the trail says of rows, by what they are of.
#[derive(Debug, Default)]
pub(super) struct Claims {
    said: BTreeMap<CoveredKind, BTreeMap<String, Claim>>,
    /// Whether anything was said with a digest: from then on everything is.
    began: bool,
}

impl Claims {
    /// Takes in what an entry says.
    pub(super) fn take(&mut self, row: &AuditRow) {
        let after = row.after_json.as_deref().filter(|after| after.contains("\"covers\""));
        let after: Option<Value> = after.and_then(|after| serde_json::from_str(after).ok());
        match after.as_ref().and_then(|after| after[FIELD].as_array()) {
            Some(all) => {
                self.began = true;
                all.iter().filter_map(|one| read(row.seq, one)).for_each(|(kind, key, claim)| self.say(kind, key, claim));
            }
            // From the first digest on an act of these kinds has one, so one without is no older act but a forged one.
            None if !self.began => {
                for (kind, key) in old(row) {
                    self.say(kind, key, Claim { seq: row.seq, through: None, digest: None });
                }
            }
            None => {}
        }
    }

    fn say(&mut self, kind: CoveredKind, key: String, claim: Claim) {
        self.said.entry(kind).or_default().insert(key, claim);
    }

    /// Compares everything that is said with what is there, and the other way round.
    pub(super) async fn compare(mut self, reader: &mut Transaction) -> Result<RowsCheck, LedgerError> {
        let mut check = RowsCheck::default();
        self.texts(reader, &mut check).await?;
        for kind in CoveredKind::ALL.into_iter().filter(|kind| !kind.is_of_run()) {
            let claims = self.said.remove(&kind).unwrap_or_default();
            let found = digests(reader, kind, ("", LAST_KEY), |_| None).await?;
            for key in found.keys().filter(|key| !claims.contains_key(*key)) {
                // A job without a word in the trail remembers what it did before there were digests.
                if kind == CoveredKind::State {
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
        Ok(())
    }

    /// Runs, some at a time, in the order of their ids.
    async fn runs(&mut self, reader: &mut Transaction, check: &mut RowsCheck) -> Result<(), LedgerError> {
        let [logs, rows, rejects] = [CoveredKind::Log, CoveredKind::Run, CoveredKind::Rejects].map(|kind| (kind, self.said.remove(&kind)));
        let mut all = [logs, rows, rejects].map(|(kind, claims)| (kind, claims.unwrap_or_default()));
        let mut after = String::new();
        loop {
            let runs: Vec<(String, String)> = query("SELECT run, state FROM runs WHERE run > $1 ORDER BY run LIMIT $2")
                .bind(after.as_str())
                .bind(RUNS_AT_ONCE)
                .fetch_all(&mut *reader)
                .await?;
            let (Some((first, _)), Some((last, _))) = (runs.first(), runs.last()) else { break };
            for (kind, claims) in &mut all {
                let through = |key: &str| claims.get(key).and_then(|claim| claim.through);
                let found = match *kind {
                    // One by one, as a run may have very many.
                    CoveredKind::Rejects => {
                        let mut found = BTreeMap::new();
                        for (run, _) in runs.iter().filter(|(run, _)| claims.contains_key(run)) {
                            found.extend(digests(reader, *kind, (run, run), through).await?);
                        }
                        found
                    }
                    kind => digests(reader, kind, (first, last), through).await?,
                };
                for (run, state) in &runs {
                    check.run(*kind, (run, state), (claims.remove(run).as_ref(), found.get(run)));
                }
            }
            after.clone_from(last);
        }
        for (kind, claims) in &all {
            claims.iter().for_each(|(run, claim)| check.judge(*kind, run, (claim, None)));
        }
        Ok(())
    }
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

    fn judge(&mut self, kind: CoveredKind, key: &str, (claim, found): (&Claim, Option<&Folded>)) {
        let Some(digest) = claim.digest else {
            self.uncovered += 1;
            return;
        };
        let nothing = Folded::default();
        if found.unwrap_or(&nothing).digest() == digest {
            self.fitting += 1;
        } else if found.is_none() {
            self.fault(kind, key, &format!("is gone, and audit entry {} says that it is there", claim.seq));
        } else {
            self.fault(kind, key, &format!("is not what audit entry {} says: its rows were changed past the hub", claim.seq));
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

fn read(seq: i64, one: &Value) -> Option<(CoveredKind, String, Claim)> {
    let kind = CoveredKind::read(one["what"].as_str()?)?;
    let digest = one["sha256"].as_str()?.parse().ok()?;
    Some((kind, one["of"].as_str()?.to_owned(), Claim { seq, through: one["through"].as_u64(), digest: Some(digest) }))
}

/// What an entry spoke of that is older than digests of rows.
fn old(row: &AuditRow) -> Vec<(CoveredKind, String)> {
    let Some((what, name)) = row.subject.split_once(':') else { return Vec::new() };
    let partner = row.partner.as_deref().unwrap_or_default();
    let of_partner = |kind| vec![(kind, format!("{partner}/{name}"))];
    match (what, row.action.as_str()) {
        ("run", _) => vec![(CoveredKind::Run, name.to_owned())],
        ("partner", _) => vec![(CoveredKind::Declared, name.to_owned())],
        ("release", _) => of_partner(CoveredKind::Release),
        ("plugin", _) => of_partner(CoveredKind::Active),
        ("secret", "secret.remove") => Vec::new(),
        ("secret", _) => of_partner(CoveredKind::Secret),
        ("signing-key", _) => of_partner(CoveredKind::SigningKey),
        ("token", _) => of_partner(CoveredKind::Token),
        ("table", _) => vec![(CoveredKind::Tables, partner.to_owned())],
        _ => Vec::new(),
    }
}
