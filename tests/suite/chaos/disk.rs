//! No room: in the hub's folder, in the receiver's, and for any file that grows too large. What cannot be written is not half there.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bailiwick::clock::Clock;

use super::books::Books;
use super::trial::Trial;
use super::world::{Ends, FLOW, World, to_rest};
use crate::support::*;

/// Rows of a file: some 50 KiB.
const ROWS: u64 = 2_000;

/// Room for compiled components, a ledger, and the files of the test.
const DISK_MIB: u64 = 64;

/// What is left of it at most: not enough for all that a run writes, or just enough.
const ROOM_BYTES: u64 = 90_000;

/// How long a run takes where there is room, on a machine that is busy.
const SOON: Duration = Duration::from_secs(2);

/// How long until it has tried again.
const LATER: Duration = Duration::from_secs(30);

/// A small file system in memory, taken away again when this is dropped.
struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    /// None where this user may not mount one.
    fn at(path: PathBuf) -> Option<Self> {
        fs::create_dir_all(&path).expect("a folder");
        let options = format!("size={DISK_MIB}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&path).output().expect("there is a mount");
        mounted.status.success().then_some(Self { path })
    }

    /// Fills it up to so many bytes, until the answer is dropped.
    fn leave(&self, bytes: u64) -> Ballast {
        let disk = rustix::fs::statvfs(&self.path).expect("it is mounted");
        let path = self.path.join("ballast");
        let file = fs::File::create(&path).expect("there is room for a name");
        let fill = (disk.f_bavail * disk.f_frsize).saturating_sub(bytes);
        rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, fill.max(1)).expect("there is room");
        Ballast(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Though something may still be open in it.
        drop(Command::new("umount").arg("-l").arg(&self.path).output());
    }
}

struct Ballast(PathBuf);

impl Drop for Ballast {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

/// Where there is no room.
#[derive(Debug, Clone, Copy)]
enum Where {
    Hub,
    Receiver,
}

#[test]
fn full_where_the_hub_keeps_its_things() {
    full(Where::Hub, "disk full in the hub's folder");
}

#[test]
fn full_where_it_delivers() {
    full(Where::Receiver, "disk full in the receiver's folder");
}

fn full(place: Where, fault: &str) {
    let world = World::new(&Ends::folders());
    let path = match place {
        Where::Hub => world.site.data(),
        Where::Receiver => world.site.path("out"),
    };
    let Some(disk) = SmallDisk::at(path) else {
        // Who may not mount has the limit on files below, which any user can set.
        return too_large(Trial::of(&format!("{fault} (a limit on files: no file system may be mounted here)")), &world);
    };
    let mut trial = Trial::of(fault);
    begin(&world);
    let mut felt = 0;
    for round in 0..trial.times(4) {
        world.place(&format!("full-{round}"), ROWS, trial.once_in(8));
        let ballast = disk.leave(trial.below(ROOM_BYTES));
        let mut child = start(&world, &[]);
        let well = ended_within(&mut child, SOON);
        felt += u64::from(well != Some(true));
        trial.tried();
        drop(ballast);
        let since = Instant::now();
        // It tries again by itself, or somebody has enough of it.
        if well.is_none() && trial.once_in(4) {
            assert_eq!(ended_within(&mut child, LATER), Some(true), "there is room, and it does not go on");
        } else {
            drop(child.kill());
            child.wait().expect("it ends");
            recover(&world);
        }
        trial.recovered(since.elapsed());
    }
    assert!(felt > 0, "there was always room");
    at_the_end(&world, trial);
    drop((world, disk));
}

#[test]
fn no_file_grows_beyond_a_limit() {
    too_large(Trial::of("files limited in size (RLIMIT_FSIZE), which also kills"), &World::new(&Ends::folders()));
}

fn too_large(mut trial: Trial, world: &World) {
    begin(world);
    let mut felt = 0;
    for round in 0..trial.times(6) {
        world.place(&format!("large-{round}"), ROWS, trial.once_in(8));
        let limit = format!("--fsize={}", trial.below(250_000));
        let mut child = start(world, &["prlimit", &limit]);
        felt += u64::from(ended_within(&mut child, SOON) != Some(true));
        trial.tried();
        drop(child.kill());
        child.wait().expect("it ends");
        let since = Instant::now();
        recover(world);
        trial.recovered(since.elapsed());
    }
    assert!(felt > 0, "no limit was felt");
    at_the_end(world, trial);
}

fn begin(world: &World) {
    let applied = say(&world.site, &["apply", "."]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    world.place("first", ROWS, false);
    recover(world);
}

/// Starts a run of the job, under a program that limits it where one is named.
fn start(world: &World, under: &[&str]) -> Child {
    let program = bailiwick(&world.site, &["run", FLOW]);
    let mut command = match under {
        [] => program,
        [limiter, arguments @ ..] => {
            let mut command = Command::new(limiter);
            command.args(arguments).arg(program.get_program()).args(program.get_args()).current_dir(world.site.config());
            command.envs(program.get_envs().filter_map(|(key, value)| Some((key, value?))));
            command
        }
    };
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts")
}

/// Whether it went well; none if it is still at it, as it waits to try again.
fn ended_within(child: &mut Child, time: Duration) -> Option<bool> {
    let began = Instant::now();
    while began.elapsed() < time {
        if let Some(status) = child.try_wait().expect("it was started") {
            return Some(status.success());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

/// There is room: the hub, started again, does what it could not.
fn recover(world: &World) {
    let said = say(&world.site, &["run", FLOW]);
    assert!(said.code == Some(0) || said.out.contains("too-many-rejects"), "there is room, and it fails: {} {}", said.out, said.err);
}

fn at_the_end(world: &World, trial: Trial) {
    wait(async {
        let hub = world.reopen("main", &Clock::machine(), Duration::from_secs(10)).await;
        to_rest(&hub).await;
        trial.end(&Books::ask(world, &hub).await);
        hub.ledger().close().await;
    });
}
