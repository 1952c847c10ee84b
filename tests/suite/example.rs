//! The Staffordshire example through the hub, checked against what was delivered and against what its own READMEs say of its faults.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick::ledger::{FoundEffect, Instruction, Run, RunState, Scope};
use bailiwick::model::ids::RunId;
use bailiwick::run::Hub;
use jiff::SignedDuration;
use serde_json::Value;

use crate::support::*;

/// What the fund must be told of October 2026: employer, members, employee main, employee 50/50, employer, total due.
const GOLDEN: [(&str, &str, &str, &str, &str, &str); 2] =
    [("00321", "1423", "213637.01", "3842.40", "660419.27", "885655.95"), ("00322", "27", "4327.36", "0.00", "12953.85", "17281.21")];

const NOVEMBER: &str = "2026-11-18T09:00:00Z";

async fn closed(hub: &Hub, partner: &str, name: &str) -> Run {
    let run = finished(hub, partner, name).await;
    assert_eq!(run.state, RunState::Closed, "{name}: {:?}", run.reason);
    let processed = hub.ledger().processed(Scope::Hub, run.id).await.unwrap().unwrap();
    for balance in &processed.balances {
        assert!(balance.holds(), "{name}: {balance:?}");
    }
    assert!(processed.totals.inputs.iter().all(|input| input.rows.conserved()), "{:?}", processed.totals);
    assert!(run.outcome.is_some_and(|outcome| outcome.as_str() == "delivered"));
    run
}

#[test]
fn the_pension_fund_gets_every_member_and_every_penny() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let run = closed(&hub, POLICE, LGPS).await;
        assert_eq!((run.rows.read, run.rows.rejected, run.rows.skipped, run.warnings), (4_390 + 1_501, 27, 24, 29));
    });
    let told = Csv::read(&site.read("out/pension-fund/ctr1-2026-11.csv"));
    let columns =
        ["Employer code", "Members", "Employee contributions main", "Employee contributions 50/50", "Employer contributions", "Total due"];
    let columns = columns.map(|heading| told.column(heading));
    let rows: Vec<_> = (0..told.len()).map(|row| columns.each_ref().map(|column| column[row])).collect();
    assert_eq!(rows, GOLDEN.map(|(code, members, main, half, employer, total)| [code, members, main, half, employer, total]));
    assert_eq!(told.column("Payment due"), ["22/11/2026"; 2]);

    // The return added up again, line by line, by nobody but this test.
    let lines = Csv::read(&site.read("out/pension-fund/lgps-return-2026-11.csv"));
    let of = |heading: &str| lines.pence(heading);
    let (main, half, employer, apc, scapc) =
        (of("employee_main"), of("employee_5050"), of("employer_contribution"), of("apc"), of("scapc"));
    let mut added: BTreeMap<&str, [i128; 5]> = BTreeMap::new();
    for (row, code) in lines.column("employer_code").into_iter().enumerate() {
        let sums = added.entry(code).or_default();
        let total = main[row] + half[row] + employer[row] + apc[row] + scapc[row];
        for (sum, amount) in sums.iter_mut().zip([1, main[row], half[row], employer[row], total]) {
            *sum += amount;
        }
    }
    let again: Vec<_> = added.into_iter().map(|(code, [members, sums @ ..])| (code, members.to_string(), sums.map(pounds))).collect();
    let golden = GOLDEN.map(|(code, members, main, half, employer, total)| {
        (code, members.to_owned(), [main, half, employer, total].map(ToOwned::to_owned))
    });
    assert_eq!(again, golden);
}

/// The tables of the README: heading to `(line, code)`.
fn documented(readme: &str) -> BTreeMap<&str, Vec<(u64, String)>> {
    let mut found: BTreeMap<&str, Vec<(u64, String)>> = BTreeMap::new();
    let mut heading = "";
    for line in readme.lines() {
        if let Some(text) = line.strip_prefix("## ") {
            heading = text.split([':', ' ']).next().unwrap();
        }
        let mut cells = line.split('|').map(str::trim).skip(1);
        if let (Some(Ok(number)), Some(code)) = (cells.next().map(str::parse), cells.next()) {
            found.entry(heading).or_default().push((number, code.trim_matches('`').to_owned()));
        }
    }
    found.values_mut().for_each(|lines| lines.sort());
    found
}

async fn findings(hub: &Hub, run: RunId, effect: FoundEffect, port: &str) -> Vec<(u64, String)> {
    let page = hub.ledger().findings((Scope::Hub, run), effect, None, 1_000).await.unwrap();
    assert!(page.next.is_none());
    let mut lines = Vec::new();
    for finding in page.items.iter().filter(|finding| finding.found.port == port) {
        for reason in &finding.found.reasons {
            assert!(reason.message.ends_with('.') && reason.message.len() > 20, "{reason:?} is no sentence");
            lines.push((finding.found.line.unwrap(), reason.code.clone()));
        }
    }
    lines.sort();
    lines
}

#[test]
fn every_documented_fault_is_found_on_its_line_and_nothing_else() {
    let site = Site::staffordshire();
    let readme = String::from_utf8(site.read("data/payroll/README.md")).unwrap();
    let documented = documented(&readme);
    assert_eq!(documented.values().map(Vec::len).sum::<usize>(), 27 + 24 + 21 + 9, "the README was read");
    let run = wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let run = closed(&hub, POLICE, LGPS).await;
        assert_eq!(findings(&hub, run.id, FoundEffect::Reject, "payroll").await, documented["Refused"]);
        assert_eq!(findings(&hub, run.id, FoundEffect::Warn, "payroll").await, documented["Accepted"]);
        assert_eq!(findings(&hub, run.id, FoundEffect::Warn, "previous").await, documented["Warned"]);
        assert_eq!(findings(&hub, run.id, FoundEffect::Reject, "previous").await, []);
        let log = hub.ledger().log_lines((Scope::Hub, run.id), None, 100).await.unwrap().items;
        for code in documented["Passed"].iter().map(|(_, code)| code).collect::<BTreeSet<_>>() {
            let rows = documented["Passed"].iter().filter(|(_, each)| each == code).count();
            assert!(log.iter().any(|(_, line)| line.message == format!("{rows} rows skipped: {code}")), "{code}: {log:?}");
        }
        run
    });
    assert_eq!(run.rows.skipped, documented["Passed"].len() as u64);
    nobody_left_out_is_on_the_return(&site, &documented);
}

/// Who was refused or passed over is not on the return, and everybody else is, once.
fn nobody_left_out_is_on_the_return(site: &Site, documented: &BTreeMap<&str, Vec<(u64, String)>>) {
    let payroll = site.read("data/payroll/payroll-2026-10.csv");
    let lines: Vec<&[u8]> = payroll.split(|byte| *byte == b'\n').collect();
    let left_out: BTreeSet<u64> = ["Refused", "Passed"].iter().flat_map(|heading| &documented[heading]).map(|(line, _)| *line).collect();
    let number = |line: &[u8]| String::from_utf8_lossy(line.split(|byte| *byte == b',').next().unwrap()).into_owned();
    let wanted = (2..=lines.len() as u64).filter(|line| !left_out.contains(line) && !lines[*line as usize - 1].is_empty());
    let mut wanted: Vec<String> = wanted.map(|line| number(lines[line as usize - 1])).collect();
    let delivered = Csv::read(&site.read("out/pension-fund/lgps-return-2026-11.csv"));
    let mut delivered: Vec<String> = delivered.column("employment_number").into_iter().map(ToOwned::to_owned).collect();
    wanted.sort();
    delivered.sort();
    assert_eq!(delivered, wanted);
}

#[test]
fn what_is_shared_out_comes_to_the_whole_budget() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        closed(&hub, FIRE, "shared-services-apportionment").await;
    });
    let delivered = |name: &str| Csv::read(&site.read(&format!("out/finance/{name}-2026-11-18.csv")));
    let whole: i128 = delivered("shares").pence("share").iter().sum();
    assert_eq!(pounds(whole), "222100000.00");
    assert_eq!(whole, Csv::read(&site.read("data/apportionment/budget-2021-22.csv")).pence("amount").iter().sum());
    assert_eq!(delivered("summary").pence("share").iter().sum::<i128>(), whole);
    let journal = delivered("journal");
    assert_eq!(journal.pence("debit").iter().sum::<i128>(), journal.pence("credit").iter().sum::<i128>());

    // Each pool goes out as it came in.
    let by_pool = |csv: &Csv, pool: &str, amount: &str| {
        let mut sums: BTreeMap<String, i128> = BTreeMap::new();
        for (pool, amount) in csv.column(pool).into_iter().zip(csv.pence(amount)) {
            *sums.entry(pool.to_owned()).or_default() += amount;
        }
        sums
    };
    let pools = Csv::read(&site.read("data/apportionment/pools-2021-22.csv"));
    assert_eq!(by_pool(&delivered("shares"), "pool", "share"), by_pool(&pools, "pool", "amount"));
}

#[test]
fn every_loss_is_split_between_fund_and_insurer() {
    let site = Site::staffordshire();
    let run = wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        closed(&hub, POLICE, "claim-routing").await
    });
    assert_eq!((run.rows.read, run.rows.accepted, run.rows.rejected), (400, 377, 23));
    let json = |bytes: Vec<u8>| -> BTreeMap<String, Value> {
        let lines = String::from_utf8(bytes).unwrap();
        let values = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        values.filter_map(|value| Some((value["reference"].as_str()?.to_owned(), value))).collect()
    };
    let claims = json(site.read("data/claims/claims-2026.jsonl"));
    let decisions = json(site.read("out/insurance/claim-decisions-2026-11-18.jsonl"));
    assert_eq!(decisions.len(), 377);
    for (reference, decision) in &decisions {
        let share = |name: &str| decision["figures"][name].as_str().map_or(0, pence);
        let loss = pence(claims[reference]["loss"].as_str().unwrap());
        assert_eq!(share("fund_share") + share("insurer_share"), loss, "{reference}: {decision}");
        assert!(share("fund_share") >= 0 && share("insurer_share") >= 0, "{reference}: {decision}");
    }
    // The three that can be worked out by hand.
    let by_hand: BTreeSet<i128> =
        decisions.values().map(|decision| decision["figures"]["insurer_share"].as_str().map_or(0, pence)).collect();
    for loss in ["138500.00", "100000.01"] {
        assert!(by_hand.contains(&(pence(loss) - pence("100000.00"))), "the insurer's share of {loss}");
    }
}

#[test]
fn all_four_jobs_close_and_find_nothing_to_do_the_second_time() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        let jobs = hub.ledger().jobs(Scope::Hub).await.unwrap();
        assert_eq!(jobs.len(), 4);
        for job in &jobs {
            closed(&hub, job.partner.as_str(), job.name.as_str()).await;
        }
        let delivered = site.delivered();
        assert_eq!(delivered.len(), 7);
        for job in &jobs {
            let again = finished(&hub, job.partner.as_str(), job.name.as_str()).await;
            assert_eq!((again.state, reason(&again).0), (RunState::Skipped, "no-input"), "{}", job.name);
        }
        assert_eq!(site.delivered(), delivered);
        assert!(hub.ledger().verify_audit().await.unwrap().is_sound());
    });
}

#[test]
fn a_copy_under_another_name_is_refused_and_says_why() {
    let site = Site::staffordshire();
    wait(async {
        let clock = clock_at(NOVEMBER);
        let hub = site.hub(&clock).await;
        let first = closed(&hub, POLICE, LGPS).await;
        let delivered = site.delivered();
        clock.advance(SignedDuration::from_mins(1));
        site.write("data/payroll/payroll-2026-10-copy.csv", site.read("data/payroll/payroll-2026-10.csv"));
        let copy = finished(&hub, POLICE, LGPS).await;
        let (code, sentence) = reason(&copy);
        assert_eq!((copy.state, code), (RunState::Failed, "duplicate-file"));
        for named in ["payroll-2026-10-copy.csv", "payroll-2026-10.csv", &first.id.to_string()] {
            assert!(sentence.contains(named), "{named:?} in {sentence:?}");
        }
        assert_eq!(site.delivered(), delivered);
        // A person who sends it on its way again does not make two payments of one either.
        let why = "it looked harmless".to_owned();
        hub.ledger().instruct(Scope::Hub, copy.id, Instruction::Retry { afresh: false, why }, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        assert_eq!(reason(&ended(&hub, copy.id).await).0, "duplicate-file");
        let third = finished(&hub, POLICE, LGPS).await;
        assert_eq!((third.state, reason(&third).0), (RunState::Skipped, "no-input"), "a refused file is not found again");
        assert_eq!(site.delivered(), delivered);
    });
}

#[test]
fn a_file_that_was_only_touched_is_no_new_file() {
    let site = Site::staffordshire();
    wait(async {
        let hub = site.hub(&clock_at(NOVEMBER)).await;
        closed(&hub, POLICE, LGPS).await;
        let file = std::fs::File::options().write(true).open(site.path("data/payroll/payroll-2026-10.csv")).unwrap();
        file.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(60)).unwrap();
        let again = finished(&hub, POLICE, LGPS).await;
        assert_eq!((again.state, reason(&again).0), (RunState::Skipped, "no-input"), "{:?}", again.reason);
    });
}

#[test]
fn a_changed_file_is_processed_and_never_written_over_the_old_return() {
    let site = Site::staffordshire();
    wait(async {
        let clock = clock_at(NOVEMBER);
        let hub = site.hub(&clock).await;
        closed(&hub, POLICE, LGPS).await;
        let delivered = site.delivered();
        let corrected = |amount: &str| {
            let text = site.read("data/payroll/payroll-2026-10.csv");
            let at = text.windows(7).position(|window| window == b"2270.83").expect("the first line's pay");
            [&text[..at], amount.as_bytes(), &text[at + 7..]].concat()
        };
        // The same month: the receiver's file is never written over.
        site.write("data/payroll/payroll-2026-10.csv", corrected("2270.84"));
        let second = finished(&hub, POLICE, LGPS).await;
        assert_eq!((second.state, reason(&second).0), (RunState::Failed, "connection-failed"));
        assert!(reason(&second).1.contains("is there already with other content, and is not overwritten"), "{:?}", second.reason);
        assert_eq!(site.delivered(), delivered);
        // Moved away, it goes on where it stopped.
        for (name, _) in &delivered {
            std::fs::rename(site.path(name), site.path("data").join(name.rsplit('/').next().unwrap())).unwrap();
        }
        let retry = Instruction::Retry { afresh: false, why: "the fund sent the old return back".to_owned() };
        hub.ledger().instruct(Scope::Hub, second.id, retry, &operator(&hub)).await.unwrap();
        drain(&hub).await;
        assert_eq!(ended(&hub, second.id).await.state, RunState::Closed);
        assert_eq!(site.delivered().len(), 2);
        // A month later there is another name, and a file of another name.
        clock.advance(SignedDuration::from_hours(24 * 30));
        site.write("data/payroll/payroll-2026-11.csv", corrected("2270.85"));
        closed(&hub, POLICE, LGPS).await;
        assert_eq!(site.names("out/pension-fund").len(), 4);
    });
}
