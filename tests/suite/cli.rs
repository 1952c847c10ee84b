//! The program as a person meets it: its words, its exit status, and that an error says what to do.

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::support::*;

/// A site on which the example is in force and one job has run.
fn ran(job: &str) -> (Site, String) {
    let site = Site::staffordshire();
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    let run = say(&site, &["run", job, "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    let id = run.json()["id"].as_str().unwrap().to_owned();
    (site, id)
}

#[track_caller]
fn refused(said: &Said, words: &[&str]) {
    assert_eq!(said.code, Some(1), "{} {}", said.out, said.err);
    assert!(said.err.starts_with("error: ") && !said.err.contains("panicked"), "{}", said.err);
    for word in words {
        assert!(said.err.contains(word), "{word:?} in {:?}", said.err);
    }
}

#[test]
fn every_command_has_help_in_whole_sentences() {
    let mut command = bailiwick::cli::command();
    command.build();
    let mut commands = vec![(vec![], command)];
    while let Some((path, command)) = commands.pop() {
        let told = path.join(" ");
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.len() >= 10 || command.is_hide_set(), "{told:?} says nothing of itself");
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            assert!(argument.get_help().is_some(), "{told} {} says nothing of itself", argument.get_id());
        }
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            commands.push(([path.clone(), vec![inner.get_name().to_owned()]].concat(), inner.clone()));
        }
    }
    let site = Site::bare();
    let help = say(&site, &["--help"]);
    assert_eq!(help.code, Some(0));
    for word in
        ["serve", "demo", "apply", "plan", "run", "jobs", "runs", "show", "rejects", "decide", "audit", "connection", "secret", "plugin"]
    {
        assert!(help.out.contains(&format!("  {word} ")), "{word}: {}", help.out);
    }
    assert!(!help.out.contains("compile-component"), "what the hub calls itself is no command for people");
    assert!(say(&site, &["--version"]).out.starts_with("bailiwick "));
    assert_eq!(say(&site, &["no-such-command"]).code, Some(2));
}

#[test]
fn commands_answer_programs_as_the_readme_says() {
    let readme = include_str!("../../README.md");
    let (_, named) = readme.split_once("For programs there is `--json`: ").expect("the README says it");
    let named: Vec<&str> = named.split_once(" have it.").expect("a sentence").0.split('`').skip(1).step_by(2).collect();
    assert!(named.len() > 8, "{named:?}");
    for path in named {
        let found = path.split(' ').try_fold(bailiwick::cli::command(), |command, name| command.find_subcommand(name).cloned());
        let command = found.unwrap_or_else(|| panic!("there is no command {path}"));
        assert!(command.get_arguments().any(|argument| argument.get_id() == "json"), "{path} has no --json");
    }
}

#[test]
fn a_run_is_shown_to_people_and_to_programs() {
    let (site, run) = ran(LGPS);
    let jobs = say(&site, &["jobs"]);
    for word in ["lgps-monthly-return", "closed", "claim-routing", "never"] {
        assert!(jobs.out.contains(word), "{word:?} in {}", jobs.out);
    }
    assert_eq!(say(&site, &["jobs", "--json"]).json().as_array().unwrap().len(), 4);
    let runs = say(&site, &["runs", "--json"]).json();
    assert_eq!((&runs[0]["id"], &runs[0]["rows"]["rejected"]), (&run.clone().into(), &27.into()));
    assert_eq!(say(&site, &["runs", "--state", "failed", "--json"]).json(), serde_json::json!([]));
    assert!(say(&site, &["runs", "--state", "failed"]).out.contains("no runs"));
    let shown = say(&site, &["show", &run]);
    for word in ["1,501", "27", "£3,412,883.70", "balances", "delivered", "pension-fund/ctr1-", "lgps-bands 2026-27"] {
        assert!(shown.out.contains(word), "{word:?} in {}", shown.out);
    }
    // The beginning of an id is enough.
    let json = say(&site, &["show", &run[..20], "--json"]).json();
    assert_eq!((&json["id"], json["deliveries"].as_array().unwrap().len()), (&run.clone().into(), 2));
    let rejects = say(&site, &["rejects", &run]);
    for word in ["line 444", "date-not-in-calendar", "ni-number-example", "27 rejects shown"] {
        assert!(rejects.out.contains(word), "{word:?} in {}", rejects.out);
    }
    assert!(say(&site, &["rejects", &run, "--warnings"]).out.contains("leaver-undeclared"));
    assert_eq!(say(&site, &["rejects", &run, "--json", "--limit", "3"]).json().as_array().unwrap().len(), 3);
    let again = say(&site, &["run", LGPS]);
    assert!(again.code == Some(0) && again.out.contains("skipped") && again.out.contains("no new file"), "{}", again.out);
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_id_however_old() {
    let site = Site::staffordshire();
    let oldest = wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        let oldest = request(&hub, POLICE, LGPS).await;
        hub.clock().advance(jiff::SignedDuration::from_secs(1));
        for _ in 0..1_000 {
            request(&hub, POLICE, "claim-routing").await;
        }
        oldest.to_string()
    });
    let shown = say(&site, &["show", &oldest[..28], "--json"]);
    assert_eq!(shown.json()["id"], oldest.as_str(), "{}", shown.err);
    refused(&say(&site, &["show", "01"]), &["more than one run begins with 01"]);
    refused(&say(&site, &["show", "no-such"]), &["no run begins with no-such"]);
}

#[test]
fn every_reject_can_be_listed() {
    let site = Site::staffordshire();
    let cases: String = (0..2_345).map(|number| format!("{{\"reference\":\"SP-{number}\"}}\n")).collect();
    site.write("data/claims/claims-2026.jsonl", cases);
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    let run = say(&site, &["run", "claim-routing", "--json"]);
    let id = run.json()["id"].as_str().unwrap().to_owned();
    for (limit, listed) in [("999", 999), ("1001", 1_001), ("2000", 2_000), ("2345", 2_345), ("5000", 2_345)] {
        let rejects = say(&site, &["rejects", &id, "--json", "--limit", limit]).json();
        let lines: Vec<u64> = rejects.as_array().unwrap().iter().map(|reject| reject["line"].as_u64().unwrap()).collect();
        assert!(lines.iter().copied().eq(1..=listed), "--limit {limit}: {} lines", lines.len());
        let told = say(&site, &["rejects", &id, "--limit", limit]).out;
        assert_eq!(told.contains("more with --limit"), listed < 2_345, "--limit {limit}");
    }
}

#[test]
fn a_failed_run_is_an_exit_status_and_a_reason() {
    let site = Site::staffordshire();
    std::fs::remove_dir_all(site.path("out/pension-fund")).unwrap();
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    let run = say(&site, &["run", LGPS]);
    assert_eq!(run.code, Some(1), "{}", run.out);
    for word in ["failed", "connection-failed", "out/pension-fund", "Create it"] {
        assert!(run.out.contains(word), "{word:?} in {}", run.out);
    }
}

#[test]
fn a_name_from_a_sender_does_not_steer_the_terminal() {
    let site = Site::staffordshire();
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    std::fs::remove_file(site.path("data/payroll/payroll-2026-10.csv")).unwrap();
    site.write("data/payroll/payroll-\x1b[2J\u{202e}vsc.csv", "x");
    let run = say(&site, &["run", LGPS]);
    assert!(run.code == Some(1) && run.out.contains("payroll-\\u001b[2J\\u202evsc.csv") && run.out.contains("rename it"), "{}", run.out);
    let said = format!("{}{}", run.out, say(&site, &["runs", "--json"]).out);
    assert!(!said.contains(['\x1b', '\u{202e}']), "{said:?}");
}

#[test]
fn the_hubs_folder_is_its_users_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::bare();
    site.write("partners.toml", "[[partner]]\nname = \"fire\"\ntitle = \"Fire\"\n");
    let plan = say(&site, &["plan", "."]);
    assert_eq!(plan.code, Some(0), "{}", plan.err);
    let mode = || std::fs::metadata(site.data()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o700);
    // A folder that somebody opened on purpose stays open, and the hub says so.
    std::fs::set_permissions(site.data(), std::fs::Permissions::from_mode(0o750)).unwrap();
    let warned = Said::from(bailiwick(&site, &["jobs"]).env("BAILIWICK_LOG", "warn").output().unwrap());
    assert!(warned.code == Some(0) && warned.err.contains("mode 750") && warned.err.contains("chmod 700"), "{}", warned.err);
    assert_eq!(mode(), 0o750);
}

#[test]
fn a_case_is_decided_from_a_file() {
    let site = Site::staffordshire();
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    let claim =
        r#"{"reference": "SP-1", "class": "property", "loss": "138500.00", "received_date": "2026-10-04", "accident_date": "2026-10-01"}"#;
    site.write("claim.json", claim);
    site.write("two.json", format!("[{claim}, {{\"reference\": \"SP-2\"}}]"));
    site.write("broken.json", "{");
    let one = say(&site, &["decide", "claim-routing", "--case", "claim.json"]);
    assert!(one.code == Some(0) && one.out.contains("insurer_share: £38,500.00"), "{} {}", one.out, one.err);
    let json = say(&site, &["decide", "claim-routing", "--case", "claim.json", "--json"]).json();
    assert_eq!(json["figures"]["fund_share"], "100000.00");
    let two = say(&site, &["decide", "claim-routing", "--case", "two.json"]);
    assert!(two.code == Some(1) && two.out.contains("£38,500.00") && two.out.contains("not decided: the case does not fit"), "{}", two.out);
    refused(&say(&site, &["decide", "claim-routing", "--case", "broken.json"]), &["broken.json is not JSON"]);
    refused(&say(&site, &["decide", "claim-routing", "--case", "missing.json"]), &["missing.json cannot be read"]);
    refused(&say(&site, &["decide", "no-such-rules", "--case", "claim.json"]), &["no-such-rules", "bailiwick apply"]);
}

#[test]
fn a_wrong_key_is_shown_on_its_line_and_nothing_is_applied() {
    let site = Site::staffordshire();
    let file = format!("jobs/{LGPS}.toml");
    site.edit(&file, "zone = \"Europe/London\"", "zone = \"Europe/London\"\nattempts_max = 3");
    let line = String::from_utf8(site.read(&file)).unwrap().lines().position(|line| line.starts_with("attempts_max")).unwrap() + 1;
    for command in ["plan", "apply"] {
        let said = say(&site, &[command, "."]);
        refused(&said, &["attempts_max", &file, &format!(":{line}:")]);
    }
    assert!(say(&site, &["jobs"]).out.contains("no jobs"), "nothing is in force");
    // Several faults in several files are told at once.
    site.edit("connections.toml", "kind = \"folder\"\npath = \"data/payroll\"", "kind = \"carrier-pigeon\"\npath = \"data/payroll\"");
    refused(&say(&site, &["plan", "."]), &["attempts_max", "carrier-pigeon"]);
}

#[test]
fn a_plan_changes_nothing_and_an_apply_does_it_once() {
    let site = Site::staffordshire();
    let plan = say(&site, &["plan", "."]);
    assert!(plan.code == Some(0) && plan.out.contains("lgps-monthly-return") && plan.out.contains("things would change"), "{}", plan.out);
    assert!(say(&site, &["jobs"]).out.contains("no jobs"));
    let applied = say(&site, &["apply", "."]);
    assert!(applied.out.contains("things applied") && applied.out.matches("shown this once: bwk_").count() == 2, "{}", applied.out);
    let again = say(&site, &["apply", "."]);
    assert!(again.out.contains("nothing to change") && !again.out.contains("bwk_"), "{}", again.out);
    site.edit(&format!("jobs/{LGPS}.toml"), "rows-max = 100", "rows-max = 99");
    let plan = say(&site, &["plan", "."]);
    assert!(plan.out.contains("job lgps-monthly-return changed") && plan.out.contains("1 thing would change"), "{}", plan.out);
    assert!(say(&site, &["apply", "."]).out.contains("job lgps-monthly-return changed"));
}

#[test]
fn tampering_with_the_audit_trail_is_found() {
    let (site, _) = ran("claim-routing");
    let sound = say(&site, &["audit", "verify"]);
    assert!(sound.code == Some(0) && sound.out.contains("entries fit"), "{}", sound.out);
    let exported = say(&site, &["audit", "export"]);
    let entries: Vec<serde_json::Value> = exported.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(entries.iter().enumerate().all(|(place, entry)| entry["seq"] == place as u64 + 1), "{}", exported.out);
    let last = entries.last().unwrap();
    assert_eq!((&last["action"], sound.out.contains(last["hash"].as_str().unwrap())), (&"run.close".into(), true), "{}", sound.out);
    assert_eq!(say(&site, &["audit"]).code, Some(2), "it says whether it checks or writes");
    wait(async {
        let options = SqliteConnectOptions::new().filename(site.data().join("ledger.sqlite"));
        let mut ledger = SqliteConnection::connect_with(&options).await.unwrap();
        let forged = sqlx::query("UPDATE audit SET actor = 'person:somebody-else' WHERE seq = 3");
        assert!(forged.execute(&mut ledger).await.is_err(), "the trail itself refuses");
        sqlx::query("DROP TRIGGER audit_is_not_changed").execute(&mut ledger).await.unwrap();
        sqlx::query("UPDATE audit SET actor = 'person:somebody-else' WHERE seq = 3").execute(&mut ledger).await.unwrap();
        ledger.close().await.unwrap();
    });
    let found = say(&site, &["audit", "verify"]);
    assert_eq!(found.code, Some(1));
    assert!(found.out.contains("tampered with: audit entry 3") && found.out.contains("the 2 entries before it fit"), "{}", found.out);
}

#[test]
fn an_error_says_what_to_do() {
    let site = Site::staffordshire();
    for command in [
        &["run", LGPS] as &[&str],
        &["jobs"],
        &["release", "0123", "--why", "x"],
        &["retry", "0123", "--why", "x"],
        &["cancel", "0123", "--why", "x"],
        &["replay", "0123"],
        &["backfill", LGPS, "--from", "2026-09-01", "--to", "2026-09-30"],
    ] {
        refused(&say(&site, command), &["there is no hub in", "--data", "bailiwick apply"]);
        assert!(!site.data().join("ledger.sqlite").exists(), "{command:?} makes no hub of a folder that was mistyped");
    }
    assert_eq!(say(&site, &["plan", "."]).code, Some(0));
    refused(&say(&site, &["run", LGPS]), &["there is no job lgps-monthly-return", "bailiwick apply"]);
    refused(&say(&site, &["show", "0123"]), &["no run begins with 0123", "bailiwick runs"]);
    refused(&say(&site, &["apply", "no-such-folder"]), &["no-such-folder"]);
    site.edit("plugins.toml", "lgps-return.wasm", "no-such.wasm");
    refused(&say(&site, &["apply", "."]), &["no-such.wasm", "bailiwick plugin build"]);
    site.edit("plugins.toml", "no-such.wasm", "claim-routing.wasm");
    refused(&say(&site, &["apply", "."]), &["is plugin claim-routing, and plugins.toml says lgps-return"]);
    assert!(say(&site, &["jobs"]).out.contains("no jobs"), "nothing of it is in force");
    refused(&say(&site, &["plugin", "build", "data"]), &["plugin.toml"]);
    assert_eq!(say(&site, &["runs", "--state", "odd"]).code, Some(2));
}

#[test]
fn a_person_steers_runs_and_jobs_and_gives_a_reason() {
    let site = Site::staffordshire();
    site.edit(&format!("jobs/{LGPS}.toml"), "rows-max = 100", "rows-max = 26");
    assert_eq!(say(&site, &["apply", "."]).code, Some(0));
    let held = say(&site, &["run", LGPS, "--json"]);
    assert_eq!((held.code, &held.json()["state"]), (Some(1), &"held".into()));
    let run = held.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(say(&site, &["release", &run]).code, Some(2), "a release needs a reason");
    let again = say(&site, &["retry", &run, "--why", "hope"]);
    assert!(again.code == Some(1) && again.out.contains("too-many-rejects"), "{}", again.out);
    assert_eq!(site.delivered(), []);
    let released = say(&site, &["release", &run, "--why", "the 27 are known"]);
    assert!(released.code == Some(0) && released.out.contains("delivered"), "{} {}", released.out, released.err);
    assert_eq!(site.delivered().len(), 2);
    refused(&say(&site, &["cancel", &run, "--why", "too late"]), &["is closed"]);
    assert!(say(&site, &["pause", LGPS, "--why", "new payroll system"]).out.contains("is paused"));
    assert_eq!(say(&site, &["jobs", "--json"]).json().as_array().unwrap().iter().filter(|job| job["paused"] == true).count(), 1);
    assert!(say(&site, &["resume", LGPS]).out.contains("goes on"));
    refused(&say(&site, &["pause", "no-such-job", "--why", "a slip"]), &["there is no job no-such-job"]);
}

#[test]
fn a_run_that_is_late_is_said_to_be_overdue() {
    let site = Site::staffordshire();
    site.edit(&format!("jobs/{LGPS}.toml"), "[rejects]", "[queue]\noverdue-minutes = 5\n\n[rejects]");
    let run = wait(async {
        let hub = site.hub(&clock_at("2026-11-18T09:00:00Z")).await;
        let run = request(&hub, POLICE, LGPS).await;
        hub.clock().advance(jiff::SignedDuration::from_mins(6));
        hub.tick().await.unwrap();
        hub.ledger().close().await;
        run.to_string()
    });
    assert!(say(&site, &["runs"]).out.contains("queued overdue"), "{}", say(&site, &["runs"]).out);
    assert!(say(&site, &["show", &run]).out.contains("overdue it should have been done by 2026-11-18T09:05:00Z"));
    let json = say(&site, &["show", &run, "--json"]).json();
    assert_eq!((&json["overdue"], &json["due-by"]), (&true.into(), &"2026-11-18T09:05:00Z".into()));
}
