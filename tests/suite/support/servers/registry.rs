//! Debian's registry, over a folder, at a port of its own; and how a test puts into it what no honest program would.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use bailiwick::model::ids::Digest;
use rcgen::ExtendedKeyUsagePurpose;
use tempfile::TempDir;

use super::answers;
use super::authority::Authority;

const PROGRAM: &str = "docker-registry";

/// What the user `ann` signs in with, and how the registry keeps it (bcrypt).
pub(crate) const REGISTRY_PASSWORD: &str = "canary-of-the-registry";
const HTPASSWD: &str = "ann:$2b$05$abcdefghijklmnopqrstuuTQLdDQ2arfM5hmv74DJrVlfO6Ojq7Qm\n";

/// The registry. Killed when the test ends.
pub(crate) struct Registry {
    child: Child,
    folder: TempDir,
    pub(crate) port: u16,
}

/// How it is to be.
#[derive(Default)]
pub(crate) struct RegistryOptions<'a> {
    /// It asks for the password.
    pub(crate) password: bool,
    /// It shows a certificate of this authority.
    pub(crate) authority: Option<&'a Authority>,
    /// It wants tokens that are given at this address, and signed by the key of a certificate of this authority.
    pub(crate) tokens: Option<(String, &'a Authority)>,
    /// It redirects whoever wants a blob to this address.
    pub(crate) redirects: Option<String>,
}

impl Registry {
    /// Open to everybody, without TLS.
    pub(crate) fn start() -> Self {
        Self::start_with(&RegistryOptions::default())
    }

    pub(crate) fn start_with(options: &RegistryOptions<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Another program may take the port between its choice and the start.
        for _ in 0..20 {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
            let mut child = Command::new(PROGRAM)
                .arg("serve")
                .arg(config(folder.path(), port, options))
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap_or_else(|error| panic!("{PROGRAM} cannot be started: {error}; install docker-registry"));
            if answers(port, &mut child) {
                return Self { child, folder, port };
            }
        }
        panic!("{PROGRAM} does not start");
    }

    /// The address of something in it.
    pub(crate) fn at(&self, what: &str) -> String {
        format!("oci://127.0.0.1:{}/{what}", self.port)
    }

    /// The file in which it keeps the bytes of a digest.
    pub(crate) fn file_of(&self, digest: Digest) -> PathBuf {
        let digest = digest.to_string();
        self.folder.path().join("store/docker/registry/v2/blobs/sha256").join(&digest[..2]).join(digest).join("data")
    }

    /// What it answers to everybody, as other programs ask for it: the type and the bytes.
    pub(crate) fn get(&self, below: &str) -> (String, Vec<u8>) {
        let url = format!("http://127.0.0.1:{}/v2/{below}", self.port);
        let mut answer = ureq::get(&url).header("accept", "application/vnd.oci.image.manifest.v1+json").call().expect("it is there");
        let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
        (kind, answer.body_mut().with_config().limit(1 << 30).read_to_vec().expect("it is whole"))
    }

    /// Puts bytes into a repository, whatever they are.
    pub(crate) fn put_blob(&self, name: &str, bytes: &[u8]) -> Digest {
        let begun = ureq::post(format!("http://127.0.0.1:{}/v2/{name}/blobs/uploads/", self.port)).send_empty().expect("it begins");
        let to = begun.headers()["location"].to_str().expect("text").to_owned();
        let digest = Digest::of(bytes);
        ureq::put(format!("{to}&digest=sha256:{digest}")).send(bytes).expect("it is taken");
        digest
    }

    /// Puts a manifest under a tag, whatever it says. Its digest.
    pub(crate) fn put_manifest(&self, name: &str, tag: &str, (kind, bytes): (&str, &[u8])) -> Digest {
        let url = format!("http://127.0.0.1:{}/v2/{name}/manifests/{tag}", self.port);
        ureq::put(url).header("content-type", kind).send(bytes).expect("it is taken");
        Digest::of(bytes)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn config(folder: &Path, port: u16, options: &RegistryOptions<'_>) -> PathBuf {
    let file = |name: &str, text: &str| {
        fs::write(folder.join(name), text).expect("it is written");
        format!("{:?}", folder.join(name))
    };
    let mut text = format!("version: 0.1\nlog: {{level: error}}\nstorage:\n  filesystem: {{rootdirectory: {:?}}}\n", folder.join("store"));
    text += &format!("http:\n  addr: 127.0.0.1:{port}\n");
    if let Some(authority) = options.authority {
        let (certificate, key) = authority.issue("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
        let (certificate, key) = (file("server.pem", &certificate.pem()), file("server.key", &key.serialize_pem()));
        text += &format!("  tls: {{certificate: {certificate}, key: {key}}}\n");
    }
    if options.password {
        text += &format!("auth:\n  htpasswd: {{realm: a registry, path: {}}}\n", file("htpasswd", HTPASSWD));
    }
    if let Some((realm, authority)) = &options.tokens {
        let root = file("tokens.pem", authority.pem());
        text += &format!("auth:\n  token: {{realm: {realm:?}, service: the-registry, issuer: the-issuer, rootcertbundle: {root}}}\n");
    }
    if let Some(redirects) = &options.redirects {
        text += &format!("middleware:\n  storage:\n    - name: redirect\n      options: {{baseurl: {redirects:?}}}\n");
    }
    let path = folder.join("config.yml");
    fs::write(&path, text).expect("it is written");
    path
}
