//! The hub killed with -9: at every event, at any moment, and over the same run again and again.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use bailiwick::clock::Clock;
use bailiwick::ledger::RunState;

use super::books::{Books, delivered};
use super::trial::Trial;
use super::world::{Ends, FLOW, World, all_runs, to_rest};
use crate::recovery::Ended;
use crate::support::*;

/// Rows of a file: enough that the hub is at them for a while.
const ROWS: u64 = 3_000;

#[test]
fn at_every_event() {
    let mut trial = Trial::of("kill -9 at every event");
    wait(async {
        let world = World::new(&Ends::folders());
        world.place("1", 100, false);
        let placed = world.placed();
        let ended = Ended::make(world.site, FLOW, RunState::Closed).await;
        let delivery = ended.kinds.iter().position(|kind| kind == "delivered").expect("it was delivered");
        let mut books = Books::default();
        for cut in 1..=ended.kinds.len() {
            for file_is_lost in [false, true] {
                let hub = ended.cut(cut).await;
                if file_is_lost && cut <= delivery {
                    ended.site.names("out").iter().for_each(|name| std::fs::remove_file(ended.site.path(&format!("out/{name}"))).unwrap());
                }
                let began = Instant::now();
                drain(&hub).await;
                trial.recovered(began.elapsed());
                trial.tried();
                books = books.and(Books::of((&delivered(&ended.site), &placed), &hub).await);
                hub.ledger().close().await;
            }
        }
        trial.end(&books);
    });
}

#[test]
fn at_any_moment_on_sqlite() {
    at_any_moment(&World::new(&Ends::folders()), Trial::of("kill -9 at any moment, SQLite"));
}

#[test]
fn at_any_moment_on_postgres() {
    let world = World::on_postgres(&Ends::folders(), Postgres::shared());
    at_any_moment(&world, Trial::of("kill -9 at any moment, PostgreSQL"));
}

fn at_any_moment(world: &World, mut trial: Trial) {
    let took = first_run(world);
    for round in 0..trial.times(8) {
        let held = trial.once_in(8);
        world.place(&format!("kill-{round}"), ROWS, held);
        let child = start(world);
        std::thread::sleep(trial.within(took));
        trial.tried();
        kill(child);
        let killed = Instant::now();
        finish(world);
        trial.recovered(killed.elapsed());
    }
    at_the_end(world, trial);
}

#[test]
fn over_the_same_run() {
    let mut trial = Trial::of("kill -9 over the same run, again and again");
    let world = World::new(&Ends::folders());
    let took = first_run(&world);
    for round in 0..trial.times(2) {
        world.place(&format!("again-{round}"), ROWS, false);
        // Fewer than the attempts that a run has.
        for _ in 0..4 {
            let child = start(&world);
            std::thread::sleep(trial.within(took));
            trial.tried();
            kill(child);
        }
        let killed = Instant::now();
        finish(&world);
        trial.recovered(killed.elapsed());
    }
    at_the_end(&world, trial);
}

/// Applies the configuration and runs the job once: how long that takes that nobody disturbs.
fn first_run(world: &World) -> Duration {
    let applied: Said = bailiwick(&world.site, &["apply", "."]).envs(world.environment()).output().unwrap().into();
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    world.place("first", ROWS, false);
    let began = Instant::now();
    finish(world);
    began.elapsed()
}

fn start(world: &World) -> Child {
    let mut run = bailiwick(&world.site, &["run", FLOW]);
    run.envs(world.environment()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
}

fn kill(mut child: Child) {
    // It may have come to its end by itself.
    drop(child.kill());
    child.wait().expect("it ends");
}

/// Lets the program do what there is to do.
fn finish(world: &World) {
    let said: Said = bailiwick(&world.site, &["run", FLOW]).envs(world.environment()).output().unwrap().into();
    assert!(said.code == Some(0) || said.out.contains("too-many-rejects"), "{} {}", said.out, said.err);
}

fn at_the_end(world: &World, trial: Trial) {
    wait(async {
        let hub = world.reopen("main", &Clock::machine(), Duration::from_secs(10)).await;
        to_rest(&hub).await;
        let closed = all_runs(&hub).await.iter().filter(|run| run.state == RunState::Closed).count();
        assert!(closed > 1, "{closed} runs closed");
        trial.end(&Books::ask(world, &hub).await);
        hub.ledger().close().await;
    });
}
