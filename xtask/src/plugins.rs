//! Builds the reference plugins as a user would: with `bailiwick plugin build`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::tools::{bailiwick, cargo, command, root, succeed};

/// Builds the hub's program.
pub(crate) fn build_hub() -> Result<()> {
    succeed(cargo(&["build", "--package", "bailiwick"]))
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
