//! Gathers the plugin's tables into one file of JSON, which the plugin carries and the host answers from.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../plugins/claim-routing/tables");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("the plugin has tables").map(|entry| entry.expect("listed").path()).collect();
    files.sort();
    let tables = files.iter().filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let versions: Vec<Value> = tables.flat_map(|path| versions(&folder, path)).collect();
    let to = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says where")).join("tables.json");
    std::fs::write(to, Value::Array(versions).to_string()).expect("cargo's folder can be written");
}

fn versions(folder: &Path, path: &Path) -> Vec<Value> {
    let text: toml::Table = std::fs::read_to_string(path).expect("readable").parse().expect("TOML");
    let listed = text["versions"].as_array().expect("a table has versions");
    let date = |version: &toml::Value, key: &str| version.get(key).map(ToString::to_string);
    listed
        .iter()
        .map(|version| {
            let mut file = csv::Reader::from_path(folder.join(version["rows"].as_str().expect("a version has rows"))).expect("readable");
            let columns: Vec<String> = file.headers().expect("a first line").iter().map(str::to_owned).collect();
            let rows: Vec<Vec<String>> = file.records().map(|row| row.expect("CSV").iter().map(str::to_owned).collect()).collect();
            json!({
                "table": text["table"].as_str(), "version": version["version"].as_str(),
                "effective-from": date(version, "effective-from"), "effective-to": date(version, "effective-to"),
                "published": date(version, "published"), "columns": columns, "rows": rows,
            })
        })
        .collect()
}
