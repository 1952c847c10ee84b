//! Builds the reference plugins as a user would: with `bailiwick plugin build`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};

use crate::tools::{bailiwick, cargo, command, root, succeed};

/// Whether the hub's program stands, as it was built with the tests.
static BUILT_WITH_TESTS: AtomicBool = AtomicBool::new(false);

/// Builds the hub's program.
pub(crate) fn build_hub() -> Result<()> {
    if BUILT_WITH_TESTS.load(Ordering::Relaxed) {
        return Ok(());
    }
    succeed(cargo(&["build", "--package", "bailiwick"]))
}

/// Builds the hub's program, the tests, and all that they depend on. What only tests use asks more of some dependencies: built apart from
/// the program, a fifth of all, with the heaviest among them, would be compiled twice.
pub(crate) fn build_with_tests() -> Result<()> {
    succeed(cargo(&["test", "--workspace", "--no-run"]))?;
    BUILT_WITH_TESTS.store(true, Ordering::Relaxed);
    Ok(())
}

/// The folders of the reference plugins, by name.
pub(crate) fn folders() -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(root().join("plugins")).context("plugins/ cannot be listed")?;
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    folders.retain(|folder| folder.join("plugin.toml").is_file());
    folders.sort();
    Ok(folders)
}

/// Builds every reference plugin into a component under `target/plugins`.
pub(crate) fn build_all() -> Result<Vec<PathBuf>> {
    crate::prerequisites::wasm_target()?;
    build_hub()?;
    // Where the example's plugins.toml looks, wherever cargo builds.
    let to = root().join("target/plugins");
    std::fs::create_dir_all(&to)?;
    folders()?
        .into_iter()
        .map(|folder| {
            let name = folder.file_name().context("a plugin's folder has a name")?;
            let built = to.join(name).with_extension("wasm");
            let mut build = command(bailiwick(), &["plugin", "build"]);
            build.arg(&folder).arg("--out").arg(&built);
            succeed(build)?;
            Ok(built)
        })
        .collect()
}
