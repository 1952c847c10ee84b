//! What is refused at the door, what compiling may take, and what becomes of a cache that somebody touched.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::model::limits::Limit;
use bailiwick::model::manifest::Manifest;
use bailiwick::registry::package;
use bailiwick::sandbox::{Sandbox, SandboxError, SandboxOptions};

use super::misdeeds::MISLEADING;
use super::{adapter_manifest, hostile_adapter, hostile_rule_set, rows, rule_set_manifest, sandbox, sandbox_in, setup, wait};

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the test's text is right")
}

fn refusal(wasm: &[u8], manifest: &Manifest) -> SandboxError {
    sandbox().install(wasm, manifest).expect_err("it is refused")
}

/// Every interface of WASI 0.2, without its version.
const WASI: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/run",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/timezone",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/incoming-handler",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

#[test]
fn what_the_hub_does_not_lend_is_refused_by_name() {
    let wasi = WASI.iter().flat_map(|interface| ["0.2.0", "0.2.9", "0.3.0"].map(|version| format!("{interface}@{version}")));
    let others =
        ["bailiwick:plugin/files@0.1.0", "bailiwick:plugin/sockets@0.1.0", "env", "wasi-snapshot-preview1", "bailiwick:other/log@0.1.0"];
    for interface in &wasi.chain(others.map(str::to_owned)).collect::<Vec<_>>() {
        let wasm = component(&format!(r#"(component (import "{interface}" (instance)))"#));
        let error = refusal(&wasm, &adapter_manifest());
        assert!(matches!(&error, SandboxError::ForbiddenImport { interface: named } if named == interface), "{error}");
        assert!(error.to_string().contains(interface));
    }
    // There is such an interface, in another version of the contract.
    for other in ["bailiwick:plugin/log@0.2.0", "bailiwick:plugin/http@0.1.0"] {
        let error = refusal(&component(&format!(r#"(component (import "{other}" (instance)))"#)), &adapter_manifest());
        assert!(matches!(error, SandboxError::ContractVersion { .. }), "{error}");
    }
}

#[test]
fn what_the_manifest_does_not_ask_for_is_refused() {
    for (interface, without) in [
        ("log", (|manifest| manifest.wants.log = false) as fn(&mut Manifest)),
        ("clock", |manifest| manifest.wants.clock = false),
        ("random", |manifest| manifest.wants.random = false),
        ("state", |manifest| manifest.wants.state = false),
        ("lookup", |manifest| manifest.wants.lookup.clear()),
    ] {
        let mut manifest = adapter_manifest();
        without(&mut manifest);
        let error = refusal(hostile_adapter(), &manifest);
        let SandboxError::ImportNotWanted { interface: named, want, .. } = &error else { panic!("{error}") };
        assert!(named.contains(interface) && want.starts_with(interface), "{error}");
    }
}

#[test]
fn a_core_module_for_wasi_is_no_plugin() {
    let module = component(r#"(module (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32))))"#);
    let error = bailiwick::sandbox::componentise(&module).expect_err("nothing lends it that");
    assert!(error.to_string().contains("wasi_snapshot_preview1"), "{error}");
    assert!(matches!(refusal(&module, &adapter_manifest()), SandboxError::NotAComponent { .. }));
}

#[test]
fn a_manifest_that_misleads_its_reader_is_refused() {
    let schema = r#"{"type": "object", "title": "A case"}"#;
    let unpacked = |manifest: &str, schema: &str| {
        let files = serde_json::json!({ "plugin.toml": manifest, "case.schema.json": schema });
        let section = serde_json::json!({ "form": 1, "files": files });
        package::unpack(section.to_string().as_bytes()).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(unpacked(MANIFEST, schema), Ok(()));
    // As it is, and as TOML and JSON may write it.
    for misleading in ["\u{202e}", "\\u202e", "\\u001b[2J", "\\U000E0041", "\u{feff}", "\\u0000"] {
        for (place, with) in [
            ("Made by hand", format!("Made{misleading} by hand")),
            ("Decides", format!("Decides{misleading}")),
            ("\"fund\"", format!("\"fund{misleading}\"")),
            ("[case]", format!("\"unheard{misleading}of\" = 1\n[case]")),
        ] {
            let refused = unpacked(&MANIFEST.replacen(place, &with, 1), schema).expect_err(place);
            assert!(refused.contains("steer a terminal"), "{with:?}: {refused}");
            assert!(!refused.contains(|character| MISLEADING.contains(character) && !char::is_ascii_graphic(&character)), "{refused:?}");
        }
        let json = misleading.replace("\\U000E0041", "\\udb40\\udc41");
        let refused = unpacked(MANIFEST, &schema.replace("A case", &format!("A{json} case"))).expect_err("the schema misleads");
        assert!(refused.contains("steer a terminal"), "{json:?}: {refused}");
    }
}

const MANIFEST: &str = r#"name = "by-hand"
version = "1.0.0"
kind = "rule-set"
contract = "0.1.0"
title = "Made by hand"
about = "Decides."
[case]
schema = "case.schema.json"
reference = "/reference"
[decision]
outcomes = ["fund"]
"#;

#[test]
fn what_does_not_fit_its_kind_is_refused() {
    let error = refusal(hostile_rule_set(), &adapter_manifest());
    assert!(matches!(error, SandboxError::ExportMissing { export: "bailiwick:plugin/rows@0.1.0", .. }), "{error}");
    let wrong_types = component(
        r#"(component
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (instance $rows (export "decide" (func $f)))
            (export "bailiwick:plugin/decisions@0.1.0" (instance $rows))
            (export "initialize" (func $f)))"#,
    );
    let error = refusal(&wrong_types, &rule_set_manifest());
    assert!(matches!(error, SandboxError::DoesNotLink { .. }), "{error}");
    for bytes in [&b"no wasm"[..], &component("(module)")] {
        assert!(matches!(refusal(bytes, &adapter_manifest()), SandboxError::NotAComponent { .. }));
    }
}

#[test]
fn limits_of_compiling_are_kept() {
    let with = |limit, amount| {
        let mut manifest = adapter_manifest();
        manifest.limits = vec![(limit, amount)];
        manifest
    };
    // Bytes that nothing has compiled before, so that the cache cannot answer.
    let fresh = |mark: &[u8]| bailiwick::sandbox::embed_section(hostile_adapter(), mark).expect("a component");
    let error = refusal(&fresh(b"too large"), &with(Limit::ComponentBytes, 1_000));
    assert!(matches!(error, SandboxError::TooLarge { allowed: 1_000, .. }), "{error}");
    let error = refusal(&fresh(b"too slow"), &with(Limit::CompileMs, 1));
    assert!(matches!(error, SandboxError::CompileLimit { limit: Limit::CompileMs, allowed: 1 }), "{error}");
    let error = refusal(&fresh(b"too much memory"), &with(Limit::CompileBytes, 16 << 20));
    assert!(matches!(error, SandboxError::CompileLimit { limit: Limit::CompileBytes, .. }), "{error}");
    let error = refusal(&fresh(b"too greedy"), &with(Limit::CompileBytes, u64::MAX));
    assert!(matches!(error, SandboxError::LimitAboveCeiling { .. }), "{error}");
}

#[test]
fn a_compiler_that_fails_is_told_from_a_component_that_does() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let with = |compiler: &str| {
        let options =
            SandboxOptions { cache_dir: folder.path().to_owned(), compiler: compiler.into(), run_threads: 1, decision_threads: 1 };
        Sandbox::new(options).expect("it starts").install(hostile_adapter(), &adapter_manifest()).expect_err("it does not compile")
    };
    assert!(matches!(with("/nonexistent/compiler"), SandboxError::CompilerMissing { .. }));
    assert!(matches!(with("/bin/true"), SandboxError::CompileFailed { .. }));
    assert!(matches!(with("/bin/false"), SandboxError::CompileFailed { .. }));
    let left: Vec<PathBuf> = files(folder.path());
    assert_eq!(left, [folder.path().join("key")], "nothing is left of what failed");
}

#[test]
fn a_guest_that_cannot_be_snapshotted_is_used_as_it_is() {
    // Its `initialize` does not end. It would never be called again, because only the snapshot calls it.
    let endless = component(
        r#"(component
            (core module $m (func (export "f") (loop (br 0))))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (instance $none)
            (export "bailiwick:plugin/decisions@0.1.0" (instance $none))
            (export "initialize" (func $f)))"#,
    );
    let begun = Instant::now();
    let error = refusal(&endless, &rule_set_manifest());
    assert!(matches!(error, SandboxError::DoesNotLink { .. }), "it came as far as linking: {error}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn the_cache_is_private_and_sealed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cache = folder.path().join("cache");
    let installed = |sandbox: &Sandbox| {
        let begun = Instant::now();
        let release = sandbox.install(hostile_adapter(), &adapter_manifest()).expect("it installs");
        (release, begun.elapsed())
    };
    let (first, compiling) = installed(&sandbox_in(&cache, 2).expect("it starts"));
    let code = files(&cache).into_iter().find(|file| file.extension().is_some_and(|ending| ending == "aot")).expect("code is kept");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&cache), 0o700);
    assert!(files(&cache).iter().all(|file| mode(file) == 0o600));
    let written = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).expect("it is there");

    // Untouched: another hub takes it as it is.
    let before = written(&code);
    let (second, loading) = installed(&sandbox_in(&cache, 2).expect("it starts"));
    assert_eq!((first.digest, first.initialised), (second.digest, second.initialised));
    assert_eq!(written(&code), before, "it was not compiled again");
    assert!(loading < compiling / 2, "loading took {loading:?}, compiling {compiling:?}");

    // Touched in one bit, cut short, sealed by another key, without its seal: compiled anew, and it works.
    let seal = code.with_extension("seal");
    for spoil in
        [(&|| flip(&code)) as &dyn Fn(), &|| replace(&code, b""), &|| flip(&seal), &|| replace(&cache.join("key"), &[9; 32]), &|| {
            fs::remove_file(&seal).expect("it is ours")
        }]
    {
        spoil();
        let before = written(&code);
        let sandbox = sandbox_in(&cache, 2).expect("it starts");
        let (release, _) = installed(&sandbox);
        assert_ne!(written(&code), before, "it was compiled again");
        let setup = Arc::new(setup(release, ""));
        let pushed = wait(sandbox.on_run_thread(move |worker| worker.open_adapter(&setup).expect("it opens").push(0, &rows(0, 2)).is_ok()));
        assert!(pushed.expect("the thread answers"));
    }
}

#[test]
fn a_seal_is_for_one_release_only() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let sandbox = sandbox_in(folder.path(), 2).expect("it starts");
    let other = bailiwick::sandbox::embed_section(hostile_adapter(), b"another release").expect("a component");
    let one = sandbox.install(hostile_adapter(), &adapter_manifest()).expect("it installs");
    let two = sandbox.install(&other, &adapter_manifest()).expect("it installs");
    assert_ne!(one.digest, two.digest);
    let of = |digest: &str, ending: &str| {
        let belongs = |file: &PathBuf| file.to_string_lossy().contains(digest) && file.extension().is_some_and(|found| found == ending);
        files(folder.path()).into_iter().find(belongs).expect("it is kept")
    };
    for ending in ["aot", "seal"] {
        replace(&of(&two.digest.to_string(), ending), &fs::read(of(&one.digest.to_string(), ending)).expect("it is ours"));
    }
    let written = || fs::metadata(of(&two.digest.to_string(), "aot")).and_then(|found| found.modified()).expect("it is there");
    let before = written();
    sandbox.install(&other, &adapter_manifest()).expect("it installs");
    assert_ne!(written(), before, "the other's code was not taken");
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).expect("it is ours");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    replace(path, &bytes);
}

/// In place of the file and not into it: threads that are ending still have it mapped.
fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).expect("it is ours");
    fs::write(path, bytes).expect("it is ours");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).expect("it is there").map(|entry| entry.expect("it is there").path()).collect();
    files.sort();
    files
}
