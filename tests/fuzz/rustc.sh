#!/bin/sh
# Compiles the hub with coverage for libFuzzer and everything else as always. `cargo xtask fuzz` names it as RUSTC_WRAPPER.
# Flags for one crate only are not stable in cargo, and flags for all of them would compile all dependencies once more.
# The flags are those of cargo fuzz. Cargo does not see them change: touch host/src/lib.rs after an edit.
case " $* " in
*" --crate-name bailiwick "*)
    exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0
    ;;
esac
exec "$@"
