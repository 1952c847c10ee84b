//! The contract is frozen: what a plugin was built against yesterday is there tomorrow, byte for byte.

use std::path::PathBuf;

use bailiwick::ledger::{RunState, Scope};
use bailiwick::model::ids::Digest;

use crate::support::*;

/// A frozen part of the contract: its folder, its version, its files, and SHA-256 over name and bytes of each.
/// A change of the contract is a new folder, never a new digest.
struct Frozen {
    folder: &'static str,
    version: &'static str,
    files: &'static [&'static str],
    digest: &'static str,
    declarations_min: usize,
}

const FROZEN: [Frozen; 2] = [
    Frozen {
        folder: "wit/0.1.0",
        version: "0.1.0",
        files: &["adapter.wit", "host.wit", "rule-set.wit", "types.wit"],
        digest: "76debf3f02e023aa1e00394e2063b5f713761a33df6cb9fb741882f5a2e0925c",
        declarations_min: 40,
    },
    Frozen {
        folder: "wit/0.2.0",
        version: "0.2.0",
        files: &["connector.wit", "format.wit", "http.wit"],
        digest: "27cb4f27f6df189c3ebfae1980d8672f274f87ef8a02afe1101c853a8d4ef888",
        declarations_min: 44,
    },
];

impl Frozen {
    fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.files.iter().map(|file| root().join(self.folder).join(file))
    }
}

#[test]
fn versions_are_what_they_were() {
    for frozen in &FROZEN {
        let mut bytes = Vec::new();
        for file in frozen.paths() {
            let content = std::fs::read(&file).unwrap();
            let name = file.file_name().unwrap().to_str().unwrap();
            bytes.extend_from_slice(format!("{name} {}\n", content.len()).as_bytes());
            bytes.extend(content);
        }
        assert_eq!(Digest::of(&bytes).to_string(), frozen.digest, "{} was changed: make a new version beside it", frozen.folder);
    }
}

#[test]
fn nothing_else_lies_in_a_frozen_folder() {
    for frozen in &FROZEN {
        let mut files: Vec<_> = std::fs::read_dir(root().join(frozen.folder)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        files.sort();
        assert_eq!(files, frozen.files);
    }
}

/// SHA-256 of a component of the first version, as cargo once built it. It is never built again.
const OLD: &str = "4f62b28b8a98acd40bd012a60a4e709f4491cfbd81722b461ea4839c04cd9f91";

/// An adapter of 0.1.0 from long ago, and a format of 0.2.0 of today, both in force at one hub, and the old one does what it did.
#[test]
fn a_component_of_the_first_version_runs_beside_those_of_later_ones() {
    let old = root().join("tests/suite/frozen/cost-apportionment-0.1.0.wasm");
    assert_eq!(Digest::of(&std::fs::read(&old).unwrap()).to_string(), OLD, "what is frozen is not built again");
    let site = Site::staffordshire();
    let lines =
        |name: &str, component: &std::path::Path| format!("\n[[plugin]]\npartner = {FIRE:?}\nname = {name:?}\ncomponent = {component:?}\n");
    site.edit("plugins.toml", plugin_path("cost-apportionment").to_str().unwrap(), old.to_str().unwrap());
    let plugins = String::from_utf8(site.read("plugins.toml")).unwrap();
    site.write("plugins.toml", plugins + &lines("bacs-standard-18", &plugin_path("bacs-standard-18")));
    wait(async {
        let hub = site.hub(&clock_at("2026-11-05T09:00:00Z")).await;
        let kept = hub.ledger().releases(Scope::Partner(&partner(FIRE))).await.unwrap();
        assert_eq!(kept.iter().filter(|release| release.active_since_ms.is_some()).count(), 2, "{kept:?}");
        let run = finished(&hub, FIRE, "shared-services-apportionment").await;
        assert_eq!((run.state, run.pins.unwrap().release.unwrap().to_string()), (RunState::Closed, OLD.to_owned()));
        assert!(run.rows.written > 0 && !site.delivered().is_empty());
    });
}

/// Whether a line declares something that a plugin can name.
fn declares(line: &str) -> bool {
    let words = ["interface ", "world ", "record ", "enum ", "variant ", "flags ", "resource ", "type ", "constructor("];
    words.iter().any(|word| line.starts_with(word))
        || line.split_once(": ").is_some_and(|(_, kind)| kind.starts_with("func(") || kind.starts_with("static func("))
}

#[test]
fn everything_says_since_when_it_is_there() {
    for frozen in &FROZEN {
        let mut declared = 0;
        for file in frozen.paths() {
            let text = std::fs::read_to_string(&file).unwrap();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            for (place, line) in lines.iter().enumerate().filter(|(_, line)| declares(line)) {
                declared += 1;
                let place_told = format!("{} line {}: {line}", file.display(), place + 1);
                assert_eq!(lines[place - 1], format!("@since(version = {})", frozen.version), "{place_told}");
                assert!(lines[place - 2].starts_with("///"), "{place_told} has no word of explanation");
            }
        }
        assert!(declared >= frozen.declarations_min, "only {declared} declarations were found in {}", frozen.folder);
    }
}
