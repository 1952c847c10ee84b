//! What is done through the console: by whom, after it was checked, and never by a form from elsewhere.

use super::*;
use bailiwick::ledger::{RunFilter, RunState, Scope};

const HOME: &str = "/p/staffordshire-police";

/// Every act with the fields that it needs, on a closed run.
fn acts(run: RunId) -> Vec<(String, Vec<(&'static str, &'static str)>)> {
    let reason = ("reason", "because of a test");
    vec![
        (format!("{HOME}/jobs/{LGPS}/run"), vec![("dry-run", "yes")]),
        (format!("{HOME}/jobs/{LGPS}/pause"), vec![reason]),
        (format!("{HOME}/jobs/{LGPS}/resume"), vec![]),
        (format!("{HOME}/jobs/{LGPS}/backfill"), vec![("from", "2026-10-01"), ("to", "2026-10-31")]),
        (format!("{HOME}/runs/{run}/cancel"), vec![reason]),
        (format!("{HOME}/runs/{run}/retry"), vec![reason]),
        (format!("{HOME}/runs/{run}/replay"), vec![]),
        (format!("{HOME}/runs/{run}/deliveries/return/resend"), vec![reason]),
        (format!("{HOME}/runs/{run}/deliveries/return/settle"), vec![("arrived", "yes"), reason]),
        (format!("{HOME}/runs/{run}/files/in/payroll"), vec![]),
        (format!("{HOME}/rejects/{run}/assign"), vec![("number", "1"), ("owner", "olu")]),
        (format!("{HOME}/rejects/{run}/dismiss"), vec![("number", "1"), reason]),
        (format!("{HOME}/rejects/{run}/correct"), vec![("number", "1")]),
        (format!("{HOME}/rejects/{run}/check"), vec![("number", "1")]),
        (format!("{HOME}/rejects/{run}/download"), vec![]),
        (format!("{HOME}/rejects/{run}/upload"), vec![]),
    ]
}

async fn state(console: &Console) -> (usize, usize) {
    let runs = console.hub.ledger().runs(Scope::Hub, &RunFilter::default(), 100).await.unwrap().items.len();
    let acts = console.hub.ledger().audit_after(Scope::Hub, 0, 1_000).await.unwrap().items;
    // That somebody was refused something is told, and is no act.
    (runs, acts.iter().filter(|act| act.action != "access.refuse").count())
}

#[test]
fn a_form_from_elsewhere_does_nothing() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = closed_run(&console.hub).await;
        let before = state(&console).await;
        for (path, mut fields) in acts(run) {
            fields.push(("confirmed", "yes"));
            let none = console.post_as_it_is(OPERATOR, &path, &fields).await;
            assert!(matches!(none.status, 403 | 413), "{path} without a token: {} {}", none.status, none.text);
            let others = bailiwick::access::form_key(&console.keys[ADMIN]);
            let mut theirs = fields.clone();
            theirs.push(("csrf", &others));
            let theirs = console.post_as_it_is(OPERATOR, &path, &theirs).await;
            assert!(matches!(theirs.status, 403 | 413), "{path} with another's token: {}", theirs.status);
            let csrf = bailiwick::access::form_key(&console.keys[OPERATOR]);
            fields.push(("csrf", &csrf));
            let cross = console.asked("POST", OPERATOR, &path).header("sec-fetch-site", "cross-site");
            let cross = cross.header("content-type", "application/x-www-form-urlencoded").body(Body::from(encoded(&fields))).unwrap();
            let cross = console.send(cross).await;
            assert!(matches!(cross.status, 403 | 413), "{path} from another site: {}", cross.status);
        }
        assert_eq!(state(&console).await, before, "nothing was done");
    });
}

#[test]
fn who_may_not_is_refused_whatever_was_offered() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = closed_run(&console.hub).await;
        let before = state(&console).await;
        for (path, mut fields) in acts(run) {
            fields.push(("confirmed", "yes"));
            for who in [VIEWER, APPROVER, ADMIN] {
                // An approver sees personal data, and so may take a file.
                if who == APPROVER && path.ends_with("/files/in/payroll") {
                    continue;
                }
                let answer = console.post(who, &path, &fields).await;
                assert!(
                    answer.status == 403 && answer.text.contains("You may not do this"),
                    "{who} {path}: {} {}",
                    answer.status,
                    answer.text
                );
            }
        }
        // The page that asks is refused as well.
        for act in ["run", "pause", "resume", "backfill"] {
            console.get(VIEWER, &format!("{HOME}/jobs/{LGPS}/{act}")).await.is(403).has("You may not do this");
        }
        for act in ["cancel", "retry", "replay", "release"] {
            console.get(ADMIN, &format!("{HOME}/runs/{run}/{act}")).await.is(403);
        }
        console.get(OPERATOR, &format!("{HOME}/runs/{run}/release")).await.is(403);
        assert_eq!(state(&console).await, before, "nothing was done");
    });
}

#[test]
fn a_job_is_run_once_however_often_its_button_is_pressed() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let asked = console.get(OPERATOR, &format!("{HOME}/jobs/{LGPS}/run?dry-run=yes")).await;
        asked.is(200).has("Check before you start a dry run");
        let key = asked.text.split("name=\"key\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let fields = [("key", key.as_str()), ("dry-run", "yes"), ("confirmed", "yes")];
        let first = console.post(OPERATOR, &format!("{HOME}/jobs/{LGPS}/run"), &fields).await;
        let second = console.post(OPERATOR, &format!("{HOME}/jobs/{LGPS}/run"), &fields).await;
        assert_eq!((first.status, first.location()), (303, second.location()));
        let id: RunId = first.location().rsplit('/').next().unwrap().parse().unwrap();
        let run = console.hub.ledger().run(Scope::Hub, id).await.unwrap().unwrap();
        assert!(run.enqueued.dry_run && run.state == RunState::Queued);
        console.get(OPERATOR, first.location()).await.is(200).has("rows read so far").has("Cancel run");
    });
}

#[test]
fn a_schedule_is_paused_and_resumed_after_it_was_checked() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let (job, pause) = (format!("{HOME}/jobs/{LGPS}"), format!("{HOME}/jobs/{LGPS}/pause"));
        // Without a reason the form comes back, with its fault beside the field and above.
        console.post(OPERATOR, &pause, &[("reason", " ")]).await.is(422).has("There is a problem").has("Error: ").has("href=\"#reason\"");
        let checked = console.post(OPERATOR, &pause, &[("reason", "the <fund> is closed")]).await;
        checked.is(200).has("Check before you pause the schedule").has("the &lt;fund&gt; is closed");
        console.get(OPERATOR, &job).await.has_not("the &lt;fund&gt; is closed");
        let done = console.post(OPERATOR, &pause, &[("reason", "the <fund> is closed"), ("confirmed", "yes")]).await;
        assert_eq!((done.status, done.location()), (303, format!("{job}?done=paused").as_str()));
        console
            .get(OPERATOR, done.location())
            .await
            .has("The schedule stands still")
            .has("the &lt;fund&gt; is closed")
            .has("Resume schedule");
        console.get(VIEWER, &format!("{HOME}/jobs")).await.has("Paused");
        let done = console.post(OPERATOR, &format!("{job}/resume"), &[("confirmed", "yes")]).await;
        console.get(OPERATOR, done.location()).await.has("The schedule goes on").has("Pause schedule");
    });
}

#[test]
fn days_are_backfilled_after_each_time_was_named() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let path = format!("{HOME}/jobs/{LGPS}/backfill");
        console.post(OPERATOR, &path, &[("from", "x"), ("to", "")]).await.is(422).has("must be a real day").has("Enter the last day");
        console.post(OPERATOR, &path, &[("from", "2026-10-31"), ("to", "2026-10-01")]).await.is(422).has("or after it");
        let days = [("from", "2026-09-01"), ("to", "2026-10-31"), ("dry-run", "yes")];
        console.post(OPERATOR, &path, &days).await.is(200).has("Check before you backfill").has("1 September 2026 to 31 October 2026");
        let runs = async || console.hub.ledger().runs(Scope::Hub, &RunFilter::default(), 100).await.unwrap().items.len();
        assert_eq!(runs().await, 0);
        let done = console.post(OPERATOR, &path, &[&days[..], &[("confirmed", "yes")]].concat()).await;
        assert_eq!(done.status, 303);
        assert!(runs().await >= 1);
        console.get(OPERATOR, done.location()).await.is(200).has("Backfill, dry run");
    });
}

#[test]
fn a_run_is_cancelled_replayed_and_compared() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = closed_run(&console.hub).await;
        let again = console.post(OPERATOR, &format!("{HOME}/runs/{run}/replay"), &[("confirmed", "yes")]).await;
        assert_eq!(again.status, 303);
        while console.hub.work_once().await.unwrap().is_some() {}
        console.get(VIEWER, again.location()).await.has("Replay").has("Does again");
        let compared = console.get(VIEWER, &format!("{}/compare?with={run}", again.location())).await;
        compared.is(200).has("both came to the same bytes and the same totals");
        let waiting = request(&console.hub, POLICE, LGPS).await;
        let cancel = format!("{HOME}/runs/{waiting}/cancel");
        console.post(OPERATOR, &cancel, &[("reason", "not now")]).await.is(200).has("Check before you cancel this run");
        let done = console.post(OPERATOR, &cancel, &[("reason", "not now"), ("confirmed", "yes")]).await;
        console.get(OPERATOR, done.location()).await.has("The run is ended").has("Cancelled");
        // It cannot be cancelled twice, and that is told as what it is.
        console.post(OPERATOR, &cancel, &[("reason", "not now"), ("confirmed", "yes")]).await.is(409).has("This cannot be done");
    });
}
