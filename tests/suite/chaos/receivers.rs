//! Servers that lie half-way: an SFTP connection cut in the middle of a file, an answer 500 after the effect.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use bailiwick::run::Hub;

use super::books::Books;
use super::trial::Trial;
use super::world::{Ends, PARTNER, World, folder, to_rest};
use crate::support::*;

/// Rows of a file: some tens of kilobytes.
const ROWS: u64 = 1_000;

/// Bytes after which a wire is cut: more than a whole exchange has.
const WIRE_BYTES: u64 = 90_000;

async fn with_secret(world: &World, name: &str, value: &str) -> Hub {
    let hub = world.hub("main", &clock_at("2026-11-18T09:00:00Z")).await;
    hub.set_secret(&partner(PARTNER), &name.parse().unwrap(), value.into(), &operator(&hub)).await.unwrap();
    hub
}

#[test]
fn sftp_is_cut_off_in_the_middle() {
    let mut trial = Trial::of("SFTP cut off after any byte, taking and delivering");
    let sshd = Sshd::start();
    let wire = Wire::to(sshd.port(), Cut::Never);
    let world = World::new(&Ends::folders());
    let place = |path: &str| {
        format!(
            "kind = \"sftp\"\nhost = \"127.0.0.1\"\nport = {}\nuser = \"{}\"\nhost-key = \"{}\"\nkey-secret = \"sftp-key\"\n\
             folder = \"{}\"\nsettle-ms = 10",
            wire.port,
            sshd.user(),
            sshd.fingerprint(),
            world.site.path(path).display()
        )
    };
    world.declare(&Ends { from: place("in"), to: place("out"), schedule: String::new() });
    wait(async {
        let hub = with_secret(&world, "sftp-key", &sshd.key("user")).await;
        for round in 0..trial.times(8) {
            world.place(&format!("cut-{round}"), ROWS, trial.once_in(8));
            let bytes = trial.below(WIRE_BYTES);
            wire.cut(if trial.once_in(2) { Cut::Up(bytes) } else { Cut::Down(bytes) });
            request(&hub, PARTNER, "flow").await;
            drain(&hub).await;
            trial.tried();
            wire.cut(Cut::Never);
            let began = Instant::now();
            to_rest(&hub).await;
            trial.recovered(began.elapsed());
        }
        let books = Books::ask(&world, &hub).await;
        assert_eq!(books.uncertain, 0, "a file's name and digest tell whether it is there");
        trial.end(&books);
        hub.ledger().close().await;
    });
}

#[test]
fn http_500_after_the_effect_and_a_key() {
    http_500(true, "HTTP 500 after the effect, from a receiver that knows repeats");
}

#[test]
fn http_500_after_the_effect_and_no_key() {
    http_500(false, "HTTP 500 after the effect, from a receiver that does not");
}

/// A key, and the body that came with it.
type Effect = (String, Vec<u8>);

fn http_500(idempotent: bool, fault: &str) {
    let mut trial = Trial::of(fault);
    // What each answer will be, chosen before: 500 after the effect, 500 without one, 201.
    let fates: Vec<u64> = (0..2_000).map(|_| trial.below(4)).collect();
    let effects: Arc<Mutex<Vec<Effect>>> = Arc::default();
    wait(async {
        let had = Arc::clone(&effects);
        let web = Web::start(move |asked, before| {
            let mut had = had.lock().expect("nobody panics");
            let key = asked.header("idempotency-key").to_owned();
            let known = idempotent && had.iter().any(|(earlier, _)| *earlier == key);
            let fate = fates[before % fates.len()];
            if !known && fate != 1 {
                had.push((key, asked.body.to_vec()));
            }
            (if fate <= 1 { 500 } else { 201 }, Vec::new(), Vec::new())
        });
        let ca = web.place().ca_file.expect("it has an authority");
        let to = format!(
            "kind = \"https\"\nurl = \"https://127.0.0.1:{}/api\"\nca-file = \"{}\"\ntoken-secret = \"token\"\nidempotent = {idempotent}",
            web.port,
            ca.display()
        );
        let world = World::new(&Ends { from: folder("in", 0), to, schedule: String::new() });
        let hub = with_secret(&world, "token", "hunter2").await;
        for round in 0..trial.times(12) {
            world.place(&format!("send-{round}"), 40, trial.once_in(8));
            trial.tried();
            let began = Instant::now();
            to_rest(&hub).await;
            trial.recovered(began.elapsed());
        }
        let delivered: Vec<Vec<u8>> = effects.lock().unwrap().iter().map(|(_, body)| body.clone()).collect();
        let books = Books::of((&delivered, &world.placed()), &hub).await;
        assert_eq!(books.uncertain > 0, !idempotent, "{} are uncertain", books.uncertain);
        trial.end(&books);
        hub.ledger().close().await;
    });
}
