//! A rule set that misbehaves as its case says: `{"misbehave": "endless-loop"}`. Otherwise it decides `fund`.

#[path = "../../misdeeds.rs"]
mod misdeeds;

use std::hint::black_box;

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "bailiwick:plugin/rule-set" });

use bailiwick::plugin::log::{self, Level};
use bailiwick::plugin::types::{Decimal, Failure, MissingTable, Problem, TableVersion};
use exports::bailiwick::plugin::decisions::{Action, Decision, Figure, Guest as Decisions, Reason, Verdict};
use misdeeds::{MISLEADING, Rules};

struct Hostile;

impl Decisions for Hostile {
    fn decide(case: String) -> Result<Decision, Failure> {
        let misbehave = case.split_once("\"misbehave\":").and_then(|(_, rest)| rest.split('"').nth(1)).unwrap_or("");
        let mut decision = sound();
        match Rules::named(misbehave).expect("a listed misdeed") {
            Rules::EndlessLoop => loop {
                black_box(());
            },
            Rules::MemoryAtOnce => drop(black_box(vec![1_u8; 1 << 30])),
            Rules::TrapAfterANote => {
                log::write(Level::Error, "about to die");
                std::process::abort();
            }
            Rules::TableMissing => return Err(Failure::TableMissing(MissingTable { table: "bands".to_owned(), on: 20_745 })),
            Rules::UndeclaredOutcome => decision.outcome = "anything".to_owned(),
            Rules::UndeclaredFigure => decision.figures[0].name = "bonus".to_owned(),
            Rules::FigureTwice => {
                decision.figures.push(Figure { name: "fund_share".to_owned(), amount: Decimal { coefficient: 1, scale: 2 } })
            }
            Rules::ScaleTooLarge => decision.figures[0].amount.scale = 19,
            Rules::EvidenceIsASentence => decision.reasons[0].evidence[0] = "the claimant".to_owned(),
            Rules::RuleIsASentence => decision.reasons[0].rule = "Rule 7".to_owned(),
            Rules::DueOnNoDay => decision.actions[0].due = Some(i32::MIN),
            Rules::TableFromNoDay => decision.tables[0].effective_from = i32::MAX,
            Rules::MisleadingText => mislead(&mut decision),
            Rules::OutcomeMisleading => decision.outcome = format!("fund{MISLEADING}"),
            Rules::RuleMisleading => decision.reasons[0].rule = format!("rule{MISLEADING}"),
            Rules::EvidenceMisleading => decision.reasons[0].evidence[0] = "/loss\u{202e}".to_owned(),
            Rules::FailureMisleading => {
                let problem = Problem { code: MISLEADING.to_owned(), message: format!("Pay{MISLEADING} now") };
                return Err(Failure::InputUnusable(problem));
            }
            Rules::ManyActions => decision.actions = (0..500_000).map(|_| empty_action()).collect(),
            Rules::OneLargeAnswer => decision.reasons[0].text = "x".repeat(18 << 20),
            Rules::Remember => return Ok(remember(decision)),
            Rules::Nothing => {}
        }
        Ok(decision)
    }
}

/// Leaves a mark in memory, and says whether it found one.
fn remember(mut decision: Decision) -> Decision {
    static MARK: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    decision.reasons[0].text = format!("called {} times before", MARK.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    decision
}

/// Puts what misleads wherever a sentence or a name of somebody else's may stand.
fn mislead(decision: &mut Decision) {
    let (reason, action, table) = (&mut decision.reasons[0], &mut decision.actions[0], &mut decision.tables[0]);
    for text in [&mut reason.text, &mut action.party, &mut action.text, &mut table.table, &mut table.version] {
        *text += MISLEADING;
    }
}

/// Forty bytes of memory here; the hub makes three texts of it.
fn empty_action() -> Action {
    Action { kind: String::new(), party: String::new(), text: String::new(), due: None }
}

fn sound() -> Decision {
    Decision {
        outcome: "fund".to_owned(),
        reasons: vec![Reason {
            rule: "loss-below-excess".to_owned(),
            verdict: Verdict::Applies,
            text: "The loss is below the excess.".to_owned(),
            evidence: vec!["/loss".to_owned()],
        }],
        actions: vec![Action {
            kind: "notify".to_owned(),
            party: "The fund".to_owned(),
            text: "Tell the fund.".to_owned(),
            due: Some(20_746),
        }],
        figures: vec![Figure { name: "fund_share".to_owned(), amount: Decimal { coefficient: 123_456, scale: 2 } }],
        tables: vec![TableVersion {
            table: "bands".to_owned(),
            version: "2026-27".to_owned(),
            effective_from: 20_544,
            effective_to: None,
            published: Some(20_500),
        }],
    }
}

impl Guest for Hostile {
    fn initialize() {
        // What a decision needs of memory is there before the snapshot.
        drop(black_box(vec![0_u8; 1 << 20]));
    }
}

export!(Hostile);
