//! Queries against PostgreSQL and SQLite: every digit arrives, nothing can be changed, nothing runs on for ever.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use bailiwick::clock::Clock;
use bailiwick::connection::{ConnectionError, Fetched, Step, Trial, check, deliver, list, pull};
use bailiwick::ledger::RunState;
use bailiwick::model::job::{Place, PostgresServer, Query, SqlDatabase, SqlPlace};
use rcgen::ExtendedKeyUsagePurpose;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, SqlSafeStr as _};

use super::{World, delivery, looking, with};
use crate::support::*;

/// The same rows in both databases, as far as SQLite has such.
const STAFF: &str = "
    CREATE TABLE staff (id bigint, pay numeric(18,2), name text, born date, ok boolean, at timestamptz, rate numeric, ratio double precision);
    INSERT INTO staff VALUES
        (1, 1234567890123456.78, 'Ó Súilleabháin \"Dan\"', '1967-03-08', true, '2026-10-25 01:30:00+01', 0.1000, 0.1),
        (9007199254740993, -0.01, NULL, NULL, NULL, NULL, 12345678901234567890.123456789, NULL);";

/// A database of PostgreSQL's for one test.
struct Hr {
    name: String,
}

impl Hr {
    fn new(sql: &str) -> Self {
        let url = wait(Postgres::shared().database());
        let name = url.split(['/', '?']).nth(3).unwrap().to_owned();
        let made = Self { name };
        made.execute(sql);
        made
    }

    fn execute(&self, sql: &str) {
        wait(async {
            let options = sqlx::postgres::PgConnectOptions::new_without_pgpass();
            let options = options.host(Postgres::shared().socket().to_str().unwrap()).username("postgres").database(&self.name);
            options.connect().await.unwrap().execute(AssertSqlSafe(sql.to_owned()).into_sql_str()).await.unwrap();
        });
    }

    fn place(&self, query: &str) -> SqlPlace {
        let server = PostgresServer {
            host: Postgres::shared().socket().to_str().unwrap().to_owned(),
            port: 5_432,
            database: self.name.clone(),
            user: "postgres".to_owned(),
            password: None,
            encrypted: false,
            ca_file: None,
        };
        of(SqlDatabase::Postgres(server), query)
    }
}

fn of(database: SqlDatabase, query: &str) -> SqlPlace {
    SqlPlace { database, query: Query::new(query).unwrap(), cursor: None, rows_max: 1_000_000, seconds_max: 30, file_bytes_max: 1 << 30 }
}

/// A file of SQLite's for one test.
fn fleet(world: &World, sql: &str) -> PathBuf {
    let path = world.there().join("fleet.db");
    wait(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        options.connect().await.unwrap().execute(AssertSqlSafe(sql.to_owned()).into_sql_str()).await.unwrap();
    });
    path
}

/// Asks, and answers what came with its text.
fn asked(world: &World, place: &SqlPlace, since: Option<&str>) -> Result<Option<(Fetched, String)>, ConnectionError> {
    let outside = with(Place::Sql(place.clone()), &[("hr-password", "hunter2")]);
    let listing = list(&outside, &bailiwick::connection::Looking { mark: since, ..looking("staff.jsonl") }).unwrap();
    let fetched = pull(&outside, &listing.files[0], &world.artefacts)?;
    Ok(fetched.map(|fetched| {
        let text = std::io::read_to_string(world.artefacts.read(&fetched.stored.digest).unwrap()).unwrap();
        (fetched, text)
    }))
}

fn refusal(world: &World, place: &SqlPlace) -> String {
    let error = asked(world, place, None).unwrap_err();
    assert!(!error.may_pass() && matches!(error, ConnectionError::Refused { step: Step::Read, .. }), "{error}");
    error.to_string()
}

#[test]
fn every_digit_arrives_and_a_float_does_not() {
    let world = World::new();
    let hr = Hr::new(STAFF);
    let _entered = world.runtime.enter();
    let (_, text) = asked(&world, &hr.place("SELECT id, pay, name, born, ok, at, rate FROM staff ORDER BY id;"), None).unwrap().unwrap();
    let lines = [
        r#"{"id":1,"pay":1234567890123456.78,"name":"Ó Súilleabháin \"Dan\"","born":"1967-03-08","ok":true,"at":"2026-10-25T00:30:00+00:00","rate":0.1000}"#,
        r#"{"id":9007199254740993,"pay":-0.01,"name":null,"born":null,"ok":null,"at":null,"rate":12345678901234567890.123456789}"#,
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
    assert!(refusal(&world, &hr.place("SELECT ratio FROM staff")).contains("cast it to numeric"));
    assert!(refusal(&world, &hr.place("SELECT id, born AS id FROM staff")).contains("two columns \"id\""));
    assert_eq!(asked(&world, &hr.place("SELECT id FROM staff WHERE id < 0"), None).unwrap(), None, "no rows are nothing new");

    let path = fleet(
        &world,
        "CREATE TABLE staff (id, pay, name, ratio); INSERT INTO staff VALUES (1, '1234567890123456.78', 'D \"x\"', 0.1), (9007199254740993, '-0.01', NULL, NULL)",
    );
    let place = |query: &str| of(SqlDatabase::Sqlite(path.clone()), query);
    let (_, text) = asked(&world, &place("SELECT id, pay, name FROM staff ORDER BY id"), None).unwrap().unwrap();
    let lines = [r#"{"id":1,"pay":"1234567890123456.78","name":"D \"x\""}"#, r#"{"id":9007199254740993,"pay":"-0.01","name":null}"#];
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
    assert!(refusal(&world, &place("SELECT ratio FROM staff")).contains("\"ratio\" has REAL in row 1"));
    assert!(refusal(&world, &place("SELECT x'00' AS bytes")).contains("BLOB"));
}

#[test]
fn what_would_change_something_is_refused_by_the_database() {
    let world = World::new();
    let hr = Hr::new(&format!("{STAFF} CREATE SEQUENCE numbers;"));
    let path = fleet(&world, "CREATE TABLE staff (id); INSERT INTO staff VALUES (1)");
    let _entered = world.runtime.enter();
    for query in [
        "WITH gone AS (DELETE FROM staff RETURNING id) SELECT id FROM gone",
        "SELECT nextval('numbers') AS number",
        "SELECT set_config('transaction_read_only', 'off', false) AS x, nextval('numbers') AS number",
    ] {
        let said = refusal(&world, &hr.place(query));
        assert!(["the hub only reads", "read-write", "data-modifying"].iter().any(|words| said.contains(words)), "{query}: {said}");
    }
    assert!(asked(&world, &hr.place("SELECT id FROM staff"), None).unwrap().unwrap().1.lines().count() == 2);
    let sqlite = of(SqlDatabase::Sqlite(path.clone()), "WITH x AS (SELECT 2) DELETE FROM staff");
    let said = refusal(&world, &sqlite);
    assert!(said.contains("the hub only reads"), "{said}");
    let none = of(SqlDatabase::Sqlite(world.there().join("none.db")), "SELECT 1 AS one");
    assert!(asked(&world, &none, None).is_err() && !world.there().join("none.db").exists(), "no file is made");
    assert_eq!(asked(&world, &of(SqlDatabase::Sqlite(path), "SELECT id FROM staff"), None).unwrap().unwrap().1, "{\"id\":1}\n");
    let outside = with(Place::Sql(sqlite), &[]);
    assert!(matches!(deliver(&outside, &delivery(world.stored(b"x")), &world.artefacts), Err(ConnectionError::FileName { .. })));
}

#[test]
fn a_query_that_gives_too_much_or_takes_too_long_is_ended() {
    let world = World::new();
    let hr = Hr::new(STAFF);
    let path = fleet(&world, "CREATE TABLE one (id); INSERT INTO one VALUES (1)");
    let _entered = world.runtime.enter();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS all_of_them FROM n";
    for place in [hr.place("SELECT pg_sleep(60)::text AS slept"), of(SqlDatabase::Sqlite(path.clone()), endless)] {
        let began = Instant::now();
        let said = refusal(&world, &SqlPlace { seconds_max: 1, ..place });
        assert!(said.contains("more than 1 s: see seconds-max"), "{said}");
        assert!(began.elapsed() < Duration::from_secs(5), "the database ended it itself: {:?}", began.elapsed());
    }
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) SELECT i FROM n";
    for place in [hr.place(many), of(SqlDatabase::Sqlite(path), many)] {
        assert_eq!(asked(&world, &place, None).unwrap().unwrap().1.lines().count(), 50_000);
        let said = refusal(&world, &SqlPlace { rows_max: 49_999, ..place.clone() });
        assert!(said.contains("more than 49999 rows: see rows-max"), "{said}");
        let said = refusal(&world, &SqlPlace { file_bytes_max: 9_999, ..place });
        assert!(said.contains("more than 9999 bytes"), "{said}");
    }
}

#[test]
fn what_is_new_since_the_last_time_is_asked_for_by_a_bound_value() {
    let world = World::new();
    let changes = "CREATE TABLE staff (id bigint, changed date); INSERT INTO staff VALUES (1, '2026-10-01'), (2, '2026-10-02')";
    let hr = Hr::new(changes);
    let path = fleet(&world, changes);
    let _entered = world.runtime.enter();
    let postgres = hr.place("SELECT id, changed FROM staff WHERE {since} IS NULL OR changed > {since}::date ORDER BY changed");
    let sqlite = of(SqlDatabase::Sqlite(path), "SELECT id, changed FROM staff WHERE {since} IS NULL OR changed > {since} ORDER BY changed");
    for place in [postgres, sqlite] {
        let place = SqlPlace { cursor: Some("changed".to_owned()), ..place };
        let (first, text) = asked(&world, &place, None).unwrap().unwrap();
        assert_eq!((text.lines().count(), first.mark.as_deref()), (2, Some("2026-10-02")));
        let (second, text) = asked(&world, &place, Some("2026-10-01")).unwrap().unwrap();
        assert_eq!((text.as_str(), second.mark.as_deref()), ("{\"id\":2,\"changed\":\"2026-10-02\"}\n", Some("2026-10-02")));
        assert_eq!(asked(&world, &place, Some("2026-10-02")).unwrap(), None);
        // A value is a value, whatever it looks like.
        let told = match asked(&world, &place, Some("2020-01-01' OR 'x'='x")) {
            Ok(found) => found.map_or(0, |(_, text)| text.lines().count()).to_string(),
            Err(error) => error.to_string(),
        };
        assert!(told == "2" || told.contains("does not fit") && !told.contains("x'='x"), "{told}");
        let other = SqlPlace { cursor: Some("moved".to_owned()), ..place };
        assert!(refusal(&world, &other).contains("no column \"moved\""));
    }
}

#[test]
fn whoever_is_not_let_in_is_told_by_what() {
    let world = World::new();
    let hr = Hr::new(STAFF);
    let _entered = world.runtime.enter();
    let at = |change: fn(&mut PostgresServer)| {
        let mut place = hr.place("SELECT 1 AS one");
        let SqlDatabase::Postgres(server) = &mut place.database else { unreachable!() };
        change(server);
        asked(&world, &place, None).unwrap_err()
    };
    assert!(matches!(at(|server| server.user = "nobody".to_owned()), ConnectionError::SignIn { .. }));
    assert!(matches!(at(|server| server.database = "none".to_owned()), ConnectionError::Refused { step: Step::SignIn, .. }));
    let away = at(|server| (server.host, server.port) = ("127.0.0.1".to_owned(), 1));
    assert!(away.may_pass() && matches!(away, ConnectionError::Unreachable { step: Step::Connect, .. }), "{away}");
    let said = refusal(&world, &hr.place("SELECT name::integer AS number FROM staff"));
    assert!(said.contains("a value does not fit") && !said.contains("Súil"), "a value is not repeated: {said}");
    let trial = Trial { writes: false, now_ms: 0 };
    let (steps, failed) = check(&with(Place::Sql(hr.place("SELECT id, name FROM staff")), &[]), trial);
    assert!(failed.is_none(), "{failed:?}");
    assert_eq!(steps.last().map(|done| done.found.as_str()), Some("the query gives id, name"));
    let (_, failed) = check(&with(Place::Sql(hr.place("SELECT wages FROM staff")), &[]), trial);
    assert!(failed.is_some_and(|error| error.to_string().contains("wages")));
}

#[test]
fn a_server_shows_a_certificate_or_is_told_nothing() {
    let (ours, another, world) = (Authority::new(), Authority::new(), World::new());
    let (certificate, key) = ours.issue("localhost", ExtendedKeyUsagePurpose::ServerAuth);
    let server = Postgres::with_tls(&certificate.pem(), &key.serialize_pem());
    wait(server.execute("CREATE ROLE reader LOGIN PASSWORD 'hunter2'"));
    let [ours, another] = [("ours.pem", &ours), ("another.pem", &another)].map(|(name, authority)| {
        world.write(name, authority.pem().as_bytes());
        world.there().join(name)
    });
    let _entered = world.runtime.enter();
    let at = |host: &str, ca_file: Option<PathBuf>, user: &str| {
        let (host, user, password) = (host.to_owned(), user.to_owned(), Some("hr-password".parse().unwrap()));
        let server =
            PostgresServer { host, port: server.port(), database: "postgres".to_owned(), user, password, encrypted: true, ca_file };
        asked(&world, &of(SqlDatabase::Postgres(server), "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), None)
    };
    assert_eq!(at("localhost", Some(ours.clone()), "reader").unwrap().unwrap().1, "{\"ssl\":true}\n");
    for (host, ca_file) in [("localhost", Some(another)), ("localhost", None), ("127.0.0.1", Some(ours.clone()))] {
        let error = at(host, ca_file, "reader").unwrap_err();
        assert!(!error.may_pass() && matches!(error, ConnectionError::Refused { step: Step::Certificate, .. }), "{host}: {error}");
    }
    let error = at("localhost", Some(ours), "postgres").unwrap_err();
    assert!(matches!(error, ConnectionError::SignIn { .. }) && !error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn a_job_takes_the_rows_of_a_query() {
    let (by_file, by_query) = (Site::staffordshire(), Site::staffordshire());
    let pools = String::from_utf8(by_file.read("data/apportionment/pools-2021-22.csv")).unwrap();
    let rows: Vec<String> = pools.lines().skip(1).enumerate().map(|(at, line)| format!("({at},'{}')", line.replace(',', "','"))).collect();
    let table = "CREATE TABLE pools (line int, pool text, service text, driver text, \"on\" date, provider text, account text, amount numeric(18,2))";
    let hr = Hr::new(&format!("{table}; INSERT INTO pools VALUES {};", rows.join(",")));
    let entry = format!(
        "[[connection]]\npartner = \"{FIRE}\"\nname = \"finance-db\"\nkind = \"postgres\"\nhost = \"{}\"\ndatabase = \"{}\"\nuser = \"postgres\"\n\
         query = 'SELECT pool, service, driver, \"on\", provider, account, amount FROM pools ORDER BY line'\n\n",
        Postgres::shared().socket().display(),
        hr.name
    );
    let connections = String::from_utf8(by_query.read("connections.toml")).unwrap();
    by_query.write("connections.toml", entry + &connections);
    let job = "shared-services-apportionment";
    let file = "connection = \"budget-drop\"\nfile = \"pools-*.csv\"\ntake = \"next\"\nformat = { kind = \"csv\", encoding = \"utf-8\", dates = \"iso\" }";
    let query = "connection = \"finance-db\"\nfile = \"pools.jsonl\"\ntake = \"next\"\nformat = { kind = \"json-lines\", dates = \"iso\" }";
    by_query.edit(&format!("jobs/{job}.toml"), file, query);
    let clock = Clock::machine();
    wait(async {
        for site in [&by_file, &by_query] {
            let hub = site.hub(&clock).await;
            let run = finished(&hub, FIRE, job).await;
            assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
            let again = finished(&hub, FIRE, job).await;
            assert_eq!((again.state, reason(&again).0), (RunState::Skipped, "no-input"), "{:?}", again.reason);
        }
        assert!(by_file.delivered() == by_query.delivered(), "the same bytes arrive");
    });
}
