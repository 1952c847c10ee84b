//! Every route once well and once badly, each answer held against what the document says of it: status, kind, body.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick::access::Action;
use bailiwick::ledger::{Actor, By, NewPerson, NewToken};
use bailiwick::model::ids::Digest;

use super::*;

/// What has its good end elsewhere in the suite: an uncertain delivery takes a receiver that is cut off.
const WELL_ELSEWHERE: &[&str] = &["POST /api/v1/runs/{run}/deliveries/{output}/settle"];

/// What cannot be asked badly: it has no name, no parameter and no body, and takes no token.
const NEVER_BAD: &[&str] = &["GET /health"];

/// Asks, and holds each answer against the document.
pub(super) struct Asker<'a> {
    pub(super) called: &'a Called,
    pub(super) token: String,
    document: Value,
    well: BTreeSet<String>,
    badly: BTreeSet<String>,
}

impl Asker<'_> {
    /// Asks a route with names put into its address; what comes behind `?` belongs to the address.
    pub(super) async fn ask(&mut self, route: &str, names: &[&str], body: impl Into<Body>) -> Answer {
        let (method, template) = route.split_once(' ').unwrap();
        let (path, query) = template.split_once('?').map_or((template, String::new()), |(path, query)| (path, format!("?{query}")));
        let mut filled = path.to_owned();
        for name in names {
            let (start, end) = (filled.find('{').unwrap(), filled.find('}').unwrap());
            filled.replace_range(start..=end, name);
        }
        let answer = self.called.send(asked(method, &format!("{filled}{query}"), &self.token).body(body.into()).unwrap()).await;
        self.fits(&format!("{method} {path}"), &answer);
        answer
    }

    fn fits(&self, operation: &str, answer: &Answer) {
        let (method, path) = operation.split_once(' ').unwrap();
        let what = &self.document["paths"][path][method.to_lowercase()];
        let said = &what["responses"][answer.status.as_str()];
        assert!(said.is_object(), "{operation} answered {} and does not say so: {}", answer.status, answer.text);
        let Some(contents) = said["content"].as_object() else {
            assert_eq!(answer.text, "", "{operation} {}", answer.status);
            return;
        };
        let kind = answer.kind.split(';').next().unwrap_or_default();
        let content = contents.get(kind).unwrap_or_else(|| panic!("{operation} {} is {kind}: {contents:?}", answer.status));
        if kind.ends_with("json") {
            let mut schema = content["schema"].clone();
            schema["components"] = self.document["components"].clone();
            let validator = jsonschema::validator_for(&schema).unwrap();
            let body = answer.json();
            let errors: Vec<String> = validator.iter_errors(&body).map(|error| format!("{error} at {}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{operation} {}: {errors:?}\n{body}", answer.status);
        }
    }

    pub(super) async fn well(&mut self, route: &str, names: &[&str], body: impl Into<Body>) -> Answer {
        let answer = self.ask(route, names, body).await;
        assert!(answer.status.is_success(), "{route}: {} {}", answer.status, answer.text);
        self.well.insert(route.split('?').next().unwrap().to_owned());
        answer
    }

    #[track_caller]
    fn refused(&mut self, route: &str, answer: &Answer, code: &str) {
        assert_eq!(answer.json()["code"], json!(code), "{route}: {}", answer.text);
        self.badly.insert(route.split('?').next().unwrap().to_owned());
    }

    pub(super) async fn badly(&mut self, route: &str, names: &[&str], (body, code): (&str, &str)) {
        let answer = self.ask(route, names, body.to_owned()).await;
        self.refused(route, &answer, code);
    }
}

async fn new_token(called: &Called, name: &str, scopes: &[Action]) -> String {
    let token = format!("bwk_{name}");
    let scopes = scopes.iter().map(|scope| scope.name().to_owned()).collect();
    let hash = Digest::of(token.as_bytes());
    let new = NewToken { partner: partner(POLICE), name: name.to_owned(), hash, scopes, expires_at_ms: None };
    // Somebody else than whoever applied the folder: what they handed in, no token of theirs approves.
    let keeper = By { actor: Actor::person("keeper"), ..operator(&called.hub) };
    called.hub.ledger().create_token(&new, &keeper).await.unwrap();
    token
}

async fn asker<'a>(called: &'a Called, name: &str, scopes: &[Action]) -> Asker<'a> {
    let token = new_token(called, name, scopes).await;
    let document = serde_json::from_str(api::document()).unwrap();
    Asker { called, token, document, well: BTreeSet::new(), badly: BTreeSet::new() }
}

fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap();
    let named = paths
        .iter()
        .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase())));
    named.collect()
}

fn form(parts: &[(&str, &[u8])]) -> (Vec<u8>, String) {
    let mut body = Vec::new();
    for (name, bytes) in parts {
        let head = format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--cut--\r\n");
    (body, "multipart/form-data; boundary=cut".to_owned())
}

#[test]
fn every_route_answers_as_it_says_well_and_badly() {
    let site = Site::staffordshire();
    // Held at first, as one more is rejected than may be.
    site.edit(&format!("jobs/{LGPS}.toml"), "rows-max = 100", "rows-max = 26");
    site.write("webhooks.toml", webhook_unreached("desk"));
    wait(async {
        let called = Called::open(&site).await;
        let mut asker = asker(&called, "all", &Action::ALL).await;
        jobs_and_runs(&mut asker).await;
        plugins(&mut asker).await;
        outside_and_house(&mut asker).await;
        badly(&mut asker).await;
        let all = operations(&asker.document);
        let lacking = |done: &BTreeSet<String>, but: &[&str]| -> Vec<String> {
            all.iter().filter(|one| !done.contains(*one) && !but.contains(&one.as_str())).cloned().collect()
        };
        assert_eq!(lacking(&asker.well, WELL_ELSEWHERE), Vec::<String>::new(), "asked well");
        assert_eq!(lacking(&asker.badly, NEVER_BAD), Vec::<String>::new(), "asked badly");
    });
}

async fn jobs_and_runs(asker: &mut Asker<'_>) {
    let hub = asker.called.hub.clone();
    asker.well("GET /health", &[], "").await;
    assert_eq!(asker.well("GET /api/v1/jobs?limit=1", &[], "").await.json()["items"].as_array().unwrap().len(), 1);
    let job = asker.well("GET /api/v1/jobs/{job}", &[LGPS], "").await.json();
    assert_eq!((job["next-times"].as_array().unwrap().len(), job["runs"]["zone"].as_str()), (10, Some("Europe/London")), "{job}");
    asker.well("POST /api/v1/jobs/{job}/pause", &[LGPS], r#"{"reason": "a holiday"}"#).await;
    asker.well("POST /api/v1/jobs/{job}/resume", &[LGPS], "").await;
    asker.well("POST /api/v1/jobs/{job}/backfills", &[LGPS], r#"{"from": "2026-11-01", "to": "2026-11-02"}"#).await;
    let cancelled = asker.well("POST /api/v1/jobs/{job}/runs", &[LGPS], r#"{"dry-run": true}"#).await.json();
    asker.well("POST /api/v1/runs/{run}/cancel", &[cancelled["id"].as_str().unwrap()], r#"{"reason": "a mistake"}"#).await;
    drain(&hub).await;
    let run = asker.well("POST /api/v1/jobs/{job}/runs", &[LGPS], "").await.json()["id"].as_str().unwrap().to_owned();
    let run = run.as_str();
    drain(&hub).await;
    asker.well("POST /api/v1/runs/{run}/retry", &[run], r#"{"reason": "once more"}"#).await;
    drain(&hub).await;
    let released = asker.well("POST /api/v1/runs/{run}/release", &[run], r#"{"reason": "it is known"}"#).await.json();
    assert_eq!(released["id"], run);
    drain(&hub).await;
    assert_eq!(asker.well("GET /api/v1/runs/{run}", &[run], "").await.json()["state"], "closed");
    for list in ["runs", "rejects", "rejects/groups"] {
        asker.well(&format!("GET /api/v1/{list}"), &[], "").await;
    }
    for part in ["events", "log", "deliveries", "exchanges", "notices", "rejects"] {
        asker.well(&format!("GET /api/v1/runs/{{run}}/{part}"), &[run], "").await;
    }
    let files = asker.well("GET /api/v1/runs/{run}/artefacts", &[run], "").await.json();
    assert!(files["items"].as_array().unwrap().len() > 2, "{files}");
    let shown = asker.well("GET /api/v1/runs/{run}/artefacts/{side}/{port}?rows=5", &[run, "inputs", "payroll"], "").await.json();
    assert_eq!((shown["rows"].as_array().unwrap().len(), &shown["more"]), (5, &json!(true)), "{shown}");
    assert!(shown.to_string().contains("••••••"), "{shown}");
    let whole = asker.well("GET /api/v1/runs/{run}/artefacts/{side}/{port}/content", &[run, "outputs", "return"], "").await.text;
    let output = files["items"].as_array().unwrap().iter().find(|file| file["port"] == "return").unwrap();
    assert_eq!(output["digest"], json!(Digest::of(whole.as_bytes()).to_string()));
    let replay = asker.well("POST /api/v1/runs/{run}/replay", &[run], "").await.json();
    drain(&hub).await;
    let same = asker.well("GET /api/v1/runs/{run}/differences", &[replay["id"].as_str().unwrap()], "").await.json();
    assert_eq!((&same["outputs"], &same["totals"]), (&json!([]), &json!([])), "{same}");
    let beside = format!("GET /api/v1/runs/{{run}}/comparison?with={run}");
    assert_eq!(asker.well(&beside, &[replay["id"].as_str().unwrap()], "").await.json()["outputs"], json!([]));
    asker.well("POST /api/v1/runs/{run}/deliveries/{output}/resend", &[run, "return"], r#"{"reason": "it was lost"}"#).await;
    asker.well("POST /api/v1/runs/{run}/rejects/assign", &[run], r#"{"owner": "Ann"}"#).await;
    asker.well("POST /api/v1/runs/{run}/rejects/dismiss", &[run], r#"{"reason": "known", "code": "ni-number-example"}"#).await;
    let file = asker.well("GET /api/v1/runs/{run}/rejects/corrections?input=payroll", &[run], "").await.text;
    asker.well("POST /api/v1/runs/{run}/resubmissions?input=payroll", &[run], file).await;
    drain(&hub).await;
    asker.well("POST /api/v1/rule-sets/{name}/decisions", &["claim-routing"], json!({"case": claim("SP-1", "1.00")}).to_string()).await;
}

async fn plugins(asker: &mut Asker<'_>) {
    let releases = asker.well("GET /api/v1/releases?plugin=lgps-return", &[], "").await.json();
    let release = releases["items"][0]["digest"].as_str().unwrap().to_owned();
    let review = asker.well("GET /api/v1/releases/{release}", &[&release], "").await.json();
    assert!(review["may-do"].as_array().is_some_and(|all| !all.is_empty()), "{review}");
    let component = std::fs::read(plugin_path("lgps-return")).unwrap();
    let (body, kind) = form(&[("component", &component)]);
    let request = asked("POST", "/api/v1/releases", &asker.token).header("content-type", kind);
    let answer = asker.called.send(request.body(body.into()).unwrap()).await;
    asker.fits("POST /api/v1/releases", &answer);
    assert_eq!((answer.status.as_u16(), &answer.json()["new"]), (200, &json!(false)), "{}", answer.text);
    asker.well.insert("POST /api/v1/releases".to_owned());
    beside::grants(asker, &release, &review).await;
    let review = asker.well("GET /api/v1/releases/{release}", &[&release], "").await.json();
    let approval = json!({"reason": "read", "review": review["review"], "limits": {"log-lines": 9}}).to_string();
    let approved = asker.well("POST /api/v1/releases/{release}/approve", &[&release], approval).await.json();
    assert_eq!(approved["release"]["kept-back"], json!(["Its limit log-lines is at most 9."]), "{approved}");
    asker.well("POST /api/v1/releases/{release}/activate", &[&release], "").await;
    asker.well("POST /api/v1/releases/{release}/trials", &[&release], r#"{"runs": 1}"#).await;
    drain(&asker.called.hub).await;
    let other = changed_component();
    let (body, kind) = form(&[("component", &other)]);
    let request = asked("POST", "/api/v1/releases", &asker.token).header("content-type", kind);
    let pushed = asker.called.send(request.body(body.into()).unwrap()).await;
    assert_eq!((pushed.status.as_u16(), &pushed.json()["new"]), (201, &json!(true)), "{}", pushed.text);
    assert_eq!(pushed.json()["jobs-that-do-not-fit"], json!([]));
    let second = pushed.json()["digest"].as_str().unwrap().to_owned();
    beside::stands(asker, &release, &second).await;
    asker.well("POST /api/v1/releases/{release}/activate", &[&second], "").await;
    let back = asker.well("POST /api/v1/plugins/{plugin}/roll-back", &["claim-routing"], "").await.json();
    assert_ne!(back["release"]["digest"], json!(second));
    asker.well("POST /api/v1/releases/{release}/refuse", &[&second], r#"{"reason": "not wanted"}"#).await;
    asker.well("POST /api/v1/releases/{release}/retire", &[&second], r#"{"reason": "nobody wants it"}"#).await;
    let pair = bailiwick::registry::signature::new_pair(None).unwrap();
    let key = json!({"owner": "Ann", "public-key": pair.public}).to_string();
    let key = asker.well("POST /api/v1/keys", &[], key).await.json()["key"].as_str().unwrap().to_owned();
    asker.well("GET /api/v1/keys", &[], "").await;
    asker.well("GET /api/v1/keys/{key}", &[&key], "").await;
    asker.well("POST /api/v1/keys/{key}/revoke", &[&key], r#"{"reason": "a laptop was lost"}"#).await;
    let tables = asker.well("GET /api/v1/tables", &[], "").await.json();
    let first = &tables["items"][0];
    let names = [first["table"].as_str().unwrap(), first["version"].as_str().unwrap()];
    let rows = asker.well("GET /api/v1/tables/{table}/{version}", &names, "").await.text;
    assert_eq!(json!(Digest::of(rows.as_bytes()).to_string()), first["digest"], "the rows are told as they were declared");
}

async fn outside_and_house(asker: &mut Asker<'_>) {
    let connections = asker.well("GET /api/v1/connections", &[], "").await.json();
    let name = connections["items"][0]["name"].as_str().unwrap().to_owned();
    assert_eq!(asker.well("GET /api/v1/connections/{name}", &[&name], "").await.json()["name"], json!(name));
    assert_eq!(asker.well("POST /api/v1/connections/{name}/check", &[&name], "").await.json()["works"], true);
    let set = asker.well("PUT /api/v1/secrets/{name}", &["bank"], r#"{"value": "opensesame"}"#).await;
    assert!(set.status == 201 && !set.text.contains("opensesame"), "{}", set.text);
    asker.well("GET /api/v1/secrets", &[], "").await;
    asker.well("GET /api/v1/secrets/{name}", &["bank"], "").await;
    asker.well("DELETE /api/v1/secrets/{name}", &["bank"], "").await;
    asker.well("PUT /api/v1/secrets/{name}", &["webhook-key"], r#"{"value": "opensesame"}"#).await;
    asker.well("GET /api/v1/webhooks", &[], "").await;
    assert_eq!(asker.well("GET /api/v1/webhooks/{name}", &["desk"], "").await.json()["url"], json!(RECEIVER));
    let tried = asker.well("POST /api/v1/webhooks/{name}/test", &["desk"], "").await.json();
    assert_eq!((&tried["taken"], tried["why"].is_string()), (&json!(false), true), "no address of the hub's own network is tried: {tried}");
    let told = asker.well("GET /api/v1/webhooks/{name}/deliveries?event=run.held", &["desk"], "").await.json();
    assert!(told["items"].as_array().is_some_and(|items| items.iter().all(|item| item["state"] == "waits") && !items.is_empty()), "{told}");
    let trail = asker.well("GET /api/v1/audit?action=run.&limit=5", &[], "").await.json();
    assert!(trail["items"].as_array().unwrap().iter().all(|act| act["action"].as_str().unwrap().starts_with("run.")), "{trail}");
    assert_eq!(asker.well("GET /api/v1/audit/verification", &[], "").await.json()["fits"], true);
    let pauses = asker.well("GET /api/v1/audit?subject=job:lgps-monthly-return&from=2026-11-18T00:00:00Z", &[], "").await.json();
    assert!(pauses["items"].as_array().unwrap().iter().any(|act| act["action"] == "job.pause"), "{pauses}");
    assert_eq!(asker.well("GET /api/v1/audit?to=2026-11-18T00:00:00Z", &[], "").await.json()["items"], json!([]));
    asker.called.hub.tick().await.unwrap();
    let hubs = asker.well("GET /api/v1/hubs", &[], "").await.json();
    assert_eq!((&hubs["items"][0]["name"], &hubs["items"][0]["at-work"]), (&json!("main"), &json!(true)), "{hubs}");
    assert_eq!(asker.well("POST /api/v1/retention/apply", &[], "").await.json()["more"], false);
    let files = asker.well("GET /api/v1/configuration", &[], "").await.json();
    let planned = asker.well("POST /api/v1/configuration/plan", &[], files.to_string()).await.json();
    assert_eq!(planned["lines"], json!([]), "what is in force is no change");
    let body = json!({"files": files["files"], "plan": planned["plan"]});
    asker.well("POST /api/v1/configuration/apply", &[], body.to_string()).await;
    assert!(asker.well("GET /api/v1/hub", &[], "").await.json()["runs"]["closed"].as_u64().is_some_and(|closed| closed > 0));
    let made = asker.well("POST /api/v1/tokens", &[], r#"{"name": "nightly", "scopes": ["read"]}"#).await.json();
    assert!(made["value"].as_str().is_some_and(|value| value.starts_with("bwk_")) && made["token"]["valid"] == true, "{made}");
    let listed = asker.well("GET /api/v1/tokens", &[], "").await.text;
    assert!(!listed.contains("bwk_"), "{listed}");
    asker.well("GET /api/v1/tokens/{name}", &["nightly"], "").await;
    asker.well("DELETE /api/v1/tokens/{name}", &["nightly"], "").await;
    let hub = &asker.called.hub;
    let name = bailiwick::model::ids::PersonName::typed("a.example").unwrap();
    let new = NewPerson { name, display_name: "Ann Example".to_owned(), email: None, password: None, hub_operator: false };
    hub.ledger().add_person(&new, &operator(hub)).await.unwrap();
    asker.well("PUT /api/v1/people/{person}/roles/{role}", &["a.example", "viewer"], "").await;
    let people = asker.well("GET /api/v1/people", &[], "").await.json();
    assert_eq!((&people["items"][0]["name"], &people["items"][0]["roles"]), (&json!("a.example"), &json!(["viewer"])), "{people}");
    asker.well("DELETE /api/v1/people/{person}/roles/{role}", &["a.example", "viewer"], "").await;
    for part in ["limits", "partner", "retention"] {
        asker.well(&format!("GET /api/v1/{part}"), &[], "").await;
    }
}

/// Claim routing with another version in its manifest: another release that does the same.
fn changed_component() -> Vec<u8> {
    let (from, to) = (&b"version = \\\"1.0.0\\\""[..], &b"version = \\\"1.0.1\\\""[..]);
    let mut bytes = std::fs::read(plugin_path("claim-routing")).unwrap();
    let places: Vec<usize> = bytes.windows(from.len()).enumerate().filter(|(_, window)| *window == from).map(|(at, _)| at).collect();
    assert!(!places.is_empty(), "the manifest has its version");
    places.iter().for_each(|at| bytes[*at..*at + to.len()].copy_from_slice(to));
    bytes
}

/// Each route asked for what is not there, without a reason, or with what it does not know; and the rest by a token that may nothing.
async fn badly(asker: &mut Asker<'_>) {
    let none = RunId::at(1).to_string();
    let absent: BTreeMap<&str, &str> = [
        ("job", "no-such-job"),
        ("run", none.as_str()),
        ("output", "return"),
        ("name", "no-such-name"),
        ("release", "ffffffffffff"),
        ("plugin", "no-such-plugin"),
        ("key", "0000000000000000"),
        ("table", "no-such-table"),
        ("version", "1"),
        ("person", "no-such-person"),
        ("role", "no-such-role"),
        ("side", "inputs"),
        ("port", "payroll"),
    ]
    .into();
    let bodies: BTreeMap<&str, &str> = [
        ("backfills", r#"{"from": "2026-11-01", "to": "2026-11-02"}"#),
        ("assign", r#"{"owner": "Ann"}"#),
        ("settle", r#"{"reason": "why", "arrived": true}"#),
        ("decisions", r#"{"case": {}}"#),
        ("runs", ""),
        ("approve", r#"{"reason": "why", "review": "0"}"#),
        ("trials", ""),
        ("resume", ""),
        ("replay", ""),
        ("activate", ""),
        ("parallel", ""),
        ("canary", r#"{"share": 10}"#),
        ("explanations", r#"{"difference": "rejects", "reason": "why"}"#),
        ("roll-back", ""),
        ("check", ""),
        ("resubmissions", "x"),
    ]
    .into();
    let nobody = new_token(asker.called, "nothing", &[]).await;
    for route in operations(&asker.document) {
        if NEVER_BAD.contains(&route.as_str()) {
            continue;
        }
        let names: Vec<&str> =
            route.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(|name| absent[name]).collect();
        if names.is_empty() || route.starts_with("PUT /api/v1/secrets") {
            let own = std::mem::replace(&mut asker.token, if route == "GET /api/v1/partner" { "bwk_0".to_owned() } else { nobody.clone() });
            let body = match route.as_str() {
                "POST /api/v1/tokens" => r#"{"name": "x"}"#,
                "POST /api/v1/configuration/plan" => r#"{"files": {}}"#,
                "POST /api/v1/configuration/apply" => r#"{"files": {}, "plan": "x"}"#,
                "POST /api/v1/keys" => r#"{"owner": "A", "public-key": "x"}"#,
                _ => r#"{"value": "x"}"#,
            };
            let code = if route == "GET /api/v1/partner" { "token-refused" } else { "scope-missing" };
            asker.badly(&route, &names, (body, code)).await;
            asker.token = own;
        } else {
            let last = route.rsplit('/').next().unwrap_or_default();
            let body = bodies.get(last).copied().unwrap_or(if route.starts_with("POST ") { r#"{"reason": "why"}"# } else { "" });
            let code = if last == "decisions" { "no-such-rule-set" } else { "not-found" };
            let route = if last == "comparison" { format!("{route}?with={none}") } else { route };
            asker.badly(&route, &names, (body, code)).await;
        }
    }
    let reasonless = asker.ask("POST /api/v1/runs/{run}/cancel", &[&none], "").await;
    reasonless.is_problem(400, "reason-missing");
    let ages = r#"{"from": "0001-01-01", "to": "2026-11-02"}"#;
    asker.ask("POST /api/v1/jobs/{job}/backfills", &[LGPS], ages).await.is_problem(409, "not-backfilled");
}
