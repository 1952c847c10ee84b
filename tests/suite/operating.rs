//! docs/operating.md: every command of the page is typed, and backups are restored while nothing is lost and nothing comes twice.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bailiwick::clock::Clock;
use bailiwick::ledger::{Database, Ledger, LedgerError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};

use crate::chaos::{Books, Ends, World, ask, to_rest};
use crate::support::*;

const PAGE: &str = include_str!("../../docs/operating.md");

/// What stands before the page's commands: a hub that serves does so in the background, at a port of its own, until the section ends.
const BEFORE: &str = r#"
servers=()
stop() { for server in "${servers[@]}"; do kill -TERM "$server"; wait "$server"; done; servers=(); }
trap 'for server in "${servers[@]}"; do kill -9 "$server"; done' EXIT
bailiwick() {
    if [ "$1" != serve ]; then command bailiwick "$@"; return; fi
    local given=()
    while [ $# -gt 0 ]; do case "$1" in --listen) shift 2 ;; --metrics-listen) given+=("$1" 127.0.0.1:0); shift 2 ;; *) given+=("$1"); shift ;; esac; done
    # What the last one said is not to be taken for this one's.
    rm -f serve.log
    command bailiwick "${given[@]}" --listen 127.0.0.1:0 > serve.log 2>&1 &
    servers+=($!)
    until grep -qs "the hub is at" serve.log; do kill -0 "${servers[-1]}" || { cat serve.log; return 1; }; sleep 0.05; done
}
"#;

/// The commands of the page's console blocks, with a word to stop what serves before each section.
fn commands() -> String {
    let (mut script, mut inside) = (format!("set -eu\n{BEFORE}"), false);
    for line in PAGE.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            heading if heading.starts_with("## ") => script += "stop\n",
            command if inside => script += &format!("{command}\n"),
            _ => {}
        }
    }
    script + "stop\n"
}

#[test]
fn every_command_of_the_page_is_typed() {
    let site = Site::staffordshire();
    let folder = site.config().parent().unwrap().to_owned();
    fs::rename(site.data(), folder.join("hub")).unwrap();
    fs::create_dir(folder.join("backups")).unwrap();
    let (database, restored) = (wait(Postgres::shared().database()), wait(Postgres::shared().database()));
    let path = [compiler_path().parent().unwrap(), &Postgres::programs()].map(|folder| folder.display().to_string()).join(":");
    let typed = Command::new("bash")
        .args(["-c", &commands()])
        .current_dir(&folder)
        .env("PATH", format!("{path}:{}", std::env::var("PATH").unwrap()))
        .envs([("DATABASE", database), ("RESTORED", restored), ("NO_COLOR", "1".to_owned())])
        .env_remove("BAILIWICK_LOG")
        .output();
    let typed: Said = typed.unwrap().into();
    assert_eq!(typed.code, Some(0), "{}\n{}", typed.out, typed.err);
    for line in ["the ledger, ", "the ledger is on a server"] {
        assert!(typed.out.contains(line), "{line:?} in {}", typed.out);
    }
    assert!(commands().lines().filter(|line| line.starts_with("bailiwick ")).count() > 15);
}

/// Files that come before the backup, while it is made, and after it.
const FILES: usize = 24;

/// A hub with work to do is backed up in the middle, killed later, restored, and does the rest.
fn restored(world: &mut World, backup: impl Fn(&World, &Path), restore: impl Fn(&mut World, &Path)) {
    let applied: Said = bailiwick(&world.site, &["apply", "."]).envs(world.environment()).output().unwrap().into();
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    for file in 0..FILES {
        world.place(&format!("{file:02}"), 300, file == 7);
    }
    let copy = world.site.config().with_file_name("backup");
    wait(async {
        let hub = world.reopen("asks", &Clock::machine(), Duration::from_secs(10)).await;
        for _ in 0..FILES {
            ask(&hub).await;
        }
        hub.ledger().close().await;
    });
    let mut serve = bailiwick(&world.site, &["serve", "--listen", "127.0.0.1:0"]);
    let mut serving = serve.envs(world.environment()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let delivered = || world.site.names("out").iter().filter(|name| !name.starts_with('.')).count();
    let until = |files: usize| {
        let began = Instant::now();
        while delivered() < files {
            assert!(began.elapsed() < Duration::from_secs(60), "only {} files come out", delivered());
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    until(FILES / 4);
    backup(world, &copy);
    let after = delivered();
    until((after + 3).min(FILES - 1));
    serving.kill().unwrap();
    serving.wait().unwrap();
    restore(world, &copy);
    wait(async {
        let hub = world.reopen("main", &Clock::machine(), Duration::from_secs(10)).await;
        to_rest(&hub).await;
        let books = Books::ask(world, &hub).await;
        assert!(books.lost.is_empty() && books.doubled.is_empty(), "{books:?}");
        assert_eq!(books.rows, FILES * 300);
        hub.ledger().close().await;
    });
}

/// Names after the input: what is done again comes to the same file.
fn by_input() -> World {
    let world = World::new(&Ends::folders());
    world.site.edit("jobs/flow.toml", "passed-{run}", "passed-{input}");
    world
}

#[test]
fn a_hub_restored_from_its_backup_loses_nothing_and_doubles_nothing() {
    let mut world = by_input();
    let backup = |world: &World, to: &Path| {
        let said = say(&world.site, &["backup", to.to_str().unwrap()]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let again = say(&world.site, &["backup", to.to_str().unwrap()]);
        assert!(again.code == Some(1) && again.err.contains("has something in it"), "{}", again.err);
        let mode = fs::metadata(to).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "it is for its owner alone");
    };
    restored(&mut world, backup, |world, from| {
        // The master key is in no backup: whoever restores one puts it back.
        fs::copy(world.site.data().join("master.key"), from.join("master.key")).unwrap();
        fs::remove_dir_all(world.site.data()).unwrap();
        fs::rename(from, world.site.data()).unwrap();
    });
}

#[test]
fn a_hub_restored_from_a_dump_of_postgres_does_too() {
    let mut world = by_input();
    world.database = Some(wait(Postgres::shared().database()));
    let run = |program: &str, arguments: &[&str]| {
        let said = Command::new(Postgres::programs().join(program)).args(arguments).output().unwrap();
        assert!(said.status.success(), "{program}: {}", String::from_utf8_lossy(&said.stderr));
    };
    let backup = |world: &World, to: &Path| {
        let dump = to.with_extension("dump");
        run("pg_dump", &["--format=custom", "--file", dump.to_str().unwrap(), world.database.as_ref().unwrap()]);
        let said: Said = bailiwick(&world.site, &["backup", to.to_str().unwrap()]).envs(world.environment()).output().unwrap().into();
        assert_eq!(said.code, Some(0), "{}", said.err);
    };
    restored(&mut world, backup, |world, from| {
        let database = wait(Postgres::shared().database());
        run("pg_restore", &["--dbname", &database, from.with_extension("dump").to_str().unwrap()]);
        world.database = Some(database);
        // The master key is in no backup: whoever restores one puts it back.
        fs::copy(world.site.data().join("master.key"), from.join("master.key")).unwrap();
        fs::remove_dir_all(world.site.data()).unwrap();
        fs::rename(from, world.site.data()).unwrap();
    });
}

#[test]
fn an_older_hub_refuses_what_a_newer_one_has_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    wait(async {
        let database = Database::Sqlite(path.clone());
        Ledger::open(&database).await.unwrap().close().await;
        let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&path)).await.unwrap();
        let newer = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
                     VALUES (9999, 'of tomorrow', CURRENT_TIMESTAMP, 1, x'00', 0)";
        connection.execute(newer).await.unwrap();
        connection.close().await.unwrap();
        let refused = Ledger::open(&database).await.unwrap_err();
        assert!(matches!(refused, LedgerError::CannotOpen { .. }));
        let said = refused.to_string();
        for words in ["a newer hub", "step 9999", "restore the backup"] {
            assert!(said.contains(words), "{words:?} in {said:?}");
        }
    });
}
