//! The program itself, started as a person starts it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use super::{Site, compiler_path};

/// What the program said.
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    /// Its exit status.
    pub(crate) code: Option<i32>,
}

impl Said {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {:?} {:?}", self.out, self.err))
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes UTF-8");
        Self { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
    }
}

/// The program, ready to be started on a site's hub.
pub(crate) fn bailiwick(site: &Site, arguments: &[&str]) -> Command {
    let mut command = Command::new(compiler_path());
    command.args(arguments).current_dir(site.config()).env("BAILIWICK_DATA", site.data()).env_remove("BAILIWICK_LOG").env("NO_COLOR", "1");
    command
}

/// Starts it and waits for what it says.
pub(crate) fn say(site: &Site, arguments: &[&str]) -> Said {
    bailiwick(site, arguments).output().expect("the program starts").into()
}

/// The program serving a site, at a port of its own; killed when the test ends.
pub(crate) struct Serving {
    child: Child,
    address: String,
    metrics: String,
    token: String,
}

impl Serving {
    /// Applies the site's configuration and serves it.
    pub(crate) fn start(site: &Site) -> Self {
        Self::start_with(site, &[])
    }

    /// The same, with something in its environment.
    pub(crate) fn start_with(site: &Site, environment: &[(&str, &str)]) -> Self {
        let applied = bailiwick(site, &["apply", "."]).envs(environment.iter().copied()).output();
        let applied: Said = applied.expect("the program starts").into();
        assert_eq!(applied.code, Some(0), "{}", applied.err);
        // Shown the first time only.
        let token = applied.out.lines().find_map(|line| line.strip_prefix("token of staffordshire-police for the API, shown this once: "));
        let mut serving = Self::join(site, environment);
        serving.token = token.unwrap_or_default().to_owned();
        serving
    }

    /// Serves what is in force already.
    pub(crate) fn join(site: &Site, environment: &[(&str, &str)]) -> Self {
        Self::told(site, &[], environment)
    }

    /// The same, with something more on its command line. What it writes to its log is in `serve.log` beside the configuration.
    pub(crate) fn told(site: &Site, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let log = std::fs::File::options().create(true).append(true).open(Self::log_of(site)).expect("a file");
        let mut serve = bailiwick(site, &["serve", "--listen", "127.0.0.1:0"]);
        let serve = serve.args(arguments).envs(environment.iter().copied()).stdout(Stdio::piped()).stderr(log);
        let mut child = serve.spawn().expect("it starts");
        let mut said = BufReader::new(child.stdout.take().expect("a pipe")).lines().map(|line| line.expect("it is text"));
        let is_address = |word: &&str| word.starts_with("http");
        let first = said.by_ref().find(|line| line.starts_with("the hub is at ")).expect("it says where it is");
        let address = first.split_whitespace().find_map(|word| word.strip_suffix(';').filter(is_address));
        let address = address.unwrap_or_else(|| panic!("no address in {first:?}")).to_owned();
        let metrics = arguments.contains(&"--metrics-listen").then(|| {
            let line = said.next().expect("it says where its figures are");
            line.rsplit(' ').next().unwrap_or_default().trim_end_matches("/metrics").to_owned()
        });
        Self { child, address, metrics: metrics.unwrap_or_default(), token: String::new() }
    }

    fn log_of(site: &Site) -> std::path::PathBuf {
        site.config().with_file_name("serve.log")
    }

    /// What the programs that served a site have written to their log.
    pub(crate) fn log(site: &Site) -> String {
        std::fs::read_to_string(Self::log_of(site)).expect("it is text")
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Where it is: `http://127.0.0.1:…`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Where its figures are: `127.0.0.1:…`.
    pub(crate) fn metrics(&self) -> &str {
        &self.metrics
    }

    /// The token of the police, where it was shown.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Tells it to read its certificate again.
    pub(crate) fn hang_up(&self) {
        self.signal(rustix::process::Signal::HUP);
    }

    /// Tells it to stop, and does not wait.
    pub(crate) fn tell_to_stop(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// How it ended, if it has.
    pub(crate) fn has_ended(&mut self) -> Option<Option<i32>> {
        self.child.try_wait().expect("it is there").map(|status| status.code())
    }

    /// Asks for a run over HTTP.
    pub(crate) fn run(&self, job: &str) {
        let request = ureq::post(format!("{}/api/v1/jobs/{job}/runs", self.address));
        let answer = request.header("authorization", format!("Bearer {}", self.token)).send_empty().expect("the hub answers");
        assert_eq!(answer.status(), 202);
    }

    /// Stops it where it is, as a machine that swaps or a guest that is moved does.
    pub(crate) fn freeze(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    /// Kills it with no warning.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it ends");
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).expect("it is there");
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        self.signal(rustix::process::Signal::TERM);
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
