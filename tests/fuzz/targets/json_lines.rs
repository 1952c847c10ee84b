//! `cargo xtask fuzz json-lines`: see `checks` for what is held.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bailiwick_fuzz::json_lines(bytes));
