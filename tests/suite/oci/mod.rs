//! Components in a registry: published and pulled byte for byte, taken by a hub as any other is; and what a registry that is altered,
//! generous, closed or led elsewhere comes to: a sentence, and nothing left.

mod signed_in;

use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick::model::ids::Digest;
use serde_json::{Value, json};

use crate::support::*;

const COMPONENT: &str = "cost-apportionment.wasm";
const PULLED: &str = "pulled.wasm";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const SIGNATURE: &str = "application/vnd.bailiwick.minisign.v1";

/// A folder with a plugin and its signature, and no hub.
struct Desk {
    site: Site,
}

impl Desk {
    fn new() -> Self {
        let site = Site::bare();
        std::fs::copy(plugin_path("cost-apportionment"), site.path(COMPONENT)).unwrap();
        let desk = Self { site };
        desk.done(&["key", "new", "lead", "--no-passphrase"]);
        desk.done(&["plugin", "sign", COMPONENT, "--key", "lead.key", "--comment", "for the registry"]);
        desk
    }

    fn says(&self, arguments: &[&str]) -> Said {
        let mut command = bailiwick(&self.site, arguments);
        // Whatever may be said is said.
        command.env("USER", "ann").env("BAILIWICK_KEY_PASSPHRASE", "").env("BAILIWICK_LOG", "trace").output().unwrap().into()
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        let said = self.says(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {} {}", said.out, said.err);
        no_canary(&said);
        said.out
    }

    /// Refused with a reason, and no file is there that was not there before.
    #[track_caller]
    fn refused(&self, arguments: &[&str], why: &str) {
        let before = self.site.names(".");
        let said = self.says(arguments);
        let told = said.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.code == Some(1) && told.contains(why), "{why:?} in {:?} {told:?}", said.out);
        no_canary(&said);
        assert_eq!(self.site.names("."), before, "{arguments:?}");
    }

    /// Publishes the component; the address of its digest.
    fn publish(&self, to: &str) -> String {
        let said = self.done(&["plugin", "publish", COMPONENT, to]);
        let pinned = said.split_whitespace().find(|word| word.starts_with("oci://")).expect("it says where it is");
        pinned.to_owned()
    }

    /// Another component: its version is another, and nothing else.
    fn other(&self) -> PathBuf {
        let (mut bytes, from) = (self.site.read(COMPONENT), b"version = \\\"1.0.0\\\"");
        let at = bytes.windows(from.len()).position(|window| window == from).expect("the manifest says its version");
        bytes[at + from.len() - 3] = b'7';
        self.site.write("other.wasm", bytes);
        self.site.path("other.wasm")
    }
}

/// No credential in what a program said, in no form.
#[track_caller]
fn no_canary(said: &Said) {
    for hidden in [REGISTRY_PASSWORD, &encoded()] {
        assert!(!said.out.contains(hidden) && !said.err.contains(hidden), "{} {}", said.out, said.err);
    }
}

/// The password as it stands in a header.
fn encoded() -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(format!("ann:{REGISTRY_PASSWORD}"))
}

fn digest_in(address: &str) -> Digest {
    address.split_once("@sha256:").expect("it is named by its digest").1.parse().unwrap()
}

fn minisign(folder: &Path, arguments: &[&str]) {
    let output = Command::new("minisign").args(arguments).current_dir(folder).output().expect("minisign is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_is_published_is_pulled_byte_for_byte_and_minisign_checks_it() {
    let (desk, registry) = (Desk::new(), Registry::start());
    let tag = registry.at("police/cost-apportionment:1.0.0");
    let pinned = desk.publish(&tag);
    for (from, out) in [(&tag, "by-tag.wasm"), (&pinned, "by-digest.wasm")] {
        let said = desk.done(&["plugin", "pull", from, "--out", out]);
        assert!(said.contains(&pinned), "{said}");
        assert_eq!(desk.site.read(out), desk.site.read(COMPONENT));
        minisign(&desk.site.config(), &["-Vm", out, "-p", "lead.pub"]);
    }
    // As other tools see it.
    let (kind, bytes) = registry.get("police/cost-apportionment/manifests/1.0.0");
    let manifest: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((kind.as_str(), Digest::of(&bytes)), (MANIFEST, digest_in(&pinned)));
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 1);
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    let component = format!("sha256:{}", Digest::of(&desk.site.read(COMPONENT)));
    assert_eq!(manifest["layers"][0]["digest"], component);
    let (_, config) = registry.get(&format!("police/cost-apportionment/blobs/{}", manifest["config"]["digest"].as_str().unwrap()));
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!((&config["architecture"], &config["os"]), (&json!("wasm"), &json!("wasip2")));
    assert_eq!(config["layerDigests"], json!([component]));
    let exports = config["component"]["exports"].as_array().unwrap();
    assert!(exports.contains(&json!("bailiwick:plugin/rows@0.1.0")), "{exports:?}");
    let (_, beside) = registry.get(&format!("police/cost-apportionment/manifests/sha256-{}.minisig", digest_in(&pinned)));
    let beside: Value = serde_json::from_slice(&beside).unwrap();
    assert_eq!(beside["subject"]["digest"], format!("sha256:{}", digest_in(&pinned)));

    assert_eq!(desk.publish(&tag), pinned, "the same is the same again");
    desk.refused(&["plugin", "pull", &tag, "--out", "by-tag.wasm"], "is there already");
    std::fs::remove_file(desk.site.path("by-tag.wasm")).unwrap();
    desk.refused(&["plugin", "pull", &tag, "--out", "by-tag.wasm"], "by-tag.wasm.minisig is there already");
    let other = desk.other();
    let publish = ["plugin", "publish", other.to_str().unwrap(), &tag];
    desk.refused(&publish, "is something else already");
    desk.done(&[publish.as_slice(), &["--replace"]].concat());
    let said = desk.done(&["plugin", "pull", &tag, "--out", PULLED]);
    assert!(said.contains("no signature lies beside it") && desk.site.read(PULLED) == desk.site.read("other.wasm"), "{said}");
    desk.done(&["plugin", "pull", &pinned, "--out", "as-before.wasm"]);
    assert_eq!(desk.site.read("as-before.wasm"), desk.site.read(COMPONENT));
}

#[test]
fn a_hub_takes_a_release_from_a_registry_through_the_same_door() {
    let (desk, registry) = (Desk::new(), Registry::start());
    let site = Site::staffordshire();
    let line = format!("name = {FIRE:?}");
    let hub = |arguments: &[&str]| -> Said { bailiwick(&site, arguments).env("USER", "ann").output().unwrap().into() };
    assert_eq!(hub(&["apply", "."]).code, Some(0));
    let lead = desk.site.path("lead.pub");
    assert_eq!(hub(&["key", "add", FIRE, lead.to_str().unwrap(), "--owner", "the lead"]).code, Some(0));
    desk.done(&["plugin", "sign", desk.other().to_str().unwrap(), "--key", "lead.key"]);
    site.edit("partners.toml", &line, &format!("{line}\nreleases = \"signed\""));
    std::fs::copy(desk.site.path(COMPONENT), site.path(COMPONENT)).unwrap();
    std::fs::copy(desk.site.path("cost-apportionment.wasm.minisig"), site.path("cost-apportionment.wasm.minisig")).unwrap();
    site.edit("plugins.toml", plugin_path("cost-apportionment").to_str().unwrap(), COMPONENT);
    let applied = hub(&["apply", "."]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);

    // Not signed: turned away, as a file would be.
    let unsigned = registry.at("police/unsigned:1");
    let signature = std::fs::read(desk.site.path("other.wasm.minisig")).unwrap();
    std::fs::remove_file(desk.site.path("other.wasm.minisig")).unwrap();
    desk.done(&["plugin", "publish", "other.wasm", &unsigned]);
    let said = hub(&["plugin", "push", &unsigned, "--partner", FIRE]);
    assert!(said.code == Some(1) && said.err.contains("takes signed components only"), "{} {}", said.out, said.err);

    desk.site.write("other.wasm.minisig", signature);
    let signed = registry.at("police/signed:1");
    desk.done(&["plugin", "publish", "other.wasm", &signed]);
    let said = hub(&["plugin", "push", &signed, "--partner", FIRE]);
    assert!(said.code == Some(0) && said.out.contains("handed in, signed by key"), "{} {}", said.out, said.err);
    let said = hub(&["plugin", "push", &registry.at("police/nothing:1"), "--partner", FIRE]);
    assert!(said.code == Some(1) && said.err.contains("is not there"), "{}", said.err);

    // Who, and out of where.
    let (_, manifest) = registry.get("police/signed/manifests/1");
    let trail = hub(&["audit", "export"]).out;
    let entries: Vec<Value> = trail.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |action: &str| entries.iter().rev().find(|entry| entry["action"] == action).unwrap_or_else(|| panic!("{action} in {trail}"));
    let from = of("release.add")["from"].as_str().unwrap();
    assert!(from.starts_with("command line on "), "{from}");
    assert!(from.ends_with(&format!(", out of {}@sha256:{}", registry.at("police/signed"), Digest::of(&manifest))), "{from}");
    let turned_away = of("release.turn-away")["from"].as_str().unwrap();
    assert!(turned_away.contains(&registry.at("police/unsigned@sha256:")), "{turned_away}");
    assert_eq!(hub(&["audit", "verify"]).code, Some(0));
}

#[test]
fn what_a_registry_gives_is_compared_with_its_digest() {
    let (desk, registry) = (Desk::new(), Registry::start());
    let tag = registry.at("police/cost-apportionment:1.0.0");
    let pinned = desk.publish(&tag);
    let pull = ["plugin", "pull", tag.as_str(), "--out", PULLED];
    let component = registry.file_of(Digest::of(&desk.site.read(COMPONENT)));
    let signature = registry.file_of(Digest::of(&desk.site.read("cost-apportionment.wasm.minisig")));
    let manifest = registry.file_of(digest_in(&pinned));
    let (_, beside) = registry.get(&format!("police/cost-apportionment/manifests/sha256-{}.minisig", digest_in(&pinned)));
    let beside = registry.file_of(Digest::of(&beside));
    let changed = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let title = b"cost-apportionment.wasm";
        // Of a manifest, what leaves it one.
        let at = bytes.windows(title.len()).position(|window| window == title).filter(|_| bytes[0] == b'{').unwrap_or(bytes.len() / 2);
        bytes[at] ^= 1;
        bytes
    };
    let cut = |bytes: &[u8]| bytes[..bytes.len() - 1].to_vec();
    let longer = |bytes: &[u8]| [bytes, b"x"].concat();
    for (what, file) in [("component", &component), ("signature", &signature), ("manifest", &manifest), ("beside", &beside)] {
        let whole = std::fs::read(file).unwrap();
        let mut altered = vec![changed(&whole)];
        if !what.starts_with(['m', 'b']) {
            altered.extend([cut(&whole), longer(&whole)]);
        }
        for altered in altered {
            std::fs::write(file, altered).unwrap();
            desk.refused(&pull, "is not what its digest says");
            if what != "beside" {
                desk.refused(&["plugin", "pull", &pinned, "--out", PULLED], "is not what its digest says");
            }
        }
        std::fs::remove_file(file).unwrap();
        if what != "beside" && what != "manifest" {
            desk.refused(&pull, "has its manifest and not its bytes");
        }
        std::fs::write(file, whole).unwrap();
    }
    desk.done(&pull);
}

#[test]
fn what_is_too_large_or_no_component_is_refused_and_nothing_is_left() {
    let (desk, registry) = (Desk::new(), Registry::start());
    let config = registry.put_blob("x", b"{}");
    let of = |kind: &str, size: usize, digest: Digest| json!({ "mediaType": kind, "size": size, "digest": format!("sha256:{digest}") });
    let manifest = |config: Value, layers: Value| {
        json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers }).to_string().into_bytes()
    };
    let wasm_config = of("application/vnd.wasm.config.v0+json", 2, config);
    let put = |tag: &str, layers: Value| registry.put_manifest("x", tag, (MANIFEST, &manifest(wasm_config.clone(), layers)));
    let large = vec![0; (32 << 20) + 1];
    let digest = registry.put_blob("x", &large);
    put("large", json!([of("application/wasm", large.len(), digest)]));
    put("larger-than-it-says", json!([of("application/wasm", 1 << 20, digest)]));
    let garbage = registry.put_blob("x", b"\0asm what is no component");
    put("garbage", json!([of("application/wasm", 25, garbage)]));
    put("image", json!([of("application/vnd.oci.image.layer.v1.tar+gzip", 25, garbage)]));
    put("several", json!([of("application/wasm", 25, garbage), of("application/wasm", 25, garbage)]));
    put("nothing", json!([]));
    let one = put("one", json!([of("application/wasm", 25, garbage)]));
    let index = "application/vnd.oci.image.index.v1+json";
    let entry = json!({ "mediaType": MANIFEST, "size": 400, "digest": format!("sha256:{one}"),
                        "platform": { "architecture": "wasm", "os": "wasip2" } });
    let bytes = json!({ "schemaVersion": 2, "mediaType": index, "manifests": [entry] }).to_string();
    registry.put_manifest("x", "index", (index, bytes.as_bytes()));
    for (tag, why) in [
        ("large", "has 33554433 bytes, and may have 33554432"),
        ("larger-than-it-says", "more than the 1048576 bytes that its manifest says came"),
        ("garbage", "this is not a WebAssembly component"),
        ("image", "is no WebAssembly component: it has 1 layers"),
        ("several", "is no WebAssembly component: it has 2 layers"),
        ("nothing", "is no WebAssembly component: it has 0 layers"),
        ("index", "is no WebAssembly component: what lies there is an index of several things"),
        ("none", "x:none is not there"),
    ] {
        desk.refused(&["plugin", "pull", &registry.at(&format!("x:{tag}")), "--out", PULLED], why);
    }
    let absent = registry.at(&format!("x@sha256:{}", Digest::of(b"nothing")));
    desk.refused(&["plugin", "pull", &absent, "--out", PULLED], "is not there");
    // A signature that is of something else, and one that is none.
    let pinned = desk.publish(&registry.at("x:signed"));
    let beside = format!("sha256-{}.minisig", digest_in(&pinned));
    let layer = json!([of(SIGNATURE, 25, garbage)]);
    registry.put_manifest("x", &beside, (MANIFEST, &manifest(of("application/vnd.oci.empty.v1+json", 2, config), layer.clone())));
    desk.refused(&["plugin", "pull", &pinned, "--out", PULLED], "it is of another manifest");
    let mut none: Value = serde_json::from_slice(&manifest(of("application/vnd.oci.empty.v1+json", 2, config), layer)).unwrap();
    none["subject"] = of(MANIFEST, 400, digest_in(&pinned));
    registry.put_manifest("x", &beside, (MANIFEST, none.to_string().as_bytes()));
    desk.refused(&["plugin", "pull", &pinned, "--out", PULLED], "this is no signature");
    // What is no plugin is not published either.
    desk.site.write("garbage.wasm", b"\0asm what is no component");
    desk.refused(&["plugin", "publish", "garbage.wasm", &registry.at("x:new")], "this is not a WebAssembly component");
    desk.refused(&["plugin", "publish", COMPONENT, &pinned], "a tag is named");
    desk.refused(&["plugin", "publish", COMPONENT, &registry.at("x:image")], "is something else already");
}

#[test]
fn the_page_is_typed() {
    let (site, registry) = (Site::staffordshire(), Registry::start());
    std::fs::copy(plugin_path("lgps-return"), site.path("lgps-return.wasm")).unwrap();
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    let (mut script, mut inside, mut typed) = ("set -eu\n".to_owned(), false, 0);
    for line in include_str!("../../../docs/registry.md").lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            command if inside => {
                script += &format!("{}\n", command.replace("registry.example", &format!("127.0.0.1:{}", registry.port)));
                typed += 1;
            }
            _ => {}
        }
    }
    assert!(typed > 6, "{script}");
    let path = format!("{}:{}", compiler_path().parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).current_dir(site.config()).env("PATH", path).env("BAILIWICK_DATA", site.data());
    let said: Said = bash.env("BAILIWICK_KEY_PASSPHRASE", "").env("NO_COLOR", "1").output().unwrap().into();
    assert_eq!(said.code, Some(0), "{script}\n{}\n{}", said.out, said.err);
    assert!(
        said.out.contains("there already, signed by key") && said.out.contains("Signature and comment signature verified"),
        "{}",
        said.out
    );
}
