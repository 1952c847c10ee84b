//! The hostile guests, built once for WebAssembly, and what the sandbox needs to run them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use bailiwick::sandbox::componentise;

/// The program that compiles components: the hub itself.
pub(crate) fn compiler_path() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_bailiwick"))
}

/// The hostile adapter as a component.
pub(crate) fn hostile_adapter() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| component("hostile_adapter"))
}

/// The hostile rule set as a component.
pub(crate) fn hostile_rule_set() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| component("hostile_rule_set"))
}

/// The hostile rule set as cargo built it: a core module that says in a section which world it is for.
pub(crate) fn hostile_rule_set_module() -> Vec<u8> {
    module("hostile_rule_set")
}

/// The hostile format as a component, of version 0.2.0 of the contract.
pub(crate) fn hostile_format() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| component("hostile_format"))
}

/// The hostile connector as a component, of version 0.2.0 of the contract.
pub(crate) fn hostile_connector() -> &'static [u8] {
    static WASM: OnceLock<Vec<u8>> = OnceLock::new();
    WASM.get_or_init(|| component("hostile_connector"))
}

fn component(name: &str) -> Vec<u8> {
    componentise(&module(name)).expect("it was built against the contract")
}

fn module(name: &str) -> Vec<u8> {
    std::fs::read(built().join(format!("wasm32-unknown-unknown/release/{name}.wasm"))).expect("cargo built it")
}

/// The folder that cargo built the guests into.
fn built() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile");
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile/Cargo.toml");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--release", "--locked", "--target", "wasm32-unknown-unknown", "--manifest-path"])
            .arg(&manifest)
            .arg("--target-dir")
            .arg(&folder)
            // Flags for the hub's own build are not for guests.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .status()
            .expect("cargo runs");
        assert!(status.success(), "the hostile guests do not build; `rustup target add wasm32-unknown-unknown` may be missing");
        folder
    })
}
