//! A mail server on this machine: aiosmtpd with STARTTLS and passwords, which can be stopped and started again at its port.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::ExtendedKeyUsagePurpose;
use tempfile::TempDir;

use super::authority::Authority;

/// The server. It ends with the test.
pub(crate) struct Smtp {
    pub(crate) port: u16,
    folder: TempDir,
    child: Option<Child>,
}

impl Smtp {
    /// Who may send, and by which password.
    pub(crate) const USER: &'static str = "hub";
    pub(crate) const PASSWORD: &'static str = "hunter2 hunter2";

    /// Starts it.
    pub(crate) fn start() -> Self {
        let authority = Authority::new();
        let (certificate, key) = authority.issue("localhost", ExtendedKeyUsagePurpose::ServerAuth);
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("mail")).expect("a folder");
        for (name, text) in [("ca.pem", authority.pem()), ("server.pem", &certificate.pem()), ("server.key", &key.serialize_pem())] {
            fs::write(folder.path().join(name), text).expect("it is written");
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
        let mut server = Self { port, folder, child: None };
        server.resume();
        server
    }

    /// Stops it, as for an upgrade.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it is there");
            child.wait().expect("it ends");
        }
    }

    /// Starts it again, with the messages that it has.
    pub(crate) fn resume(&mut self) {
        let oracles = std::env::var_os("BAILIWICK_ORACLES").map(PathBuf::from).filter(|folder| folder.join("stamp").is_file());
        let oracles = oracles.expect(
            "BAILIWICK_ORACLES names no prepared folder: run `cargo xtask test`, or tests/oracles/prepare.sh and export the folder it prints",
        );
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/suite/support/servers/smtpd.py");
        let at = |name: &str| self.folder.path().join(name);
        let mut server = Command::new(oracles.join("venv/bin/python"));
        server.arg(script).arg(self.port.to_string()).args([at("server.pem"), at("server.key")]);
        server.args([Self::USER, Self::PASSWORD]).arg(at("mail")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = server.spawn().expect("the interpreter starts");
        let mut ready = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut ready).expect("it says that it is ready");
        assert_eq!(ready.trim(), "ready", "aiosmtpd does not start: prepare the oracles again");
        self.child = Some(child);
    }

    /// Who vouches for it.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A connection to it, as an operator writes it; the password is the secret `mail-password`.
    pub(crate) fn entry(&self, partner: &str) -> String {
        format!(
            "[[connection]]\npartner = \"{partner}\"\nname = \"mail\"\nkind = \"smtp\"\nhost = \"localhost\"\nport = {}\nuser = \"{}\"\n\
             password-secret = \"mail-password\"\nfrom = \"hub@shared-services.example\"\nca-file = \"{}\"\nsilence-seconds-max = 10\n\n",
            self.port,
            Self::USER,
            self.ca_file().display()
        )
    }

    /// Every message, in the order of their arrival.
    pub(crate) fn messages(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join("mail")).expect("a folder").map(|entry| entry.expect("an entry").path());
        let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
        files.sort();
        // Long lines are folded on their way.
        files.iter().map(|file| fs::read_to_string(file).expect("it is text").replace("=\r\n", "")).collect()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.stop();
    }
}
