//! What a fresh machine lacks, and how it gets it: by itself where that is possible, else by one command that is printed.

use anyhow::{Result, bail};

use crate::tools::{cargo, command, exists, output, succeed, target};

/// The target that plugins are built for.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Version of cargo-deny that checks licences, bans and sources.
const CARGO_DENY: &str = "0.20.2";

/// Version of mdbook that makes the book.
const MDBOOK: &str = "0.5.4";

/// Version of wasmtime's program that the hub is measured against: of the library that the hub stands on.
const WASMTIME: &str = "48.0.8";

/// Sees that plugins can be built.
pub(crate) fn wasm_target() -> Result<()> {
    target_of_rust(WASM_TARGET)
}

/// Sees that Rust can build for a target.
pub(crate) fn target_of_rust(name: &str) -> Result<()> {
    let sysroot = output(command("rustc", &["--print", "target-libdir", "--target", name]))?;
    if std::path::Path::new(sysroot.trim()).is_dir() {
        return Ok(());
    }
    if !exists("rustup") {
        bail!(
            "something is built for {name}, and this Rust has no standard library for it. Install Rust with rustup, or add the target in your way."
        );
    }
    succeed(command("rustup", &["target", "add", name]))
}

/// Sees that the programs of some Debian packages are there: (program, package).
pub(crate) fn debian(wanted: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> = wanted.iter().filter(|(program, _)| !exists(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let root = output(command("id", &["-u"])).is_ok_and(|id| id.trim() == "0");
    if !root || !exists("apt-get") {
        bail!("the tests need {}. Install them with: sudo apt-get install {}", missing.join(", "), missing.join(" "));
    }
    succeed(command("apt-get", &["update", "-qq"]))?;
    let mut install = command("apt-get", &["install", "-y", "-qq", "--no-install-recommends"]);
    install.args(&missing).env("DEBIAN_FRONTEND", "noninteractive");
    succeed(install)
}

/// Sees that a PostgreSQL server can be started; Debian keeps its programs where no shell finds them.
pub(crate) fn postgresql() -> Result<()> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    if versions.map(|version| version.path().join("bin/initdb")).any(|program| program.is_file()) {
        return Ok(());
    }
    debian(&[("/usr/bin/no-such-program", "postgresql")])
}

/// Sees that cargo-deny is there, building it if it is not.
pub(crate) fn cargo_deny() -> Result<()> {
    if output(cargo(&["deny", "--version"])).is_ok() {
        return Ok(());
    }
    succeed(cargo(&["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--debug", "--quiet"]))
}

/// Sees that mdbook is there, building it if it is not. Answers the program.
pub(crate) fn mdbook() -> Result<std::path::PathBuf> {
    let folder = target().join("tools");
    let program = folder.join("bin/mdbook");
    if output(command(&program, &["--version"])).is_ok_and(|said| said.trim().ends_with(MDBOOK)) {
        return Ok(program);
    }
    let mut install = cargo(&["install", "mdbook", "--version", MDBOOK, "--locked", "--debug", "--quiet", "--force"]);
    install.args(["--no-default-features", "--features", "search", "--root"]).arg(&folder);
    install.env("CARGO_TARGET_DIR", folder.join("building"));
    succeed(install)?;
    std::fs::remove_dir_all(folder.join("building"))?;
    Ok(program)
}

/// Sees that wasmtime's own program is there, building it if it is not: in release, as it is measured. Answers the program.
pub(crate) fn wasmtime() -> Result<std::path::PathBuf> {
    let folder = target().join("tools");
    let program = folder.join("bin/wasmtime");
    if output(command(&program, &["--version"])).is_ok_and(|said| said.contains(WASMTIME)) {
        return Ok(program);
    }
    let mut install = cargo(&["install", "wasmtime-cli", "--version", WASMTIME, "--locked", "--quiet", "--force", "--no-default-features"]);
    install.args(["--features", "serve,wizer,compile,component-model-async,parallel-compilation,pooling-allocator", "--root"]).arg(&folder);
    install.env("CARGO_TARGET_DIR", folder.join("building"));
    succeed(install)?;
    std::fs::remove_dir_all(folder.join("building"))?;
    Ok(program)
}

/// Sees that Python can make virtual environments, which Debian packs apart.
pub(crate) fn python_venv() -> Result<()> {
    if output(command("python3", &["-c", "import venv, ensurepip"])).is_ok() {
        return Ok(());
    }
    debian(&[("/usr/bin/no-such-program", "python3-venv")])
}
