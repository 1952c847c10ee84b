//! Several hubs on one ledger: one is killed, one only sleeps, the database goes away. Every run is brought to its end, and is
//! delivered once.

mod bucket;

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::clock::Clock;
use bailiwick::ledger::{Database, Failed, HubId, Ledger, LedgerError, Reason, Run, RunEvent, RunFilter, RunState, Scope, Step};
use bailiwick::run::Sharing;
use tokio::sync::Notify;

use crate::support::*;

/// Where the hubs of a test keep their ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    Postgres,
}

/// A site on which several hubs work.
struct Shared {
    site: Site,
    database: Database,
    environment: Vec<(&'static str, String)>,
}

impl Shared {
    fn new(site: Site, on: Kind, lease_ms: Option<&str>) -> Self {
        let mut environment: Vec<_> = lease_ms.map(|ms| ("BAILIWICK_LEASE_MS", ms.to_owned())).into_iter().collect();
        let database = match on {
            Kind::Sqlite => Database::Sqlite(site.data().join("ledger.sqlite")),
            Kind::Postgres => {
                let url = wait(Postgres::shared().database());
                environment.push(("BAILIWICK_DATABASE", url.clone()));
                Database::Postgres(url)
            }
        };
        Self { site, database, environment }
    }

    /// A hub of a name that serves the site.
    fn hub(&self, name: &str) -> Serving {
        let mut environment: Vec<(&str, &str)> = self.environment.iter().map(|(key, value)| (*key, value.as_str())).collect();
        environment.push(("BAILIWICK_HUB", name));
        Serving::start_with(&self.site, &environment)
    }

    fn say(&self, arguments: &[&str]) -> Said {
        bailiwick(&self.site, arguments).envs(self.environment.iter().cloned()).output().expect("the program starts").into()
    }

    /// The one run that there is, once it is as it should be.
    async fn until(&self, ledger: &Ledger, what: &str, is: impl Fn(&Run) -> bool) -> Run {
        let began = Instant::now();
        loop {
            let runs = ledger.runs(Scope::Hub, &RunFilter::default(), 10).await.unwrap().items;
            if let Some(run) = runs.into_iter().find(&is) {
                return run;
            }
            assert!(began.elapsed() < Duration::from_secs(90), "it is not {what} in 90 s");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn check_delivered_once(&self, ledger: &Ledger, run: &Run, hubs: &[&str]) {
        let events = ledger.events(Scope::Hub, run.id, 0).await.unwrap();
        let claims = events.iter().filter(|event| matches!(event.event, RunEvent::Claimed(_))).map(|event| event.hub.as_str());
        assert_eq!(claims.collect::<Vec<_>>(), hubs);
        let last = hubs.len() as u64;
        assert!(events.iter().skip_while(|event| event.lease < last).all(|event| event.lease == last), "{events:?}");
        assert_eq!(ledger.receipts(Scope::Hub, run.id).await.unwrap().len(), 2);
        assert_eq!(self.site.delivered().len(), 2);
        let check = ledger.verify_audit().await.unwrap();
        assert!(check.is_sound(), "{check:?}");
    }
}

/// From the end of a hub to the next claim of its run: the mark is 15 seconds.
const TAKEOVER: Duration = Duration::from_secs(15);

#[test]
fn a_run_of_a_killed_hub_goes_on_elsewhere_on_sqlite() {
    a_killed_hub_is_followed(Kind::Sqlite);
}

#[test]
fn a_run_of_a_killed_hub_goes_on_elsewhere_on_postgres() {
    a_killed_hub_is_followed(Kind::Postgres);
}

fn a_killed_hub_is_followed(on: Kind) {
    let shared = Shared::new(Site::large(), on, None);
    let mut first = shared.hub("first");
    first.run(LGPS);
    wait(async {
        let ledger = Ledger::open(&shared.database).await.unwrap();
        shared.until(&ledger, "begun", |run| run.state == RunState::Running).await;
        let _second = shared.hub("second");
        first.kill();
        let killed = Instant::now();
        shared.until(&ledger, "taken over", |run| run.lease == 2).await;
        let took = killed.elapsed();
        assert!(took < TAKEOVER, "{took:?}");
        let run = shared.until(&ledger, "closed", |run| run.state == RunState::Closed).await;
        shared.check_delivered_once(&ledger, &run, &["first", "second"]).await;
        ledger.close().await;
    });
}

/// A machine that swaps, a guest that is moved: the hub is thought dead, and is not.
#[test]
fn a_hub_that_only_slept_changes_nothing_when_it_wakes() {
    let shared = Shared::new(Site::large(), Kind::Postgres, Some("2000"));
    let mut first = shared.hub("first");
    first.run(LGPS);
    wait(async {
        let ledger = Ledger::open(&shared.database).await.unwrap();
        shared.until(&ledger, "begun", |run| run.state == RunState::Running).await;
        first.freeze();
        let _second = shared.hub("second");
        let run = shared.until(&ledger, "closed", |run| run.state == RunState::Closed).await;
        let before = (ledger.events(Scope::Hub, run.id, 0).await.unwrap(), shared.site.delivered());
        first.thaw();
        // It stops once it has dropped what it was at.
        assert_eq!(first.terminate(), Some(0));
        let after = (ledger.events(Scope::Hub, run.id, 0).await.unwrap(), shared.site.delivered());
        assert!(before == after, "{after:?}");
        shared.check_delivered_once(&ledger, &run, &["first", "second"]).await;
        ledger.close().await;
    });
}

/// It sleeps from the moment at which the server has its delivery until another hub has the run.
#[test]
fn a_hub_that_sleeps_while_it_sends_is_not_followed_by_a_second_delivery() {
    let shared = Shared::new(Site::staffordshire(), Kind::Postgres, Some("2000"));
    wait(async {
        let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
        let (answer, answers) = std::sync::mpsc::channel::<()>();
        let answers = std::sync::Mutex::new(answers);
        let web = Web::start(move |_, before| {
            if before == 0 {
                arrived.send(()).unwrap();
                tokio::task::block_in_place(|| answers.lock().unwrap().recv().unwrap());
            }
            (201, Vec::new(), Vec::new())
        });
        sent_by_web(&web, &shared.site);
        let mut first = shared.hub("first");
        first.run(LGPS);
        arrivals.recv().await.unwrap();
        first.freeze();
        let _second = shared.hub("second");
        let ledger = Ledger::open(&shared.database).await.unwrap();
        let run = shared.until(&ledger, "left to a person", |run| run.state == RunState::Failed).await;
        assert!(run.is_uncertain() && run.lease == 2, "{run:?}");
        answer.send(()).unwrap();
        first.thaw();
        assert_eq!(first.terminate(), Some(0));
        assert_eq!((web.asked().len(), shared.until(&ledger, "left alone", |_| true).await), (1, run), "it is sent once");
        ledger.close().await;
    });
}

/// The example's fund behind a web server that recognises no repeats.
fn sent_by_web(web: &Web, site: &Site) {
    let text = String::from_utf8(site.read("connections.toml")).unwrap();
    let at = text.find("name = \"pension-fund\"").unwrap();
    let end = text[at..].find("[[connection]]").map_or(text.len(), |end| at + end);
    let ca = web.place().ca_file.unwrap();
    let entry = format!(
        "name = \"pension-fund\"\nkind = \"https\"\nurl = \"https://127.0.0.1:{}/api\"\nca-file = \"{}\"\nidempotent = false\n\n",
        web.port,
        ca.display()
    );
    site.write("connections.toml", format!("{}{entry}{}", &text[..at], &text[end..]));
}

#[test]
fn a_hub_does_not_start_under_the_name_of_another() {
    let shared = Shared::new(Site::staffordshire(), Kind::Postgres, None);
    let first = shared.hub("first");
    // On another machine: a folder of its own, the same database.
    let elsewhere = Site::staffordshire();
    let refused = bailiwick(&elsewhere, &["serve", "--hub", "first", "--listen", "127.0.0.1:0"]).envs(shared.environment.clone()).output();
    let refused: Said = refused.expect("the program starts").into();
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("another hub works") && refused.err.contains("--hub"), "{}", refused.err);
    drop(first);
    // The name falls with its holder.
    drop(shared.hub("first"));
}

#[test]
fn the_command_line_works_on_postgres() {
    let shared = Shared::new(Site::staffordshire(), Kind::Postgres, None);
    assert_eq!(shared.say(&["apply", "."]).code, Some(0));
    let run = shared.say(&["run", LGPS, "--json"]);
    assert_eq!((run.code, &run.json()["state"]), (Some(0), &"closed".into()), "{}", run.err);
    assert_eq!(shared.say(&["runs", "--json"]).json().as_array().unwrap().len(), 1);
    assert_eq!(shared.say(&["audit", "verify"]).code, Some(0));
    assert_eq!(shared.site.delivered().len(), 2);
    assert!(!shared.site.data().join("ledger.sqlite").exists());
    let wrong = shared.say(&["jobs", "--database", "mysql://somewhere/else"]);
    assert!(wrong.code == Some(2) && wrong.err.contains("postgres://USER"), "{}", wrong.err);
    let away = shared.say(&["jobs", "--database", "postgres://someone:secret@127.0.0.1:1/hub"]);
    assert!(away.code == Some(1) && away.err.contains("127.0.0.1:1/hub") && !away.err.contains("secret"), "{}", away.err);
}

#[test]
fn a_database_that_goes_away_is_waited_for() {
    let server = Postgres::own();
    let site = Site::large();
    wait(async {
        let sharing = Sharing { database: Some(Database::Postgres(server.database().await)), ..Sharing::default() };
        let hub = site.reopen_shared("main", &Clock::machine(), sharing).await;
        site.apply(&hub).await;
        let mut runs = Vec::new();
        for stored in hub.ledger().jobs(Scope::Hub).await.unwrap() {
            runs.push(request(&hub, stored.partner.as_str(), stored.name.as_str()).await);
        }
        let stop = Arc::new(Notify::new());
        let duties = tokio::spawn({
            let (hub, stop) = (hub.clone(), Arc::clone(&stop));
            async move { hub.serve(stop).await }
        });
        for _ in 0..4 {
            tokio::time::sleep(Duration::from_millis(400)).await;
            server.crash();
        }
        let mut outputs = 0;
        for run in &runs {
            let began = Instant::now();
            while ended(&hub, *run).await.state != RunState::Closed {
                assert!(began.elapsed() < Duration::from_secs(120), "{:?}", ended(&hub, *run).await);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            outputs += hub.ledger().receipts(Scope::Hub, *run).await.unwrap().len();
        }
        assert_eq!(site.delivered().len(), outputs);
        assert_eq!(runs.len(), hub.ledger().runs(Scope::Hub, &RunFilter::default(), 100).await.unwrap().items.len());
        let check = hub.ledger().verify_audit().await.unwrap();
        assert!(check.is_sound(), "{check:?}");
        stop.notify_one();
        duties.await.unwrap();
        hub.ledger().close().await;
    });
}

#[test]
fn only_attempts_that_ended_with_their_hub_count_against_it() {
    let site = Site::staffordshire();
    wait(async {
        let clock = clock_at("2026-11-18T09:00:00Z");
        let hub = site.hub(&clock).await;
        let run = request(&hub, POLICE, LGPS).await;
        let claim = async || hub.ledger().claim(hub.id(), hub.clock().now_ms(), 15_000).await.unwrap().expect("it waits");
        for _ in 0..4 {
            let reason = Reason { code: "connection-failed".to_owned(), sentence: "The network is down.".to_owned() };
            let failed = Failed { reason, retry_at_ms: Some(hub.clock().now_ms()), limits: Vec::new(), log: Vec::new(), waits: false };
            hub.ledger().append(&claim().await.lease, hub.clock().now_ms(), Step::Failed(failed)).await.unwrap();
        }
        // The fifth attempt is never heard of again, which is no habit of the hub's yet.
        claim().await;
        clock.advance(jiff::SignedDuration::from_secs(16));
        drain(&hub).await;
        let left = ended(&hub, run).await;
        assert_eq!((left.state, site.delivered().len()), (RunState::Closed, 2), "{:?}", left.reason);
    });
}

#[test]
fn a_hub_that_lost_a_run_says_who_has_it() {
    let site = Site::large();
    wait(async {
        let sharing = Sharing { heartbeat: Duration::from_millis(20), ..Sharing::default() };
        let hub = site.reopen_shared("main", &clock_at("2026-11-18T09:00:00Z"), sharing).await;
        site.apply(&hub).await;
        let run = request(&hub, POLICE, LGPS).await;
        let working = tokio::spawn({
            let hub = hub.clone();
            async move { hub.work_once().await }
        });
        while ended(&hub, run).await.state != RunState::Running {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let later_ms = hub.clock().now_ms() + 60_000;
        hub.ledger().claim(&HubId::new("standby"), later_ms, 15_000).await.unwrap().expect("its lease has run out by then");
        let lost = working.await.unwrap().unwrap_err();
        assert!(matches!(lost, LedgerError::LeaseLost { lease: 1, current: 2, state: RunState::Running, .. }), "{lost}");
    });
}

/// Two machines that have nothing in common but a database and a bucket.
#[test]
fn hubs_with_folders_of_their_own_share_a_bucket() {
    let (s3, elsewhere) = (S3::start(), tempfile::tempdir().unwrap());
    let mut shared = Shared::new(Site::large(), Kind::Postgres, None);
    let url = format!("s3://{}/hub?endpoint=https://127.0.0.1:{}&region=eu-west-2&ca-file={}", S3::BUCKET, s3.port, s3.ca_file().display());
    let key = [("AWS_ACCESS_KEY_ID", "AKIAPOLICE".to_owned()), ("AWS_SECRET_ACCESS_KEY", S3::SECRET.to_owned())];
    shared.environment.extend([("BAILIWICK_ARTEFACTS", url)].into_iter().chain(key));
    // Hubs that have no folder in common are given the master key.
    let master = tempfile::NamedTempFile::new().unwrap();
    fs::write(master.path(), "0f".repeat(32)).unwrap();
    shared.environment.push(("BAILIWICK_MASTER_KEY_FILE", master.path().display().to_string()));
    let mut first = shared.hub("first");
    first.run(LGPS);
    wait(async {
        let ledger = Ledger::open(&shared.database).await.unwrap();
        let run = shared.until(&ledger, "begun", |run| run.state == RunState::Running).await;
        let began = Instant::now();
        while !ledger.events(Scope::Hub, run.id, 0).await.unwrap().iter().any(|event| matches!(event.event, RunEvent::Pulled(_))) {
            assert!(began.elapsed() < Duration::from_secs(60), "its input is not taken");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        first.kill();
        assert_eq!(shared.until(&ledger, "there", |_| true).await.state, RunState::Running, "it was killed at work");
        // Everything is gone with the first machine: only the bucket has the payroll, and the plugin.
        fs::remove_dir_all(shared.site.data()).unwrap();
        fs::remove_file(shared.site.path("data/payroll/payroll-2026-10.csv")).unwrap();
        let mut environment: Vec<(&str, &str)> = shared.environment.iter().map(|(key, value)| (*key, value.as_str())).collect();
        environment.extend([("BAILIWICK_HUB", "second"), ("BAILIWICK_DATA", elsewhere.path().to_str().unwrap())]);
        let _second = Serving::join(&shared.site, &environment);
        let run = shared.until(&ledger, "closed", |run| run.state == RunState::Closed).await;
        shared.check_delivered_once(&ledger, &run, &["first", "second"]).await;
        ledger.close().await;
    });
    let wrong = bailiwick(&shared.site, &["jobs"]).envs(shared.environment.clone()).env("AWS_SECRET_ACCESS_KEY", "hunter3").output();
    let wrong: Said = wrong.expect("the program starts").into();
    assert!(wrong.code == Some(1) && wrong.err.contains("SignatureDoesNotMatch") && !wrong.err.contains("hunter"), "{}", wrong.err);
}

/// A database across a network: it shows who it is, or is not spoken to.
#[test]
fn a_ledger_on_a_server_with_tls_is_reached_only_if_its_certificate_is_right() {
    let (ours, another, folder) = (Authority::new(), Authority::new(), tempfile::tempdir().unwrap());
    let (certificate, key) = ours.issue("localhost", rcgen::ExtendedKeyUsagePurpose::ServerAuth);
    let server = Postgres::with_tls(&certificate.pem(), &key.serialize_pem());
    wait(server.execute("CREATE ROLE hub LOGIN PASSWORD 'hunter2'"));
    wait(server.execute("CREATE DATABASE hub OWNER hub"));
    let [ours, another] = [("ours.pem", &ours), ("another.pem", &another)].map(|(name, authority)| {
        fs::write(folder.path().join(name), authority.pem()).unwrap();
        folder.path().join(name)
    });
    let url = |host: &str, root: &std::path::Path| {
        format!("postgres://hub:hunter2@{host}:{}/hub?sslmode=verify-full&sslrootcert={}", server.port(), root.display())
    };
    let site = Site::staffordshire();
    assert_eq!(say(&site, &["apply", ".", "--database", &url("localhost", &ours)]).code, Some(0));
    let run = say(&site, &["run", LGPS, "--json", "--database", &url("localhost", &ours)]);
    assert_eq!((run.code, &run.json()["state"]), (Some(0), &"closed".into()), "{}", run.err);
    for (host, root) in [("localhost", &another), ("127.0.0.1", &ours)] {
        let began = Instant::now();
        let refused = say(&site, &["jobs", "--database", &url(host, root)]);
        assert!(refused.code == Some(1) && refused.err.contains("certificate") && !refused.err.contains("hunter2"), "{}", refused.err);
        assert!(began.elapsed() < Duration::from_secs(20), "it is not waited for: {:?}", began.elapsed());
    }
    let plain = url("localhost", &ours).replace("verify-full", "disable");
    let refused = say(&site, &["jobs", "--database", &plain]);
    assert!(refused.code == Some(1) && !refused.err.contains("hunter2"), "the server wants TLS: {}", refused.err);
}
