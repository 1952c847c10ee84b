//! A PostgreSQL server for a task, from the programs that Debian installs, in a folder of its own. It ends with the task.

use std::fs::{self, File};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::prerequisites;
use crate::tools::{command, output};

/// Longest time that a server takes to begin, on a machine that is busy.
const START: Duration = Duration::from_secs(60);

/// A server that listens in its folder only, stopped and removed when this is dropped.
pub(crate) struct Server {
    folder: PathBuf,
    programs: PathBuf,
    child: Child,
}

impl Server {
    /// Starts one with settings of the task's own, each `name=value`.
    pub(crate) fn start(settings: &[&str]) -> Result<Self> {
        prerequisites::postgresql()?;
        let programs = programs()?;
        let folder = std::env::temp_dir().join(format!("bailiwick-task-{}", std::process::id()));
        if folder.is_dir() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        // A server refuses to be root.
        let root = output(command("id", &["-u"]))?.trim() == "0";
        if root {
            output_of(command("chown", &["postgres:postgres"]).arg(&folder))?;
        }
        let as_its_user = |program: &str| {
            let program = programs.join(program);
            if !root {
                return Command::new(program);
            }
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        };
        let mut make = as_its_user("initdb");
        make.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--pgdata"]).arg(folder.join("data"));
        output_of(make.current_dir(&folder))?;
        let log = File::create(folder.join("log"))?;
        let mut serve = as_its_user("postgres");
        serve.arg("-D").arg(folder.join("data")).arg("-k").arg(&folder).args(["-c", "listen_addresses="]).current_dir(&folder);
        serve.args(settings.iter().flat_map(|setting| ["-c", setting]));
        let child = serve.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn().context("PostgreSQL does not start")?;
        let server = Self { folder, programs, child };
        server.wait_for_it()?;
        Ok(server)
    }

    /// Makes an empty database, and says its address.
    pub(crate) fn database(&self, name: &str) -> Result<String> {
        output_of(Command::new(self.programs.join("createdb")).args(["--username=postgres", "--host"]).arg(&self.folder).arg(name))?;
        Ok(format!("postgres://postgres@localhost/{name}?host={}", self.folder.display()))
    }

    /// What it says of its version.
    pub(crate) fn version(&self) -> Result<String> {
        Ok(output_of(Command::new(self.programs.join("postgres")).arg("--version"))?.trim().to_owned())
    }

    fn wait_for_it(&self) -> Result<()> {
        let began = Instant::now();
        while UnixStream::connect(self.folder.join(".s.PGSQL.5432")).is_err() {
            if began.elapsed() > START {
                bail!("PostgreSQL does not begin: {}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Quickly, and in order; it may have ended already.
        drop(command("kill", &["-INT", &self.child.id().to_string()]).output());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// The newest server that is installed.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not installed")?;
    let programs = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    programs.filter(|programs| programs.join("initdb").is_file()).max().context("there is no PostgreSQL server beside the client")
}

fn output_of(command: &mut Command) -> Result<String> {
    let said = command.output().with_context(|| format!("{command:?}"))?;
    ensure!(said.status.success(), "{command:?} ended with {}: {}", said.status, String::from_utf8_lossy(&said.stderr));
    Ok(String::from_utf8_lossy(&said.stdout).into_owned())
}
