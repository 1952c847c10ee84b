//! The official test cases of the modulus check, and what the check says around them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use supplier_checks::numbers::modulus::{Account, AccountFault, Answer, LongNumbers, account, check};
use supplier_checks::numbers::weights::{WeightRow, WeightText};

/// The 34 cases of the specification: sort code, account number, whether they agree.
const OFFICIAL: [(&str, &str, bool); 34] = [
    ("089999", "66374958", true),
    ("107999", "88837491", true),
    ("202959", "63748472", true),
    ("871427", "46238510", true),
    ("872427", "46238510", true),
    ("871427", "09123496", true),
    ("871427", "99123496", true),
    ("820000", "73688637", true),
    ("827999", "73988638", true),
    ("827101", "28748352", true),
    ("134020", "63849203", true),
    ("118765", "64371389", true),
    ("200915", "41011166", true),
    ("938611", "07806039", true),
    ("938600", "42368003", true),
    ("938063", "55065200", true),
    ("772798", "99345694", true),
    ("086090", "06774744", true),
    ("309070", "02355688", true),
    ("309070", "12345668", true),
    ("309070", "12345677", true),
    ("309070", "99345694", true),
    ("074456", "12345112", true),
    ("070116", "34012583", true),
    ("074456", "11104102", true),
    ("180002", "00000190", true),
    ("938063", "15764273", false),
    ("938063", "15764264", false),
    ("938063", "15763217", false),
    ("118765", "64371388", false),
    ("203099", "66831036", false),
    ("203099", "58716970", false),
    ("089999", "66374959", false),
    ("107999", "88837493", false),
];

#[test]
fn official_cases() {
    let tables = &*TABLES;
    for (sort_code, number, good) in OFFICIAL {
        let answer = tables.check(sort_code, number).expect("eight digits");
        assert_eq!(matches!(answer, Answer::Agrees | Answer::ForeignCurrency), good, "{sort_code} {number}: {answer:?}");
        assert_ne!(answer, Answer::NoRow, "{sort_code}");
    }
}

#[test]
fn a_sort_code_without_a_row_is_no_pass() {
    let tables = &*TABLES;
    for sort_code in ["000000", "010003", "999999"] {
        assert_eq!(tables.check(sort_code, "12345678"), Ok(Answer::NoRow), "{sort_code}");
    }
}

#[test]
fn foreign_currency_needs_a_from_4_to_8_and_g_like_h() {
    let tables = &*TABLES;
    assert_eq!(tables.check("200915", "41011166"), Ok(Answer::ForeignCurrency));
    assert_ne!(tables.check("200915", "31011166"), Ok(Answer::ForeignCurrency));
    assert_ne!(tables.check("200915", "91011166"), Ok(Answer::ForeignCurrency));
    assert_ne!(tables.check("200915", "41011167"), Ok(Answer::ForeignCurrency));
}

#[test]
fn numbers_that_are_not_eight_digits() {
    let nine = ["09".to_owned(), "72".to_owned()];
    let (first, last) = (["08".to_owned()], ["60".to_owned()]);
    let long = LongNumbers { nine: &nine, ten_first_eight: &first, ten_last_eight: &last };
    let made = |sort_code: &str, number: &str| account(sort_code, number, long);
    let expect = |sort_code: [u8; 6], number: [u8; 8]| Ok(Account { sort_code, number });
    assert_eq!(made("20-29-59", "748472"), expect([2, 0, 2, 9, 5, 9], [0, 0, 7, 4, 8, 4, 7, 2]));
    assert_eq!(made("202959", "3748472"), expect([2, 0, 2, 9, 5, 9], [0, 3, 7, 4, 8, 4, 7, 2]));
    assert_eq!(made("20 29 59", "6374 8472"), expect([2, 0, 2, 9, 5, 9], [6, 3, 7, 4, 8, 4, 7, 2]));
    assert_eq!(made("090126", "512345678"), expect([0, 9, 0, 1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(made("089999", "6637495812"), expect([0, 8, 9, 9, 9, 9], [6, 6, 3, 7, 4, 9, 5, 8]));
    assert_eq!(made("600000", "01-12345678"), expect([6, 0, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6, 7, 8]));
    assert_eq!(made("202959", "163748472"), Err(AccountFault::NineDigits));
    assert_eq!(made("202959", "1163748472"), Err(AccountFault::TenDigits));
    assert_eq!(made("202959", "63748"), Err(AccountFault::Number));
    assert_eq!(made("202959", "63748472123"), Err(AccountFault::Number));
    assert_eq!(made("202959", "6374847x"), Err(AccountFault::Number));
    assert_eq!(made("2029590", "63748472"), Err(AccountFault::SortCode));
    assert_eq!(made("", "63748472"), Err(AccountFault::SortCode));
}

#[test]
fn every_row_is_found_by_each_of_its_areas() {
    let rows = read_csv("vocalink-weights-v8-50.csv");
    assert_eq!(rows.len(), 1_151);
    for row in rows {
        let areas: Vec<u32> = row["areas"].split(' ').map(|area| area.parse().expect("three digits")).collect();
        let edge = |column: &str| row[column][..3].parse::<u32>().expect("three digits");
        assert_eq!(areas, (edge("from")..=edge("to")).collect::<Vec<_>>(), "{row:?}");
    }
}

proptest::proptest! {
    #[test]
    fn a_wrong_last_digit_is_seen_where_the_rules_are_plain(number in 0_u32..10_000_000) {
        // 10-79-99 is checked with modulus 11, weights 0..0 8 7 6 5 4 3 2 1 and no exception.
        let tables = &*TABLES;
        let good = (0..10).filter(|last| tables.check("107999", &format!("{number:07}{last}")) == Ok(Answer::Agrees)).count();
        proptest::prop_assert!(good <= 1);
    }
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::read);

struct Tables {
    rows: Vec<WeightRow>,
    substitutes: HashMap<String, [u8; 6]>,
}

impl Tables {
    fn read() -> Self {
        let rows = read_csv("vocalink-weights-v8-50.csv")
            .iter()
            .map(|row| WeightRow::parse(weight_text(row)).expect("a row of weights"))
            .collect();
        let substitutes = read_csv("vocalink-substitutions-v8-50.csv")
            .into_iter()
            .map(|row| (row["sort_code"].clone(), supplier_checks::numbers::digits(&row["substitute"]).expect("six digits")))
            .collect();
        Self { rows, substitutes }
    }

    fn check(&self, sort_code: &str, number: &str) -> Result<Answer, AccountFault> {
        let account = account(sort_code, number, LongNumbers { nine: &[], ten_first_eight: &[], ten_last_eight: &[] })?;
        Ok(check(&account, &self.rows, self.substitutes.get(sort_code).copied()))
    }
}

fn weight_text(row: &HashMap<String, String>) -> WeightText<'_> {
    WeightText { from: &row["from"], to: &row["to"], method: &row["method"], weights: &row["weights"], exception: &row["exception"] }
}

fn read_csv(name: &str) -> Vec<HashMap<String, String>> {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables").join(name);
    let mut reader = csv::Reader::from_path(&path).expect("the table is beside the plugin");
    reader.deserialize().map(|row| row.expect("a row of text")).collect()
}
