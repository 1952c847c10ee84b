//! Retention from the configuration to the disk: files that no run needs any more go, and whoever asks for them is told since when.

use bailiwick::clock::Clock;
use bailiwick::ledger::{QuarantineFilter, ResendAsk, RunState, Scope};
use bailiwick::run::RunError;
use jiff::SignedDuration;

use crate::support::*;

const OCTOBER: &str = "2026-10-19T06:00:00Z";

/// The example, whose police keeps files for so many days.
fn keeping(days: &str) -> Site {
    let site = Site::staffordshire();
    site.edit(
        "partners.toml",
        "title = \"Staffordshire Police\"",
        &format!("title = \"Staffordshire Police\"\n\n[partner.retention]\n{days}"),
    );
    site
}

/// Files in the store of artefacts.
fn artefacts(site: &Site) -> usize {
    stored(site).len()
}

fn stored(site: &Site) -> Vec<std::path::PathBuf> {
    let mut folders = vec![site.data().join("artefacts")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let within = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let (more, found): (Vec<_>, Vec<_>) = within.partition(|path| path.is_dir());
        folders.extend(more.into_iter().filter(|path| path.file_name().is_some_and(|name| name != "staging")));
        files.extend(found);
    }
    files
}

/// Makes every artefact as old as the test's own time, whatever the machine's clock says.
fn settle(site: &Site, clock: &Clock) {
    let then = std::time::UNIX_EPOCH + std::time::Duration::from_millis(u64::try_from(clock.now_ms()).unwrap());
    for file in stored(site) {
        std::fs::File::open(file).unwrap().set_modified(then).unwrap();
    }
}

#[test]
fn files_expire_and_whoever_asks_for_them_is_told_since_when() {
    let site = keeping("artefacts-days = 30\nrejects-days = 30\nevents-days = 60");
    let clock = clock_at(OCTOBER);
    let run = wait(async {
        let hub = site.hub(&clock).await;
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!(run.state, RunState::Closed);
        assert_eq!(artefacts(&site), 4, "two inputs and two outputs");
        settle(&site, &clock);
        // Its rejects wait, so nothing of it goes, however old it is.
        clock.advance(SignedDuration::from_hours(24 * 100));
        assert_eq!(hub.retain(&operator(&hub)).await.unwrap().runs, 0);
        hub.ledger().dismiss_rejects(Scope::Hub, (run.id, &Default::default()), "done by hand", &operator(&hub)).await.unwrap();
        // The clock's own work finds it, an hour later.
        clock.advance(SignedDuration::from_hours(2));
        hub.tick().await.unwrap();
        assert_eq!(artefacts(&site), 0);
        let again = hub.retain(&operator(&hub)).await.unwrap();
        assert_eq!((again.runs, again.artefacts, again.logs), (0, 0, 0), "all of it has gone");

        let replayed = hub.replay(Scope::Hub, run.id, &operator(&hub)).await.unwrap_err();
        assert!(matches!(replayed, RunError::Expired { .. }) && replayed.to_string().contains("expired on 2027-01-27"), "{replayed}");
        let ask = ResendAsk { port: "return".to_owned(), target: None, new_key: false, why: "lost".to_owned() };
        let resent = hub.resend(Scope::Hub, run.id, ask, &operator(&hub)).await.unwrap_err();
        assert!(resent.to_string().contains("expired on 2027-01-27"), "{resent}");
        let still = ended(&hub, run.id).await;
        assert_eq!((still.state, still.rows), (run.state, run.rows), "totals are kept");
        let processed = hub.ledger().processed(Scope::Hub, run.id).await.unwrap().unwrap();
        assert!(processed.outputs.len() == 2 && processed.totals.outputs.len() == 2, "and digests");
        hub.ledger().close().await;
        run.id.to_string()
    });
    let shown = say(&site, &["show", &run]);
    assert!(shown.out.contains("its files expired on 2027-01-27") && shown.out.contains("£3,412,883.70"), "{} {}", shown.out, shown.err);
    assert!(say(&site, &["audit", "verify"]).out.contains("entries fit"));
}

#[test]
fn a_file_that_another_run_uses_stays() {
    let site = keeping("artefacts-days = 30");
    let clock = clock_at(OCTOBER);
    wait(async {
        let hub = site.hub(&clock).await;
        let run = finished(&hub, POLICE, LGPS).await;
        hub.ledger().dismiss_rejects(Scope::Hub, (run.id, &Default::default()), "done by hand", &operator(&hub)).await.unwrap();
        clock.advance(SignedDuration::from_hours(24 * 20));
        let replay = hub.replay(Scope::Hub, run.id, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        assert_eq!(ended(&hub, replay).await.state, RunState::Closed);
        settle(&site, &clock);
        clock.advance(SignedDuration::from_hours(24 * 15));
        let first = hub.retain(&operator(&hub)).await.unwrap();
        assert_eq!((first.runs, first.artefacts, artefacts(&site)), (1, 0, 4), "the replay has the same files");
        clock.advance(SignedDuration::from_hours(24 * 16));
        let second = hub.retain(&operator(&hub)).await.unwrap();
        assert_eq!((second.runs, second.artefacts, artefacts(&site)), (1, 4, 0));
        assert!(second.artefact_bytes > 100_000, "{second:?}");
    });
}

#[test]
fn rows_that_were_only_judged_go() {
    let site = Site::staffordshire();
    let clock = clock_at(OCTOBER);
    wait(async {
        let hub = site.hub(&clock).await;
        let run = finished(&hub, POLICE, LGPS).await;
        let filter = QuarantineFilter { code: Some("date-not-in-calendar".to_owned()), ..QuarantineFilter::default() };
        let waiting = hub.ledger().waiting(Scope::Hub, &filter, None, 1).await.unwrap().items;
        let numbers = [waiting[0].finding.id.number];
        let mut rows = hub.rows_for_correction(Scope::Hub, run.id, &numbers, &operator(&hub)).await.unwrap();
        let before = artefacts(&site);
        assert!(!hub.judge_rows(Scope::Hub, run.id, &rows).await.unwrap()[0].reasons.is_empty());
        rows.rows[0].cells.iter_mut().filter(|(_, value)| value == "31/02/2026").for_each(|(_, value)| "31/10/2026".clone_into(value));
        assert!(hub.judge_rows(Scope::Hub, run.id, &rows).await.unwrap()[0].reasons.is_empty());
        assert_eq!(artefacts(&site), before + 2, "both were stored to be judged");
        // The second is brought back: its run uses the very bytes that were judged.
        let back = hub.resubmit_rows(Scope::Hub, run.id, &rows, &operator(&hub)).await.unwrap();
        assert_eq!(hub.retain(&operator(&hub)).await.unwrap().artefacts, 0, "they have not lain for a day");
        settle(&site, &clock);
        clock.advance(SignedDuration::from_hours(25));
        assert_eq!(hub.retain(&operator(&hub)).await.unwrap().artefacts, 1);
        assert_eq!(artefacts(&site), before + 1);
        drain(&hub).await;
        assert_eq!(ended(&hub, back).await.state, RunState::Closed);
    });
}

#[test]
fn retention_is_declared_shown_and_applied_from_the_command_line() {
    let site = keeping("artefacts-days = 400\nevents-days = 800");
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    let shown = say(&site, &["retain"]);
    for word in ["staffordshire-police", "400 days", "800 days", "for good"] {
        assert!(shown.out.contains(word), "{word}: {}", shown.out);
    }
    let json = say(&site, &["retain", "--json"]).json();
    let police = json.as_array().unwrap().iter().find(|partner| partner["partner"] == POLICE).unwrap().clone();
    assert_eq!((&police["artefacts-days"], &police["rejects-days"]), (&400.into(), &serde_json::Value::Null));
    let now = say(&site, &["retain", "--now"]);
    assert!(now.code == Some(0) && now.out.contains("files of 0 runs expired"), "{} {}", now.out, now.err);
    for (from, to, word) in [("400", "0", "artefacts-days is 0"), ("800", "399", "events go before the artefacts")] {
        let wrong = keeping(&"artefacts-days = 400\nevents-days = 800".replace(from, to));
        let refused = say(&wrong, &["apply", "."]);
        assert!(refused.code == Some(1) && refused.err.contains(word), "{word}: {}", refused.err);
    }
}
