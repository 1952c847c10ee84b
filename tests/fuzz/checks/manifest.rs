//! What a plugin says of itself: what is accepted is sound, what is refused says where.

use bailiwick::model::ids::is_name;
use bailiwick::model::manifest::{Kind, Manifest};
use bailiwick::model::rows::{ColumnShape, PortShape, UNSCALED_DIGITS_MAX};
use bailiwick::registry::manifest::CONTRACTS;
use bailiwick::registry::package::{self, Package, PackageError};
use bailiwick::sandbox;

/// The files of a package, each after its name; or the section itself, where the input begins as JSON does.
pub fn manifest(input: &[u8]) {
    if input.starts_with(b"{") {
        return drop(judged(input));
    }
    let texts = super::texts::files(input);
    let section = serde_json::to_vec(&serde_json::json!({ "form": 1, "files": &texts })).expect("texts by name are JSON");
    match judged(&section) {
        Some(Err(PackageError::Wrong(problems))) => super::config::say_where(&problems, &texts),
        Some(Err(error)) => assert!(!error.to_string().is_empty()),
        Some(Ok(_)) => travels(&section),
        None => {}
    }
}

fn judged(section: &[u8]) -> Option<Result<Package, PackageError>> {
    let judged = package::unpack(section);
    if let Ok(package) = &judged {
        is_sound(&package.manifest);
        for table in &package.tables {
            assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "a row of a table has a hole");
        }
        let again = package::unpack(section).expect("it was accepted before");
        assert_eq!(format!("{again:?}"), format!("{package:?}"), "it matters when it is read");
    }
    Some(judged)
}

fn is_sound(manifest: &Manifest) {
    assert!(CONTRACTS.contains(&manifest.contract.as_str()));
    for text in [&manifest.title, &manifest.version] {
        assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
    }
    for (limit, amount) in &manifest.limits {
        assert!((1..=limit.fact().ceiling).contains(amount), "{limit} is {amount}");
    }
    match &manifest.kind {
        Kind::Adapter(shape) => {
            assert!(!shape.inputs.is_empty() && !shape.outputs.is_empty());
            let ports: Vec<_> = shape.inputs.iter().chain(&shape.outputs).collect();
            for (place, port) in ports.iter().enumerate() {
                assert!(is_name(&port.name) && ports[..place].iter().all(|other| other.name != port.name), "{:?}", port.name);
                columns_are_sound(port);
            }
        }
        Kind::Format(shape) => {
            assert!(shape.writes || shape.reads);
            assert!(manifest.balances.is_empty() && !manifest.wants.random && !manifest.wants.state);
            columns_of(&shape.columns);
        }
        Kind::Connector(shape) => {
            assert!((shape.pulls || shape.pushes) && !shape.requests.is_empty() && manifest.wants.http);
            assert!(manifest.balances.is_empty() && !manifest.wants.random && !manifest.wants.state && manifest.wants.lookup.is_empty());
        }
        Kind::RuleSet(shape) => {
            assert!(!shape.outcomes.is_empty() && shape.outcomes.iter().all(|outcome| is_name(outcome)));
            let pointers = shape.amounts.iter().map(|(_, pointer)| pointer).chain(&shape.personal).chain([&shape.reference]);
            assert!(pointers.clone().all(|pointer| pointer.starts_with('/')));
        }
    }
}

fn columns_of(columns: &[ColumnShape]) {
    assert!(!columns.is_empty());
    for (place, column) in columns.iter().enumerate() {
        assert!(columns[..place].iter().all(|other| other.name != column.name), "column {} stands there twice", column.name);
        assert!(usize::from(column.kind.scale()) <= UNSCALED_DIGITS_MAX);
    }
}

fn columns_are_sound(port: &PortShape) {
    columns_of(&port.columns);
    let sets = port.unique.iter().chain(&port.aggregate_by);
    assert!(sets.clone().all(|set| !set.is_empty() && set.iter().all(|place| *place < port.columns.len())));
}

/// What was accepted arrives as it was sent, inside a component.
fn travels(section: &[u8]) {
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
    let component = sandbox::embed_section(EMPTY, section).expect("an empty component is one");
    assert_eq!(sandbox::inspect(&component).expect("it is still one").manifest.as_deref(), Some(section));
}
