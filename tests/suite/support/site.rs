//! A site: a folder of configuration with its data and its outputs, and a hub's folder beside it, for one test alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bailiwick::clock::Clock;
use bailiwick::run::{Hub, HubOptions, Plan, Sharing};
use jiff::Timestamp;
use tempfile::TempDir;

use super::{POLICE, compiler_path, operator, plugin_path, root};

/// The plugins of the example.
const PLUGINS: [&str; 4] = ["claim-routing", "cost-apportionment", "lgps-return", "supplier-checks"];

/// The job that most tests run.
pub(crate) const LGPS: &str = "lgps-monthly-return";

/// A clock that stands.
pub(crate) fn clock_at(moment: &str) -> Clock {
    Clock::standing_at(moment.parse::<Timestamp>().expect("a moment"))
}

/// A folder for one test.
pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    /// The example, copied. Its plugins are compiled already.
    pub(crate) fn staffordshire() -> Self {
        let site = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        copy_all(&root().join("examples/staffordshire"), &site.config());
        for output in ["pension-fund", "insurance", "procurement", "finance"] {
            fs::create_dir_all(site.path("out").join(output)).expect("a folder");
            // What keeps the folder in the repository; here only deliveries count.
            drop(fs::remove_file(site.path("out").join(output).join(".about")));
        }
        let plugins = fs::read_to_string(site.path("plugins.toml")).expect("the example names its plugins");
        let absolute = PLUGINS.iter().fold(plugins, |text, name| {
            text.replace(&format!("../../target/plugins/{name}.wasm"), plugin_path(name).to_str().expect("a plain path"))
        });
        site.write("plugins.toml", absolute);
        link_all(&warm().join("compiled"), &site.data().join("compiled"));
        link_all(&warm().join("releases"), &site.data().join("releases"));
        site
    }

    /// Lines of payroll of a large site: enough that a kill meets the program at work.
    pub(crate) const LARGE_LINES: usize = 200_000;

    /// The example with a large payroll, and nothing of the months before.
    pub(crate) fn large() -> Self {
        let site = Self::staffordshire();
        fs::remove_file(site.path("data/payroll/previous-2026-10.csv")).expect("the example has it");
        let example = String::from_utf8_lossy(&site.read("data/payroll/payroll-2026-10.csv")).into_owned();
        let mut text = format!("{}\n", example.lines().next().expect("a heading"));
        for line in 0..Self::LARGE_LINES {
            let (letter, digits) = (char::from(b'A' + (line % 4) as u8), line % 1_000_000);
            text += &format!(
                "{line},TY{digits:06}{letter},Baker,Helen,08/03/1967,Administrator,SP100,00321,31/10/2026,Active,LGPS,MAIN,F,37.00,,,,27250.00,\
                 27250.00,2270.83,0.00,5.80,131.71,0.00,429.19,,,,,,,,,,,\n"
            );
        }
        site.write("data/payroll/payroll-2026-10.csv", text);
        site
    }

    /// A site with nothing in it but two folders, `in` and `out`.
    pub(crate) fn bare() -> Self {
        let site = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        for folder in ["in", "out", "jobs"] {
            fs::create_dir_all(site.path(folder)).expect("a folder");
        }
        site
    }

    /// The folder of configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// The hub's folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A path below the folder of configuration.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.config().join(relative)
    }

    pub(crate) fn read(&self, relative: &str) -> Vec<u8> {
        fs::read(self.path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    pub(crate) fn write(&self, relative: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(relative), bytes).unwrap_or_else(|error| panic!("{relative}: {error}"));
    }

    /// Replaces a text in a file; it must be there.
    pub(crate) fn edit(&self, relative: &str, from: &str, to: &str) {
        let text = String::from_utf8(self.read(relative)).expect("it is text");
        assert!(text.contains(from), "{relative} has no {from:?}");
        self.write(relative, text.replace(from, to));
    }

    /// The names of the files in a folder, hidden ones too, in order.
    pub(crate) fn names(&self, relative: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(relative)).expect("a folder");
        let mut names: Vec<String> = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("text")).collect();
        names.sort();
        names
    }

    /// Every delivered file with its bytes, in the order of their names.
    pub(crate) fn delivered(&self) -> Vec<(String, Vec<u8>)> {
        let folders = self.names("out");
        let files = folders
            .iter()
            .flat_map(|folder| self.names(&format!("out/{folder}")).into_iter().map(move |name| format!("out/{folder}/{name}")));
        files.map(|file| (file.clone(), self.read(&file))).collect()
    }

    /// The hub, opened as it was left.
    pub(crate) async fn reopen(&self, clock: &Clock) -> Hub {
        self.reopen_as("main", clock).await
    }

    /// The hub, opened under a name.
    pub(crate) async fn reopen_as(&self, name: &str, clock: &Clock) -> Hub {
        self.reopen_shared(name, clock, Sharing::default()).await
    }

    /// The same, sharing its work with others.
    pub(crate) async fn reopen_shared(&self, name: &str, clock: &Clock, sharing: Sharing) -> Hub {
        let options = HubOptions {
            data: self.data(),
            name: name.to_owned(),
            compiler: compiler_path(),
            clock: clock.clone(),
            runs_at_once: 2,
            works: true,
        };
        Hub::open_shared(options, sharing).await.expect("the hub opens")
    }

    /// The hub with the configuration in force.
    pub(crate) async fn hub(&self, clock: &Clock) -> Hub {
        let hub = self.reopen(clock).await;
        self.apply(&hub).await;
        hub
    }

    pub(crate) async fn apply(&self, hub: &Hub) -> Plan {
        hub.apply(&self.config(), &operator(hub)).await.unwrap_or_else(|error| panic!("the configuration is refused: {error}"))
    }
}

/// A hub's folder in which the example's plugins are compiled: made once for each build of the hub.
fn warm() -> &'static Path {
    static WARM: OnceLock<PathBuf> = OnceLock::new();
    WARM.get_or_init(|| {
        let built = fs::metadata(compiler_path()).and_then(|hub| hub.modified()).expect("the hub is built");
        let age = built.duration_since(std::time::UNIX_EPOCH).expect("it was built after 1970").as_nanos();
        let warm = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("suite-warm-{age}"));
        let components: Vec<PathBuf> = PLUGINS.iter().map(|name| plugin_path(name)).collect();
        let made = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
        link_all(&warm.join("compiled"), &made.path().join("compiled"));
        fs::create_dir_all(made.path().join("releases")).expect("a folder");
        let sandbox = bailiwick::sandbox::Sandbox::new(bailiwick::sandbox::SandboxOptions {
            cache_dir: made.path().join("compiled"),
            compiler: compiler_path(),
            run_threads: 1,
            decision_threads: 1,
        });
        let sandbox = sandbox.expect("a sandbox");
        for component in components {
            let bytes = fs::read(&component).expect("it is built");
            let section = bailiwick::sandbox::read_section(&bytes).expect("a component").expect("a manifest");
            let manifest = bailiwick::registry::package::unpack(&section).expect("a package").manifest;
            let release = sandbox.install(&bytes, &manifest).expect("it installs");
            fs::write(made.path().join("releases").join(format!("{}.wasm", release.digest)), &bytes).expect("it is kept");
        }
        forget_older(&warm);
        // Another process may have been faster; what it made is as good.
        if !warm.exists() && fs::rename(made.path(), &warm).is_ok() {
            drop(made.keep());
        } else {
            link_all(&made.path().join("compiled"), &warm.join("compiled"));
            link_all(&made.path().join("releases"), &warm.join("releases"));
        }
        warm
    })
}

/// Removes what earlier builds of the hub compiled.
fn forget_older(warm: &Path) {
    for entry in fs::read_dir(env!("CARGO_TARGET_TMPDIR")).expect("a folder").filter_map(Result::ok) {
        let older = entry.file_name().to_string_lossy().starts_with("suite-warm-") && entry.path() != warm;
        if older
            && entry.metadata().and_then(|found| found.modified()).is_ok_and(|made| made.elapsed().is_ok_and(|age| age.as_secs() > 900))
        {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// Copies a folder with all that is in it.
pub(super) fn copy_all(from: &Path, to: &Path) {
    each_file(from, to, &mut |file, target| {
        fs::copy(file, target).expect("it is copied");
    });
}

/// The same by links, for files that never change.
fn link_all(from: &Path, to: &Path) {
    if from.is_dir() {
        each_file(from, to, &mut |file, target| match fs::hard_link(file, target) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => panic!("{}: {error}", target.display()),
            _ => {}
        });
    }
}

fn each_file(from: &Path, to: &Path, take: &mut dyn FnMut(&Path, &Path)) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").map(|entry| entry.expect("an entry")) {
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            each_file(&entry.path(), &target, take);
        } else {
            take(&entry.path(), &target);
        }
    }
}

/// An address that the hub may not reach, and that is nobody else's affair.
pub(crate) const RECEIVER: &str = "https://127.0.0.1:1/a-key-of-its-own";

/// A webhook of the police that leads there, signed by the secret `webhook-key`: an entry of webhooks.toml.
pub(crate) fn webhook_unreached(name: &str) -> String {
    format!(
        "[[webhook]]\npartner = \"{POLICE}\"\nname = \"{name}\"\nurl = \"{RECEIVER}\"\nevents = [\"run.held\", \"run.closed\"]\n\
         signing-secret = \"webhook-key\"\n"
    )
}
