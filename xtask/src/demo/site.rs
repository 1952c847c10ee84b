//! The Staffordshire example in a folder of its own, with a payroll that is large enough for a hub to be killed over it; and the hub's
//! program, asked about it.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::tools::{command, output, root};

/// The job with the large payroll.
pub(super) const LGPS: &str = "lgps-monthly-return";

/// A folder that is removed with this: configuration, data, and what is delivered.
pub(super) struct Site {
    program: PathBuf,
    folder: PathBuf,
    database: String,
}

impl Site {
    /// With a payroll of so many lines, for a build of the hub.
    pub(super) fn new(database: String, program: &Path, payroll_lines: usize) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("bailiwick-demo-{}", std::process::id()));
        let site = Self { program: program.to_owned(), folder, database };
        copy(&root().join("examples/staffordshire"), &site.config())?;
        let plugins = fs::read_to_string(site.config().join("plugins.toml"))?;
        let built = root().join("target/plugins").to_string_lossy().into_owned();
        fs::write(site.config().join("plugins.toml"), plugins.replace("../../target/plugins", &built))?;
        let payroll = site.config().join("data/payroll");
        let example = fs::read(payroll.join("payroll-2026-10.csv"))?;
        let heading = example.split(|byte| *byte == b'\n').next().unwrap_or_default();
        // Of the months before there is nothing.
        fs::remove_file(payroll.join("previous-2026-10.csv"))?;
        fs::write(payroll.join("payroll-2026-10.csv"), [heading, b"\n", lines(payroll_lines).as_bytes()].concat())?;
        Ok(site)
    }

    /// The folder of configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.folder.join("config")
    }

    /// The hub's program on this site, under the name of a hub.
    fn program(&self, hub: &str, arguments: &[&str]) -> Command {
        let mut program = command(&self.program, arguments);
        program.current_dir(self.config()).env("BAILIWICK_DATA", self.folder.join("hubs")).env("BAILIWICK_DATABASE", &self.database);
        program.env("BAILIWICK_HUB", hub).env("NO_COLOR", "1").env_remove("BAILIWICK_LEASE_MS");
        program
    }

    /// What a command that only reads says.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<Value> {
        let said = output(self.program("visitor", arguments))?;
        serde_json::from_str(&said).with_context(|| format!("no JSON: {said}"))
    }

    /// Runs a command to its end.
    pub(super) fn tell(&self, arguments: &[&str]) -> Result<String> {
        output(self.program("visitor", arguments))
    }

    /// A hub of a name that serves the site.
    pub(super) fn serve(&self, name: String) -> Result<Serving> {
        let mut serve = self.program(&name, &["serve", "--listen", "127.0.0.1:0"]);
        serve.stderr(Stdio::null());
        Serving::start(name, serve)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What cannot be removed is in the folder for temporary files.
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// A hub at work. Killed, if it still is, when this is dropped.
pub(crate) struct Serving {
    pub(super) name: String,
    address: String,
    child: Child,
}

impl Serving {
    /// Starts it, and waits until it says where it listens.
    pub(crate) fn start(name: String, mut serve: Command) -> Result<Self> {
        let mut child = serve.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().context("it has a standard output")?);
        let address = loop {
            line.clear();
            if said.read_line(&mut line)? == 0 {
                drop(child.kill());
                drop(child.wait());
                bail!("hub {name} said no address");
            }
            if let Some(address) =
                line.split_whitespace().find_map(|word| word.strip_prefix("http://").or_else(|| word.strip_prefix("https://")))
            {
                break address.trim_end_matches(';').to_owned();
            }
        };
        Ok(Self { name, address, child })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Asks for a run over HTTP.
    pub(super) fn request(&self, job: &str, token: &str) -> Result<()> {
        let mut stream = TcpStream::connect(&self.address)?;
        write!(
            stream,
            "POST /api/v1/jobs/{job}/runs HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\
             connection: close\r\n\r\n",
            self.address
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 202 "), "hub {} did not take up {job}: {answer}", self.name);
        Ok(())
    }

    /// Kills it with no warning.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Tells it to stop, and waits until it has.
    pub(super) fn stop(mut self) -> Result<()> {
        output(command("kill", &["-TERM", &self.child.id().to_string()]))?;
        let status = self.child.wait()?;
        ensure!(status.success(), "hub {} ended with {status}", self.name);
        Ok(())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn lines(count: usize) -> String {
    let mut text = String::new();
    for line in 0..count {
        let letter = char::from(b'A' + u8::try_from(line % 4).unwrap_or_default());
        let _ = writeln!(
            text,
            "{line},TY{:06}{letter},Baker,Helen,08/03/1967,Administrator,SP100,00321,31/10/2026,Active,LGPS,MAIN,F,37.00,,,,27250.00,\
             27250.00,2270.83,0.00,5.80,131.71,0.00,429.19,,,,,,,,,,,",
            line % 1_000_000
        );
    }
    text
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, to) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}
