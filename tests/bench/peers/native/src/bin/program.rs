//! The job as one would write it for itself: one thread, the crate `csv`, the same rules, straight from file to files.
//!
//! `program PLUGIN-FOLDER PAYROLL-CSV OUT-FOLDER` writes `return.csv` and `ctr1.csv`, the same bytes as the hub, and prints the time.
//! It keeps no digests, totals, findings or ledger, looks for no duplicate, and stops at the first row that is wrong.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bailiwick_sdk::testing::TestHub;
use bailiwick_sdk::{Date, Hub, Money};
use csv::StringRecord;
use lgps_return::doubts::{Ground, doubts};
use lgps_return::history::Months;
use lgps_return::periods::{Period, Periods, amounts};
use lgps_return::rows::{PayLine, ReturnLine};
use lgps_return::settings::Policy;
use lgps_return::{figures, refusals};

const SETTINGS: &str = r#"{"employers":[{"code":"00321","rate-percent":"18.9","from":"2026-04-01"},{"code":"00322","rate-percent":"18.9","from":"2026-04-01"}]}"#;

const RETURN_HEADER: &str = "employer_code,employment_number,ni_number,surname,forenames,date_of_birth,period,section,band,rate_percent,pay_main,pay_5050,employee_main,employee_5050,employee_expected,employer_contribution,apc,scapc,avc,assumed_pay,care_pay,pension_accrued,pay_from,pay_to,date_joined,date_left,hours_indicator,weekly_hours,hours_effective,fte_final_pay,break_reason,break_from,break_to,table_version\n";

const CTR1_HEADER: &str =
    "employer_code,period,payment_due,members,pay_main,pay_5050,employee_main,employee_5050,employer_contribution,apc,scapc,total_due\n";

/// What one employer owes for one month.
struct Owed {
    employer_code: String,
    period: String,
    payment_due: Date,
    members: i64,
    amounts: [Money; 7],
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, plugin, payroll, out] = &arguments[..] else { anyhow::bail!("program PLUGIN-FOLDER PAYROLL-CSV OUT-FOLDER") };
    let hub = TestHub::new(plugin).today(Date::new(2026, 11, 2)).hub();
    let began = Instant::now();
    let rows = run(&hub, Path::new(payroll), Path::new(out))?;
    let cpu = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let cpu_ms = Duration::try_from(cpu)?.as_secs_f64() * 1e3;
    println!("{}", serde_json::json!({ "rows": rows, "wall_ms": began.elapsed().as_secs_f64() * 1e3, "cpu_ms": cpu_ms }));
    Ok(())
}

fn run(hub: &Hub, payroll: &Path, out: &Path) -> Result<u64> {
    let policy = Policy::new(serde_json::from_str(SETTINGS)?).map_err(|failure| anyhow::anyhow!("{failure}"))?;
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 20).from_path(payroll)?;
    let mut written = BufWriter::with_capacity(1 << 20, File::create(out.join("return.csv"))?);
    written.write_all(RETURN_HEADER.as_bytes())?;
    let (mut periods, mut owed, mut record, mut text, mut rows) = (Periods::default(), Vec::new(), StringRecord::new(), Vec::new(), 0);
    while reader.read_record(&mut record)? {
        let line = line(&record)?;
        let place = periods.meet(line.period_end, &policy).context("a period that ends with no month")?;
        let checked = refusals::check(&line, &policy, true).map_err(|reject| anyhow::anyhow!("row {rows}: {reject:?}"))?;
        let care = figures::care_pay(&line, &checked, &policy, Months::NONE).map_err(|reject| anyhow::anyhow!("row {rows}: {reject:?}"))?;
        let (period, table) = periods.with_bands(place, hub).map_err(|failure| anyhow::anyhow!("{failure}"))?;
        let figures = figures::work_out(&line, &checked, care, (&policy, table));
        let ground = Ground { policy: &policy, period, months: None, today: hub.today() };
        ensure!(doubts(&line, &checked, &figures, ground).is_none(), "row {rows} is doubtful");
        let made = figures::return_line(&line, &checked, &figures, period);
        return_row(&made, &mut text);
        owe(&mut owed, &made, period);
        written.write_all(&text)?;
        text.clear();
        rows += 1;
    }
    written.flush()?;
    std::fs::write(out.join("ctr1.csv"), ctr1(&mut owed))?;
    Ok(rows)
}

fn line(record: &StringRecord) -> Result<PayLine<'_>> {
    let text = |place: usize| &record[place];
    let some = |place: usize| Some(text(place)).filter(|text| !text.is_empty());
    let money = |place: usize| Money::parse(text(place));
    let some_money = |place: usize| some(place).map(Money::parse).transpose();
    let some_date = |place: usize| some(place).map(Date::parse).transpose();
    Ok(PayLine {
        employer_code: text(0),
        employment_number: text(1),
        ni_number: text(2),
        surname: text(3),
        forenames: text(4),
        date_of_birth: some_date(5)?,
        period_end: Date::parse(text(6))?,
        status: text(7),
        scheme: text(8),
        section: some(9),
        hours_indicator: some(10),
        weekly_hours: some_money(11)?,
        hours_effective: some_date(12)?,
        date_joined: some_date(13)?,
        date_left: some_date(14)?,
        annual_pay: some_money(15)?,
        fte_final_pay: some_money(16)?,
        pay_main: money(17)?,
        pay_5050: money(18)?,
        rate_percent: some_money(19)?,
        employee_main: money(20)?,
        employee_5050: money(21)?,
        employer_contribution: some_money(22)?,
        apc: some_money(23)?,
        scapc: some_money(24)?,
        avc: some_money(25)?,
        reduced_pay_reason: some(26),
        reduced_pay_from: some_date(27)?,
        reduced_pay_to: some_date(28)?,
        pay_while_reduced: some_money(29)?,
        assumed_pay: some_money(30)?,
        break_reason: some(31),
        break_from: some_date(32)?,
        break_to: some_date(33)?,
    })
}

fn return_row(line: &ReturnLine<'_>, out: &mut Vec<u8>) {
    for text in [line.employer_code, line.employment_number, line.ni_number, line.surname, line.forenames] {
        text_cell(Some(text), out);
    }
    date_cell(line.date_of_birth, out);
    text_cell(Some(line.period), out);
    text_cell(Some(line.section), out);
    let _ = write!(out, "{},", line.band);
    let amounts = [
        line.rate_percent,
        line.pay_main,
        line.pay_5050,
        line.employee_main,
        line.employee_5050,
        line.employee_expected,
        line.employer_contribution,
        line.apc,
        line.scapc,
        line.avc,
        line.assumed_pay,
        line.care_pay,
        line.pension_accrued,
    ];
    amounts.into_iter().for_each(|amount| money_cell(Some(amount), out));
    for date in [Some(line.pay_from), Some(line.pay_to), line.date_joined, line.date_left] {
        date_cell(date, out);
    }
    text_cell(line.hours_indicator, out);
    money_cell(line.weekly_hours, out);
    date_cell(line.hours_effective, out);
    money_cell(line.fte_final_pay, out);
    text_cell(line.break_reason, out);
    date_cell(line.break_from, out);
    date_cell(line.break_to, out);
    text_cell(Some(line.table_version), out);
    out.pop();
    out.push(b'\n');
}

fn text_cell(text: Option<&str>, out: &mut Vec<u8>) {
    let text = text.unwrap_or_default();
    if text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n')) {
        out.push(b'"');
        out.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b',');
}

/// All amounts have two digits after the point here.
fn money_cell(amount: Option<Money>, out: &mut Vec<u8>) {
    if let Some(amount) = amount {
        let hundredths =
            if amount.scale() == 2 { amount.coefficient() } else { amount.coefficient() * 10_i64.pow(2 - u32::from(amount.scale())) };
        digits(hundredths.unsigned_abs() / 100, 1, out);
        out.push(b'.');
        digits(hundredths.unsigned_abs() % 100, 2, out);
    }
    out.push(b',');
}

fn date_cell(date: Option<Date>, out: &mut Vec<u8>) {
    if let Some(date) = date {
        digits(date.year().unsigned_abs().into(), 4, out);
        out.push(b'-');
        digits(date.month().into(), 2, out);
        out.push(b'-');
        digits(date.day().into(), 2, out);
    }
    out.push(b',');
}

fn digits(mut number: u64, least: usize, out: &mut Vec<u8>) {
    let mut written = [b'0'; 20];
    let mut place = written.len();
    while number > 0 || place > written.len() - least {
        place -= 1;
        written[place] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&written[place..]);
}

fn owe(owed: &mut Vec<Owed>, line: &ReturnLine<'_>, period: &Period) {
    let known = owed.iter().position(|owed| owed.employer_code == line.employer_code && owed.period == period.name);
    let place = known.unwrap_or_else(|| {
        owed.push(Owed {
            employer_code: line.employer_code.to_owned(),
            period: period.name.clone(),
            payment_due: period.payment_due,
            members: 0,
            amounts: [Money::ZERO; 7],
        });
        owed.len() - 1
    });
    owed[place].members += 1;
    for (sum, amount) in owed[place].amounts.iter_mut().zip(amounts(line)) {
        *sum = *sum + amount;
    }
}

/// The hub writes the groups of an aggregate in the order of their keys.
fn ctr1(owed: &mut [Owed]) -> Vec<u8> {
    owed.sort_by(|a, b| (&a.employer_code, &a.period).cmp(&(&b.employer_code, &b.period)));
    let mut out = CTR1_HEADER.as_bytes().to_vec();
    for owed in owed {
        text_cell(Some(&owed.employer_code), &mut out);
        text_cell(Some(&owed.period), &mut out);
        date_cell(Some(owed.payment_due), &mut out);
        let _ = write!(out, "{},", owed.members);
        owed.amounts.into_iter().for_each(|amount| money_cell(Some(amount), &mut out));
        let [_, _, employee_main, employee_5050, employer, apc, scapc] = owed.amounts;
        money_cell(Some(employee_main + employee_5050 + employer + apc + scapc), &mut out);
        out.pop();
        out.push(b'\n');
    }
    out
}
