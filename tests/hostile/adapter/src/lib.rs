//! An adapter that misbehaves as its settings say: `{"misbehave": "endless-loop"}`. Without settings it passes rows on.
//!
//! It speaks the contract directly, because the SDK would keep it from most of this.

mod batches;
mod findings;
mod hub;

use std::cell::RefCell;
use std::hint::black_box;

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "bailiwick:plugin/adapter" });

use bailiwick::plugin::settings;
use bailiwick::plugin::types::{Batch, Failure, Problem};
use exports::bailiwick::plugin::rows::{Context, FinalOutcome, Guest as Rows, GuestRun, Outcome, OutputBatch, Run};

struct Hostile;

struct HostileRun {
    misbehave: String,
    kept: RefCell<Vec<Vec<u8>>>,
}

impl Rows for Hostile {
    type Run = HostileRun;
}

impl GuestRun for HostileRun {
    fn open(_context: Context) -> Result<Run, Failure> {
        let settings = settings::get();
        let misbehave = settings.split_once("\"misbehave\":").and_then(|(_, rest)| rest.split('"').nth(1)).unwrap_or("").to_owned();
        match misbehave.as_str() {
            "trap-in-open" => std::process::abort(),
            "settings-unusable" => return Err(Failure::SettingsUnusable(problem("rate-negative", "The rate is below zero.\u{1b}[2J"))),
            _ => {}
        }
        Ok(Run::new(Self { misbehave, kept: RefCell::default() }))
    }

    fn push(&self, _input: u32, rows: Batch) -> Result<Outcome, Failure> {
        self.take(&self.misbehave);
        if let Some(answer) = hub::misuse(&self.misbehave).or_else(|| batches::unsound(&self.misbehave, &rows)) {
            return answer;
        }
        if let Some(finding) = findings::about(&self.misbehave, &rows) {
            return Ok(Outcome { outputs: Vec::new(), findings: vec![finding] });
        }
        Ok(Outcome { outputs: vec![OutputBatch { output: 0, rows }], findings: Vec::new() })
    }

    fn end(&self, input: u32) -> Result<Outcome, Failure> {
        if self.misbehave == "speak-of-absent-input" {
            let finding = findings::one(input, 0);
            return Ok(Outcome { outputs: Vec::new(), findings: vec![finding] });
        }
        Ok(Outcome { outputs: Vec::new(), findings: Vec::new() })
    }

    fn finish(&self) -> Result<FinalOutcome, Failure> {
        if self.misbehave == "trap-in-finish" {
            std::process::abort();
        }
        let outcome = Outcome { outputs: Vec::new(), findings: Vec::new() };
        Ok(FinalOutcome { outcome, done: self.misbehave != "never-done" })
    }
}

impl HostileRun {
    /// Takes what only the runtime can refuse: time, memory, stack.
    fn take(&self, what: &str) {
        match what {
            "endless-loop" => loop {
                black_box(());
            },
            "memory-by-steps" => loop {
                self.kept.borrow_mut().push(vec![1; 1 << 20]);
            },
            "memory-at-once" => self.kept.borrow_mut().push(vec![1; 1 << 30]),
            "memory-refused-and-well" => {
                let mut kept: Vec<u8> = Vec::new();
                assert!(kept.try_reserve(1 << 30).is_err());
            }
            "deep-recursion" => {
                black_box(deeper(black_box(1)));
            }
            "deep-recursion-in-memory" => {
                black_box(deeper_in_memory(black_box(1)));
            }
            "trap-in-push" => std::process::abort(),
            "panic-with-large-message" => panic!("{}", "x".repeat(4 << 20)),
            _ => {}
        }
    }
}

/// Two calls of itself, so that no loop can be made of it, and nothing in linear memory.
#[allow(unconditional_recursion)]
fn deeper(depth: u64) -> u64 {
    deeper(depth + 1).wrapping_mul(deeper(depth + 2) | 1)
}

#[allow(unconditional_recursion)]
fn deeper_in_memory(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    deeper_in_memory(depth + 1).wrapping_mul(frame[(depth % 64) as usize])
}

fn problem(code: &str, message: &str) -> Problem {
    Problem { code: code.to_owned(), message: message.to_owned() }
}

impl Guest for Hostile {
    fn initialize() {
        // What a run needs of memory is there before the snapshot.
        drop(black_box(vec![0_u8; 1 << 20]));
    }
}

export!(Hostile);
