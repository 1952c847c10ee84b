//! The ten-minute path of the SDK's README, command by command, as a new author types it.

use std::path::Path;
use std::process::Command;

/// Every line of the README's `console` blocks, in order.
fn commands() -> Vec<String> {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/rust/README.md")).unwrap();
    let mut commands = Vec::new();
    let mut inside = false;
    for line in readme.lines() {
        match line.trim() {
            "```console" => inside = true,
            "```" => inside = false,
            command if inside && !command.is_empty() => commands.push(command.to_owned()),
            _ => {}
        }
    }
    commands
}

/// Types commands in a folder, one after another, with this build's `bailiwick` on the path. Answers what all of them printed.
fn type_them(folder: &Path, commands: &[String]) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_bailiwick")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    // The plugins of all such tests share what cargo builds.
    let built = bin.parent().unwrap().join("ten-minutes");
    let script = format!("set -eu\n{}\n", commands.join("\n"));
    let output =
        Command::new("bash").args(["-c", &script]).current_dir(folder).env("PATH", path).env("CARGO_TARGET_DIR", built).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}\n{said}");
    said
}

#[test]
fn an_adapter_as_the_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    let commands = commands();
    assert!(commands.iter().any(|command| command.starts_with("bailiwick plugin new")), "{commands:?}");
    // rustup may be missing where the target is there already; the test run itself has seen to the target.
    let typed: Vec<String> = commands.into_iter().filter(|command| !command.starts_with("rustup ")).collect();
    let said = type_them(folder.path(), &typed);
    assert!(said.contains("2 passed, 0 failed"), "{said}");
    assert!(folder.path().join("mileage/mileage.wasm").is_file());
}

#[test]
fn a_format_goes_the_same_way() {
    let folder = tempfile::tempdir().unwrap();
    let typed =
        ["bailiwick plugin new deductions --kind format", "cd deductions", "cargo test", "bailiwick plugin build", "bailiwick plugin test"];
    let said = type_them(folder.path(), &typed.map(str::to_owned));
    assert!(said.contains("4 passed, 0 failed") && folder.path().join("deductions/deductions.wasm").is_file(), "{said}");
}

#[test]
fn and_so_does_a_connector() {
    let folder = tempfile::tempdir().unwrap();
    let typed =
        ["bailiwick plugin new absences --kind connector", "cd absences", "cargo test", "bailiwick plugin build", "bailiwick plugin test"];
    let said = type_them(folder.path(), &typed.map(str::to_owned));
    assert!(said.contains("3 passed, 0 failed") && folder.path().join("absences/absences.wasm").is_file(), "{said}");
}
