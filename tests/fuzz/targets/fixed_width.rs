//! `cargo xtask fuzz fixed-width`: see `checks` for what is held.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bailiwick_fuzz::fixed_width(bytes));
