//! A fault that is tried some times at moments that a seed chooses, and a line of what it came to.
#![allow(clippy::print_stdout, reason = "a test that fails is to say by which seed, and one that is watched how far it is")]
#![allow(clippy::float_arithmetic, reason = "times are divided, money is not")]

use std::fs::File;
use std::io::Write as _;
use std::time::Duration;

use super::books::Books;

/// How often, in percent of what a test says for itself; by which seed; where the line goes. `cargo xtask chaos` sets them.
const TIMES: &str = "BAILIWICK_CHAOS_TIMES";
const SEED: &str = "BAILIWICK_CHAOS_SEED";
const TABLE: &str = "BAILIWICK_CHAOS_TABLE";

/// A fault under trial.
pub(super) struct Trial {
    fault: String,
    seed: u64,
    state: u64,
    tried: u64,
    recoveries: Vec<Duration>,
}

impl Trial {
    pub(super) fn of(fault: &str) -> Self {
        let seed = std::env::var(SEED).map_or(1, |seed| seed.parse().expect("a number"));
        // Faults under one seed differ.
        let state = fault.bytes().fold(seed, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        println!("{fault}: {SEED}={seed}");
        Self { fault: fault.to_owned(), seed, state, tried: 0, recoveries: Vec::new() }
    }

    /// How often to try: some times in the suite, more in the long form.
    pub(super) fn times(&self, in_suite: u64) -> u64 {
        let percent: u64 = std::env::var(TIMES).map_or(100, |percent| percent.parse().expect("a number"));
        (in_suite * percent / 100).max(1)
    }

    /// A number below a bound, by the seed.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }

    /// Once in so many times.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A time shorter than another.
    pub(super) fn within(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(longest.as_micros()).expect("it is no age")))
    }

    /// The fault came once more.
    pub(super) const fn tried(&mut self) {
        self.tried += 1;
    }

    /// From the fault until all was in order again.
    pub(super) fn recovered(&mut self, took: Duration) {
        self.recoveries.push(took);
    }

    /// Says what it came to, and fails unless it is what it must be.
    pub(super) fn end(mut self, books: &Books) {
        self.recoveries.sort();
        let line = serde_json::json!({
            "fault": self.fault, "seed": self.seed, "tried": self.tried, "rows": books.rows, "lost": books.lost.len(),
            "doubled": books.doubled.len(), "uncertain": books.uncertain,
            "recovery_ms": self.recoveries.iter().map(|took| took.as_secs_f64() * 1e3).collect::<Vec<_>>(),
        });
        println!("{line}");
        if let Ok(table) = std::env::var(TABLE) {
            let mut file = File::options().create(true).append(true).open(table).expect("the table's file");
            // One write, so that lines of several tests do not mix.
            file.write_all(format!("{line}\n").as_bytes()).expect("it is written");
        }
        assert!(self.tried > 0, "{} was never tried", self.fault);
        assert!(books.rows > 0, "no rows went through");
        assert!(
            books.lost.is_empty() && books.doubled.is_empty(),
            "seed {}: lost {:?}, doubled {:?}",
            self.seed,
            books.lost,
            books.doubled
        );
    }
}
