//! The API of a hub that serves, asked by schemathesis what its document allows and what it does not: no 5xx, and no answer that the
//! document does not say.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bailiwick::access::Action;
use bailiwick::ledger::{Actor, By, Database, HubId, Ledger, NewToken, RunFilter};
use bailiwick::model::ids::Digest;

use super::*;

/// Of every operation, in each of its phases: enough to meet each parameter and each field wrong.
const EXAMPLES: &str = "12";

/// The whole of it, in seconds.
const SECONDS_MAX: &str = "110";

/// What is looked at. That everything the document allows has a good end is not: a name that fits its pattern need not be there.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,unsupported_method,ignored_auth";

/// Where schemathesis is, with what else is prepared for tests.
fn schemathesis() -> PathBuf {
    let folder = std::env::var_os("BAILIWICK_ORACLES").map(PathBuf::from);
    let program = folder.map(|folder| folder.join("venv/bin/st")).filter(|program| program.is_file());
    program.expect(
        "BAILIWICK_ORACLES names no folder with schemathesis: run `cargo xtask test`, or tests/oracles/prepare.sh and export the folder it prints",
    )
}

/// The ledger of the hub that serves, as another process sees it.
pub(super) async fn beside(site: &Site) -> (Ledger, By) {
    let ledger = Ledger::open(&Database::Sqlite(site.data().join("ledger.sqlite"))).await.unwrap();
    let now_ms = jiff::Timestamp::now().as_millisecond();
    (ledger, By { actor: Actor::person("operator"), hub: HubId::new("main"), from: None, now_ms, as_of: None })
}

async fn closed(ledger: &Ledger, name: &str) -> RunId {
    let filter = RunFilter { job: Some(job(name)), state: Some(RunState::Closed), ..RunFilter::default() };
    let begun = Instant::now();
    loop {
        if let Some(run) = ledger.runs(Scope::Hub, &filter, 1).await.unwrap().items.first() {
            return run.id;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "{name} does not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn schemathesis_finds_no_answer_that_the_document_does_not_say() {
    let program = schemathesis();
    let site = Site::staffordshire();
    site.write("webhooks.toml", webhook_unreached("desk"));
    let applied = say(&site, &["apply", "."]);
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    let token = "bwk_schemathesis";
    wait(async {
        let (ledger, by) = beside(&site).await;
        let scopes = Action::ALL.iter().map(|scope| scope.name().to_owned()).collect();
        let (name, hash) = ("schemathesis".to_owned(), Digest::of(token.as_bytes()));
        ledger.create_token(&NewToken { partner: partner(POLICE), name, hash, scopes, expires_at_ms: None }, &by).await.unwrap();
        ledger.close().await;
    });
    let mut serving = Serving::told(&site, &["--token-requests", "100000", "--address-requests", "100000"], &[]);
    let start = ureq::post(format!("{}/api/v1/jobs/{LGPS}/runs", serving.address()));
    assert_eq!(start.header("authorization", format!("Bearer {token}")).send_empty().expect("the hub answers").status(), 202);
    let (run, release) = wait(async {
        let (ledger, _) = beside(&site).await;
        let run = closed(&ledger, LGPS).await;
        let release = ledger.run(Scope::Hub, run).await.unwrap().and_then(|run| run.pins).and_then(|pins| pins.release).unwrap();
        ledger.close().await;
        (run, release)
    });
    // 503 is an answer of the document's, and may come on a machine that is busy: the database's turn, or a decision's, did not come in time.
    let known = format!(
        "[checks.not_a_server_error]\nexpected-statuses = [\"2xx\", \"3xx\", \"4xx\", \"503\"]\n[parameters]\n\"path.run\" = \"{run}\"\n\"path.job\" = \"{LGPS}\"\n\"path.release\" = \"{release}\"\n\"path.plugin\" = \"lgps-return\"\n\
         \"path.output\" = \"return\"\n\
         [[operations]]\ninclude-path-regex = \"^/api/v1/webhooks/\"\nparameters = {{ \"path.name\" = \"desk\" }}\n"
    );
    site.write("schemathesis.toml", known);
    let config = site.path("schemathesis.toml");
    let document = format!("{}/api/v1/openapi.json", serving.address());
    let said = Command::new(program)
        .arg("--config-file")
        .arg(config)
        .args(["run", &document, "--checks", CHECKS, "--max-examples", EXAMPLES, "--max-time", SECONDS_MAX])
        .args(["--seed", "1", "--generation-database", "none", "--workers", "2"])
        .args(["--request-timeout", "120", "--no-color", "--output-truncate", "false"])
        .args(["--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--warnings", "off"])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        // A connection that was idle for long is closed by the hub, perhaps at the moment in which it is used again.
        .args(["--header", "Connection: close"])
        .current_dir(site.config())
        .stdin(Stdio::null())
        .output()
        .expect("it starts");
    assert_eq!(serving.terminate(), Some(0), "the hub serves on, and ends as it is told to");
    let text = String::from_utf8_lossy(&said.stdout);
    // Whatever it found stands in here whole: the request, the answer, and what the hub had to say of it.
    let faults: Vec<String> =
        Serving::log(&site).lines().filter(|line| line.contains("ERROR") || line.contains("WARN")).map(ToOwned::to_owned).collect();
    let code = said.status.code();
    assert!(
        said.status.success(),
        "schemathesis ended with {code:?}:\n{text}\n{}\nthe hub:\n{}",
        String::from_utf8_lossy(&said.stderr),
        faults.join("\n")
    );
    assert!(text.contains("passed") || text.contains("generated"), "it did something: {text}");
}
