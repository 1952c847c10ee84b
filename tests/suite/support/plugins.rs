//! The reference plugins, built as a user would build them, and the hostile guest with a manifest of a test's own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::SystemTime;

use bailiwick::registry::package;
use bailiwick::sandbox::embed_section;

use super::{compiler_path, hostile_adapter};

/// The repository's folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the host lies in the repository").to_owned()
}

/// The component of a reference plugin, built if it is not there or older than what it is made of.
pub(crate) fn plugin_path(name: &str) -> PathBuf {
    // One build at a time: they share cargo's folder.
    static BUILDING: Mutex<()> = Mutex::new(());
    let _one = BUILDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = root().join("plugins").join(name);
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder").join("plugins").join(format!("{name}.wasm"));
    let sources = [folder.as_path(), &root().join("sdk/rust/src"), &root().join("wit")].into_iter().map(newest).max().flatten();
    if modified(&built) >= sources && modified(&built).is_some() {
        return built;
    }
    std::fs::create_dir_all(built.parent().expect("it lies in a folder")).expect("a folder for plugins");
    // Beside its place and then renamed: another process may be reading the old one.
    let fresh = built.with_extension(format!("{}.part", std::process::id()));
    let status = Command::new(compiler_path()).args(["plugin", "build"]).arg(&folder).arg("--out").arg(&fresh).status().expect("it starts");
    assert!(status.success(), "plugin {name} does not build");
    std::fs::rename(&fresh, &built).expect("it is renamed");
    built
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

/// When the newest file below a folder was written.
fn newest(folder: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("an entry").path());
    entries.filter_map(|path| if path.is_dir() { newest(&path) } else { modified(&path) }).max()
}

/// The hostile adapter with a manifest: the text of a `plugin.toml`, and a settings schema that lets it be told how to misbehave.
pub(crate) fn hostile_component(manifest: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("plugin.toml"), manifest).expect("it is written");
    let schema = r#"{"type":"object","properties":{"misbehave":{"type":"string"}},"additionalProperties":false}"#;
    std::fs::write(folder.path().join("settings.schema.json"), schema).expect("it is written");
    component_of(hostile_adapter(), folder.path())
}

/// A component with the manifest, the schemas and the tables of a folder, in place of any that it had.
pub(crate) fn component_of(code: &[u8], folder: &Path) -> Vec<u8> {
    let section = package::pack(folder).expect("the manifest is in order");
    embed_section(code, &section).expect("it is a component")
}
