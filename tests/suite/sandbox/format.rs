//! Formats that take too much, die, or answer what cannot be; and those in order, of a contract later than the others'.

use std::sync::{Arc, OnceLock};

use bailiwick::model::limits::Limit;
use bailiwick::model::manifest::{FormatShape, Kind, Manifest};
use bailiwick::model::outcome::{PluginFailure, Reason};
use bailiwick::model::rows::{Batch, BatchBuilder, ColumnKind, ColumnShape, FileRecords, RecordPlace, RefusedRecord, UnwritableRow};
use bailiwick::sandbox::{CallError, Release, Report, SandboxError, Setup};

use super::{adapter_manifest, manifest, on_run_thread, sandbox, sandbox_in, setup, with_limits};
use crate::support::{hostile_adapter, hostile_format};

fn columns() -> Vec<ColumnShape> {
    let column = |name: &str, kind| ColumnShape {
        name: name.to_owned(),
        kind,
        required: true,
        personal: false,
        length_max: None,
        about: String::new(),
    };
    vec![column("number", ColumnKind::Integer), column("name", ColumnKind::Text)]
}

fn format_manifest() -> Manifest {
    let shape = FormatShape { columns: columns(), writes: true, reads: true };
    Manifest { contract: "0.2.0".to_owned(), ..manifest(Kind::Format(shape)) }
}

fn format() -> Release {
    static RELEASE: OnceLock<Release> = OnceLock::new();
    RELEASE.get_or_init(|| sandbox().install(hostile_format(), &format_manifest()).expect("it installs")).clone()
}

fn rows(first_row: u64, count: usize) -> Batch {
    let mut builder = BatchBuilder::new(&columns());
    for row in 0..count {
        builder.columns[0].push_number(i64::try_from(row).expect("few rows"));
        builder.columns[1].push_text("Zoë");
        builder.end_row();
    }
    builder.take(first_row)
}

/// The file, or the rows that cannot be written; or why the call did not succeed.
type Written = Result<Result<Vec<u8>, Vec<UnwritableRow>>, CallError>;

/// Two batches of three rows written: the file, or the rows that cannot be.
fn write(setup: Arc<Setup>) -> (Written, Report) {
    on_run_thread(move |worker| {
        let mut writing = match worker.open_writer(&setup) {
            Ok(writing) => writing,
            Err(failed) => return (Err(failed.error), failed.report),
        };
        let result = (|| {
            let mut file = Vec::new();
            for first in [0, 3] {
                match writing.write(&rows(first, 3))? {
                    Ok(bytes) => file.extend(bytes),
                    Err(rows) => return Ok(Err(rows)),
                }
            }
            loop {
                match writing.finish()? {
                    Ok((bytes, done)) => {
                        file.extend(bytes);
                        if done {
                            return Ok(Ok(file));
                        }
                    }
                    Err(rows) => return Ok(Err(rows)),
                }
            }
        })();
        if result.is_err() {
            assert!(matches!(writing.write(&rows(6, 1)), Err(CallError::Spent { .. })), "a store that failed is not used again");
        }
        (result, writing.close())
    })
}

/// A file of two lines read.
fn read(setup: Arc<Setup>) -> (Result<FileRecords, CallError>, Report) {
    on_run_thread(move |worker| {
        let mut reading = match worker.open_reader(&setup) {
            Ok(reading) => reading,
            Err(failed) => return (Err(failed.error), failed.report),
        };
        let result = (|| {
            let records = reading.read(b"Ann\nBob\n")?;
            while !reading.finish()?.1 {}
            Ok(records)
        })();
        (result, reading.close())
    })
}

fn told(what: &str, limits: &[(Limit, u64)]) -> Arc<Setup> {
    with_limits(setup(format(), what), limits)
}

#[test]
fn one_in_order_writes_and_reads() {
    assert!(format().initialised, "{:?}", format().not_initialised_because);
    let (file, report) = write(told("", &[]));
    assert_eq!(file.unwrap().unwrap(), b"0\n1\n2\n3\n4\n5\n6 rows\n");
    assert_eq!((report.usage.get(Limit::OutputRows), report.usage.get(Limit::OutputBytes)), (Some(6), Some(19)));
    let (records, report) = read(told("", &[]));
    let records = records.unwrap();
    let place = |line, byte_offset| RecordPlace { line, byte_offset, byte_length: 3 };
    assert_eq!((records.rows.rows, &records.places, &records.refused), (2, &vec![place(1, 0), place(2, 4)], &Vec::new()));
    assert_eq!(report.usage.get(Limit::OutputRows), Some(2));
}

#[test]
fn each_dies_of_the_limit_that_it_exceeds() {
    for (what, limits, died_of) in [
        ("endless-loop", &[(Limit::CpuMs, 200)][..], Limit::CpuMs),
        ("endless-loop", &[(Limit::WallMs, 200), (Limit::CpuMs, 60_000)], Limit::WallMs),
        ("never-done", &[(Limit::WallMs, 200)], Limit::WallMs),
        ("memory-at-once", &[], Limit::MemoryBytes),
        ("log-flood", &[(Limit::RetainedBytes, 1_000)], Limit::RetainedBytes),
    ] {
        for (way, result) in [("write", write(told(what, limits)).0.map(|_| ())), ("read", read(told(what, limits)).0.map(|_| ()))] {
            let Err(CallError::LimitReached { limit, .. }) = &result else { panic!("{way} {what}: {result:?}") };
            assert_eq!(*limit, died_of, "{way} {what}");
            assert!(result.unwrap_err().to_string().contains("plugin hostile"));
        }
    }
    for (what, limits, died_of) in [
        ("bytes-flood", &[(Limit::OutputBytes, 1 << 20)][..], Limit::OutputBytes),
        ("never-done-with-bytes", &[(Limit::OutputBytes, 10 << 20)], Limit::OutputBytes),
        ("", &[(Limit::OutputRows, 5)], Limit::OutputRows),
        ("one-large-answer", &[(Limit::MemoryBytes, 512 << 20)], Limit::HostCallBytes),
    ] {
        let (result, _) = write(told(what, limits));
        assert!(matches!(&result, Err(CallError::LimitReached { limit, .. }) if *limit == died_of), "{what}: {result:?}");
    }
    let (result, _) = read(told("rows-flood", &[(Limit::OutputRows, 99_999)]));
    assert!(matches!(&result, Err(CallError::LimitReached { limit: Limit::OutputRows, .. })), "{result:?}");
}

#[test]
fn a_trap_keeps_what_was_logged() {
    for (result, report) in [(write(told("trap-after-a-note", &[])).0.map(|_| ()), write(told("trap-after-a-note", &[])).1), {
        let (result, report) = read(told("trap-after-a-note", &[]));
        (result.map(|_| ()), report)
    }] {
        assert!(matches!(result, Err(CallError::Trapped { .. })), "{result:?}");
        assert_eq!(report.log.iter().map(|note| note.message.as_str()).collect::<Vec<_>>(), ["about to die"]);
    }
}

#[test]
fn what_it_refuses_is_told_and_what_it_fails_of_is_data() {
    let reason = Reason { column: Some("name".to_owned()), code: "name-not-liked".to_owned(), message: "It does not fit.".to_owned() };
    assert_eq!(write(told("refuse", &[])).0.unwrap().unwrap_err(), [UnwritableRow { row: 0, reasons: vec![reason.clone()] }]);
    let place = RecordPlace { line: 1, byte_offset: 0, byte_length: 1 };
    assert_eq!(read(told("refuse", &[])).0.unwrap().refused, [RefusedRecord { place, reasons: vec![reason] }]);
    for result in
        [write(told("fail", &[])).0.map(|_| ()), write(told("fail-in-open", &[])).0.map(|_| ()), read(told("fail", &[])).0.map(|_| ())]
    {
        let Err(CallError::Failed(PluginFailure::PluginDefect { code, .. })) = result else { panic!("{result:?}") };
        assert_eq!(code, "told-to-fail");
    }
}

#[test]
fn answers_that_cannot_be_are_refused() {
    let unsound = |what: &str, result: Result<(), CallError>, word: &str| {
        let Err(CallError::Unsound { detail, .. }) = &result else { panic!("{what}: {result:?}") };
        assert!(detail.contains(word), "{what}: {word:?} in {detail:?}");
    };
    for (what, word) in [
        ("refuse-unknown-row", "row 3, which was not given"),
        ("refuse-unknown-column", "names column 2 of the format, which has 2"),
        ("refuse-with-a-sentence", "a reason's code"),
        ("refuse-none", "names none"),
        ("refuse-without-reason", "without a reason"),
    ] {
        unsound(what, write(told(what, &[])).0.map(|_| ()), word);
    }
    for (what, word) in [
        ("place-too-few", "2 rows and tells the places of 1"),
        ("place-beyond-file", "beyond what it was given"),
        ("place-overflows", "beyond what it was given"),
        ("refuse-beyond-file", "beyond what it was given"),
        ("refuse-without-reason", "without a reason"),
        ("refuse-unknown-column", "names column 2 of the format"),
        ("column-too-few", "its rows"),
        ("column-of-another-type", "its rows"),
        ("value-missing", "its rows"),
        ("rows-too-many", "its rows"),
    ] {
        unsound(what, read(told(what, &[])).0.map(|_| ()), word);
    }
}

#[test]
fn a_hub_that_starts_again_takes_it_from_its_cache() {
    let folder = tempfile::tempdir().unwrap();
    let first = sandbox_in(folder.path(), 1).unwrap().install(hostile_format(), &format_manifest()).unwrap();
    let again = sandbox_in(folder.path(), 1).unwrap().install(hostile_format(), &format_manifest()).unwrap();
    assert_eq!((first.digest, first.initialised), (again.digest, again.initialised));
}

#[test]
fn a_format_is_a_format_and_nothing_else() {
    let error = sandbox().install(hostile_format(), &adapter_manifest()).unwrap_err();
    assert!(matches!(error, SandboxError::ExportMissing { .. }), "{error}");
    let error = sandbox().install(hostile_adapter(), &format_manifest()).unwrap_err();
    assert!(matches!(error, SandboxError::ExportMissing { .. }), "{error}");
    let unwanted = Manifest { wants: bailiwick::model::manifest::Wants::default(), ..format_manifest() };
    let error = sandbox().install(hostile_format(), &unwanted).unwrap_err();
    assert!(matches!(error, SandboxError::ImportNotWanted { .. }), "{error}");
    let setup = Arc::new(setup(format(), ""));
    let opened = on_run_thread(move |worker| worker.open_adapter(&setup).map(|_| ()).map_err(|failed| failed.error));
    assert!(matches!(opened, Err(CallError::HubFault { .. })));
}
