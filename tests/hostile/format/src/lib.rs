//! A format that misbehaves as its settings say: `{"misbehave": "endless-loop"}`. Otherwise it writes one line of a file for each
//! row, with the row's number, and reads each line of a file as a row. It has two columns: `number`, an integer, and `name`, text.

use std::cell::Cell;
use std::hint::black_box;

wit_bindgen::generate!({
    path: ["../../../wit/0.1.0", "../../../wit/0.2.0"],
    world: "bailiwick:plugin/format@0.2.0",
    generate_all,
});

use bailiwick::plugin0_1_0::log::{self, Level};
use bailiwick::plugin0_1_0::settings;
use bailiwick::plugin0_1_0::types::{Batch, Column, ColumnData, Failure, Problem, TextColumn};
use exports::bailiwick::plugin0_2_0::formats::{
    Context, Fault, Guest as Formats, GuestReader, GuestWriter, LastBytes, LastRecords, Place, Reader, Records, Refused, UnwritableRow,
    WriteFailure, Writer,
};

struct Hostile;

impl Formats for Hostile {
    type Writer = Writing;
    type Reader = Reading;
}

struct Writing {
    rows: Cell<u64>,
    misbehave: String,
}

struct Reading {
    rows: Cell<u64>,
    bytes: Cell<u64>,
    misbehave: String,
}

fn misbehave() -> String {
    let settings = settings::get();
    settings.split_once("\"misbehave\":").and_then(|(_, rest)| rest.split('"').nth(1)).unwrap_or("").to_owned()
}

/// What any call can do wrong.
fn take_too_much(how: &str) {
    match how {
        "endless-loop" => loop {
            black_box(());
        },
        "memory-at-once" => drop(black_box(vec![1_u8; 1 << 30])),
        "trap-after-a-note" => {
            log::write(Level::Error, "about to die");
            std::process::abort();
        }
        "log-flood" => (0..10_000).for_each(|_| log::write(Level::Info, &"x".repeat(1_000))),
        _ => {}
    }
}

fn defect() -> Failure {
    Failure::PluginDefect(Problem { code: "told-to-fail".to_owned(), message: "It was told to fail.".to_owned() })
}

impl GuestWriter for Writing {
    fn open(_: Context) -> Result<Writer, Failure> {
        let misbehave = misbehave();
        if misbehave == "fail-in-open" {
            return Err(defect());
        }
        Ok(Writer::new(Self { rows: Cell::new(0), misbehave }))
    }

    fn write(&self, rows: Batch) -> Result<Vec<u8>, WriteFailure> {
        take_too_much(&self.misbehave);
        self.rows.set(rows.first_row + u64::from(rows.rows));
        let fault = |column: Option<u32>, code: &str| Fault { column, code: code.to_owned(), message: "It does not fit.".to_owned() };
        let one = |row: u64, fault: Fault| Err(WriteFailure::Rows(vec![UnwritableRow { row, faults: vec![fault] }]));
        match self.misbehave.as_str() {
            "fail" => return Err(WriteFailure::Failed(defect())),
            "refuse" => return one(rows.first_row, fault(Some(1), "name-not-liked")),
            "refuse-unknown-row" => return one(self.rows.get(), fault(None, "row-not-liked")),
            "refuse-unknown-column" => return one(rows.first_row, fault(Some(2), "row-not-liked")),
            "refuse-with-a-sentence" => return one(rows.first_row, fault(None, "I do not like it")),
            "refuse-none" => return Err(WriteFailure::Rows(Vec::new())),
            "refuse-without-reason" => return Err(WriteFailure::Rows(vec![UnwritableRow { row: rows.first_row, faults: Vec::new() }])),
            "bytes-flood" => return Ok(vec![b'x'; 1 << 20]),
            "one-large-answer" => return Ok(vec![b'x'; 200 << 20]),
            _ => {}
        }
        let lines = (0..u64::from(rows.rows)).map(|row| format!("{}\n", rows.first_row + row));
        Ok(lines.collect::<String>().into_bytes())
    }

    fn finish(&self) -> Result<LastBytes, WriteFailure> {
        match self.misbehave.as_str() {
            "never-done" => Ok(LastBytes { bytes: Vec::new(), done: false }),
            "never-done-with-bytes" => Ok(LastBytes { bytes: vec![b'x'; 1 << 20], done: false }),
            _ => Ok(LastBytes { bytes: format!("{} rows\n", self.rows.get()).into_bytes(), done: true }),
        }
    }
}

impl GuestReader for Reading {
    fn open(_: Context) -> Result<Reader, Failure> {
        Ok(Reader::new(Self { rows: Cell::new(0), bytes: Cell::new(0), misbehave: misbehave() }))
    }

    fn read(&self, bytes: Vec<u8>) -> Result<Records, Failure> {
        take_too_much(&self.misbehave);
        let start = self.bytes.get();
        self.bytes.set(start + bytes.len() as u64);
        let mut found = Records { rows: batch(&[]), places: Vec::new(), refused: Vec::new() };
        let (mut names, mut offset) = (Vec::new(), start);
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rows.set(self.rows.get() + 1);
            found.places.push(Place { line: self.rows.get(), offset, length: line.len() as u32 - 1 });
            names.push(String::from_utf8_lossy(&line[..line.len() - 1]).into_owned());
            offset += line.len() as u64;
        }
        found.rows = batch(&names);
        self.spoil(&mut found);
        if self.misbehave == "fail" { Err(defect()) } else { Ok(found) }
    }

    fn finish(&self) -> Result<LastRecords, Failure> {
        let records = Records { rows: batch(&[]), places: Vec::new(), refused: Vec::new() };
        Ok(LastRecords { records, done: self.misbehave != "never-done" })
    }
}

impl Reading {
    fn spoil(&self, found: &mut Records) {
        let fault = |column: Option<u32>, code: &str| Fault { column, code: code.to_owned(), message: "It does not fit.".to_owned() };
        let place = Place { line: 1, offset: 0, length: 1 };
        let refused = |faults: Vec<Fault>| Refused { place, faults };
        match self.misbehave.as_str() {
            "refuse" => found.refused.push(refused(vec![fault(Some(1), "name-not-liked")])),
            "place-too-few" => drop(found.places.pop()),
            "place-beyond-file" => found.places[0].offset = self.bytes.get(),
            "place-overflows" => found.places[0].offset = u64::MAX,
            "refuse-beyond-file" => found.refused.push(Refused { place: Place { length: u32::MAX, ..place }, faults: vec![fault(None, "a")] }),
            "refuse-without-reason" => found.refused.push(refused(Vec::new())),
            "refuse-unknown-column" => found.refused.push(refused(vec![fault(Some(2), "row-not-liked")])),
            "column-too-few" => drop(found.rows.columns.pop()),
            "column-of-another-type" => found.rows.columns.swap(0, 1),
            "value-missing" => found.rows.columns[0].validity = vec![0; found.rows.rows.div_ceil(8) as usize],
            "rows-too-many" => found.rows.rows += 1,
            "rows-flood" => {
                let names = vec![String::new(); 100_000];
                found.rows = batch(&names);
                found.places = vec![place; names.len()];
            }
            _ => {}
        }
    }
}

fn batch(names: &[String]) -> Batch {
    let mut text = TextColumn { offsets: vec![0], content: String::new() };
    for name in names {
        text.content.push_str(name);
        text.offsets.push(text.content.len() as u32);
    }
    let column = |data| Column { validity: Vec::new(), data };
    let numbers = (0..names.len() as i64).collect();
    Batch { first_row: 0, rows: names.len() as u32, columns: vec![column(ColumnData::Integers(numbers)), column(ColumnData::Text(text))] }
}

impl Guest for Hostile {
    fn initialize() {
        // What a file needs of memory is there before the snapshot.
        drop(black_box(vec![0_u8; 1 << 20]));
    }
}

export!(Hostile);
