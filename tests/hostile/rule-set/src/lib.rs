//! A rule set that misbehaves as its case says: `{"misbehave": "endless-loop"}`. Otherwise it decides `fund`.

use std::hint::black_box;

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "bailiwick:plugin/rule-set" });

use bailiwick::plugin::log::{self, Level};
use bailiwick::plugin::types::{Decimal, Failure, MissingTable, TableVersion};
use exports::bailiwick::plugin::decisions::{Action, Decision, Figure, Guest as Decisions, Reason, Verdict};

struct Hostile;

impl Decisions for Hostile {
    fn decide(case: String) -> Result<Decision, Failure> {
        let misbehave = case.split_once("\"misbehave\":").and_then(|(_, rest)| rest.split('"').nth(1)).unwrap_or("");
        let mut decision = sound();
        match misbehave {
            "endless-loop" => loop {
                black_box(());
            },
            "memory-at-once" => drop(black_box(vec![1_u8; 1 << 30])),
            "trap-after-a-note" => {
                log::write(Level::Error, "about to die");
                std::process::abort();
            }
            "table-missing" => return Err(Failure::TableMissing(MissingTable { table: "bands".to_owned(), on: 20_745 })),
            "undeclared-outcome" => decision.outcome = "anything".to_owned(),
            "undeclared-figure" => decision.figures[0].name = "bonus".to_owned(),
            "figure-twice" => decision.figures.push(Figure { name: "fund_share".to_owned(), amount: Decimal { coefficient: 1, scale: 2 } }),
            "scale-too-large" => decision.figures[0].amount.scale = 19,
            "evidence-is-a-sentence" => decision.reasons[0].evidence[0] = "the claimant".to_owned(),
            "rule-is-a-sentence" => decision.reasons[0].rule = "Rule 7".to_owned(),
            "due-on-no-day" => decision.actions[0].due = Some(i32::MIN),
            "table-from-no-day" => decision.tables[0].effective_from = i32::MAX,
            "misleading-text" => decision.actions[0].text = "Pay \u{202e}now\u{202c}".to_owned(),
            "one-large-answer" => decision.reasons[0].text = "x".repeat(18 << 20),
            "remember" => return Ok(remember(decision)),
            _ => {}
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
