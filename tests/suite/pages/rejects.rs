//! Rejects in the console: shown masked, judged by the plugin while they are corrected, brought back as a run, assigned, dismissed.

use super::*;
use bailiwick::ledger::{QuarantineFilter, RunState, Scope};

const HOME: &str = "/p/staffordshire-police";

/// The example's payroll run, closed, with its 27 rejects in quarantine.
async fn rejected(console: &Console) -> RunId {
    let run = closed_run(&console.hub).await;
    let stands = console.hub.ledger().run(Scope::Hub, run).await.unwrap().unwrap();
    assert_eq!((stands.state, stands.rows.rejected), (RunState::Closed, 27), "{:?}", stands.reason);
    run
}

/// What is wrong with one of them, and what it should be.
const WRONG: &str = "31/02/2026";
const RIGHT: &str = "31/10/2026";

/// Its NI number, and the name of somebody whose row it is.
const PERSONAL: [&str; 2] = ["CK426807A", "Boulton"];

async fn waiting(hub: &Hub, filter: QuarantineFilter) -> Vec<u64> {
    let page = hub.ledger().waiting(Scope::Hub, &filter, None, 100).await.unwrap();
    page.items.iter().filter(|item| item.finding.quarantine.resubmitted_by.is_none()).map(|item| item.finding.id.number).collect()
}

/// The reject whose date is none, while it waits.
async fn misdated(hub: &Hub) -> Vec<u64> {
    waiting(hub, QuarantineFilter { code: Some("date-not-in-calendar".to_owned()), ..QuarantineFilter::default() }).await
}

/// The fields of the form of one row, as a browser would send them.
fn fields(page: &str) -> Vec<(String, String)> {
    let main = page.split_once("<main").unwrap().1;
    let plain = |text: String| text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    let inputs = main.split("<input ").skip(1).map(|input| format!("<input {}", input.split_once('>').unwrap().0));
    inputs.filter_map(|tag| Some((attribute(&tag, "name")?, plain(attribute(&tag, "value")?)))).filter(|(name, _)| name != "csrf").collect()
}

#[test]
fn rejects_are_shown_masked_to_everybody_and_acts_to_those_who_may() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = rejected(&console).await;
        for who in [VIEWER, OPERATOR, APPROVER, ADMIN] {
            let page = console.get(who, &format!("{HOME}/rejects?run={run}")).await;
            page.is(200).has("••••••").has("Nobody sees to it");
            for personal in PERSONAL {
                page.has_not(personal);
            }
            assert_eq!(page.text.contains("Correct chosen rows"), who == OPERATOR, "{who}");
        }
        // The overview says that they wait.
        console.get(VIEWER, HOME).await.is(200).has("In quarantine");
        for (filter, there) in
            [("owner=nobody", true), ("owner=somebody", false), ("code=nothing", false), ("job=lgps-monthly-return", true)]
        {
            let page = console.get(VIEWER, &format!("{HOME}/rejects?{filter}")).await;
            assert_eq!(page.text.contains("••••••"), there, "{filter}");
        }
    });
}

#[test]
fn a_row_is_corrected_judged_and_brought_back() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = rejected(&console).await;
        let number = misdated(&console.hub).await[0].to_string();
        let path = format!("{HOME}/rejects/{run}/correct");
        let page = console.get(OPERATOR, &format!("{path}?number={number}")).await;
        page.is(200).has(WRONG).has("The plugin would still reject 1 row");
        let mut form = fields(&page.text);
        // Sent as it is, it is refused as the plugin refuses it, and nothing comes back.
        let sent = form.clone();
        let sent: Vec<(&str, &str)> =
            sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain([("confirmed", "yes")]).collect();
        console.post(OPERATOR, &path, &sent).await.is(422).has("There is a problem").has_not("Bring these rows back");
        assert_eq!(misdated(&console.hub).await.len(), 1);
        // The script asks the same.
        let told = console.post(OPERATOR, &format!("{HOME}/rejects/{run}/check"), &sent).await;
        let told: serde_json::Value = serde_json::from_str(&told.text).unwrap();
        assert!(told["faults"].as_object().is_some_and(|faults| faults.len() == 1), "{told}");
        // Put right, it is checked first, and then comes back as a run of its own.
        form.iter_mut().filter(|(_, value)| value == WRONG).for_each(|(_, value)| RIGHT.clone_into(value));
        let right: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        console.post(OPERATOR, &path, &right).await.is(200).has("Bring these rows back").has("would accept every row");
        let told = console.post(OPERATOR, &format!("{HOME}/rejects/{run}/check"), &right).await;
        assert_eq!(serde_json::from_str::<serde_json::Value>(&told.text).unwrap()["faults"], serde_json::json!({}));
        assert_eq!(misdated(&console.hub).await.len(), 1, "checking changes nothing");
        let done = console.post(OPERATOR, &path, &[&right[..], &[("confirmed", "yes")]].concat()).await;
        done.is(303);
        while console.hub.work_once().await.unwrap().is_some() {}
        let page = console.get(VIEWER, done.location()).await;
        page.is(200).has("Corrected rejects").has("Closed");
        assert_eq!(misdated(&console.hub).await, Vec::<u64>::new());
        console.get(VIEWER, &format!("{HOME}/runs/{run}")).await.has("Runs that came of this one");
    });
}

#[test]
fn rows_are_assigned_and_dismissed_after_it_was_checked() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = rejected(&console).await;
        let number = misdated(&console.hub).await[0].to_string();
        let chosen = ("number", number.as_str());
        let (assign, dismiss) = (format!("{HOME}/rejects/{run}/assign"), format!("{HOME}/rejects/{run}/dismiss"));
        console.get(OPERATOR, &assign).await.is(409).has("No row was chosen");
        console.get(OPERATOR, &format!("{assign}?number={number}")).await.is(200).has("Who sees to them?");
        console.post(OPERATOR, &assign, &[chosen, ("owner", "Helen <b>")]).await.is(200).has("Helen &lt;b&gt;");
        let done = console.post(OPERATOR, &assign, &[chosen, ("owner", "Helen <b>"), ("confirmed", "yes")]).await;
        console.get(VIEWER, &format!("{}&code=date-not-in-calendar", done.location())).await.has("Helen &lt;b&gt; sees to it");
        console.post(OPERATOR, &dismiss, &[chosen]).await.is(422).has("Enter a reason");
        console.post(OPERATOR, &dismiss, &[chosen, ("reason", "left the scheme")]).await.is(200).has("Check before you dismiss");
        assert_eq!(misdated(&console.hub).await.len(), 1);
        let done = console.post(OPERATOR, &dismiss, &[chosen, ("reason", "left the scheme"), ("confirmed", "yes")]).await;
        console.get(VIEWER, done.location()).await.has("out of quarantine");
        assert_eq!(misdated(&console.hub).await.len(), 0);
    });
}

/// The header and the misdated row, put right.
fn one_row(file: &str) -> String {
    let mut lines = file.lines();
    let header = lines.next().unwrap();
    let row = lines.find(|line| line.contains(WRONG)).unwrap().replace(WRONG, RIGHT);
    assert!(PERSONAL.iter().any(|personal| file.contains(personal)), "it is as it stood in the file");
    format!("{header}\r\n{row}\r\n")
}

#[test]
fn rows_go_out_as_a_file_and_come_back_as_one() {
    let site = Site::staffordshire();
    wait(async {
        let console = Console::open(&site).await;
        let run = rejected(&console).await;
        let file = console.post(OPERATOR, &format!("{HOME}/rejects/{run}/download"), &[]).await;
        file.is(200);
        assert!(file.headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename=\"rejects-of-"));
        let corrected = one_row(&file.text);
        let upload = format!("{HOME}/rejects/{run}/upload");
        let send = async |content: &str, csrf: &str| {
            let part = |name: &str, value: &str| format!("--cut\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            let file =
                format!("--cut\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n{content}\r\n--cut--\r\n");
            let body = part("csrf", csrf) + &part("with", "first") + &file;
            let request = console.asked("POST", OPERATOR, &upload).header("content-type", "multipart/form-data; boundary=cut");
            console.send(request.body(Body::from(body)).unwrap()).await
        };
        let csrf = bailiwick::access::form_key(&console.keys[OPERATOR]);
        send(&corrected, "").await.is(403).has("grown old");
        send("nonsense", &csrf).await.is(422).has("There is a problem");
        let done = send(&corrected, &csrf).await;
        done.is(303);
        while console.hub.work_once().await.unwrap().is_some() {}
        console.get(VIEWER, done.location()).await.has("Closed");
        assert_eq!(misdated(&console.hub).await.len(), 0);
    });
}
