//! Plugins that break, through the whole hub: their run ends with a reason that names what happened, and no other run notices.

use std::sync::OnceLock;

use bailiwick::ledger::{Run, RunEvent, RunState, Scope};
use bailiwick::run::Hub;

use crate::support::*;

const MANIFEST: &str = r#"
name = "hostile"
version = "1.0.0"
kind = "adapter"
contract = "0.1.0"
title = "Hostile"
about = "Does as its settings say."

[wants]
log = true
clock = true
random = true
state = true
lookup = ["rates"]

[settings]
schema = "settings.schema.json"

[rows]
independent = true

[[inputs]]
name = "lines"
columns = COLUMNS

[[inputs]]
name = "extra"
optional = true
columns = COLUMNS

[[outputs]]
name = "passed"
columns = COLUMNS

[[balance]]
name = "what comes in goes out"
holds = "sum(lines.pay) + sum(extra.pay) = sum(passed.pay)"
"#;

const COLUMNS: &str = r#"[
  { name = "number", type = "integer" },
  { name = "pay", type = "money", required = false },
  { name = "joined", type = "date", required = false },
  { name = "name", type = "text", required = false },
  { name = "casual", type = "boolean", required = false },
]"#;

pub(super) const LINES: &str = "number,pay,joined,name,casual\n1,100.00,2026-01-01,A,true\n2,23.45,,B,\n";

/// An adapter with two inputs and an output that does as its setting `misbehave` says.
pub(super) fn misbehaving() -> &'static [u8] {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    COMPONENT.get_or_init(|| hostile_component(&MANIFEST.replace("COLUMNS", COLUMNS)))
}

/// A site of two partners with the same plugin: one whose job misbehaves as told, one whose job is in order.
pub(crate) fn site(misbehave: &str, limits: &str) -> Site {
    let component = misbehaving();
    let site = Site::bare();
    site.write("hostile.wasm", component);
    let (mut partners, mut plugins, mut connections) = (String::new(), String::new(), String::new());
    for (partner, misbehave, limits) in [("restless", misbehave, limits), ("quiet", "", "")] {
        partners += &format!("[[partner]]\nname = \"{partner}\"\ntitle = \"{partner}\"\n");
        plugins += &format!("[[plugin]]\npartner = \"{partner}\"\nname = \"hostile\"\ncomponent = \"hostile.wasm\"\n");
        for folder in ["in", "out"] {
            std::fs::create_dir_all(site.path(&format!("{folder}/{partner}"))).unwrap();
            connections += &format!(
                "[[connection]]\npartner = \"{partner}\"\nname = \"{folder}\"\nkind = \"folder\"\npath = \"{folder}/{partner}\"\nsettle-ms = 0\n"
            );
        }
        let format = "format = { kind = \"csv\", encoding = \"utf-8\", dates = \"iso\" }";
        let port = |kind: &str, port: &str, rest: &str| format!("[[{kind}]]\nport = \"{port}\"\n{rest}\n{format}\n");
        let job = format!(
            "partner = \"{partner}\"\nname = \"{partner}-job\"\ntitle = \"Job\"\nplugin = \"hostile\"\nzone = \"Europe/London\"\n{}{}{}\
             [settings]\nmisbehave = \"{misbehave}\"\n[limits]\n{limits}\n",
            port("input", "lines", "connection = \"in\"\nfile = \"lines-*.csv\"\ntake = \"next\""),
            port("input", "extra", "connection = \"in\"\nfile = \"extra-*.csv\"\ntake = \"latest\""),
            port("output", "passed", "connection = \"out\"\nfile = \"passed-{date}.csv\""),
        );
        site.write(&format!("jobs/{partner}.toml"), job);
        site.write(&format!("in/{partner}/lines-1.csv"), LINES);
    }
    site.write("partners.toml", partners);
    site.write("plugins.toml", plugins);
    site.write("connections.toml", connections);
    site
}

/// Runs both jobs at the same time; answers the run that misbehaves, after looking at the other.
pub(crate) async fn both(site: &Site, hub: &Hub) -> Run {
    let restless = request(hub, "restless", "restless-job").await;
    let quiet = request(hub, "quiet", "quiet-job").await;
    let (one, other) = tokio::join!(hub.work_once(), hub.work_once());
    assert!(one.unwrap().is_some() && other.unwrap().is_some());
    drain(hub).await;
    let quiet = ended(hub, quiet).await;
    assert_eq!((quiet.state, quiet.rows.accepted), (RunState::Closed, 2), "{:?}", quiet.reason);
    assert_eq!(site.names("out/quiet").len(), 1);
    ended(hub, restless).await
}

/// Runs the restless job once more on a new file, told to misbehave in another way and under other limits.
pub(crate) async fn again(site: &Site, hub: &Hub, misbehave: &str, limits: &str) -> Run {
    let job = String::from_utf8(site.read("jobs/restless.toml")).unwrap();
    let (ports, _) = job.split_once("[settings]").unwrap();
    site.write("jobs/restless.toml", format!("{ports}[settings]\nmisbehave = \"{misbehave}\"\n[limits]\n{limits}\n"));
    site.apply(hub).await;
    let number = site.names("in/restless").len() + 1;
    site.write(&format!("in/restless/lines-{number}.csv"), format!("{LINES}{number},1.00,,,\n"));
    finished(hub, "restless", "restless-job").await
}

fn deadly(misbehave: &str, limits: &str, (code, told): (&str, &[&str])) {
    let site = site(misbehave, limits);
    wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        let run = both(&site, &hub).await;
        let (found, sentence) = reason(&run);
        assert_eq!((run.state, found), (RunState::Failed, code), "{misbehave}: {sentence}");
        for word in told {
            assert!(sentence.contains(word), "{misbehave}: {word:?} in {sentence:?}");
        }
        assert_eq!((run.claimable_at_ms, run.attempt), (None, 1), "{misbehave}: another attempt would end the same way");
        assert_eq!(site.names("out/restless"), [""; 0], "{misbehave}");
    });
}

#[test]
fn a_plugin_that_takes_too_much_dies_of_its_limit_alone() {
    deadly("endless-loop", "cpu-ms = 200", ("cpu-ms", &["hostile", "cpu-ms", "200"]));
    deadly("endless-loop", "wall-ms = 300\ncpu-ms = 60000", ("wall-ms", &["hostile", "wall-ms", "300"]));
    deadly("memory-by-steps", "memory-bytes = 20971520", ("memory-bytes", &["hostile", "memory-bytes", "20971520"]));
    deadly("memory-at-once", "", ("memory-bytes", &["hostile", "memory-bytes", "67108864"]));
    deadly("deep-recursion", "", ("stack-bytes", &["hostile", "stack-bytes"]));
    deadly("output-flood", "output-rows = 1000", ("output-rows", &["hostile", "output-rows", "1000"]));
}

/// One of each class of misdeed that is not shown above: code of the reason and words in its sentence.
const OTHERS: &[(&str, &str, &str, &[&str])] = &[
    ("", "table-entries = 1", "table-entries", &["table-entries", "1 allowed"]),
    ("", "instances = 1", "instances", &["instances", "1 allowed"]),
    ("one-large-output", "", "host-call-bytes", &["host-call-bytes", "16777216"]),
    ("ten-million-entries", "", "host-call-bytes", &["host-call-bytes", "16777216"]),
    ("state-flood", "retained-bytes = 10000", "retained-bytes", &["retained-bytes", "10000"]),
    ("handles-flood", "", "handles", &["handles", "64 allowed"]),
    ("random-flood", "random-bytes = 100000", "random-bytes", &["random-bytes", "100000"]),
    ("output-flood", "output-bytes = 50000", "output-bytes", &["output-bytes", "50000"]),
    ("clock-forever", "cpu-ms = 100", "cpu-ms", &["cpu-ms", "100"]),
    ("never-done", "wall-ms = 200", "wall-ms", &["wall-ms", "200"]),
    ("panic-with-large-message", "", "memory-bytes", &["memory-bytes", "67108864"]),
    ("handle-forged", "", "plugin-trapped", &["unknown handle index 7777"]),
    ("reject-twice", "", "plugin-answer-unsound", &["row 0 of lines, which was rejected or skipped before"]),
    ("code-misleading", "", "plugin-answer-unsound", &["\"pay-negative[2J\""]),
    ("failure-misleading", "", "plugin-defect", &["Pay[2J now ([2J)"]),
];

#[test]
fn every_class_of_misdeed_ends_in_the_ledger_with_its_reason() {
    let site = site("", "");
    wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        for (misbehave, limits, code, words) in OTHERS {
            let run = again(&site, &hub, misbehave, limits).await;
            let (found, sentence) = reason(&run);
            assert_eq!((run.state, found), (RunState::Failed, *code), "{misbehave}: {sentence}");
            assert!(words.iter().all(|word| sentence.contains(word)), "{misbehave}: {words:?} in {sentence:?}");
            assert!(!sentence.contains(char::is_control), "{misbehave}: {sentence:?}");
        }
        assert_eq!(site.names("out/restless"), [""; 0], "nothing of theirs was delivered");
        // After all that, a run that is in order, of the same job in the same hub.
        let run = again(&site, &hub, "log-flood", "log-lines = 50").await;
        assert_eq!((run.state, run.rows.accepted), (RunState::Closed, 3), "{:?}", run.reason);
    });
}

#[test]
fn totals_that_lie_are_held_and_nothing_is_delivered() {
    let site = site("", "");
    wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        for (misbehave, left, right) in [("money-invented", "123.45", "123.46"), ("rows-withheld", "124.45", "0.00")] {
            let run = again(&site, &hub, misbehave, "").await;
            let (code, sentence) = reason(&run);
            assert_eq!((run.state, code), (RunState::Held, "totals-do-not-balance"), "{misbehave}: {sentence}");
            assert!(sentence.contains(&format!("{left} on the left")) && sentence.contains(&format!("{right} on the right")), "{sentence}");
        }
        assert_eq!(site.names("out/restless"), [""; 0]);
    });
}

#[test]
fn settings_of_the_wrong_shape_never_reach_the_plugin() {
    let site = site("", "");
    wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        for wrong in ["misbehave = 7", "misbehave = [\"\"]", "unheard-of = \"x\"", "misbehave = { a = 1 }"] {
            let job = String::from_utf8(site.read("jobs/restless.toml")).unwrap();
            site.write("jobs/restless.toml", job.replace("misbehave = \"\"", wrong));
            let refused = hub.apply(&site.config(), &operator(&hub)).await.expect_err(wrong).to_string();
            assert!(refused.contains("restless"), "{wrong}: {refused}");
            site.write("jobs/restless.toml", job);
        }
        site.apply(&hub).await;
        assert_eq!(finished(&hub, "restless", "restless-job").await.state, RunState::Closed);
    });
}

#[test]
fn the_last_notes_of_a_plugin_that_failed_are_kept() {
    let site = site("log-flood", "retained-bytes = 4000");
    wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        let run = both(&site, &hub).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Failed, "retained-bytes"));
        let failed = hub.ledger().events(Scope::Hub, run.id, 0).await.unwrap().pop().unwrap().event;
        let RunEvent::Failed(failed) = failed else { panic!("{failed:?}") };
        let notes: Vec<&str> = failed.log.iter().map(|line| line.message.as_str()).collect();
        let numbers: Vec<u32> = notes.iter().map(|note| note.strip_prefix("note ").unwrap().parse().unwrap()).collect();
        assert!(notes.len() == 20 && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1) && numbers[0] > 0, "{notes:?}");
        assert!(failed.limits.iter().any(|limit| limit.limit == "retained-bytes" && limit.allowed == 4_000));
    });
}

#[test]
fn a_plugin_that_traps_fails_its_own_run() {
    for misbehave in ["trap-in-open", "trap-in-push", "trap-in-end", "trap-in-finish"] {
        deadly(misbehave, "", ("plugin-trapped", &["hostile"]));
    }
    deadly("settings-unusable", "", ("settings-unusable", &["The rate is below zero"]));
}

#[test]
fn findings_that_cannot_be_are_not_believed() {
    for misbehave in ["row-not-given", "row-before-the-first", "no-such-input", "no-reason"] {
        deadly(misbehave, "", ("plugin-answer-unsound", &[]));
    }
}

#[test]
fn a_row_that_is_decided_twice_fails_the_run() {
    // Whichever input is pushed, the guest rejects the first row of the first input: with two inputs, twice.
    let site = site("reject-one", "");
    site.write("in/restless/extra-1.csv", LINES);
    wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        let run = both(&site, &hub).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Failed, "plugin-answer-unsound"));
        assert!(reason(&run).1.contains("row 0 of lines, which was rejected or skipped before"), "{:?}", run.reason);
        assert_eq!(site.names("out/restless"), [""; 0]);
    });
}

#[test]
fn a_plugin_whose_outputs_do_not_add_up_delivers_nothing() {
    let site = site("output-flood", "");
    wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        let run = both(&site, &hub).await;
        let (code, sentence) = reason(&run);
        assert_eq!((run.state, code), (RunState::Held, "totals-do-not-balance"));
        for word in ["what comes in goes out", "123.45 on the left", "123,450.00 on the right"] {
            assert!(sentence.contains(word), "{word:?} in {sentence:?}");
        }
        assert_eq!(site.names("out/restless"), [""; 0]);
    });
}

#[test]
fn the_cases_of_a_rule_set_have_one_time_together() {
    let site = Site::staffordshire();
    site.edit("jobs/claim-routing.toml", "[rejects]", "[limits]\nwall-ms = 100\n\n[rejects]");
    let case = |number: usize| {
        format!(
            "{{\"reference\":\"SP-{number}\",\"class\":\"property\",\"loss\":\"1.00\",\"received_date\":\"2026-10-04\",\"accident_date\":\"2026-10-01\"}}\n"
        )
    };
    site.write("data/claims/claims-2026.jsonl", (0..100_000).map(case).collect::<String>());
    wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        let run = finished(&hub, POLICE, "claim-routing").await;
        let (code, sentence) = reason(&run);
        assert_eq!((run.state, code), (RunState::Failed, "wall-ms"), "{sentence}");
        assert!(sentence.contains("100 allowed"), "{sentence}");
        assert_eq!(site.delivered(), []);
    });
}
