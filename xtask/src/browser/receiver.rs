//! A receiver outside the hub that takes what is sent and loses its answers, so that nobody can tell whether a delivery arrived.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::demo::Serving;
use crate::tools::{command, output};

/// A connection to it, and a job that delivers there.
const CONNECTION: &str = r#"
[[connection]]
partner = "staffordshire-police"
name = "insurer"
kind = "https"
url = "https://ADDRESS/claims"
ca-file = "CERTIFICATE"
idempotent = false
"#;

const JOB: &str = r#"
partner = "staffordshire-police"
name = "claims-to-insurer"
title = "Claims to the insurer"
plugin = "claim-routing"
zone = "Europe/London"

[[input]]
port = "case"
connection = "claims-drop"
file = "insurer-*.jsonl"
take = "next"
format = { kind = "json-lines" }

[[output]]
port = "decision"
connection = "insurer"
file = "decisions-{date}.jsonl"
format = { kind = "json-lines" }
"#;

/// At work until this is dropped.
pub(super) struct Receiver {
    folder: PathBuf,
    at_work: Serving,
}

impl Receiver {
    /// Starts it with a certificate of its own. What it takes is noted in the folder.
    pub(super) fn start(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut certificate = command("openssl", &["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        certificate.args(["-days", "2", "-subj", "/CN=insurer", "-keyout", "key.pem", "-out", "cert.pem"]);
        certificate.args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]);
        output({
            certificate.current_dir(&folder);
            certificate
        })?;
        let mut program = command("node", &["tests/browser/receiver.mjs"]);
        program.arg(&folder);
        Ok(Self { at_work: Serving::start("receiver".to_owned(), program)?, folder })
    }

    /// Where it notes what it takes.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Declares it, and a job that delivers to it, in a folder of configuration.
    pub(super) fn declare(&self, config: &Path) -> Result<()> {
        let connections = config.join("connections.toml");
        let certificate = self.folder.join("cert.pem");
        let own = CONNECTION.replace("ADDRESS", self.at_work.address()).replace("CERTIFICATE", &certificate.to_string_lossy());
        fs::write(&connections, fs::read_to_string(&connections)? + &own)?;
        Ok(fs::write(config.join("jobs/claims-to-insurer.toml"), JOB)?)
    }

    /// Has whoever sends not hear that it was taken, while something is done.
    pub(super) fn losing_answers<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let told = self.folder.join("loses-answers");
        fs::write(&told, "")?;
        let done = work();
        fs::remove_file(told)?;
        done
    }
}
