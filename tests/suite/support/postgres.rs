//! A PostgreSQL server for tests, from the programs that Debian installs: one for all test processes that run together, or one of its
//! own for a test that harms it. It is stopped, and its folder removed, once no process uses it, however that process ended.
//!
//! The ledger's own tests use this file too, so it must know nothing of the hub.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};

/// Runs the server, starts it again when it ends, and stops it when it can lock what every user holds a share of.
/// What it becomes stands behind the folder and the programs: a server refuses to be root.
const KEEPER: &str = r#"
folder=$1; programs=$2; connections=$3; shift 3
exec 9<>"$folder/users"
"$@" "$programs/initdb" --pgdata="$folder/data" --username=postgres --auth=trust --no-sync --encoding=UTF8 --locale=C.UTF-8 9>&- || exit 1
while :; do
    "$@" "$programs/postgres" -D "$folder/data" -k "$folder" -c listen_addresses= -c fsync=off -c full_page_writes=off \
        -c max_connections="$connections" -c shared_buffers=64MB -c log_min_messages=fatal $(cat "$folder/options" 2>/dev/null) 9>&- &
    server=$!
    while kill -0 "$server"; do
        sleep 0.2
        flock --exclusive --nonblock 9 || continue
        flock --unlock 9
        sleep 2
        flock --exclusive --nonblock 9 || continue
        kill -INT "$server"
        wait "$server"
        rm -rf "$folder/data" "$folder/log"
        exit 0
    done
done"#;

/// Where no other is needed.
const PORT: u16 = 5_432;

/// Longest time that a server takes to begin, on a machine that is busy.
const START: Duration = Duration::from_secs(60);

/// Connections of a server, for many tests at a time.
const CONNECTIONS: u32 = 300;

/// A server, kept running while this is there.
pub(crate) struct Postgres {
    folder: PathBuf,
    /// Part of its socket's name; with TLS, where it listens too.
    port: u16,
    /// Locked with a share.
    _users: File,
    /// It outlives this process, to stop the server when others have gone too.
    _keeper: Option<Child>,
    _own: Option<tempfile::TempDir>,
}

impl Postgres {
    /// The server that test processes share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| {
            let checkout = env!("CARGO_MANIFEST_DIR").bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            let folder = std::env::temp_dir().join(format!("bailiwick-postgres-{}-{checkout:08x}", rustix::process::getuid().as_raw()));
            Self::at(folder, PORT, (None, CONNECTIONS))
        })
    }

    /// A server of its own.
    pub(crate) fn own() -> Self {
        Self::own_with(CONNECTIONS)
    }

    /// The same with so many connections.
    pub(crate) fn own_with(connections: u32) -> Self {
        let folder = tempfile::Builder::new().prefix("bailiwick-postgres-").tempdir().expect("a temporary folder");
        Self::at(folder.path().to_owned(), PORT, (Some(folder), connections))
    }

    /// A server of its own that also listens on 127.0.0.1, with TLS and passwords only. Certificate and key in PEM.
    pub(crate) fn with_tls(certificate: &str, key: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("bailiwick-postgres-").tempdir().expect("a temporary folder");
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
        let at = |name: &str| folder.path().join(name);
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on -c ssl_cert_file={0}/server.pem -c ssl_key_file={0}/server.key -c hba_file={0}/hba",
            folder.path().display()
        );
        let hba = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
        for (name, text) in [("options", options.as_str()), ("server.pem", certificate), ("server.key", key), ("hba", hba)] {
            fs::write(at(name), text).expect("it is written");
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o600)).expect("it is ours");
            if rustix::process::getuid().is_root() {
                let (user, group) = postgres_user();
                chown(at(name), Some(user), Some(group)).expect("it is ours");
            }
        }
        Self::at(folder.path().to_owned(), port, (Some(folder), CONNECTIONS))
    }

    /// Where it listens, if it has TLS.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its socket.
    pub(crate) fn socket(&self) -> &Path {
        &self.folder
    }

    fn at(folder: PathBuf, port: u16, (own, connections): (Option<tempfile::TempDir>, u32)) -> Self {
        fs::create_dir_all(&folder).expect("a folder");
        let open = |name: &str| File::options().create(true).truncate(false).write(true).open(folder.join(name)).expect("a file");
        let (start, users) = (open("start"), open("users"));
        // One process starts it, and the others wait. Whoever stops it keeps the users waiting until it has stopped.
        start.lock().expect("a lock");
        users.lock_shared().expect("a lock");
        let keeper = (!answers(&folder, port)).then(|| begin(&folder, port, connections));
        Self { folder, port, _users: users, _keeper: keeper, _own: own }
    }

    /// An empty database with a name of its own.
    pub(crate) async fn database(&self) -> String {
        let name = format!("test_{}", uuid::Uuid::now_v7().simple());
        self.execute(&format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    /// Does something to the server as its superuser, once it answers.
    pub(crate) async fn execute(&self, sql: &str) {
        let began = Instant::now();
        let mut connection: PgConnection = loop {
            let options: PgConnectOptions = self.url("postgres").parse().expect("an address");
            match options.connect().await {
                Ok(connection) => break connection,
                Err(error) => assert!(began.elapsed() < START, "the server does not answer: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        connection.execute(AssertSqlSafe(sql)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Kills the server as a power cut would, once it is there. It begins again by itself, in a while on a busy machine.
    pub(crate) fn crash(&self) {
        let began = Instant::now();
        let running = || {
            let written = fs::read_to_string(self.folder.join("data/postmaster.pid")).ok()?;
            rustix::process::Pid::from_raw(written.lines().next()?.parse().ok()?)
        };
        let killed = |pid| rustix::process::kill_process(pid, rustix::process::Signal::QUIT).is_ok();
        while !(answers(&self.folder, self.port) && running().is_some_and(killed)) {
            assert!(began.elapsed() < START, "the server has not begun again");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The newest server that is installed.
    pub(crate) fn programs() -> PathBuf {
        let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is not installed: cargo xtask test --only prerequisites");
        let programs = versions.map(|version| version.expect("a folder").path().join("bin"));
        programs.filter(|programs| programs.join("initdb").is_file()).max().expect("a server beside the client")
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost:{}/{database}?host={}", self.port, self.folder.display())
    }
}

fn answers(folder: &Path, port: u16) -> bool {
    UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).is_ok()
}

fn begin(folder: &Path, port: u16, connections: u32) -> Child {
    let log = File::create(folder.join("log")).expect("a file");
    // What a test left that was killed together with its keeper.
    drop(fs::remove_dir_all(folder.join("data")));
    let mut keeper = Command::new("sh");
    keeper.arg("-c").arg(KEEPER).arg("keeper").arg(folder).arg(Postgres::programs()).arg(connections.to_string());
    if rustix::process::getuid().is_root() {
        let (user, group) = postgres_user();
        chown(folder, Some(user), Some(group)).expect("it is ours");
        keeper.args(["setpriv", &format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"]);
    }
    // A group of its own, so that who interrupts the tests does not interrupt it before its users have gone.
    keeper.process_group(0).stdin(Stdio::null()).stdout(log.try_clone().expect("a file")).stderr(log);
    let keeper = keeper.spawn().expect("a shell");
    let began = Instant::now();
    while !answers(folder, port) {
        let said = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(began.elapsed() < START, "PostgreSQL does not begin: {}", said());
        std::thread::sleep(Duration::from_millis(50));
    }
    keeper
}

fn postgres_user() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").expect("the users of the machine");
    let user = users.lines().find(|line| line.starts_with("postgres:")).expect("the package makes this user");
    let mut numbers = user.split(':').skip(2).map(|number| number.parse().expect("a number"));
    (numbers.next().expect("a user"), numbers.next().expect("a group"))
}
