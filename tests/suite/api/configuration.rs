//! A configuration over HTTP: read, planned, applied as it was planned, and held to what a partner may declare.

use super::*;
use bailiwick::model::ids::Digest;

const PLAN: &str = "/api/v1/configuration/plan";
const APPLY: &str = "/api/v1/configuration/apply";
const JOB: &str = "jobs/lgps-monthly-return.toml";

/// A hub, a token of the police that may configure, and the files in force.
async fn keeper(site: &Site) -> (Called, &'static str, Value) {
    let called = Called::open(site).await;
    let (name, hash) = ("keeper".to_owned(), Digest::of(b"bwk_keeper"));
    let scopes = vec!["configure".to_owned()];
    let new = bailiwick::ledger::NewToken { partner: partner(POLICE), name, hash, scopes, expires_at_ms: None };
    called.hub.ledger().create_token(&new, &operator(&called.hub)).await.unwrap();
    let files = called.get("bwk_keeper", "/api/v1/configuration").await.json()["files"].clone();
    (called, "bwk_keeper", files)
}

fn changed(files: &Value, name: &str, from: &str, to: &str) -> Value {
    let mut files = files.clone();
    let text = files[name].as_str().unwrap_or_default();
    assert!(text.contains(from), "{name}: {text}");
    files[name] = json!(text.replace(from, to));
    files
}

fn lines(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_in_force_is_read_changed_planned_and_applied() {
    let site = Site::staffordshire();
    wait(async {
        let (called, token, files) = keeper(&site).await;
        assert!(files.get(JOB).is_some() && files.get("hub.toml").is_none(), "{files}");
        let later = changed(&files, JOB, "rows-max = 100", "rows-max = 90");
        let planned = called.post(token, PLAN, json!({"files": later}).to_string()).await;
        assert_eq!(lines(&planned), ["staffordshire-police: job lgps-monthly-return changed"]);
        let body = json!({"files": later, "plan": planned.json()["plan"]}).to_string();
        let now = called.get(token, "/api/v1/configuration").await.json()["files"].clone();
        assert_eq!(now, files, "a plan changes nothing");
        let send = || called.send(asked("POST", APPLY, token).header("idempotency-key", "k").body(body.clone().into()).unwrap());
        let applied = send().await;
        assert_eq!(lines(&applied), lines(&planned));
        assert_eq!(send().await.text, applied.text, "it is done once");
        assert_eq!(called.get(token, "/api/v1/configuration").await.json()["files"], later);
        called.post(token, APPLY, body.clone()).await.is_problem(412, "changed-meanwhile");
        let acts = called.hub.ledger().audit(Scope::Partner(&partner(POLICE)), None, 100).await.unwrap().items;
        let applies = acts.iter().filter(|act| act.action == "partner.apply" && act.actor.as_str() == "token:staffordshire-police/keeper");
        assert_eq!(applies.count(), 1);
        // Another's token sees and changes its own.
        called.get(&called.fire, "/api/v1/configuration").await.is_problem(403, "scope-missing");
    });
}

#[test]
fn what_is_applied_is_what_was_planned() {
    let site = Site::staffordshire();
    wait(async {
        let (called, token, files) = keeper(&site).await;
        let later = changed(&files, JOB, "rows-max = 100", "rows-max = 90");
        let code = called.post(token, PLAN, json!({"files": later}).to_string()).await.json()["plan"].clone();
        let other = changed(&files, JOB, "rows-max = 100", "rows-max = 1000000");
        called.post(token, APPLY, json!({"files": other, "plan": code}).to_string()).await.is_problem(412, "changed-meanwhile");
        // Of two who apply one plan at once, one does.
        let body = json!({"files": later, "plan": code}).to_string();
        let both = tokio::join!(called.post(token, APPLY, body.clone()), called.post(token, APPLY, body.clone()));
        let mut statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{} {}", both.0.text, both.1.text);
    });
}

#[test]
fn a_partner_declares_nothing_beyond_itself() {
    let site = Site::staffordshire();
    wait(async {
        let (called, token, files) = keeper(&site).await;
        let with = |name: &str, text: &str| {
            let mut files = files.clone();
            files[name] = json!(text);
            files
        };
        let cases = [
            (with("hub.toml", "[ceiling]\n"), "on the hub's own machine"),
            (with("plugins.toml", ""), "hand them in one by one"),
            (with("../partners.toml", ""), "nothing reads such a file"),
            (with("jobs/../x.toml", ""), "nothing reads such a file"),
            (with("jobs/.x.toml", ""), "nothing reads such a file"),
            (with("partners.toml", "[[partner]]\nname = \"staffordshire-fire\"\ntitle = \"Fire\"\n"), "staffordshire"),
            (changed(&files, "partners.toml", "releases = \"", "runs-at-once = 900\nreleases = \""), "asked or allowed something else"),
            (changed(&files, "connections.toml", "path = \"", "path = \"/etc"), "is new, or is not as the one in force"),
            (
                with(
                    "webhooks.toml",
                    "[[webhook]]\npartner = \"staffordshire-police\"\nname = \"in\"\nurl = \"https://10.0.0.1/\"\n\
              events = [\"run.held\"]\nsigning-secret = \"s\"\nallow-private = true\n",
                ),
                "has allow-private or ca-file",
            ),
            (with("jobs/other.toml", "x = 1"), "jobs/other.toml:1"),
            (
                changed(&files, JOB, "plugin = \"lgps-return\"", "plugin = \"no-such-plugin\""),
                "no release of plugin no-such-plugin is active",
            ),
        ];
        for (files, word) in cases {
            let answer = called.post(token, PLAN, json!({"files": files}).to_string()).await;
            answer.is_problem(422, "configuration-wrong");
            assert!(answer.text.contains(word), "{word}: {}", answer.text);
            let code = "0".repeat(64);
            called.post(token, APPLY, json!({"files": files, "plan": code}).to_string()).await.is_problem(412, "changed-meanwhile");
        }
        assert_eq!(called.get(token, "/api/v1/configuration").await.json()["files"], files);
    });
}

#[test]
fn what_takes_a_second_person_is_proposed() {
    let site = Site::staffordshire();
    site.edit("partners.toml", "name = \"staffordshire-police\"", "name = \"staffordshire-police\"\nchanges = \"two-persons\"");
    wait(async {
        let (called, token, files) = keeper(&site).await;
        let later = changed(&files, JOB, "rows-max = 100", "rows-max = 1000");
        let planned = called.post(token, PLAN, json!({"files": later}).to_string()).await.json();
        let line = "job lgps-monthly-return has higher limits";
        assert_eq!((&planned["changes"], &planned["proposed"][0]["difference"]), (&json!([]), &json!([line])), "{planned}");
        let body = json!({"files": later, "plan": planned["plan"]}).to_string();
        let applied = called.post(token, APPLY, body).await.json();
        assert_eq!((&applied["proposed"][0]["number"], &applied["proposed"][0]["waited"]), (&json!(1), &json!(false)), "{applied}");
        assert_eq!(called.get(token, "/api/v1/configuration").await.json()["files"], files, "it waits");
    });
}
