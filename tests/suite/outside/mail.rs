//! People are told of runs by e-mail: once, in words without anybody's data, and sooner or later, whatever the mail server does.

use bailiwick::clock::Clock;
use bailiwick::ledger::{Notice, RunState, Scope};
use bailiwick::model::ids::RunId;
use bailiwick::run::Hub;
use jiff::SignedDuration;

use crate::support::*;

const ALL: &str = "on = [\"held\", \"failed\", \"delivered\", \"skipped\", \"overdue\"]";

/// The example's site, whose pension return tells people by this server.
fn site(smtp: &Smtp, to: &str, on: &str) -> Site {
    let site = Site::staffordshire();
    let connections = String::from_utf8(site.read("connections.toml")).unwrap();
    site.write("connections.toml", smtp.entry(POLICE) + &connections);
    let job = format!("jobs/{LGPS}.toml");
    let text = String::from_utf8(site.read(&job)).unwrap();
    site.write(&job, format!("{text}\n[notify]\nconnection = \"mail\"\nto = [{to}]\n{on}\n\n[queue]\noverdue-minutes = 5\n"));
    site
}

async fn hub(site: &Site, clock: &Clock) -> Hub {
    let hub = site.hub(clock).await;
    hub.set_secret(&partner(POLICE), &"mail-password".parse().unwrap(), Smtp::PASSWORD.into(), &operator(&hub)).await.unwrap();
    hub
}

async fn notices(hub: &Hub, run: RunId) -> Vec<Notice> {
    hub.ledger().notices(Scope::Hub, run).await.unwrap()
}

fn clock() -> Clock {
    clock_at("2026-10-19T06:00:00Z")
}

#[test]
fn people_are_told_once_and_nothing_personal() {
    let smtp = Smtp::start();
    let site = site(&smtp, "\"payroll@police.example\", \"pensions@fund.example\"", ALL);
    wait(async {
        let hub = hub(&site, &clock()).await;
        let run = finished(&hub, POLICE, LGPS).await;
        assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
        // Hubs that try at the same moment.
        let (one, other) = tokio::join!(hub.send_notices(), hub.send_notices());
        assert_eq!(one.unwrap() + other.unwrap(), 1);
        assert_eq!(hub.send_notices().await.unwrap(), 0);
        let skipped = finished(&hub, POLICE, LGPS).await;
        assert_eq!(skipped.state, RunState::Skipped);
        assert_eq!(hub.send_notices().await.unwrap(), 1);
        let messages = smtp.messages();
        assert_eq!(messages.len(), 2);
        for (message, says) in messages.iter().zip(["Subject: lgps-monthly-return: delivered", "Subject: lgps-monthly-return: did not run"])
        {
            let headers = ["X-To: payroll@police.example,pensions@fund.example", "From: Bailiwick <hub@shared-services.example>", says];
            for header in headers.into_iter().chain(["Auto-Submitted: auto-generated", "Date: Mon, 19 Oct 2026 06:00:00"]) {
                assert!(message.contains(header), "{header} in {message}");
            }
        }
        assert!(messages[0].contains("5840 accepted") && messages[0].contains("Deliveries: 2"), "{}", messages[0]);
        assert!(messages[0].contains(&format!("Message-ID: <{}.", run.id)), "{}", messages[0]);
        assert!(messages[1].contains("Reason: no-input"), "{}", messages[1]);
        for row in String::from_utf8_lossy(&site.read("data/payroll/payroll-2026-10.csv")).lines().skip(1) {
            let number = row.split(',').nth(1).unwrap();
            assert!(number.len() < 8 || !messages.iter().any(|message| message.contains(number)), "{number}");
        }
        let told = notices(&hub, run.id).await;
        assert!(told.len() == 1 && told[0].sent_at_ms.is_some() && told[0].outcome.as_deref().is_some_and(|said| said.contains("kept as")));
        let shown = say(&site, &["show", &run.id.to_string()]);
        assert!(shown.out.contains("told delivered: "), "{} {}", shown.out, shown.err);
    });
}

#[test]
fn what_waits_for_a_person_is_told_and_what_is_not_asked_for_is_not() {
    let smtp = Smtp::start();
    let site = site(&smtp, "\"payroll@police.example\"", "");
    let rejects = String::from_utf8(site.read(&format!("jobs/{LGPS}.toml"))).unwrap();
    let rows_max = rejects.lines().find(|line| line.starts_with("rows-max")).unwrap().to_owned();
    site.edit(&format!("jobs/{LGPS}.toml"), &rows_max, "rows-max = 0");
    wait(async {
        let clock = clock();
        let hub = hub(&site, &clock).await;
        let late = request(&hub, POLICE, LGPS).await;
        clock.advance(SignedDuration::from_mins(6));
        hub.tick().await.unwrap();
        assert_eq!(hub.send_notices().await.unwrap(), 1);
        drain(&hub).await;
        assert_eq!(ended(&hub, late).await.state, RunState::Held);
        assert_eq!(hub.send_notices().await.unwrap(), 1);
        assert_eq!(finished(&hub, POLICE, LGPS).await.state, RunState::Skipped);
        assert_eq!(hub.send_notices().await.unwrap(), 0, "only what waits for a person is told, unless the job says more");
        let messages = smtp.messages();
        assert!(messages[0].contains("overdue") && messages[1].contains("held, waiting for a person"), "{messages:?}");
        assert!(messages[1].contains("Reason: too-many-rejects") && messages[1].contains("release, retry or cancel"), "{}", messages[1]);
        let others = finished(&hub, FIRE, "shared-services-apportionment").await;
        assert_eq!((others.state, notices(&hub, others.id).await.len()), (RunState::Closed, 0), "another job tells nobody");
    });
}

#[test]
fn a_server_that_is_away_is_tried_again_later() {
    let mut smtp = Smtp::start();
    let site = site(&smtp, "\"payroll@police.example\"", ALL);
    smtp.stop();
    wait(async {
        let clock = clock();
        let first = hub(&site, &clock).await;
        let run = finished(&first, POLICE, LGPS).await;
        assert_eq!(first.send_notices().await.unwrap(), 0);
        let waiting = notices(&first, run.id).await;
        assert!(waiting[0].next_at_ms.is_some() && waiting[0].sent_at_ms.is_none() && waiting[0].attempts == 1, "{waiting:?}");
        assert!(waiting[0].outcome.as_deref().is_some_and(|why| why.contains("localhost")), "{waiting:?}");
        assert_eq!(first.send_notices().await.unwrap(), 0, "not before its time");
        drop(first);
        smtp.resume();
        // It is in the ledger: another process sends it.
        let hub = site.reopen(&clock).await;
        clock.advance(SignedDuration::from_mins(10));
        assert_eq!(hub.send_notices().await.unwrap(), 1);
        clock.advance(SignedDuration::from_hours(24));
        assert_eq!((hub.send_notices().await.unwrap(), smtp.messages().len()), (0, 1));
    });
}

#[test]
fn an_address_that_nobody_has_is_given_up_after_days_and_a_notice_left_by_a_kill_is_sent() {
    let smtp = Smtp::start();
    let site = site(&smtp, "\"nobody@police.example\"", ALL);
    wait(async {
        let clock = clock();
        let hub = hub(&site, &clock).await;
        let run = finished(&hub, POLICE, LGPS).await;
        let from = clock.now();
        while notices(&hub, run.id).await[0].next_at_ms.is_some() {
            assert_eq!(hub.send_notices().await.unwrap(), 0);
            clock.advance(SignedDuration::from_mins(20));
        }
        let given_up = notices(&hub, run.id).await.remove(0);
        assert!(given_up.attempts == 80 && given_up.outcome.is_some_and(|why| why.contains("550")), "{:?}", given_up.attempts);
        assert!(clock.now().duration_since(from) > SignedDuration::from_hours(48));
        assert!(smtp.messages().is_empty());
        // Taken by a hub that was killed before it sent it: left alone for a while, then sent by the next.
        site.edit(&format!("jobs/{LGPS}.toml"), "nobody@", "payroll@");
        site.apply(&hub).await;
        let second = finished(&hub, POLICE, LGPS).await;
        let taken = hub.ledger().take_notices(clock.now_ms(), 60_000).await.unwrap();
        assert_eq!((taken.len(), hub.send_notices().await.unwrap()), (1, 0));
        clock.advance(SignedDuration::from_mins(2));
        assert_eq!((hub.send_notices().await.unwrap(), smtp.messages().len()), (1, 1));
        // Who took it first has nothing to say any more.
        let late = Notice { next_at_ms: Some(0), outcome: Some("late".to_owned()), ..taken[0].clone() };
        assert!(!hub.ledger().settle_notice(&late).await.unwrap());
        assert!(notices(&hub, second.id).await[0].sent_at_ms.is_some());
    });
}

#[test]
fn a_serving_hub_tells_people_by_itself() {
    let smtp = Smtp::start();
    let site = site(&smtp, "\"payroll@police.example\"", ALL);
    wait(async {
        hub(&site, &Clock::machine()).await;
    });
    let serving = Serving::start(&site);
    let began = std::time::Instant::now();
    serving.run(LGPS);
    while smtp.messages().is_empty() {
        assert!(began.elapsed().as_secs() < 60, "nobody is told");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(smtp.messages()[0].contains("delivered"));
}
