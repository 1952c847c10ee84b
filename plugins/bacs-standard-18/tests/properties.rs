//! What holds of every file: it reads back as it was written, its sections balance, and every line has its length.

use bacs_standard_18::BacsStandard18;
use bailiwick_sdk::testing::{NativeFormat, TestHub};
use bailiwick_sdk::{Date, Money};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    destination_sort_code: String,
    destination_account: String,
    transaction_code: Option<String>,
    originating_sort_code: Option<String>,
    originating_account: Option<String>,
    originator_name: Option<String>,
    free_format: Option<String>,
    amount: Money,
    reference: Option<String>,
    payee: String,
    processing_day: Option<Date>,
}

/// Monday 23 November 2026.
const TODAY: Date = Date::new(2026, 11, 23);

fn format(form: &str) -> NativeFormat {
    let settings = format!(
        r#"{{ "service-user-number": "123456", "form": "{form}",
             "originator": {{ "sort-code": "202959", "account": "63748472", "name": "STAFFS PFCC" }} }}"#
    );
    NativeFormat::new(env!("CARGO_MANIFEST_DIR")).today(TODAY).settings(settings)
}

fn row(texts: &'static str) -> impl Strategy<Value = Row> {
    let code = prop_oneof![Just("99"), Just("01"), Just("17"), Just("18"), Just("0N"), Just("0C"), Just("0S")];
    let text = move || proptest::string::string_regex(texts).expect("it is a pattern");
    let free = prop_oneof![Just(None), Just(Some("0000".to_owned())), "/[A-Z0-9]{3}".prop_map(Some)];
    let origin = prop_oneof![Just(("202959", "63748472")), Just(("107999", "88837491"))];
    (("[0-9]{6}", "[0-9]{8}", code, origin), (text(), free, 1..99_999_999_i64, text(), text()), 0..4_i32).prop_map(
        |((sort_code, account, code, origin), (name, free, pence, reference, payee), days)| Row {
            destination_sort_code: sort_code,
            destination_account: account,
            transaction_code: Some(code.to_owned()),
            originating_sort_code: Some(origin.0.to_owned()),
            originating_account: Some(origin.1.to_owned()),
            originator_name: Some(name),
            free_format: free,
            amount: Money::from_pence(if code.starts_with('0') && code != "01" { 0 } else { pence }),
            reference: Some(reference),
            payee,
            processing_day: Some(TODAY + 1 + days % 4),
        },
    )
}

/// Texts that a file holds as they are.
const PLAIN: &str = "[A-Z0-9.&/-][A-Z0-9.&/ -]{0,16}[A-Z0-9]";

/// Pence of credits and debits by section, read from the lines alone.
fn sections(file: &str) -> std::collections::BTreeMap<(String, String), (u64, u64)> {
    let mut sums = std::collections::BTreeMap::<_, (u64, u64)>::new();
    for line in file.lines().filter(|line| line.len() > 80) {
        let sum = sums.entry((line[17..31].to_owned(), line[100..].to_owned())).or_default();
        let pence: u64 = line[35..46].parse().expect("an amount");
        if &line[15..17] == "99" { sum.0 += pence } else { sum.1 += pence }
    }
    sums
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn reads_back_as_written(rows in prop::collection::vec(row(PLAIN), 1..60), at_once in 1_usize..300) {
        let format = format("multi-day").read_at_once(at_once);
        let hub = format.hub();
        let file = format.write::<BacsStandard18>(&rows, &hub).expect("every row can be written");
        let read = format.read::<BacsStandard18, Row>(&file, &hub).expect("the file is sound");
        prop_assert!(read.refused.is_empty());
        for (place, _) in &read.rows {
            prop_assert_eq!(place.length, 106);
            prop_assert_eq!(place.offset, 4 * 81 + (place.line - 5) * 107);
        }
        prop_assert_eq!(read.rows.into_iter().map(|(_, row)| row).collect::<Vec<_>>(), rows);
        prop_assert!(TestHub::logged(&hub).is_empty(), "nothing was changed");
    }

    #[test]
    fn balances_and_has_its_lengths(mut rows in prop::collection::vec(row("\\PC{1,17}[A-Z]"), 1..60), single in any::<bool>()) {
        let form = if single { "single-day" } else { "multi-day" };
        let length = if single { 100 } else { 106 };
        rows.iter_mut().for_each(|row| row.processing_day = row.processing_day.filter(|_| !single));
        let format = format(form);
        let hub = format.hub();
        let file = String::from_utf8(format.write::<BacsStandard18>(&rows, &hub).expect("every row can be written")).expect("it is text");
        let lines: Vec<&str> = file.lines().collect();
        prop_assert!(file.bytes().all(|byte| byte == b'\n' || byte.is_ascii_uppercase() || byte.is_ascii_digit() || b".&/- ".contains(&byte)));
        for (place, line) in lines.iter().enumerate() {
            let label = place < 4 || place + 3 >= lines.len();
            prop_assert_eq!(line.len(), if label { 80 } else { length }, "line {}", place + 1);
        }
        for ((account, _), (credits, debits)) in sections(&file) {
            prop_assert_eq!(credits, debits, "{}", account);
        }
        let replaced = |text: &str| text.trim_end().chars().filter(|c| !(c.is_ascii_alphanumeric() || ".&/- ".contains(*c))).count();
        let texts = rows.iter().flat_map(|row| [row.originator_name.as_deref(), row.reference.as_deref(), Some(&row.payee)]).flatten();
        let expected: usize = texts.map(replaced).sum();
        let told = TestHub::logged(&hub).last().map(|(_, note)| note.clone()).unwrap_or_default();
        prop_assert!(expected == 0 || told.starts_with(&format!("{expected} characters of ")), "{expected} {told}");
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 0_usize..900, at in 0_usize..900) {
        let format = format("single-day");
        let hub = format.hub();
        let rows = [Row { processing_day: None, ..sample() }];
        let mut file = format.write::<BacsStandard18>(&rows, &hub).expect("it can be written");
        let at = at.min(file.len());
        file.splice(at..(at + cut).min(file.len()), bytes);
        let _ = format.read::<BacsStandard18, Row>(&file, &hub);
    }
}

fn sample() -> Row {
    Row {
        destination_sort_code: "089999".to_owned(),
        destination_account: "66374958".to_owned(),
        transaction_code: None,
        originating_sort_code: None,
        originating_account: None,
        originator_name: None,
        free_format: None,
        amount: Money::from_pence(12_345),
        reference: None,
        payee: "ACME FLEET LTD".to_owned(),
        processing_day: None,
    }
}
