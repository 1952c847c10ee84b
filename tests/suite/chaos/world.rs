//! A site where every row has a number of its own: a job that passes rows on from an inbox to an outbox, wherever these are.

use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use bailiwick::clock::Clock;
use bailiwick::ledger::{Database, Run, RunFilter, RunState, Scope};
use bailiwick::run::{Hub, Sharing};
use jiff::SignedDuration;

use super::books::Placed;
use crate::support::*;

pub(crate) const PARTNER: &str = "chaos";
pub(crate) const FLOW: &str = "flow";

/// Rejects that a run may have before it is held.
const REJECTS_MAX: u64 = 3;

/// What a job takes and gives, and how it is called in the configuration.
pub(crate) struct Ends {
    pub(crate) from: String,
    pub(crate) to: String,
    /// The schedule's lines; empty for none.
    pub(crate) schedule: String,
}

impl Ends {
    /// Folders on both sides, and no schedule.
    pub(crate) fn folders() -> Self {
        Self { from: folder("in", 0), to: folder("out", 0), schedule: String::new() }
    }

    /// The same with a schedule, every slot of which is caught up.
    pub(crate) fn scheduled(cron: &str) -> Self {
        Self { schedule: format!("[schedule]\ncron = \"{cron}\"\ncatch-up = {{ all = 500 }}\n"), ..Self::folders() }
    }
}

/// A connection that is a folder of the site.
pub(crate) fn folder(path: &str, settle_ms: u64) -> String {
    format!("kind = \"folder\"\npath = \"{path}\"\nsettle-ms = {settle_ms}")
}

/// The site, and which rows were put into which file.
pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) database: Option<String>,
    placed: Mutex<Placed>,
}

impl World {
    pub(crate) fn new(ends: &Ends) -> Self {
        static PLUGIN: OnceLock<Vec<u8>> = OnceLock::new();
        let site = Site::bare();
        site.write("hostile.wasm", PLUGIN.get_or_init(|| hostile_component(MANIFEST)));
        site.write("partners.toml", format!("[[partner]]\nname = \"{PARTNER}\"\ntitle = \"Chaos\"\n"));
        site.write("plugins.toml", format!("[[plugin]]\npartner = \"{PARTNER}\"\nname = \"hostile\"\ncomponent = \"hostile.wasm\"\n"));
        let world = Self { site, database: None, placed: Mutex::default() };
        world.declare(ends);
        world
    }

    /// The same with its ledger on a PostgreSQL server.
    pub(crate) fn on_postgres(ends: &Ends, server: &Postgres) -> Self {
        Self { database: Some(wait(server.database())), ..Self::new(ends) }
    }

    /// Which rows have been put into which file.
    pub(crate) fn placed(&self) -> Placed {
        self.placed.lock().expect("nobody panics").clone()
    }

    /// A file has the rows of another.
    pub(crate) fn copied(&self, from: &str, to: &str) {
        let mut placed = self.placed.lock().expect("nobody panics");
        let ids = placed[from].clone();
        placed.insert(to.to_owned(), ids);
    }

    /// Writes where things come from and go.
    pub(crate) fn declare(&self, ends: &Ends) {
        let connection = |name: &str, text: &str| format!("[[connection]]\npartner = \"{PARTNER}\"\nname = \"{name}\"\n{text}\n");
        self.site.write("connections.toml", connection("in", &ends.from) + &connection("out", &ends.to));
        self.site.write(&format!("jobs/{FLOW}.toml"), JOB.replace("SCHEDULE", &ends.schedule).replace("MAX", &REJECTS_MAX.to_string()));
    }

    /// Lines of rows that have not been before: every tenth cannot be read, or all of the first five.
    pub(crate) fn lines(&self, file: &str, rows: u64, held: bool) -> String {
        let mut placed = self.placed.lock().expect("nobody panics");
        let first = placed.values().flatten().max().map_or(1, |last| last + 1);
        let ids: Vec<u64> = (first..first + rows).collect();
        let mut text = "number,pay,joined,name,casual\n".to_owned();
        let broken = |place: u64| if held { place < 5 } else { place == 1 };
        for (place, id) in (0..).zip(&ids) {
            text += &format!("{}{id},1.00,,row-{id},\n", if broken(place) { "x" } else { "" });
        }
        placed.insert(file.to_owned(), ids);
        text
    }

    /// Puts a file of new rows into the inbox at once, as senders should. Now and then one whose run must be held.
    pub(crate) fn place(&self, name: &str, rows: u64, held: bool) {
        let text = self.lines(&format!("lines-{name}.csv"), rows, held);
        self.site.write(&format!("in/.{name}"), text);
        std::fs::rename(self.site.path(&format!("in/.{name}")), self.site.path(&format!("in/lines-{name}.csv"))).expect("it is renamed");
    }

    /// A hub on it, with the configuration in force.
    pub(crate) async fn hub(&self, name: &str, clock: &Clock) -> Hub {
        let hub = self.reopen(name, clock, Duration::from_secs(10)).await;
        self.site.apply(&hub).await;
        hub
    }

    /// A hub on it, whose runs are taken over after a while.
    pub(crate) async fn reopen(&self, name: &str, clock: &Clock, lease: Duration) -> Hub {
        let database = self.database.clone().map(Database::Postgres);
        self.site.reopen_shared(name, clock, Sharing { database, lease, heartbeat: lease / 4, ..Sharing::default() }).await
    }

    /// What the program needs to know in its environment.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        self.database.iter().map(|url| ("BAILIWICK_DATABASE", url.clone())).collect()
    }
}

/// Asks for a run of the job.
pub(crate) async fn ask(hub: &Hub) {
    request(hub, PARTNER, FLOW).await;
}

/// Every run there is.
pub(crate) async fn all_runs(hub: &Hub) -> Vec<Run> {
    let (mut runs, mut filter) = (Vec::new(), RunFilter::default());
    loop {
        let page = hub.ledger().runs(Scope::Hub, &filter, 1_000).await.expect("the ledger answers");
        runs.extend(page.items);
        filter.before = page.next;
        if filter.before.is_none() {
            return runs;
        }
    }
}

pub(crate) fn waits(run: &Run) -> bool {
    matches!(run.state, RunState::Queued | RunState::Running | RunState::Staged | RunState::Delivering)
}

/// Works, and moves the clock on, until no run waits and no file does.
pub(crate) async fn to_rest(hub: &Hub) {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        drain(hub).await;
        if all_runs(hub).await.iter().any(waits) {
            // The machine's clock goes on by itself.
            hub.clock().advance(SignedDuration::from_secs(60));
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        }
        // One more, for a file that no run has taken.
        request(hub, PARTNER, FLOW).await;
        drain(hub).await;
        let runs = all_runs(hub).await;
        let last = runs.iter().max_by_key(|run| run.id).expect("one was asked for");
        if last.state == RunState::Skipped {
            return;
        }
    }
    panic!("it does not come to rest: {:?}", all_runs(hub).await.iter().map(|run| (run.state, &run.reason)).collect::<Vec<_>>());
}

/// Waits until no run waits, for a hub that works by itself.
pub(crate) async fn until_done(hub: &Hub) {
    let began = Instant::now();
    loop {
        let runs = all_runs(hub).await;
        if !runs.iter().any(waits) {
            return;
        }
        let told = || runs.iter().filter(|run| waits(run)).map(|run| (run.state, &run.reason)).collect::<Vec<_>>();
        assert!(began.elapsed() < Duration::from_secs(120), "it does not come to rest: {:?}", told());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const MANIFEST: &str = r#"
name = "hostile"
version = "1.0.0"
kind = "adapter"
contract = "0.1.0"
title = "Passes on"
about = "Passes rows on."

[wants]
log = true
clock = true
random = true
state = true
lookup = ["rates"]

[settings]
schema = "settings.schema.json"

[rows]
independent = true

[[inputs]]
name = "lines"
columns = [
  { name = "number", type = "integer" },
  { name = "pay", type = "money", required = false },
  { name = "joined", type = "date", required = false },
  { name = "name", type = "text", required = false },
  { name = "casual", type = "boolean", required = false },
]

[[outputs]]
name = "passed"
columns = [
  { name = "number", type = "integer" },
  { name = "pay", type = "money", required = false },
  { name = "joined", type = "date", required = false },
  { name = "name", type = "text", required = false },
  { name = "casual", type = "boolean", required = false },
]

[[balance]]
name = "what comes in goes out"
holds = "sum(lines.pay) = sum(passed.pay)"
"#;

const JOB: &str = r#"
partner = "chaos"
name = "flow"
title = "Flow"
plugin = "hostile"
zone = "Europe/London"
attempts-max = 20

SCHEDULE
[rejects]
rows-max = MAX

[[input]]
port = "lines"
connection = "in"
file = "lines-*.csv"
take = "next"
format = { kind = "csv", encoding = "utf-8", dates = "iso" }

[[output]]
port = "passed"
connection = "out"
file = "passed-{run}.csv"
format = { kind = "csv", encoding = "utf-8", dates = "iso" }
"#;
