//! Everything that is measured, built in release: the hub's program, the plugins, the hub's side of the measures, the peers.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::plugins;
use crate::prerequisites::WASM_TARGET;
use crate::tools::{cargo, command, output, root, succeed, target};

/// Where the programs and components are.
pub(super) struct Built {
    /// `tests/bench/measure`.
    pub(super) measure: PathBuf,
    /// `tests/bench/peers/bare`.
    pub(super) bare: PathBuf,
    /// `tests/bench/peers/native`.
    pub(super) native: PathBuf,
    /// `tests/bench/peers/native/src/bin/program.rs`.
    pub(super) program: PathBuf,
    /// `tests/bench/peers/extism`.
    pub(super) extism: PathBuf,
    /// The hub's own program.
    pub(super) bailiwick: PathBuf,
    /// Components, compiled code and files of the measures.
    pub(super) folder: PathBuf,
}

impl Built {
    /// Builds what is wanted; Extism and all that it stands on only where it is measured.
    pub(super) fn new(with_extism: bool) -> Result<Self> {
        let folder = target().join("bench");
        std::fs::create_dir_all(&folder)?;
        let measure = hub_and_measure()?;
        components(&folder)?;
        let peers = root().join("tests/bench/peers/Cargo.toml");
        for (package, profile) in [("bare", "release"), ("native", "native"), ("extism-peer", "release"), ("extism-plugin", "plugin")] {
            if package.starts_with("extism") && !with_extism {
                continue;
            }
            let mut build = cargo(&["build", "--locked", "--package", package, "--profile", profile, "--manifest-path"]);
            build.arg(&peers).arg("--target-dir").arg(target());
            if package == "extism-plugin" {
                build.args(["--target", WASM_TARGET]);
            }
            succeed(build)?;
        }
        let built = Self {
            measure,
            bare: target().join("release/bare"),
            native: target().join("native/native"),
            program: target().join("native/program"),
            extism: target().join("release/extism-peer"),
            bailiwick: target().join("release/bailiwick"),
            folder,
        };
        built.prepare(with_extism)?;
        Ok(built)
    }

    /// The component of a plugin.
    pub(super) fn component(&self, plugin: &str) -> PathBuf {
        self.folder.join(plugin).with_extension("wasm")
    }

    /// `claim-routing` as instances of it begin: what the floor runs.
    pub(super) fn started(&self) -> PathBuf {
        self.folder.join("claim-routing-started.wasm")
    }

    /// `claim-routing` for Extism, as cargo built it, or as it is after its start.
    pub(super) fn extism_plugin(&self, started: bool) -> PathBuf {
        if started { self.folder.join("extism-started.wasm") } else { target().join(WASM_TARGET).join("plugin/extism_plugin.wasm") }
    }

    /// The case that is decided.
    pub(super) fn case(&self) -> PathBuf {
        self.folder.join("case.json")
    }

    /// A case that hardly asks anything of the rules: what a sandbox costs by itself shows most.
    pub(super) fn small_case(&self) -> PathBuf {
        self.folder.join("small-case.json")
    }

    fn prepare(&self, with_extism: bool) -> Result<()> {
        let mut initialise = command(&self.measure, &["initialise"]);
        initialise.arg(self.component("claim-routing")).arg(self.started());
        succeed(initialise)?;
        if with_extism {
            let mut initialise = command(&self.extism, &["initialise"]);
            initialise.arg(self.extism_plugin(false)).arg(self.extism_plugin(true));
            succeed(initialise)?;
        }
        std::fs::write(self.case(), case("portal-motor", "a claim of £10,000.00")?)?;
        std::fs::write(self.small_case(), case("advice", "partnership")?)?;
        Ok(())
    }
}

/// Builds every reference plugin as a user would, with the hub's program in release.
fn components(folder: &Path) -> Result<()> {
    for plugin in plugins::folders()? {
        let name = plugin.file_name().context("a plugin's folder has a name")?;
        let mut build = command(target().join("release/bailiwick"), &["plugin", "build"]);
        build.arg(&plugin).arg("--out").arg(folder.join(name).with_extension("wasm"));
        succeed(build)?;
    }
    Ok(())
}

/// Builds the hub's program and the bench `measure` by one command, so that the hub is compiled once for both.
///
/// Cargo names the program of a bench by a hash, and tells it.
fn hub_and_measure() -> Result<PathBuf> {
    let build =
        ["build", "--release", "--package", "bailiwick", "--bins", "--bench", "measure", "--message-format", "json-render-diagnostics"];
    let said = output(cargo(&build))?;
    let program = said.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let measure = message["reason"] == "compiler-artifact" && message["target"]["name"] == "measure";
        message["executable"].as_str().filter(|_| measure).map(PathBuf::from)
    });
    program.context("cargo built no program for the bench `measure`")
}

/// A case of `claim-routing`'s own. The claim after a collision opens every table and has most of the rules apply.
fn case(file: &str, name: &str) -> Result<String> {
    let file = format!("plugins/claim-routing/cases/{file}.json");
    let text = std::fs::read_to_string(root().join(&file)).with_context(|| file.clone())?;
    let cases: serde_json::Value = serde_json::from_str(&text).with_context(|| file.clone())?;
    let mut listed = cases["cases"].as_array().into_iter().flatten();
    let found = listed.find(|case| case["name"] == name).with_context(|| format!("{file} has no case {name:?}"))?;
    Ok(found["case"].to_string())
}
