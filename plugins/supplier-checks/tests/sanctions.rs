//! The script that makes the sanctions table and the plugin that reads it take names apart in the same way.

use supplier_checks::names::keys;

#[test]
fn every_name_of_the_table_is_found_by_its_own_words() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tables/uk-sanctions-practice.csv");
    let mut reader = csv::Reader::from_path(path).expect("the table is beside the plugin");
    let columns: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
    let place = |name: &str| columns.iter().position(|column| column == name).expect("the column is there");
    let mut rows = 0;
    for row in reader.records() {
        let row = row.expect("a row");
        let name: Vec<&str> = (1..=6).map(|number| &row[place(&format!("Name {number}"))]).collect();
        let words: Vec<&str> = row[place("words")].split(' ').collect();
        for key in keys(&name.join(" ")) {
            assert!(words.contains(&key.as_str()), "{name:?}: {key} is not among {words:?}");
        }
        rows += 1;
    }
    assert!(rows > 5);
}
