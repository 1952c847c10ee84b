//! The stand-in for the hub: tables by date, and nothing lent that `plugin.toml` does not ask for.

#![allow(clippy::unwrap_used, missing_docs)]

use bailiwick_sdk::testing::TestHub;
use bailiwick_sdk::{Date, Failure, Hub, Money};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lookups");

fn hub() -> Hub {
    TestHub::new(FOLDER).today(Date::new(2026, 10, 19)).hub()
}

#[test]
fn the_date_picks_the_version() {
    let hub = hub();
    for (on, version) in [("2025-04-01", "old"), ("2026-03-31", "old"), ("2026-04-01", "new"), ("2040-01-01", "new")] {
        assert_eq!(hub.table("bands", on.parse().unwrap()).unwrap().version().version, version, "{on}");
    }
    let before = Date::new(2025, 3, 31);
    assert_eq!(hub.table("bands", before).unwrap_err(), Failure::TableMissing { table: "bands".into(), on: before });
    assert_eq!(hub.table("not-there", before).unwrap_err().kind(), "table-missing");
    assert!(hub.table("not-wanted", before).unwrap_err().to_string().contains("table-not-granted"));
}

#[test]
fn rows_are_found_and_read() {
    let table = hub().table("bands", Date::new(2026, 10, 19)).unwrap();
    assert_eq!((table.len(), table.columns().len(), table.version().published), (3, 4, Some(Date::new(2026, 2, 14))));
    let rows = table.read_all();
    assert_eq!(rows[1].money("up_to").unwrap(), Money::from_pounds(28_700));
    assert_eq!(rows[1].decimal("rate").unwrap().to_string(), "5.8");
    assert_eq!(rows[0].date("from").unwrap(), Date::new(2026, 4, 1));
    assert_eq!((rows[2].get("up_to"), rows[2].text("up_to").unwrap(), rows[2].get("nowhere")), (None, "", None));
    assert!(rows[2].money("up_to").unwrap_err().to_string().contains("table-value-unusable"));
    assert!(rows[2].text("nowhere").unwrap_err().to_string().contains("no column nowhere"));
    assert_eq!(table.find("name", "Top").unwrap(), rows[2..]);
    assert_eq!(table.find("name", "top").unwrap(), []);
    assert_eq!(table.find_word("name", "Band").unwrap(), rows[..2]);
    assert!(table.find("nowhere", "x").unwrap_err().to_string().contains("no column nowhere"));
}

#[test]
fn state_is_bounded() {
    let hub = hub();
    hub.state_set("last", b"7").unwrap();
    assert_eq!(hub.state_get("last").unwrap().as_deref(), Some(&b"7"[..]));
    assert!(hub.state_set("much", &vec![0; 64 << 10]).unwrap_err().to_string().contains("65536"));
    hub.state_delete("last").unwrap();
    assert_eq!(hub.state_get("last").unwrap(), None);
}

#[test]
#[should_panic(expected = "plugin.toml does not ask for it: write log = true")]
fn what_is_not_asked_for_is_not_lent() {
    hub().log(bailiwick_sdk::Level::Info, "note");
}
