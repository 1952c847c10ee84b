//! A desk: the example with three versions of lgps-return, built from its source, and people who hand them in and judge them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use crate::support::*;

/// A partner that has a release in use and asks for approved ones, with another handed in by ann.
pub(super) struct Desk {
    pub(super) site: Site,
}

impl Desk {
    pub(super) fn new() -> Self {
        let desk = Self { site: site() };
        let edited = typed(
            &desk.site,
            &format!(
                "set -eu\nexport USER=ann\nbailiwick key new ann --no-passphrase\nbailiwick key add {POLICE} ann.pub --owner Ann\n\
                 for number in 1 2 3; do bailiwick plugin sign lgps-return-$number.wasm --key ann.key; \
                 bailiwick plugin push lgps-return-$number.wasm --partner {POLICE}; done"
            ),
        );
        assert_eq!(edited.code, Some(0), "{} {}", edited.out, edited.err);
        desk
    }

    pub(super) fn says(&self, person: &str, arguments: &[&str]) -> Said {
        bailiwick(&self.site, arguments).env("USER", person).output().unwrap().into()
    }

    #[track_caller]
    pub(super) fn done(&self, person: &str, arguments: &[&str]) -> String {
        let said = self.says(person, arguments);
        assert_eq!(said.code, Some(0), "{} {}", said.out, said.err);
        said.out
    }

    #[track_caller]
    pub(super) fn refused(&self, person: &str, arguments: &[&str], why: &str) {
        let said = self.says(person, arguments);
        assert!(said.code == Some(1) && said.err.contains(why), "{why:?} in {:?} {:?}", said.out, said.err);
    }

    pub(super) fn review(&self, release: &str) -> String {
        self.says("bob", &["plugin", "review", release, "--json"]).json()["review"].as_str().unwrap().to_owned()
    }

    pub(super) fn approve(&self, release: &str, more: &[&str]) -> String {
        let review = self.review(release);
        let mut arguments = vec!["plugin", "approve", release, "--review", &review, "--why", "looked at"];
        arguments.extend(more);
        self.done("bob", &arguments)
    }
}

/// A version of lgps-return, built as its author builds it, with one line of its source another.
fn built(version: &str, change: Option<(&str, &str, &str)>) -> PathBuf {
    static BUILT: OnceLock<Mutex<BTreeMap<String, PathBuf>>> = OnceLock::new();
    let mut built = BUILT.get_or_init(Mutex::default).lock().unwrap();
    if let Some(there) = built.get(version) {
        return there.clone();
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("versions");
    let folder = target.join("lgps-return");
    drop(fs::remove_dir_all(&folder));
    copy(&root().join("plugins/lgps-return/src"), &folder.join("src"));
    copy(&root().join("plugins/lgps-return/tables"), &folder.join("tables"));
    fs::copy(root().join("plugins/lgps-return/settings.schema.json"), folder.join("settings.schema.json")).unwrap();
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let manifest = fs::read_to_string(root().join("plugins/lgps-return/plugin.toml")).unwrap();
    fs::write(folder.join("plugin.toml"), manifest.replacen("version = \"1.0.0\"", &format!("version = {version:?}"), 1)).unwrap();
    let sdk = root().join("sdk/rust");
    let cargo = format!(
        "[package]\nname = \"lgps-return\"\nversion = {version:?}\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n\
         [dependencies]\nbailiwick-sdk = {{ path = {sdk:?} }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\
         [profile.plugin]\ninherits = \"release\"\ncodegen-units = 1\npanic = \"abort\"\nstrip = true\n[workspace]\n"
    );
    fs::write(folder.join("Cargo.toml"), cargo).unwrap();
    if let Some((file, from, to)) = change {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from:?} is one line of {file}");
        fs::write(folder.join(file), text.replace(from, to)).unwrap();
    }
    let out = target.join(format!("lgps-return-{version}-{}.wasm", std::process::id()));
    let mut build = Command::new(compiler_path());
    build.args(["plugin", "build"]).arg(&folder).arg("--out").arg(&out).env("CARGO_TARGET_DIR", target.join("target"));
    let said: Said = build.env("CARGO_NET_OFFLINE", "true").output().unwrap().into();
    assert_eq!(said.code, Some(0), "{}", said.err);
    built.insert(version.to_owned(), out.clone());
    out
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &target) } else { fs::copy(entry.path(), target).map(drop).unwrap() }
    }
}

/// The rounding of the 50/50 section, cut off in place of half up.
const DEFECT: (&str, &str, &str) = (
    "src/rules/contribution.rs",
    "care_pay.share(1, of, Rounding::HalfUp)",
    "care_pay.share(1, of, if matches!(section, Section::Half) { Rounding::Down } else { Rounding::HalfUp })",
);

/// The example with the three versions beside its configuration. The police have one plugin and one job.
pub(super) fn site() -> Site {
    let site = Site::staffordshire();
    let components = [("1", plugin_path("lgps-return")), ("2", built("2.0.0", Some(DEFECT))), ("3", built("3.0.0", None))];
    for (number, component) in components {
        fs::copy(component, site.path(&format!("lgps-return-{number}.wasm"))).unwrap();
    }
    site.edit("plugins.toml", plugin_path("lgps-return").to_str().unwrap(), "lgps-return-1.wasm");
    for (plugin, job) in [("claim-routing", "claim-routing"), ("supplier-checks", "supplier-onboarding")] {
        let entry = format!("[[plugin]]\npartner = \"{POLICE}\"\nname = {plugin:?}\ncomponent = {:?}\n", plugin_path(plugin));
        site.edit("plugins.toml", &entry, "");
        fs::remove_file(site.path(&format!("jobs/{job}.toml"))).unwrap();
    }
    fs::rename(site.path("data/payroll/payroll-2026-10.csv"), site.path("payroll.csv")).unwrap();
    site.edit("jobs/lgps-monthly-return.toml", "-{month}.csv", "-{run}.csv");
    let applied = say(&site, &["apply", "."]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    site
}

pub(super) fn typed(site: &Site, script: &str) -> Said {
    let path = format!("{}:{}", compiler_path().parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).current_dir(site.config()).env("PATH", path).env("BAILIWICK_DATA", site.data());
    bash.env("NO_COLOR", "1").env("BAILIWICK_KEY_PASSPHRASE", "").env_remove("BAILIWICK_LOG").output().unwrap().into()
}
