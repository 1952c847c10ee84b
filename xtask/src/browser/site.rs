//! The Staffordshire example with something in every state: runs that closed, one with rejects, a held one, deliveries in doubt, a
//! release that waits for its approval with a trial that came to something else; and people of every role. All of it is invented.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::receiver::Receiver;
use crate::demo::{Serving, copy};
use crate::tools::{bailiwick, command, output, root};

const PARTNER: &str = "staffordshire-police";

/// Who may do what, and the first may do most: by the name of the person, the role in the tests, and the roles at the partner.
const PEOPLE: &[(&str, &str, &[&str])] = &[
    ("olwen", "everything", &["operator", "approver", "admin"]),
    ("adam", "admin", &["admin"]),
    ("anita", "approver", &["approver"]),
    ("omar", "operator", &["operator"]),
    ("vera", "viewer", &["viewer"]),
];

/// Whose password it is, is said by the name; it is good for this hub alone, which ends with the tests.
const PASSWORD: &str = "a long walk beside the Trent";

/// Claims without a loss or a date: more than the job's limit of rejects, so that their run is held.
const BAD_CLAIMS: usize = 45;

/// A folder that is removed with this: configuration, data, keys and what is delivered.
pub(super) struct Site {
    folder: PathBuf,
    receiver: Receiver,
}

impl Site {
    /// Made afresh, with everything in it but what needs a hub that serves.
    pub(super) fn new() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("bailiwick-browser-{}", std::process::id()));
        let site = Self { receiver: Receiver::start(folder.join("receiver"))?, folder };
        copy(&root().join("examples/staffordshire"), &site.config())?;
        // Where their signatures have a place beside them.
        copy(&root().join("target/plugins"), &site.folder.join("plugins"))?;
        site.edit("plugins.toml", "../../target/plugins", "../plugins")?;
        site.receiver.declare(&site.config())?;
        site.tell(&["apply", "."])?;
        site.people()?;
        site.runs()?;
        site.in_doubt()?;
        site.release()?;
        Ok(site)
    }

    /// The hub's program, serving the site.
    pub(super) fn serve(&self) -> Result<Serving> {
        let log = File::create(super::folder().join("hub.log"))?;
        let mut serve = self.program("setup", &["serve", "--listen", "127.0.0.1:0"]);
        serve.stderr(log);
        Serving::start("main".to_owned(), serve)
    }

    /// What the stories are told, as JSON.
    pub(super) fn told(&self, serving: &Serving) -> Result<String> {
        let people: serde_json::Map<String, Value> =
            PEOPLE.iter().map(|(name, role, _)| ((*role).to_owned(), json!({ "name": name, "password": PASSWORD }))).collect();
        let browser = output(command("sh", &["-c", "command -v chromium"]))?;
        let told = json!({
            "address": format!("http://{}", serving.address()),
            "chromium": browser.trim(),
            "partner": PARTNER,
            "people": people,
            "component": self.folder.join("next.wasm"),
            "signature": self.folder.join("next.wasm.minisig"),
            "claims": self.config().join("data/claims"),
            "receiver": self.receiver.folder(),
            "procurement": self.config().join("out/procurement"),
            "runs": self.by_job()?,
        });
        Ok(serde_json::to_string_pretty(&told)?)
    }

    fn people(&self) -> Result<()> {
        for (name, _, roles) in PEOPLE {
            let mut add = self.program("setup", &["person", "add", name, "--display-name", name]);
            if roles.len() > 1 {
                add.arg("--hub-operator");
            }
            let mut child = add.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
            child.stdin.take().context("it has a standard input")?.write_all(PASSWORD.as_bytes())?;
            ensure!(child.wait()?.success(), "{name} could not be added");
            for role in *roles {
                self.tell(&["person", "grant", name, PARTNER, role])?;
            }
        }
        Ok(())
    }

    /// Runs that closed, one of them with rejects, and one that is held.
    fn runs(&self) -> Result<()> {
        for job in ["lgps-monthly-return", "claim-routing", "supplier-onboarding", "shared-services-apportionment"] {
            self.tell(&["run", job])?;
        }
        let claims: String =
            (1..=BAD_CLAIMS).map(|number| format!("{{\"reference\":\"BAD-{number:03}\",\"class\":\"property\"}}\n")).collect();
        fs::write(self.config().join("data/claims/claims-2027.jsonl"), claims)?;
        self.held(&["run", "claim-routing"])
    }

    /// Two runs of which nobody can tell whether their file arrived.
    fn in_doubt(&self) -> Result<()> {
        self.receiver.losing_answers(|| {
            for number in 1..=2 {
                let claim = json!({
                    "reference": format!("INS-{number}"), "class": "property", "loss": "120000.00",
                    "received_date": "2026-11-02", "accident_date": "2026-10-30",
                });
                fs::write(self.config().join(format!("data/claims/insurer-{number}.jsonl")), format!("{claim}\n"))?;
                self.held(&["run", "claims-to-insurer"])?;
            }
            Ok(())
        })
    }

    /// A release that its partner asks to have signed and approved, tried on what ran, and another that is not handed in yet.
    fn release(&self) -> Result<()> {
        self.tell(&["key", "new", "signer", "--no-passphrase"])?;
        self.tell(&["key", "add", PARTNER, "signer.pub", "--owner", "Finance Systems, release desk"])?;
        let line = format!("name = \"{PARTNER}\"");
        self.edit("partners.toml", &line, &format!("{line}\nreleases = \"approved\""))?;
        self.approve_what_runs()?;
        self.tell(&["apply", "."])?;
        let excess = ("motor-own-damage,100000.00", "motor-own-damage,010000.00");
        self.altered("trial.wasm", &[("version = \\\"1.0.0\\\"", "version = \\\"1.1.0\\\""), excess])?;
        self.altered("next.wasm", &[("version = \\\"1.0.0\\\"", "version = \\\"1.2.0\\\"")])?;
        let pushed = self.tell(&["plugin", "push", &self.file("trial.wasm"), "--partner", PARTNER])?;
        let digest = pushed.split_whitespace().nth(2).context("push says a digest")?.trim_end_matches(':').to_owned();
        // It comes to something else, which the program says with its status.
        self.held(&["plugin", "try", &digest, "--job", "claim-routing"])
    }

    /// What the partner's jobs use, handed in again with a signature and approved by somebody else.
    fn approve_what_runs(&self) -> Result<()> {
        for plugin in ["lgps-return", "claim-routing", "supplier-checks"] {
            let name = format!("plugins/{plugin}.wasm");
            self.sign(&name)?;
            let pushed = self.tell(&["plugin", "push", &self.file(&name), "--partner", PARTNER])?;
            let digest = pushed.split_whitespace().nth(2).context("push says a digest")?.trim_end_matches(':').to_owned();
            let read: Value = serde_json::from_str(&self.tell(&["plugin", "review", &digest, "--partner", PARTNER, "--json"])?)?;
            let review = read["review"].as_str().context("a review has a name")?;
            let said = ["--partner", PARTNER, "--review", review, "--why", "In use since the start"];
            self.tell_as("anita", &[&["plugin", "approve", &digest][..], &said].concat())?;
        }
        Ok(())
    }

    /// A copy of the claim routing in which texts of its manifest or tables are others of the same length; signed.
    fn altered(&self, name: &str, changes: &[(&str, &str)]) -> Result<()> {
        let mut bytes = fs::read(root().join("target/plugins/claim-routing.wasm"))?;
        for (from, to) in changes {
            ensure!(from.len() == to.len(), "{from:?} and {to:?} are not of one length");
            let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).context("the component has the text")?;
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        }
        fs::write(self.folder.join(name), bytes)?;
        self.sign(name)
    }

    fn sign(&self, name: &str) -> Result<()> {
        self.tell(&["plugin", "sign", &self.file(name), "--key", "signer.key", "--comment", "Finance Systems, release desk"]).map(drop)
    }

    /// The first run of each job in each state; of trials apart.
    fn by_job(&self) -> Result<Value> {
        let runs: Value = serde_json::from_str(&self.tell(&["runs", "--json"])?)?;
        let mut found = serde_json::Map::new();
        for run in runs.as_array().context("runs are a list")? {
            let job = run["job"].as_str().context("a run has a job")?;
            let state = run["state"].as_str().context("a run has a state")?;
            let trial = run["dry-run"] == true;
            found.insert(format!("{job} {}{state}", if trial { "trial " } else { "" }), run["id"].clone());
        }
        for wanted in ["claim-routing closed", "claim-routing held", "claim-routing trial held", "lgps-monthly-return closed"] {
            ensure!(found.contains_key(wanted), "there should be a run that is {wanted}, and these are: {runs}");
        }
        Ok(Value::Object(found))
    }

    fn config(&self) -> PathBuf {
        self.folder.join("config")
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    fn edit(&self, name: &str, from: &str, to: &str) -> Result<()> {
        let path = self.config().join(name);
        let text = fs::read_to_string(&path)?;
        ensure!(text.contains(from), "{name} has no {from:?}");
        Ok(fs::write(path, text.replace(from, to))?)
    }

    fn program(&self, person: &str, arguments: &[&str]) -> Command {
        let mut program = command(bailiwick(), arguments);
        program.current_dir(self.config()).env("BAILIWICK_DATA", self.folder.join("hub")).env("NO_COLOR", "1").env("USER", person);
        for other in ["BAILIWICK_DATABASE", "BAILIWICK_HUB", "BAILIWICK_ARTEFACTS", "BAILIWICK_LEASE_MS"] {
            program.env_remove(other);
        }
        program.stdin(Stdio::null());
        program
    }

    /// What a command says that must succeed.
    fn tell(&self, arguments: &[&str]) -> Result<String> {
        self.tell_as("setup", arguments)
    }

    fn tell_as(&self, person: &str, arguments: &[&str]) -> Result<String> {
        output(self.program(person, arguments))
    }

    /// Runs a command that says with its status that something is held; anything else is an error.
    fn held(&self, arguments: &[&str]) -> Result<()> {
        let said = self.program("setup", arguments).output()?;
        if said.status.code() != Some(1) || !said.stderr.is_empty() {
            bail!(
                "{arguments:?} should have been held: {}{}",
                String::from_utf8_lossy(&said.stdout),
                String::from_utf8_lossy(&said.stderr)
            );
        }
        Ok(())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What cannot be removed is in the folder for temporary files.
        drop(fs::remove_dir_all(&self.folder));
    }
}
