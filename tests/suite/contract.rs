//! The contract is frozen: what a plugin was built against yesterday is there tomorrow, byte for byte.

use std::path::PathBuf;

use bailiwick::model::ids::Digest;

use crate::support::root;

/// SHA-256 over name and bytes of each file of version 0.1.0. A change of the contract is a new folder, never a new constant.
const FROZEN: &str = "76debf3f02e023aa1e00394e2063b5f713761a33df6cb9fb741882f5a2e0925c";

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("wit/0.1.0")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn version_0_1_0_is_what_it_was() {
    let mut bytes = Vec::new();
    for file in files() {
        let content = std::fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        bytes.extend_from_slice(format!("{name} {}\n", content.len()).as_bytes());
        bytes.extend(content);
    }
    assert_eq!(Digest::of(&bytes).to_string(), FROZEN, "wit/0.1.0 was changed: make a new version beside it");
}

/// Whether a line declares something that a plugin can name.
fn declares(line: &str) -> bool {
    let words = ["interface ", "world ", "record ", "enum ", "variant ", "flags ", "resource ", "type ", "constructor("];
    words.iter().any(|word| line.starts_with(word))
        || line.split_once(": ").is_some_and(|(_, kind)| kind.starts_with("func(") || kind.starts_with("static func("))
}

#[test]
fn everything_says_since_when_it_is_there() {
    let mut declared = 0;
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (place, line) in lines.iter().enumerate().filter(|(_, line)| declares(line)) {
            declared += 1;
            let place_told = format!("{} line {}: {line}", file.display(), place + 1);
            assert_eq!(lines[place - 1], "@since(version = 0.1.0)", "{place_told}");
            assert!(lines[place - 2].starts_with("///"), "{place_told} has no word of explanation");
        }
    }
    assert!(declared > 40, "only {declared} declarations were found");
}
