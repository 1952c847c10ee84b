//! The example's 2021/22 budget adds up to what the Police and Crime Plan says, whole and to the penny.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bailiwick_sdk::Money;
use cost_apportionment::largest_remainder;
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
struct BudgetLine {
    account: String,
    line: String,
    amount: Money,
}

#[derive(Deserialize)]
struct Pool {
    pool: String,
    driver: String,
    on: String,
    account: String,
    amount: Money,
}

#[derive(Deserialize)]
struct DriverLine {
    driver: String,
    quantity: Money,
    partners: usize,
    effective_from: String,
    effective_to: String,
}

/// The plan's figures, in hundreds of thousands of pounds.
const PLAN: [(&str, i64); 9] = [
    ("Police Officer Pay", 1104),
    ("Police Staff", 518),
    ("PCSO", 83),
    ("Other Employee", 57),
    ("Premises, Transport, Supplies & Services", 454),
    ("Commissioned", 64),
    ("Capital Financing", 87),
    ("Commissioner's Office", 18),
    ("Income", -164),
];

#[test]
fn the_budget_is_the_plans() {
    let lines: Vec<BudgetLine> = rows("budget-2021-22.csv");
    let found: Vec<(&str, Money)> = lines.iter().map(|line| (line.line.as_str(), line.amount)).collect();
    assert_eq!(found, PLAN.map(|(line, amount)| (line, Money::from_pounds(amount * 100_000))));
    let gross: Money = lines.iter().map(|line| line.amount).filter(|amount| !amount.is_negative()).sum();
    let net: Money = lines.iter().map(|line| line.amount).sum();
    assert_eq!((gross, net), (Money::from_pounds(238_500_000), Money::from_pounds(222_100_000)));
}

#[test]
fn the_pools_are_the_budget() {
    let mut sums: BTreeMap<String, Money> = BTreeMap::new();
    for pool in rows::<Pool>("pools-2021-22.csv") {
        *sums.entry(pool.account).or_default() += pool.amount;
    }
    let budget: BTreeMap<String, Money> =
        rows::<BudgetLine>("budget-2021-22.csv").into_iter().map(|line| (line.account, line.amount)).collect();
    assert_eq!(sums, budget);
}

#[test]
fn it_is_53_pence_a_person_a_day() {
    let net: i64 = rows::<Pool>("pools-2021-22.csv").iter().map(|pool| pool.amount.coefficient()).sum();
    let (people, days) = (1_140_000, 365);
    assert_eq!(net / people / days, 53);
    // 53.38 pence: rounding would not change it.
    assert_eq!(net * 100 / people / days, 5_337);
}

#[test]
fn every_pool_is_shared_out_to_the_penny() {
    let drivers: Vec<DriverLine> = rows("drivers-2021-22.csv");
    for pool in rows::<Pool>("pools-2021-22.csv") {
        let in_force: Vec<&DriverLine> = drivers
            .iter()
            .filter(|line| line.driver == pool.driver && line.effective_from <= pool.on)
            .filter(|line| line.effective_to.is_empty() || pool.on <= line.effective_to)
            .collect();
        assert!(!in_force.is_empty() && in_force.iter().all(|line| line.partners == in_force.len()), "{}", pool.pool);
        let units = |line: &&DriverLine| line.quantity.rescale(4, bailiwick_sdk::Rounding::Down).expect("a small number").coefficient();
        let weights: Vec<i64> = in_force.iter().map(units).collect();
        let shares = largest_remainder(pool.amount.coefficient(), &weights).expect("these weights can be split by");
        assert_eq!(shares.iter().sum::<i64>(), pool.amount.coefficient(), "{}", pool.pool);
    }
}

fn rows<Row: DeserializeOwned>(name: &str) -> Vec<Row> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/staffordshire/data/apportionment");
    let mut reader = csv::Reader::from_path(Path::new(&folder).join(name)).expect("the example's data");
    reader.deserialize().map(|row| row.expect("a row of the expected columns")).collect()
}
