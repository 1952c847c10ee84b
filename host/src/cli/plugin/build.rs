//! `bailiwick plugin build`: cargo, then a component, then the manifest in it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::FolderOption;
use crate::cli::Answer;
use crate::cli::paint::{bytes, say};
use crate::model::ids::Digest;
use crate::model::manifest::Kind;
use crate::registry::package;
use crate::sandbox;

/// The target that plugins are built for: it has no system to call.
const TARGET: &str = "wasm32-unknown-unknown";

/// For adapters, whose work is done for every row: calls cost more inside a component than natively, and what runs a component
/// inlines none away, so the plugin's compiler has to. Rule sets stay small instead, because hubs hold many of them.
/// Flags of the user's own are kept: those under `build` in a cargo configuration join it, and `RUSTFLAGS` or those of a target
/// go before it, as cargo has it.
const INLINE: &str = r#"build.rustflags = ["-C", "llvm-args=-inline-threshold=5000"]"#;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    folder: FolderOption,
    /// Where the component goes; NAME.wasm in the plugin's folder unless said.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn build(options: &Options) -> Answer {
    let folder = std::path::absolute(&options.folder.folder)?;
    let (name, component) = component(&folder)?;
    let out = options.out.clone().unwrap_or_else(|| folder.join(format!("{name}.wasm")));
    std::fs::write(&out, &component).map_err(|error| format!("{} cannot be written: {error}", out.display()))?;
    say(format!("{}  {}  SHA-256 {}", out.display(), bytes(component.len() as u64), Digest::of(&component)));
    Ok(ExitCode::SUCCESS)
}

/// Builds the plugin in a folder: its name and its component.
pub(super) fn component(folder: &Path) -> Result<(String, Vec<u8>), Box<dyn std::error::Error>> {
    // The manifest first: what is wrong with it is found in a moment, and cargo takes longer.
    let section = package::pack(folder)?;
    let manifest = package::unpack(&section)?.manifest;
    let module = core_module(folder, &manifest.kind)?;
    let module = std::fs::read(&module).map_err(|error| format!("{} cannot be read: {error}", module.display()))?;
    let component = sandbox::embed_section(&sandbox::componentise(&module)?, &section)?;
    Ok((manifest.name.to_string(), component))
}

/// Runs cargo and finds what it built.
fn core_module(folder: &Path, kind: &Kind) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(format!(
            "{} has no Cargo.toml: name a plugin's folder, or make one with `bailiwick plugin new NAME --kind adapter`",
            folder.display()
        )
        .into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let flags: &[&str] = if matches!(kind, Kind::Adapter(_)) { &["--config", INLINE] } else { &[] };
    let output = Command::new(cargo)
        .args(["build", "--lib", "--profile", "plugin", "--target", TARGET, "--message-format", "json-render-diagnostics"])
        .args(flags)
        .current_dir(folder)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo cannot be started: {error}. Install Rust with rustup"))?;
    if !output.status.success() {
        return Err(format!(
            "cargo could not build the plugin. If it says that it cannot find `core` or `std`, add the target: rustup target add {TARGET}"
        )
        .into());
    }
    let built = String::from_utf8_lossy(&output.stdout);
    let of_plugin = |line: &str| -> Option<PathBuf> {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let ours =
            message["reason"] == "compiler-artifact" && message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
        let files = message["filenames"].as_array().filter(|_| ours)?;
        files.iter().filter_map(|file| file.as_str()).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
    };
    built
        .lines()
        .find_map(of_plugin)
        .ok_or_else(|| "cargo built no .wasm: the plugin's Cargo.toml needs [lib] crate-type = [\"cdylib\", \"rlib\"]".into())
}
