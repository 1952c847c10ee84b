//! Figures for Prometheus: what this hub has counted since it started, and how things stand at the moment at which somebody asks.
//!
//! Labels are names of partners, jobs, plugins and routes, of which there are few; never a run, a person or a file.

use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

type Labels<const N: usize> = [(&'static str, String); N];
type Count<const N: usize> = Family<Labels<N>, Counter>;
type Level<const N: usize> = Family<Labels<N>, Gauge>;
type Times<const N: usize> = Family<Labels<N>, Histogram, fn() -> Histogram>;

/// Of runs: from what a person does not notice to a night's work.
const RUN_SECONDS: [f64; 14] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0];

/// Of calls and decisions.
const CALL_SECONDS: [f64; 14] = [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];

/// Of waiting in the queue, and behind the schedule.
const WAIT_SECONDS: [f64; 12] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0];

/// What a hub counts.
pub struct Figures {
    registry: Registry,
    runs: Count<3>,
    run_seconds: Times<2>,
    rows: Count<3>,
    deliveries: Count<2>,
    limits: Count<3>,
    claim_seconds: Times<0>,
    lag_seconds: Times<0>,
    decisions: Count<3>,
    decision_seconds: Times<0>,
    calls: Count<3>,
    call_seconds: Times<1>,
    webhooks: Count<2>,
    standing: Standing,
    /// Whoever asks has the gauges to themselves.
    asking: Mutex<()>,
}

#[derive(Default)]
struct Standing {
    info: Level<2>,
    ready: Level<1>,
    open: Level<3>,
    uncertain: Level<2>,
    overdue: Level<2>,
    queue: Level<0>,
    queue_oldest: Level<0>,
    leases: Level<1>,
    leases_expired: Level<0>,
    quarantine: Level<2>,
    quarantine_oldest: Level<2>,
    webhooks_waiting: Level<1>,
    connections: Level<1>,
    disk_free: Level<0>,
    scrape_seconds: Family<Labels<0>, Gauge<f64, AtomicU64>>,
}

/// A number for a partner's job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerJob {
    /// The partner.
    pub partner: String,
    /// The job.
    pub job: String,
    /// The state of runs; empty where it is of none.
    pub state: String,
    /// The number.
    pub number: i64,
}

/// How things stand.
#[derive(Debug, Clone, Default)]
pub struct Gauges {
    /// The hub's name.
    pub hub: String,
    /// Each thing that the hub needs, and whether it has it.
    pub ready: Vec<(&'static str, bool)>,
    /// Runs that have not ended, by state.
    pub open: Vec<PerJob>,
    /// Of them, those of which nobody knows whether something was delivered.
    pub uncertain: Vec<PerJob>,
    /// Of them, those that should be done by now.
    pub overdue: Vec<PerJob>,
    /// Runs that may be claimed, and for how many seconds the first has waited.
    pub queue: (i64, i64),
    /// Runs that each hub is at.
    pub leases: Vec<(String, i64)>,
    /// Of them, those whose lease has run out.
    pub leases_expired: i64,
    /// Rejects that wait.
    pub quarantine: Vec<PerJob>,
    /// For how many seconds the first of them has waited.
    pub quarantine_oldest: Vec<PerJob>,
    /// Messages to partners' own addresses that wait, by partner.
    pub webhooks_waiting: Vec<(String, i64)>,
    /// Connections to the database: at work, and idle.
    pub connections: (i64, i64),
    /// Room on the disk of the hub's folder.
    pub disk_free_bytes: Option<i64>,
    /// How long it took to find all this out.
    pub took: Duration,
}

/// Rows that a run came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowsCounted {
    /// Read.
    pub read: u64,
    /// Accepted.
    pub accepted: u64,
    /// Rejected.
    pub rejected: u64,
    /// Skipped.
    pub skipped: u64,
    /// Written.
    pub written: u64,
}

/// Whose figure it is.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The partner.
    pub partner: &'a str,
    /// The job, or the plugin that decides.
    pub of: &'a str,
}

impl Counted<'_> {
    fn labels(&self) -> Labels<2> {
        [("partner", self.partner.to_owned()), ("job", self.of.to_owned())]
    }

    fn with(&self, name: &'static str, value: &str) -> Labels<3> {
        let [partner, job] = self.labels();
        [partner, job, (name, value.to_owned())]
    }
}

impl Default for Figures {
    fn default() -> Self {
        let mut figures = Self {
            registry: Registry::with_prefix("bailiwick"),
            runs: Family::default(),
            run_seconds: Family::new_with_constructor(|| Histogram::new(RUN_SECONDS)),
            rows: Family::default(),
            deliveries: Family::default(),
            limits: Family::default(),
            claim_seconds: Family::new_with_constructor(|| Histogram::new(WAIT_SECONDS)),
            lag_seconds: Family::new_with_constructor(|| Histogram::new(WAIT_SECONDS)),
            decisions: Family::default(),
            decision_seconds: Family::new_with_constructor(|| Histogram::new(CALL_SECONDS)),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(|| Histogram::new(CALL_SECONDS)),
            webhooks: Family::default(),
            standing: Standing::default(),
            asking: Mutex::default(),
        };
        figures.register_counts();
        figures.register_levels();
        figures
    }
}

impl Figures {
    fn register_counts(&mut self) {
        let registry = &mut self.registry;
        registry.register("runs", "Attempts at runs that ended on this hub, by the state that they left the run in", self.runs.clone());
        registry.register("run_seconds", "How long attempts at runs took", self.run_seconds.clone());
        registry.register("rows", "Rows of runs that were processed", self.rows.clone());
        registry.register("deliveries", "Outputs delivered", self.deliveries.clone());
        registry.register("limit_kills", "Runs that a limit of the sandbox ended", self.limits.clone());
        registry.register("claim_delay_seconds", "From a run's coming into the queue to its first claim", self.claim_seconds.clone());
        registry.register("schedule_lag_seconds", "From the time that a schedule names to the first claim", self.lag_seconds.clone());
        registry.register("decisions", "Cases decided at once, or refused", self.decisions.clone());
        registry.register("decision_seconds", "How long one case took", self.decision_seconds.clone());
        registry.register("http_requests", "Calls answered", self.calls.clone());
        registry.register("http_request_seconds", "How long answers took", self.call_seconds.clone());
        registry.register("webhook_attempts", "Attempts to tell partners' own addresses", self.webhooks.clone());
    }

    fn register_levels(&mut self) {
        let (registry, now) = (&mut self.registry, &self.standing);
        registry.register("hub", "This hub, with its version", now.info.clone());
        registry.register("ready", "1 for each thing that the hub needs and has", now.ready.clone());
        registry.register("open_runs", "Runs that have not ended", now.open.clone());
        registry.register("uncertain_runs", "Runs of which nobody knows whether something was delivered", now.uncertain.clone());
        registry.register("overdue_runs", "Runs that should be done by now", now.overdue.clone());
        registry.register("queue_runs", "Runs that may be claimed", now.queue.clone());
        registry.register("queue_oldest_seconds", "How long the first of them has waited", now.queue_oldest.clone());
        registry.register("leases", "Runs that each hub is at", now.leases.clone());
        registry.register("expired_leases", "Runs whose hub gives no word any more", now.leases_expired.clone());
        registry.register("quarantine_rows", "Rejects that wait", now.quarantine.clone());
        registry.register("quarantine_oldest_seconds", "How long the first of them has waited", now.quarantine_oldest.clone());
        registry.register("webhooks_waiting", "Messages to partners' own addresses that wait", now.webhooks_waiting.clone());
        registry.register("database_connections", "Connections to the database", now.connections.clone());
        registry.register("disk_free_bytes", "Room on the disk of the hub's folder", now.disk_free.clone());
        registry.register("scrape_seconds", "How long it took to find out how things stand", now.scrape_seconds.clone());
    }

    /// An attempt at a run has ended.
    pub fn run_ended(&self, of: Counted<'_>, state: &str, took: Duration) {
        self.runs.get_or_create(&of.with("state", state)).inc();
        self.run_seconds.get_or_create(&of.labels()).observe(took.as_secs_f64());
    }

    /// A run was processed.
    pub fn processed(&self, of: Counted<'_>, rows: RowsCounted) {
        let RowsCounted { read, accepted, rejected, skipped, written } = rows;
        let counts = [("read", read), ("accepted", accepted), ("rejected", rejected), ("skipped", skipped), ("written", written)];
        for (what, rows) in counts {
            self.rows.get_or_create(&of.with("what", what)).inc_by(rows);
        }
    }

    /// An output was delivered.
    pub fn delivered(&self, of: Counted<'_>) {
        self.deliveries.get_or_create(&of.labels()).inc();
    }

    /// A limit ended a run.
    pub fn stopped_by(&self, of: Counted<'_>, limit: &str) {
        self.limits.get_or_create(&of.with("limit", limit)).inc();
    }

    /// A run was claimed for the first time, so long after it came into the queue and, if a schedule put it there, after its time.
    pub fn claimed(&self, waited: Duration, lag: Option<Duration>) {
        self.claim_seconds.get_or_create(&[]).observe(waited.as_secs_f64());
        if let Some(lag) = lag {
            self.lag_seconds.get_or_create(&[]).observe(lag.as_secs_f64());
        }
    }

    /// A case was decided, or was not.
    pub fn decided(&self, of: Counted<'_>, decided: bool, took: Duration) {
        let answer = if decided { "decided" } else { "refused" };
        let labels = [("partner", of.partner.to_owned()), ("plugin", of.of.to_owned()), ("answer", answer.to_owned())];
        self.decisions.get_or_create(&labels).inc();
        self.decision_seconds.get_or_create(&[]).observe(took.as_secs_f64());
    }

    /// A call was answered.
    pub fn answered(&self, (method, route): (&str, &str), status: u16, took: Duration) {
        let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
        self.calls.get_or_create(&labels).inc();
        self.call_seconds.get_or_create(&[("route", route.to_owned())]).observe(took.as_secs_f64());
    }

    /// Somebody's own address was told something, or could not be.
    pub fn told(&self, partner: &str, how: &'static str) {
        self.webhooks.get_or_create(&[("partner", partner.to_owned()), ("outcome", how.to_owned())]).inc();
    }

    /// Everything, as Prometheus reads it.
    #[must_use]
    pub fn text(&self, now: &Gauges) -> String {
        let _mine = self.asking.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.standing.set(now);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("text takes text");
        text
    }
}

impl Standing {
    /// What is no more, is not told any more.
    fn set(&self, now: &Gauges) {
        let one = |family: &Level<0>, value: i64| {
            family.get_or_create(&[]).set(value);
        };
        self.info.clear();
        let info = [("hub", now.hub.clone()), ("version", env!("CARGO_PKG_VERSION").to_owned())];
        self.info.get_or_create(&info).set(1);
        for (what, ready) in &now.ready {
            self.ready.get_or_create(&[("check", (*what).to_owned())]).set(i64::from(*ready));
        }
        self.open.clear();
        for of in &now.open {
            let labels = [("partner", of.partner.clone()), ("job", of.job.clone()), ("state", of.state.clone())];
            self.open.get_or_create(&labels).set(of.number);
        }
        for (family, values) in [
            (&self.uncertain, &now.uncertain),
            (&self.overdue, &now.overdue),
            (&self.quarantine, &now.quarantine),
            (&self.quarantine_oldest, &now.quarantine_oldest),
        ] {
            family.clear();
            for of in values {
                family.get_or_create(&[("partner", of.partner.clone()), ("job", of.job.clone())]).set(of.number);
            }
        }
        one(&self.queue, now.queue.0);
        one(&self.queue_oldest, now.queue.1);
        one(&self.leases_expired, now.leases_expired);
        for (family, name, values) in [(&self.leases, "hub", &now.leases), (&self.webhooks_waiting, "partner", &now.webhooks_waiting)] {
            family.clear();
            for (of, number) in values {
                family.get_or_create(&[(name, of.clone())]).set(*number);
            }
        }
        self.connections.get_or_create(&[("state", "busy".to_owned())]).set(now.connections.0);
        self.connections.get_or_create(&[("state", "idle".to_owned())]).set(now.connections.1);
        if let Some(free) = now.disk_free_bytes {
            one(&self.disk_free, free);
        }
        self.scrape_seconds.get_or_create(&[]).set(now.took.as_secs_f64());
    }
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Figures").finish_non_exhaustive()
    }
}
