//! `cargo xtask fuzz component`: see `checks` for what is held.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bailiwick_fuzz::component(bytes));
