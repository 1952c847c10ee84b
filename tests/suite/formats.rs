//! Files that a format plugin writes and reads, through the whole hub: supplier payments to a Bacs file, and back.

use bailiwick::ledger::{By, CanaryBounds, CandidateWay, FoundEffect, Pulled, Run, RunEvent, RunState, Scope, TrialOutcome};
use bailiwick::model::limits::Limit;
use bailiwick::model::personal::Sight;
use bailiwick::run::{Hub, Look, Push};

use crate::support::*;

/// Monday; the processing day is the day after.
const MONDAY: &str = "2026-11-23T09:00:00Z";

const FINANCE: &str = "finance";
const PAY: &str = "supplier-payments";
const CHECK: &str = "bank-file-check";

const HEAD: &str = "destination_sort_code,destination_account,payee,reference,amount,due_on\n";
const APPROVED: &str = "089999,66374958,Acme Fleet Ltd,INV 4711,123.45,\n107999,88837491,Bodyshop & Co,Inv 4712,1000.00,2026-11-23\n";

/// A site with a job that writes a Bacs file, and one that reads it.
fn site(approved: &str) -> Site {
    let site = Site::bare();
    for folder in ["in/bank", "out/bank", "out/checked"] {
        std::fs::create_dir_all(site.path(folder)).unwrap();
    }
    site.write("partners.toml", "[[partner]]\nname = \"finance\"\ntitle = \"Finance\"\n");
    let plugin = |name: &str| format!("[[plugin]]\npartner = \"finance\"\nname = \"{name}\"\ncomponent = {:?}\n", plugin_path(name));
    site.write("plugins.toml", plugin("payment-run") + &plugin("bacs-standard-18"));
    let place = |name: &str, path: &str| {
        format!("[[connection]]\npartner = \"finance\"\nname = \"{name}\"\nkind = \"folder\"\npath = \"{path}\"\nsettle-ms = 0\n")
    };
    let places = [("invoices", "in"), ("bank", "out/bank"), ("from-bank", "in/bank"), ("checked", "out/checked")];
    site.write("connections.toml", places.map(|(name, path)| place(name, path)).concat());
    let job = |name: &str, input: &str, output: &str| {
        format!(
            r#"partner = "finance"
name = "{name}"
title = "Supplier payments"
plugin = "payment-run"
zone = "Europe/London"

[settings]
amount-max = "5000.00"
account-watch = "900.00"

[[input]]
port = "approved"
{input}

[[output]]
port = "payments"
{output}
"#
        )
    };
    let csv = "format = { kind = \"csv\", encoding = \"utf-8\", dates = \"iso\" }";
    let bacs = r#"
[KIND.format]
kind = "plugin"
plugin = "bacs-standard-18"

[KIND.format.settings]
service-user-number = "123456"
originator = { sort-code = "202959", account = "63748472", name = "STAFFS PFCC" }
contra-narrative = "PAYMENT RUN 0001""#;
    let from = |connection: &str, file: &str, take: &str, format: &str| {
        format!("connection = \"{connection}\"\nfile = \"{file}\"\ntake = \"{take}\"\n{format}")
    };
    let to = |connection: &str, file: &str, format: &str| format!("connection = \"{connection}\"\nfile = \"{file}\"\n{format}");
    let (bacs_in, bacs_out) = (bacs.replace("KIND", "input"), bacs.replace("KIND", "output"));
    site.write("jobs/pay.toml", job(PAY, &from("invoices", "approved-*.csv", "next", csv), &to("bank", "payments-{run}.txt", &bacs_out)));
    site.write("jobs/check.toml", job(CHECK, &from("from-bank", "*.txt", "next", &bacs_in), &to("checked", "{input}-{run}.csv", csv)));
    site.write("in/approved-1.csv", HEAD.to_owned() + approved);
    site
}

fn golden() -> Vec<u8> {
    std::fs::read(root().join("plugins/bacs-standard-18/cases/golden/file.txt")).unwrap()
}

async fn pulled(hub: &Hub, run: &Run) -> Pulled {
    let events = hub.ledger().events(Scope::Hub, run.id, 0).await.unwrap();
    let mut pulled = events.into_iter().filter_map(|event| if let RunEvent::Pulled(pulled) = event.event { Some(pulled) } else { None });
    pulled.next_back().expect("its inputs were pulled")
}

/// The one file that was delivered to a folder.
fn delivered(site: &Site, folder: &str) -> Vec<u8> {
    let names = site.names(folder);
    assert_eq!(names.len(), 1, "{names:?}");
    site.read(&format!("{folder}/{}", names[0]))
}

#[test]
fn approved_invoices_become_a_bacs_file_byte_for_byte() {
    let site =
        site(&(APPROVED.to_owned() + "089999,66374958,Acme Fleet Ltd,INV 4713,5000.01,\n107999,88837491,Later Ltd,1,1.00,2026-12-01\n"));
    let (run, release) = wait(async {
        let hub = site.hub(&clock_at(MONDAY)).await;
        let run = finished(&hub, FINANCE, PAY).await;
        assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
        assert_eq!((run.rows.read, run.rows.accepted, run.rows.rejected, run.rows.skipped, run.rows.written), (4, 2, 1, 1, 2));
        assert_eq!(String::from_utf8(delivered(&site, "out/bank")).unwrap(), String::from_utf8(golden()).unwrap());

        // The release is pinned with the run, and named in its detail.
        let formats = pulled(&hub, &run).await.formats;
        let active = hub.ledger().active_release(&partner(FINANCE), &"bacs-standard-18".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(formats.len(), 1);
        assert_eq!((formats[0].plugin.as_str(), formats[0].version.as_str()), ("bacs-standard-18", "1.0.0"));
        assert_eq!(formats[0].release, active.release.key.digest);
        let processed = hub.ledger().processed(Scope::Hub, run.id).await.unwrap().unwrap();
        // What the format looked up is among the run's tables, with the digest of its own copy.
        let table = processed.tables.iter().find(|table| table.table == "bank-holidays").expect("it was looked up");
        assert_ne!(table.digest, bailiwick::model::ids::Digest::of(&[]));
        assert!(processed.limits.iter().any(|used| used.limit == Limit::OutputBytes.name() && used.used.is_some_and(|bytes| bytes >= 800)));
        (run.id.to_string(), active.release.key.digest.to_string())
    });
    let detail = say(&site, &["show", &run, "--json"]).json();
    assert_eq!((&detail["formats"][0]["plugin"], &detail["formats"][0]["release"]), (&"bacs-standard-18".into(), &release.into()));
}

/// A later release, with another text in its manifest and so another digest, which calls payments of a single day what it is told.
fn later(version: &str, daily: &str) -> Vec<u8> {
    const DAILY: &str = "1 DAILY";
    let folder = tempfile::tempdir().unwrap();
    let from = root().join("plugins/bacs-standard-18");
    for name in ["settings.schema.json", "tables/bank-holidays.toml", "tables/bank-holidays-2018-2028.csv"] {
        std::fs::create_dir_all(folder.path().join("tables")).unwrap();
        std::fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    let manifest = std::fs::read_to_string(from.join("plugin.toml")).unwrap();
    std::fs::write(folder.path().join("plugin.toml"), manifest.replace("version = \"1.0.0\"", &format!("version = {version:?}"))).unwrap();
    let mut code = std::fs::read(plugin_path("bacs-standard-18")).unwrap();
    let place = code.windows(DAILY.len()).position(|bytes| bytes == DAILY.as_bytes()).expect("its word stands in it");
    code[place..place + DAILY.len()].copy_from_slice(daily.as_bytes());
    component_of(&code, folder.path())
}

#[test]
fn a_release_is_tried_on_the_files_that_went_through_another() {
    let site = site(APPROVED);
    site.edit("partners.toml", "title = \"Finance\"\n", "title = \"Finance\"\n[partner.proof]\nclean-runs = 1\n");
    wait(async {
        let hub = site.hub(&clock_at(MONDAY)).await;
        site.write("in/bank/bank.txt", golden());
        let (paid, checked) = (finished(&hub, FINANCE, PAY).await, finished(&hub, FINANCE, CHECK).await);
        assert_eq!((paid.state, checked.state), (RunState::Closed, RunState::Closed), "{:?} {:?}", paid.reason, checked.reason);
        let (whose, by) = (partner(FINANCE), operator(&hub));
        let mut keys = Vec::new();
        for component in [later("1.0.1", "1 DAILY"), later("1.0.2", "1 DALLY")] {
            keys.push(hub.push_release(&Push { partner: &whose, component: &component, signature: None }, &by).await.unwrap().key);
        }
        let [same, other] = &keys[..] else { unreachable!() };
        let refused = hub.activate_release(same, &by).await.unwrap_err().to_string();
        assert!(refused.contains("clean"), "{refused}");

        // Written and read again by the one that does the same: clean, both times.
        let trials = hub.try_release(same, (None, 5), &by).await.unwrap();
        drain(&hub).await;
        for trial in &trials {
            let tried = ended(&hub, trial.run).await;
            assert_eq!((tried.state, pulled(&hub, &tried).await.formats[0].release), (RunState::Closed, same.digest), "{:?}", tried.reason);
        }
        let proof = hub.proof(same).await.unwrap();
        assert_eq!((trials.len(), proof.clean, proof.lacks), (2, 2, None));

        // By the one that writes another word: other bytes.
        let trials = hub.try_release(other, (Some(&PAY.parse().unwrap()), 5), &by).await.unwrap();
        drain(&hub).await;
        let tried = ended(&hub, trials[0].run).await;
        assert_eq!(tried.reason.as_ref().map(|reason| reason.code.as_str()), Some("trial-differs"), "{:?}", tried.reason);
        let proof = hub.proof(other).await.unwrap();
        assert_eq!((proof.clean, proof.trials[0].trial.kinds.clone()), (0, vec!["payments.file".to_owned()]));
        assert!(proof.lacks.is_some());
        let by_the_way = CanaryBounds { share: 5_000, failures_max: 0, held_max: 0, took_ms_max: None };
        let refused = hub.begin_candidate(other, CandidateWay::Canary(by_the_way), &by).await.unwrap_err().to_string();
        assert!(refused.contains("no canary"), "{refused}");

        // In use, the one does not prove itself by its own runs; and beside it the other is tried by itself on each.
        assert!(hub.activate_release(same, &by).await.unwrap());
        hub.begin_candidate(other, CandidateWay::Parallel, &by).await.unwrap();
        site.write("in/approved-2.csv", HEAD.to_owned() + "089999,66374958,Acme Fleet Ltd,INV 4799,1.00,\n");
        let next = finished(&hub, FINANCE, PAY).await;
        assert_eq!(pulled(&hub, &next).await.formats[0].release, same.digest);
        drain(&hub).await;
        let proof = hub.proof(other).await.unwrap();
        assert!(proof.trials.iter().any(|trial| trial.origin == next.id && trial.trial.outcome == TrialOutcome::Differs), "{proof:?}");
        hub.try_release(same, (Some(&PAY.parse().unwrap()), 1), &by).await.unwrap();
        drain(&hub).await;
        assert_eq!(hub.proof(same).await.unwrap().trials.len(), 2);
        assert_eq!(site.names("out/bank").len(), 2, "nothing that was tried is delivered");
    });
}

#[test]
fn a_replay_uses_the_release_that_its_origin_had() {
    let site = site(APPROVED);
    wait(async {
        let clock = clock_at(MONDAY);
        let hub = site.hub(&clock).await;
        let origin = finished(&hub, FINANCE, PAY).await;
        let before = pulled(&hub, &origin).await.formats;

        // A later release, and a later day.
        site.write("later.wasm", later("1.0.1", "1 DAILY"));
        site.edit("plugins.toml", &format!("{:?}", plugin_path("bacs-standard-18")), "\"later.wasm\"");
        site.apply(&hub).await;
        clock.advance(jiff::SignedDuration::from_hours(24 * 30));

        let replay = hub.replay(Scope::Partner(origin.partner()), origin.id, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        let replay = ended(&hub, replay).await;
        assert_eq!(replay.state, RunState::Closed, "{:?}", replay.reason);
        assert_eq!(pulled(&hub, &replay).await.formats, before);
        let digest = async |run: &Run| hub.ledger().processed(Scope::Hub, run.id).await.unwrap().unwrap().outputs[0].artefact;
        assert_eq!(digest(&replay).await, digest(&origin).await);

        site.write("in/approved-2.csv", HEAD.to_owned() + "089999,66374958,Acme Fleet Ltd,INV 4799,1.00,\n");
        let next = finished(&hub, FINANCE, PAY).await;
        assert_eq!(next.state, RunState::Closed, "{:?}", next.reason);
        let now = pulled(&hub, &next).await.formats;
        assert!(now[0].version == "1.0.1" && now[0].release != before[0].release, "{now:?}");
    });
}

#[test]
fn characters_that_bacs_does_not_have_are_counted_in_the_log() {
    let site = site("089999,66374958,José Núñez,INV_1,1.00,\n107999,88837491,ACME,2,1.00,\n");
    wait(async {
        let hub = site.hub(&clock_at(MONDAY)).await;
        let run = finished(&hub, FINANCE, PAY).await;
        assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
        let log = hub.ledger().log_lines((Scope::Hub, run.id), None, 100).await.unwrap().items;
        let log: Vec<&str> = log.iter().map(|(_, line)| line.message.as_str()).collect();
        let told = ["row 1, characters of reference: 1 replaced", "payee: 3 replaced", "4 characters of 1 rows were replaced by spaces"];
        assert!(told.iter().all(|told| log.iter().any(|line| line.contains(told))), "{log:?}");
        assert!(!log.concat().contains("Jos"), "no name stands in the log: {log:?}");
    });
}

#[test]
fn a_bacs_file_is_read_and_what_is_wrong_in_it_is_kept() {
    let site = site(APPROVED);
    let text = String::from_utf8(golden()).unwrap();
    // A third payment, with a letter in its account: refused alone, and counted by the trailer.
    let wrong = "0899996637495X09920295963748472    00000000001STAFFS PFCC       INV 4714          ACME FLEET LTD    ";
    let (before, after) = text.split_once("202959637484720172").unwrap();
    let text = format!("{before}{wrong}\n202959637484720172{after}").replace("00000112345PAYMENT", "00000112346PAYMENT");
    let text = text.replace("UTL10000000112345000000011234500000010000002", "UTL10000000112346000000011234600000010000003");
    site.write("in/bank/received.txt", &text);
    wait(async {
        let hub = site.hub(&clock_at(MONDAY)).await;
        let run = finished(&hub, FINANCE, CHECK).await;
        assert_eq!(run.state, RunState::Closed, "{:?}", run.reason);
        assert_eq!((run.rows.read, run.rows.accepted, run.rows.rejected, run.warnings), (3, 2, 1, 1));
        let csv = String::from_utf8(delivered(&site, "out/checked")).unwrap();
        assert_eq!(
            csv,
            "destination_sort_code,destination_account,amount,reference,payee\n\
             089999,66374958,123.45,INV 4711,ACME FLEET LTD\n107999,88837491,1000.00,INV 4712,BODYSHOP & CO\n"
        );
        let found = async |effect| hub.ledger().findings((Scope::Hub, run.id), effect, None, 10).await.unwrap().items.remove(0);
        let by = By::hub(hub.id(), 0);
        let view = hub.view(run.id, Look { scope: Scope::Hub, sight: Sight::Full, by: &by }).await.unwrap();
        let stored = found(FoundEffect::Reject).await;
        let reject = &stored.found;
        assert_eq!(reject.row, None);
        assert_eq!((reject.line, reject.byte_offset), (Some(7), Some(4 * 81 + 2 * 101)));
        assert_eq!(view.raw(&stored).unwrap().as_deref(), Some(wrong.as_bytes()));
        assert_eq!(reject.reasons[0].code, "account-not-eight-digits");
        // The warning came at the end, when the format had long forgotten the row.
        let stored = found(FoundEffect::Warn).await;
        let warning = &stored.found;
        assert_eq!((warning.row, warning.line, warning.byte_offset), (Some(1), Some(6), Some(4 * 81 + 101)));
        let decoded = view.row(&stored).unwrap().unwrap();
        assert_eq!((&decoded["payee"], &decoded["amount"]), (&"BODYSHOP & CO".into(), &"1000.00".into()));
        assert_eq!(decoded["due_on"], serde_json::Value::Null, "the format has no such column");
    });
}

#[test]
fn a_file_that_contradicts_itself_is_refused_whole() {
    let site = site(APPROVED);
    site.write("in/bank/received.txt", String::from_utf8(golden()).unwrap().replace("UTL10000000112345", "UTL10000000112344"));
    wait(async {
        let hub = site.hub(&clock_at(MONDAY)).await;
        let run = finished(&hub, FINANCE, CHECK).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Failed, "input-unusable"));
        for word in ["approved, by the format bacs-standard-18", "totals-disagree", "UTL1 tells"] {
            assert!(reason(&run).1.contains(word), "{word:?} in {:?}", run.reason);
        }
        assert_eq!(site.names("out/checked"), [""; 0]);
    });
}

#[test]
fn a_payment_that_cannot_be_written_stops_the_file_and_says_which() {
    let site =
        site("0899,66374958,Acme,1,1.00,\n089999,66374958,A name that is much too long for Bacs,2,1.00,\n089999,66374958,B,3,1.00,\n");
    wait(async {
        let hub = site.hub(&clock_at(MONDAY)).await;
        let run = finished(&hub, FINANCE, PAY).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Failed, "sort-code-not-six-digits"), "{:?}", run.reason);
        for word in ["output payments", "bacs-standard-18", "row 1, column destination_sort_code", "row 2, column payee", "text-too-long"] {
            assert!(reason(&run).1.contains(word), "{word:?} in {:?}", run.reason);
        }
        assert_eq!(site.names("out/bank"), [""; 0], "a file is never delivered short");
    });
}

#[test]
fn a_format_that_dies_ends_its_run_with_its_name_and_its_last_words() {
    let site = site(APPROVED);
    let folder = tempfile::tempdir().unwrap();
    let manifest = std::fs::read_to_string(root().join("plugins/payment-run/plugin.toml")).unwrap();
    let columns = manifest.split_once("[[outputs]]").unwrap().1.split_once("columns = [").unwrap().1.split_once(']').unwrap().0;
    let manifest = format!(
        "name = \"bacs-standard-18\"\nversion = \"1.0.0\"\nkind = \"format\"\ncontract = \"0.2.0\"\ntitle = \"Hostile\"\nways = [\"write\"]\n\
         columns = [{columns}]\n[wants]\nlog = true\n[settings]\nschema = \"settings.schema.json\"\n"
    );
    std::fs::write(folder.path().join("plugin.toml"), manifest).unwrap();
    std::fs::write(folder.path().join("settings.schema.json"), "{\"type\":\"object\"}").unwrap();
    site.write("hostile.wasm", component_of(hostile_format(), folder.path()));
    site.edit("plugins.toml", &format!("{:?}", plugin_path("bacs-standard-18")), "\"hostile.wasm\"");
    site.edit("jobs/pay.toml", "contra-narrative = \"PAYMENT RUN 0001\"", "misbehave = \"trap-after-a-note\"");
    std::fs::remove_file(site.path("jobs/check.toml")).unwrap();
    wait(async {
        let hub = site.hub(&clock_at(MONDAY)).await;
        let run = finished(&hub, FINANCE, PAY).await;
        assert_eq!((run.state, reason(&run).0), (RunState::Failed, "plugin-trapped"), "{:?}", run.reason);
        assert!(reason(&run).1.contains("payments, by the format bacs-standard-18"), "{:?}", run.reason);
        let last = hub.ledger().events(Scope::Hub, run.id, 0).await.unwrap().pop().unwrap().event;
        let RunEvent::Failed(failed) = last else { panic!("{last:?}") };
        assert!(failed.log.iter().any(|line| line.message == "about to die"), "{:?}", failed.log);
    });
}

#[test]
fn a_job_whose_format_does_not_fit_is_told_with_its_line() {
    for (file, from, to, words) in [
        ("jobs/pay.toml", "plugin = \"bacs-standard-18\"", "plugin = \"bacs-19\"", &["bacs-19"][..]),
        (
            "jobs/pay.toml",
            "plugin = \"bacs-standard-18\"",
            "plugin = \"payment-run\"",
            &["Line 25", "is no format but of the kind adapter"],
        ),
        ("jobs/pay.toml", "plugin = \"payment-run\"", "plugin = \"bacs-standard-18\"", &["is of the kind format", "a job runs an adapter"]),
        (
            "jobs/pay.toml",
            "account = \"63748472\"",
            "account = \"1\"",
            &["Line 25", "settings of format bacs-standard-18.originator.account"],
        ),
        ("jobs/pay.toml", "service-user-number = \"123456\"\n", "", &["Line 25", "service-user-number"]),
        ("jobs/pay.toml", "kind = \"plugin\"\n", "kind = \"plugin\"\ndelimiter = \";\"\n", &["delimiter does not belong"]),
        ("jobs/pay.toml", "kind = \"plugin\"\n", "kind = \"csv\"\n", &["plugin does not belong", "settings does not belong"]),
        ("jobs/pay.toml", "plugin = \"bacs-standard-18\"\n", "", &["names no plugin"]),
        ("jobs/pay.toml", "PAYMENT RUN 0001\"", "PAYMENT RUN 0001\"\nrate = 1.5", &["floating-point"]),
    ] {
        let site = site(APPROVED);
        site.edit(file, from, to);
        wait(async {
            let hub = site.reopen(&clock_at(MONDAY)).await;
            let error = hub.apply(&site.config(), &operator(&hub)).await.map(|_| ()).expect_err(to).to_string();
            for word in words {
                assert!(error.contains(word), "{to}: {word:?} in {error:?}");
            }
        });
    }
}
