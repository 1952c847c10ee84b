//! OpenSSH's own server, run as the user who runs the tests; and, because a password needs the machine's accounts, a small server
//! that knows one password and an empty folder.

use std::collections::HashMap;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bailiwick::model::job::SftpPlace;
use russh::keys::{HashAlg, PrivateKey};
use russh::server::{Auth, ChannelOpenHandle, Msg, Response, Session};
use russh::{Channel, ChannelId};
use russh_sftp::protocol::{File, Handle, Name, Status, StatusCode, Version};
use tempfile::TempDir;

use super::answers;

const SSHD: &str = "/usr/sbin/sshd";

/// OpenSSH serving files at a port of its own. Killed when the test ends.
pub(crate) struct Sshd {
    child: Child,
    folder: TempDir,
    port: u16,
    user: String,
}

impl Sshd {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["host", "user", "stranger"] {
            make_key(&folder.path().join(name), "");
        }
        make_key(&folder.path().join("locked"), "opens it");
        let authorized: Vec<u8> =
            ["user.pub", "locked.pub"].iter().flat_map(|name| fs::read(folder.path().join(name)).expect("a key")).collect();
        fs::write(folder.path().join("authorized_keys"), authorized).expect("it is written");
        let user = said(Command::new("id").arg("-un"));
        // Started by root it wants this folder, which else the system makes.
        if user == "root" {
            fs::create_dir_all("/run/sshd").expect("root makes folders");
        }
        // Another program may take the port between its choice and the start.
        for _ in 0..20 {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
            let mut child = Command::new(SSHD)
                .args(["-D", "-e", "-f"])
                .arg(config(folder.path(), port))
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap_or_else(|error| panic!("{SSHD} cannot be started: {error}; install openssh-server"));
            if answers(port, &mut child) {
                return Self { child, folder, port, user };
            }
        }
        panic!("sshd does not start");
    }

    /// A folder of the server as a place, signed in to by key.
    pub(crate) fn place(&self, folder: &Path) -> SftpPlace {
        SftpPlace {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: self.user.clone(),
            host_keys: vec![self.fingerprint()],
            password: None,
            key: Some("sftp-key".parse().expect("a name")),
            key_passphrase: None,
            folder: folder.to_str().expect("a plain path").to_owned(),
            settle_ms: 0,
            silence_seconds_max: 20,
            file_bytes_max: 1 << 30,
        }
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// A private key: `user` and `locked` are let in, `stranger` is not.
    pub(crate) fn key(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).expect("a key")
    }

    /// The server's own public key.
    pub(crate) fn host_key(&self) -> String {
        self.key("host.pub")
    }

    pub(crate) fn fingerprint(&self) -> String {
        let listed = said(Command::new("ssh-keygen").args(["-l", "-E", "sha256", "-f"]).arg(self.folder.path().join("host.pub")));
        listed.split_whitespace().nth(1).expect("a fingerprint").to_owned()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn config(folder: &Path, port: u16) -> PathBuf {
    let path = folder.join("sshd_config");
    let file = |name: &str| folder.join(name).display().to_string();
    let text = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nMaxStartups 100\n\
         Subsystem sftp internal-sftp\n",
        file("host"),
        file("authorized_keys")
    );
    fs::write(&path, text).expect("it is written");
    path
}

fn make_key(path: &Path, passphrase: &str) {
    said(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", passphrase, "-f"]).arg(path));
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it writes UTF-8").trim().to_owned()
}

/// A server that lets `pension` in by one password, given as such or as the answer to a question, and shows a folder that is empty,
/// or longer than anybody wants to know.
pub(crate) struct PasswordServer {
    pub(crate) port: u16,
    pub(crate) fingerprint: String,
    /// How many names it has listed.
    pub(crate) listed: Arc<AtomicUsize>,
    accepting: tokio::task::JoinHandle<()>,
}

impl PasswordServer {
    /// Starts it on the runtime that is entered.
    pub(crate) fn start(password: &'static str, asks: bool) -> Self {
        Self::start_with(password, asks, 0)
    }

    /// The same, with a folder of so many names.
    pub(crate) fn start_with(password: &'static str, asks: bool, names: usize) -> Self {
        let listed = Arc::new(AtomicUsize::new(0));
        let shown = Folder { names, next: 0, listed: Arc::clone(&listed) };
        let folder = tempfile::tempdir().expect("a temporary folder");
        make_key(&folder.path().join("host"), "");
        let key: PrivateKey =
            russh::keys::decode_secret_key(&fs::read_to_string(folder.path().join("host")).expect("a key"), None).expect("it is plain");
        let fingerprint = key.public_key().fingerprint(HashAlg::Sha256).to_string();
        let config =
            russh::server::Config { keys: vec![key], auth_rejection_time: Duration::from_millis(10), ..russh::server::Config::default() };
        let config = Arc::new(config);
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        socket.set_nonblocking(true).expect("a socket");
        let port = socket.local_addr().expect("an address").port();
        let socket = tokio::net::TcpListener::from_std(socket).expect("a socket");
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let (config, login) = (Arc::clone(&config), Login { password, asks, shown: shown.clone(), channels: HashMap::new() });
                tokio::spawn(async move {
                    if let Ok(session) = russh::server::run_stream(config, stream, login).await {
                        // How it ends is for the client to say.
                        drop(session.await);
                    }
                });
            }
        });
        Self { port, fingerprint, listed, accepting }
    }

    /// Its folder as a place.
    pub(crate) fn place(&self) -> SftpPlace {
        SftpPlace {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: "pension".to_owned(),
            host_keys: vec![self.fingerprint.clone()],
            password: Some("word".parse().expect("a name")),
            key: None,
            key_passphrase: None,
            folder: ".".to_owned(),
            settle_ms: 0,
            silence_seconds_max: 20,
            file_bytes_max: 1,
        }
    }
}

impl Drop for PasswordServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Login {
    password: &'static str,
    asks: bool,
    shown: Folder,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl Login {
    fn judged(&self, user: &str, password: &str) -> Auth {
        if user == "pension" && password == self.password { Auth::Accept } else { Auth::reject() }
    }
}

impl russh::server::Handler for Login {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(if self.asks { Auth::reject() } else { self.judged(user, password) })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let Some(mut answers) = response.filter(|_| self.asks) else {
            let prompts = vec![("Password: ".into(), false)];
            return Ok(if self.asks {
                Auth::Partial { name: "".into(), instructions: "".into(), prompts: prompts.into() }
            } else {
                Auth::reject()
            });
        };
        let answer = answers.next().map(|answer| String::from_utf8_lossy(&answer).into_owned()).unwrap_or_default();
        Ok(self.judged(user, &answer))
    }

    async fn channel_open_session(&mut self, channel: Channel<Msg>, reply: ChannelOpenHandle, _: &mut Session) -> Result<(), russh::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(&mut self, channel: ChannelId, _: &str, session: &mut Session) -> Result<(), russh::Error> {
        session.channel_success(channel)?;
        if let Some(channel) = self.channels.remove(&channel) {
            russh_sftp::server::run(channel.into_stream(), self.shown.clone()).await;
        }
        Ok(())
    }
}

/// A folder with nothing in it but names.
#[derive(Clone)]
struct Folder {
    names: usize,
    next: usize,
    listed: Arc<AtomicUsize>,
}

impl russh_sftp::server::Handler for Folder {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Result<Version, StatusCode> {
        Ok(Version::new())
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, StatusCode> {
        Ok(Handle { id, handle: path })
    }

    async fn readdir(&mut self, id: u32, _: String) -> Result<Name, StatusCode> {
        let part = self.next..self.names.min(self.next + 1_000);
        self.next = part.end;
        self.listed.fetch_add(part.len(), Ordering::SeqCst);
        if part.is_empty() {
            return Err(StatusCode::Eof);
        }
        Ok(Name { id, files: part.map(|number| File::dummy(format!("name-{number}.csv"))).collect() })
    }

    async fn close(&mut self, id: u32, _: String) -> Result<Status, StatusCode> {
        Ok(Status { id, status_code: StatusCode::Ok, error_message: "Ok".to_owned(), language_tag: "en".to_owned() })
    }
}
