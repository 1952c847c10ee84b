//! The house rules that a machine can hold: who may know what, how long a file and a function may be.
//!
//! Run as a test by `cargo xtask test`. What is over a limit today is written down in `RATCHET` and may only shrink.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::tools::{command, output, root};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;
const ROOM_FILES_MAX: usize = 8;

/// Which rooms of the host a room may name, besides itself. A room that stands later may know those before it, if listed.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("clock", &[]),
    ("telemetry", &[]),
    ("format", &["model"]),
    // What it keeps of partners on disk is sealed as it is written, and opened as it is read: no plain copy is made in between.
    ("connection", &["model", "vault"]),
    ("sandbox", &["model"]),
    ("ledger", &["model"]),
    ("vault", &[]),
    ("schedule", &["model"]),
    ("registry", &["model"]),
    ("config", &["model", "schedule", "registry"]),
    ("access", &["model", "ledger"]),
    ("run", &["model", "clock", "format", "connection", "sandbox", "ledger", "schedule", "registry", "config", "vault", "telemetry"]),
    ("api", &["model", "clock", "ledger", "run", "registry", "schedule", "access"]),
    ("console", &["model", "clock", "ledger", "run", "registry", "schedule", "access"]),
    ("server", &["model", "clock", "telemetry", "ledger", "run", "access", "api", "console"]),
    (
        "cli",
        &[
            "model",
            "clock",
            "telemetry",
            "format",
            "connection",
            "sandbox",
            "ledger",
            "schedule",
            "registry",
            "config",
            "access",
            "vault",
            "run",
            "api",
            "server",
        ],
    ),
];

/// Crates that only some rooms may name, or rooms within them.
const QUARANTINE: &[(&str, &[&str])] = &[
    ("wasmtime", &["sandbox"]),
    ("wasmtime_wizer", &["sandbox"]),
    // The ledger's store, and apart from it the partners' databases, which are only asked.
    ("sqlx", &["ledger", "connection/sql"]),
    ("rusqlite", &["ledger/store"]),
    ("flume", &["sandbox"]),
    ("rusty_s3", &["connection/s3"]),
    ("lettre", &["connection/mail"]),
    ("axum", &["api", "console", "server"]),
    ("axum_extra", &["console"]),
    // The API's own page is made from its document, by the API, which the console must not know.
    ("maud", &["console", "api/docs"]),
    ("utoipa", &["api"]),
    ("hyper", &["server"]),
    ("hyper_util", &["server"]),
    ("tokio_rustls", &["server"]),
    ("governor", &["server"]),
    ("prometheus_client", &["telemetry"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("argon2", &["access"]),
    ("openidconnect", &["access"]),
    ("croner", &["schedule"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("rpassword", &["cli"]),
    ("chacha20poly1305", &["vault"]),
];

/// Texts that only some files may hold: the wall clock.
const WALL_CLOCK: &[&str] = &["SystemTime::now", "Timestamp::now", "Zoned::now"];

/// Files and functions over their limit, with the lines that they may have. Shrink it; never let it grow.
const RATCHET: &[(&str, usize)] = &[];

/// Checks the tree and says everything that is wrong with it.
pub(crate) fn run() -> Result<()> {
    let findings = findings(&root())?;
    if findings.is_empty() {
        println!("tidy: nothing to say");
        return Ok(());
    }
    for finding in &findings {
        println!("{finding}");
    }
    bail!("{} things to tidy", findings.len())
}

fn findings(root: &Path) -> Result<Vec<String>> {
    let files = rust_files(root)?;
    let mut findings = Vec::new();
    let mut rooms: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for path in &files {
        let text = std::fs::read_to_string(root.join(path))?;
        let name = path.to_string_lossy();
        *rooms.entry(path.parent().unwrap_or(path).to_owned()).or_default() += 1;
        check_length(&name, &text, &mut findings);
        if !text.starts_with("//!") && !text.starts_with("#!") && !name.contains("/templates/") {
            findings.push(format!("{name}: begins without //! saying what it is"));
        }
        if let Some(room) = host_room(path) {
            check_direction(&name, &room, &text, &mut findings);
        }
    }
    for (room, count) in rooms {
        if count > ROOM_FILES_MAX && room.starts_with("host/src") && room != Path::new("host/src") {
            findings.push(format!("{}: {count} files, and a room has at most {ROOM_FILES_MAX}", room.display()));
        }
    }
    check_words(root, &mut findings)?;
    Ok(findings)
}

fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut list = command("git", &["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"]);
    list.current_dir(root);
    let mut files: Vec<PathBuf> = output(list)?.lines().map(PathBuf::from).filter(|path| root.join(path).is_file()).collect();
    files.sort();
    Ok(files)
}

fn allowed(what: &str, standard: usize) -> usize {
    RATCHET.iter().find(|(name, _)| *name == what).map_or(standard, |(_, lines)| *lines)
}

fn check_length(name: &str, text: &str, findings: &mut Vec<String>) {
    let lines = text.lines().count();
    let most = allowed(name, FILE_LINES_MAX);
    if lines > most {
        findings.push(format!("{name}: {lines} lines, and a file has at most {most}"));
    }
    for (function, start, length) in functions(text) {
        let most = allowed(&format!("{name}:{function}"), FUNCTION_LINES_MAX);
        if length > most {
            findings.push(format!("{name}:{start}: {function} has {length} lines, and a function has at most {most}"));
        }
    }
}

/// Name, first line and length of each function, told by the indentation that rustfmt gives.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let close = format!("{}}}", " ".repeat(indent));
        let one_line = line.trim_end().ends_with('}') || line.trim_end().ends_with(';');
        let end = if one_line { Some(start) } else { (start..lines.len()).find(|at| lines[*at].trim_end() == close) };
        if let Some(end) = end {
            found.push((name, start + 1, end - start + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.trim_start().split(' ').peekable();
    while let Some(word) = words.next() {
        match word {
            "fn" => return words.next().map(|rest| rest.split(['(', '<']).next().unwrap_or_default().to_owned()),
            "pub" | "pub(crate)" | "pub(super)" | "async" | "const" | "unsafe" | "extern" => {}
            _ => return None,
        }
    }
    None
}

/// The room of a file of the host: `run` for `host/src/run/process.rs` and for `host/src/run.rs`.
fn host_room(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("host/src").ok()?;
    let first = inside.components().next()?.as_os_str().to_string_lossy().into_owned();
    let room = first.trim_end_matches(".rs").to_owned();
    (room != "main" && room != "lib").then_some(room)
}

fn check_direction(name: &str, room: &str, text: &str, findings: &mut Vec<String>) {
    let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: String = shipped.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let Some((_, known)) = MAY_KNOW.iter().find(|(of, _)| *of == room) else {
        findings.push(format!("{name}: the room {room} is not in the direction table of xtask/src/tidy.rs"));
        return;
    };
    for (other, _) in MAY_KNOW {
        if *other != room && !known.contains(other) && names_room(&code, other) {
            findings.push(format!("{name}: {room} must not know {other}"));
        }
    }
    for (dependency, rooms) in QUARANTINE {
        let may = rooms.iter().any(|allowed| name.starts_with(&format!("host/src/{allowed}")));
        if !may && (code.contains(&format!("{dependency}::")) || code.contains(&format!("use {dependency}"))) {
            findings.push(format!("{name}: only {} may name the crate {dependency}", rooms.join(", ")));
        }
    }
    if room != "clock" {
        for call in WALL_CLOCK.iter().filter(|call| code.contains(**call)) {
            findings.push(format!("{name}: only clock.rs may call {call}"));
        }
    }
}

fn names_room(code: &str, room: &str) -> bool {
    let path = format!("crate::{room}");
    code.match_indices(&path).any(|(at, _)| {
        let after = code[at + path.len()..].chars().next();
        !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

/// Names that say nothing, as a file or folder of ours.
fn check_words(root: &Path, findings: &mut Vec<String>) -> Result<()> {
    let mut list = command("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    list.current_dir(root);
    for path in output(list)?.lines() {
        for part in Path::new(path).components() {
            let part = part.as_os_str().to_string_lossy();
            let stem = part.split('.').next().unwrap_or_default();
            if ["utils", "common", "manager", "helper", "helpers", "engine", "core", "misc"].contains(&stem) {
                findings.push(format!("{path}: {stem} is no name"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        let findings = findings(&root()).expect("the tree can be read");
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    }

    #[test]
    fn long_functions_are_seen() {
        let long = format!("//! x\nimpl A {{\n    pub(crate) async fn long<T>(&self) {{\n{}    }}\n}}\n", "        x();\n".repeat(80));
        let mut findings = Vec::new();
        check_length("a.rs", &long, &mut findings);
        assert_eq!(findings, ["a.rs:3: long has 82 lines, and a function has at most 70"]);
    }

    #[test]
    fn wrong_directions_are_seen() {
        for (room, code, wrong) in [
            ("model", "use crate::ledger::Ledger;", true),
            ("run", "use crate::ledger::Ledger;", false),
            ("run", "use wasmtime::Store;", true),
            ("connection/sql", "use sqlx::Row;", false),
            ("connection", "use sqlx::Row;", true),
            ("run", "let now = Timestamp::now();", true),
            ("run", "// crate::api is not known here", false),
            ("nowhere", "", true),
        ] {
            let mut findings = Vec::new();
            check_direction(&format!("host/src/{room}/f.rs"), room.split('/').next().unwrap_or_default(), code, &mut findings);
            assert_eq!(!findings.is_empty(), wrong, "{room}: {code} {findings:?}");
        }
    }
}
