//! An adapter that misbehaves as its settings say: `{"misbehave": "endless-loop"}`. Without settings it passes rows on.
//!
//! It speaks the contract directly, because the SDK would keep it from most of this.

mod batches;
mod findings;
mod hub;
mod memory;
#[path = "../../misdeeds.rs"]
mod misdeeds;

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "bailiwick:plugin/adapter" });

use bailiwick::plugin::settings;
use bailiwick::plugin::types::{Batch, Failure, Problem};
use exports::bailiwick::plugin::rows::{Context, FinalOutcome, Guest as Rows, GuestRun, Outcome, OutputBatch, Run};
use misdeeds::{Finds, MISLEADING, Misdeed, Takes};

struct Hostile;

struct HostileRun {
    misdeed: Misdeed,
    /// What stands after a colon: what it is about.
    about: String,
    kept: RefCell<Vec<Vec<u8>>>,
    /// What the hub told it, which stays in its memory.
    _context: Option<Context>,
}

impl Rows for Hostile {
    type Run = HostileRun;
}

impl GuestRun for HostileRun {
    fn open(context: Context) -> Result<Run, Failure> {
        let settings = settings::get();
        let told = settings.split_once("\"misbehave\":").and_then(|(_, rest)| rest.split('"').nth(1)).unwrap_or("");
        let (name, about) = told.split_once(':').unwrap_or((told, ""));
        let misdeed = Misdeed::named(name).expect("a listed misdeed");
        match misdeed {
            Misdeed::Takes(Takes::TrapInOpen) => std::process::abort(),
            Misdeed::Takes(Takes::SettingsUnusable) => {
                return Err(Failure::SettingsUnusable(problem("rate-negative", "The rate is below zero.\u{1b}[2J")));
            }
            _ => {}
        }
        Ok(Run::new(Self { misdeed, about: about.to_owned(), kept: RefCell::default(), _context: Some(context) }))
    }

    fn push(&self, _input: u32, rows: Batch) -> Result<Outcome, Failure> {
        match self.misdeed {
            Misdeed::Takes(misdeed) => self.take(misdeed).map(|()| passed_on(rows)),
            Misdeed::Answers(misdeed) => Ok(batches::answer(misdeed, rows)),
            Misdeed::Finds(misdeed) => Ok(Outcome { outputs: Vec::new(), findings: findings::about(misdeed, &rows) }),
            Misdeed::Asks(misdeed) => hub::misuse(misdeed).map(|()| passed_on(rows)),
        }
    }

    fn end(&self, input: u32) -> Result<Outcome, Failure> {
        let findings = match self.misdeed {
            Misdeed::Takes(Takes::TrapInEnd) => std::process::abort(),
            Misdeed::Finds(Finds::SpeakOfAbsentInput) => vec![findings::one(input, 0)],
            _ => Vec::new(),
        };
        Ok(Outcome { outputs: Vec::new(), findings })
    }

    fn finish(&self) -> Result<FinalOutcome, Failure> {
        if self.misdeed == Misdeed::Takes(Takes::TrapInFinish) {
            std::process::abort();
        }
        let outcome = Outcome { outputs: Vec::new(), findings: Vec::new() };
        Ok(FinalOutcome { outcome, done: self.misdeed != Misdeed::Takes(Takes::NeverDone) })
    }
}

impl Drop for HostileRun {
    fn drop(&mut self) {
        if self.misdeed == Misdeed::Takes(Takes::TrapInDrop) {
            std::process::abort();
        }
    }
}

impl HostileRun {
    /// Takes what only the runtime can refuse: time, memory, stack, handles.
    fn take(&self, misdeed: Takes) -> Result<(), Failure> {
        match misdeed {
            Takes::EndlessLoop => loop {
                black_box(());
            },
            Takes::MemoryBySteps => loop {
                self.kept.borrow_mut().push(vec![1; 1 << 20]);
            },
            Takes::MemoryAtOnce => self.kept.borrow_mut().push(vec![1; 1 << 30]),
            Takes::MemoryRefusedAndWell => {
                let mut kept: Vec<u8> = Vec::new();
                assert!(kept.try_reserve(1 << 30).is_err());
            }
            Takes::DeepRecursion => {
                black_box(deeper(black_box(1)));
            }
            Takes::DeepRecursionInMemory => {
                black_box(deeper_in_memory(black_box(1)));
            }
            Takes::HandlesFlood => {
                for _ in 0..200_000 {
                    let (misdeed, about) = (Misdeed::Takes(Takes::Nothing), String::new());
                    std::mem::forget(Run::new(Self { misdeed, about, kept: RefCell::default(), _context: None }));
                }
            }
            Takes::PanicWithLargeMessage => panic!("{}", "x".repeat(100 << 20)),
            Takes::TrapInPush => std::process::abort(),
            Takes::FailureMisleading => return Err(Failure::PluginDefect(problem(MISLEADING, &format!("Pay{MISLEADING} now")))),
            Takes::FailureWithLargeMessage => return Err(Failure::PluginDefect(problem("large", &"x".repeat(10 << 20)))),
            Takes::CountCalls => return Err(count_calls()),
            Takes::LeaveMark => memory::leave_mark(&self.about),
            Takes::SeekMark => return Err(memory::seek_mark(&self.about)),
            // Of other calls than this one.
            Takes::Nothing
            | Takes::NeverDone
            | Takes::TrapInOpen
            | Takes::TrapInEnd
            | Takes::TrapInFinish
            | Takes::TrapInDrop
            | Takes::SettingsUnusable => {}
        }
        Ok(())
    }
}

/// Counts in a global, which the next instance must not see.
fn count_calls() -> Failure {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    Failure::InputUnusable(problem("called-before", &CALLS.fetch_add(1, Ordering::Relaxed).to_string()))
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

fn passed_on(rows: Batch) -> Outcome {
    Outcome { outputs: vec![OutputBatch { output: 0, rows }], findings: Vec::new() }
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
