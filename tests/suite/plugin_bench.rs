//! `bailiwick plugin bench`: what an author learns of time, memory and limits.

use bailiwick::model::limits::LIMITS;
use serde_json::{Value, json};

use crate::faults::{LINES, misbehaving};
use crate::support::*;

fn case(plugin: &str, name: &str) -> String {
    root().join("plugins").join(plugin).join("cases").join(name).to_str().unwrap().to_owned()
}

fn bench(site: &Site, component: &str, more: &[&str]) -> Said {
    say(site, &[&["plugin", "bench", component][..], more].concat())
}

fn limit<'a>(benched: &'a Value, name: &str) -> &'a Value {
    benched["limits"].as_array().unwrap().iter().find(|limit| limit["limit"] == name).unwrap_or_else(|| panic!("{name}: {benched}"))
}

/// A site with the misbehaving adapter's component, some lines for it, and settings that tell it what to do.
fn misbehaving_site(settings: &Value) -> Site {
    let site = Site::bare();
    site.write("hostile.wasm", misbehaving());
    site.write("lines.csv", LINES);
    site.write("settings.json", settings.to_string());
    site
}

#[test]
fn every_case_of_a_rule_set_is_timed_and_every_limit_told() {
    let (site, component) = (Site::bare(), plugin_path("claim-routing"));
    let (component, cases) = (component.to_str().unwrap(), case("claim-routing", "whole-claims.json"));
    let file: Value = serde_json::from_slice(&std::fs::read(&cases).unwrap()).unwrap();
    let said = bench(&site, component, &["--case", &cases, "--times", "5", "--json"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    let benched = said.json();
    assert_eq!((&benched["name"], &benched["kind"]), (&json!("claim-routing"), &json!("rule-set")));
    let timed = benched["cases"].as_array().unwrap();
    assert_eq!(timed.len(), file["cases"].as_array().unwrap().len());
    for (timed, case) in timed.iter().zip(file["cases"].as_array().unwrap()) {
        assert_eq!(timed["name"], format!("whole-claims: {}", case["name"].as_str().unwrap()));
        assert_eq!((&timed["times"], &timed["rows"]), (&json!(5), &Value::Null));
        let (median, p99) = (timed["median-ns"].as_u64().unwrap(), timed["p99-ns"].as_u64().unwrap());
        assert!(0 < median && median <= p99, "{timed}");
    }
    let names: Vec<&str> = benched["limits"].as_array().unwrap().iter().map(|limit| limit["limit"].as_str().unwrap()).collect();
    assert_eq!(names, LIMITS.iter().map(|fact| fact.name).collect::<Vec<_>>());
    // Known to the byte: what is used, what is allowed, and the share of it.
    let bytes = std::fs::metadata(component).unwrap().len();
    let allowed = LIMITS.iter().find(|fact| fact.name == "component-bytes").unwrap().default;
    let tenths = (bytes * 1_000).div_ceil(allowed);
    assert_eq!(
        limit(&benched, "component-bytes"),
        &json!({ "limit": "component-bytes", "used": bytes, "allowed": allowed, "percent": tenths as f64 / 10.0 })
    );
    let memory = limit(&benched, "memory-bytes");
    assert!(timed.iter().all(|timed| timed["memory-bytes"].as_u64() <= memory["used"].as_u64()) && memory["used"].as_u64() > Some(65_535));
    assert!(limit(&benched, "handles")["used"].as_u64() > Some(0), "it opens tables: {benched}");
    assert_eq!((&limit(&benched, "log-lines")["used"], &limit(&benched, "log-lines")["percent"]), (&json!(0), &json!(0.0)));
    assert_eq!((&limit(&benched, "stack-bytes")["used"], &limit(&benched, "stack-bytes")["percent"]), (&Value::Null, &Value::Null));
}

#[test]
fn an_adapter_is_timed_on_a_case_or_on_files() {
    let (site, component) = (Site::bare(), plugin_path("lgps-return"));
    let (component, folder) = (component.to_str().unwrap(), case("lgps-return", "boundaries-2026-27"));
    let of_case = bench(&site, component, &["--case", &folder, "--times", "3", "--json"]).json();
    assert_eq!((&of_case["cases"][0]["name"], &of_case["cases"][0]["rows"]), (&json!("boundaries-2026-27"), &json!(96)));
    assert!(limit(&of_case, "output-rows")["used"].as_u64() >= Some(96), "{of_case}");
    site.write("settings.json", r#"{"employers":[{"code":"00321","rate-percent":"18.9","from":"2020-04-01"}]}"#);
    let payroll = format!("{folder}/in/payroll.csv");
    let of_file = bench(&site, component, &["--case", &payroll, "--settings", "settings.json", "--times", "3", "--json"]).json();
    assert_eq!(of_file["cases"][0]["rows"], 96, "{of_file}");
    assert_eq!(limit(&of_file, "memory-bytes"), limit(&of_case, "memory-bytes"));
    let told = bench(&site, component, &["--case", &folder, "--times", "3"]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    for word in ["lgps-return", "rows a second", "p99", "boundaries-2026-27", "memory-bytes", "67,108,864", "not measured", " %"] {
        assert!(told.out.contains(word), "{word:?} in {}", told.out);
    }
    // A failure that the plugin answers is an answer, and takes time like any other.
    let fails = bench(&site, component, &["--case", &case("lgps-return", "table-missing-2027-28"), "--times", "3", "--json"]).json();
    assert_eq!(fails["cases"][0]["times"], 3);
}

#[test]
fn what_reaches_a_limit_is_named() {
    let site = misbehaving_site(&json!({}));
    let files = ["--case", "lines.csv", "--settings", "settings.json", "--times", "3"];
    let well = bench(&site, "hostile.wasm", &files);
    assert!(well.code == Some(0) && well.out.contains("hostile"), "{} {}", well.out, well.err);
    let site = misbehaving_site(&json!({"misbehave": "endless-loop"}));
    let said = bench(&site, "hostile.wasm", &files);
    assert!(said.code == Some(1) && said.err.contains("cpu-ms"), "{} {}", said.out, said.err);
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let site = misbehaving_site(&json!({}));
    site.write("other.csv", LINES);
    site.write("broken.json", "{");
    for (component, more, words) in [
        ("no-such.wasm", &["--case", "lines.csv"][..], &["no-such.wasm cannot be read"][..]),
        ("settings.json", &["--case", "lines.csv"], &["not a WebAssembly component"]),
        ("hostile.wasm", &["--case", "other.csv"], &["other.csv", "lines.csv"]),
        ("hostile.wasm", &["--case", "in"], &["case.toml"]),
        ("hostile.wasm", &["--case", "lines.csv", "--settings", "broken.json"], &["broken.json is not JSON"]),
    ] {
        let said = bench(&site, component, more);
        assert_eq!(said.code, Some(1), "{more:?} {}", said.out);
        for word in words {
            assert!(said.err.contains(word), "{word:?} in {:?}", said.err);
        }
    }
    assert_eq!(bench(&site, "hostile.wasm", &[]).code, Some(2), "something has to be run");
}
