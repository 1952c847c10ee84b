//! The cases in `cases/`, natively; `bailiwick plugin test` runs the same ones in the sandbox.

use supplier_checks::SupplierChecks;

#[test]
fn cases() {
    bailiwick_sdk::testing::run_rule_set_cases::<SupplierChecks>(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn cases_fit_the_schema() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &std::path::Path| -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
    };
    let schema = jsonschema::validator_for(&read(&folder.join("case.schema.json"))).expect("a schema");
    let settings = jsonschema::validator_for(&read(&folder.join("settings.schema.json"))).expect("a schema");
    for entry in std::fs::read_dir(folder.join("cases")).expect("cases") {
        let file = read(&entry.expect("a file").path());
        assert!(file.get("settings").is_none_or(|set| settings.is_valid(set)), "{}", file["about"]);
        for case in file["cases"].as_array().expect("cases") {
            let wrong: Vec<String> = schema.iter_errors(&case["case"]).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{}: {wrong:?}", case["name"]);
        }
    }
}

#[test]
fn the_schema_knows_the_calendar() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../case.schema.json")).expect("JSON");
    let date = &schema["properties"]["payee_check"]["properties"]["checked_on"];
    // As the hub compiles schemas: `format` counts.
    let date = jsonschema::options().should_validate_formats(true).build(date).expect("a schema");
    for (text, good) in [
        ("2026-02-28", true),
        ("2028-02-29", true),
        ("2026-02-29", false),
        ("2026-02-30", false),
        ("2026-13-01", false),
        ("26-02-01", false),
    ] {
        assert_eq!(date.is_valid(&text.into()), good, "{text}");
    }
}
