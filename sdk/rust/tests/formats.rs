//! Formats natively: files cut anywhere, rows that cannot be written, and cases that show every difference.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};

use bailiwick_sdk::testing::{NativeFormat, NotWritten, run_cases};
use bailiwick_sdk::{
    Done, Failure, FileContext, FileOut, FileReader, FileWriter, Format, Hub, Lines, Money, OneWay, Records, Reject, Rows, register,
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// `name=amount`, a line a row; a name with a line's end or an equals sign in it cannot be written.
struct Pairs;

#[derive(Debug, Serialize, Deserialize)]
struct Pair<'a> {
    name: &'a str,
    amount: Money,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OwnedPair {
    name: String,
    amount: Money,
}

struct Writer;
struct Reader(Lines);

impl Format for Pairs {
    type Settings = ();
    type Writer = Writer;
    type Reader = Reader;

    fn writer(_: &FileContext, (): (), _: &Hub) -> Result<Writer, Failure> {
        Ok(Writer)
    }

    fn reader(context: &FileContext, (): (), _: &Hub) -> Result<Reader, Failure> {
        assert!(context.has_column("name") && !context.has_column("surname"));
        Ok(Reader(Lines::new(40)))
    }
}

impl FileWriter for Writer {
    fn write(&mut self, rows: &Rows<'_>, file: &mut FileOut<'_>) -> Result<(), Failure> {
        for row in rows.read::<Pair>() {
            if row.value.name.contains(['\n', '\r', '=']) {
                file.refuse(row.number, Reject::new("name-unfit", "It cannot be written.").column("name"));
            } else {
                file.put(format!("{}={}\n", row.value.name, row.value.amount).as_bytes());
            }
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut FileOut<'_>) -> Result<Done, Failure> {
        Ok(Done::Yes)
    }
}

impl FileReader for Reader {
    fn read(&mut self, bytes: &[u8], records: &mut Records<'_>) -> Result<(), Failure> {
        self.0.push(bytes);
        while let Some(line) = self.0.next()? {
            let text = std::str::from_utf8(line.bytes).map_err(|_| Failure::input("not-text", "It is not text."))?;
            match text.split_once('=').and_then(|(name, amount)| Some(Pair { name, amount: amount.parse().ok()? })) {
                Some(pair) => records.row(line.place, &pair)?,
                None => records.refuse(line.place, Reject::new("no-pair", "It is no pair."))?,
            }
        }
        Ok(())
    }

    fn finish(&mut self, records: &mut Records<'_>) -> Result<Done, Failure> {
        if let Some(line) = self.0.rest()? {
            records.refuse(line.place, Reject::new("line-not-ended", "The last line has no end."))?;
        }
        Ok(Done::Yes)
    }
}

register!(format Pairs);

/// A format that only reads, and says that it writes.
struct HalfWay;

impl Format for HalfWay {
    type Settings = ();
    type Writer = OneWay;
    type Reader = Reader;
}

const MANIFEST: &str = r#"
name = "pairs"
version = "1.0.0"
kind = "format"
contract = "0.2.0"
title = "Pairs"
ways = ["write", "read"]
columns = [{ name = "name", type = "text" }, { name = "amount", type = "money" }]
"#;

fn folder(name: &str, files: &[(&str, &str)], changed: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("formats").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    for (path, text) in files.iter().filter(|(path, _)| !changed.iter().any(|(other, _)| path == other)).chain(changed) {
        if !text.is_empty() {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }
    folder
}

fn native(name: &str) -> NativeFormat {
    NativeFormat::new(folder(name, &[("plugin.toml", MANIFEST)], &[]))
}

fn pair(name: &str, pence: i64) -> OwnedPair {
    OwnedPair { name: name.to_owned(), amount: Money::from_pence(pence) }
}

proptest! {
    #[test]
    fn lines_are_the_same_however_the_bytes_come(text in "[ab\r\n]{0,60}", cuts in prop::collection::vec(0_usize..10, 0..30)) {
        let mut expected = Vec::new();
        let (mut offset, mut line) = (0, 1);
        for piece in text.split_inclusive('\n') {
            let content = piece.strip_suffix('\n').unwrap_or(piece);
            let content = content.strip_suffix('\r').unwrap_or(content);
            expected.push((line, offset, content.to_owned()));
            offset += piece.len() as u64;
            line += 1;
        }
        let mut lines = Lines::new(60);
        let (mut found, mut rest) = (Vec::new(), text.as_bytes());
        for cut in cuts.into_iter().chain([60]) {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            rest = later;
            lines.push(now);
            while let Some(line) = lines.next().unwrap() {
                found.push((line.place.line, line.place.offset, String::from_utf8(line.bytes.to_vec()).unwrap()));
            }
        }
        if let Some(line) = lines.rest().unwrap() {
            found.push((line.place.line, line.place.offset, String::from_utf8(line.bytes.to_vec()).unwrap()));
        }
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn a_line_that_is_too_long_is_refused_before_it_has_ended() {
    let mut lines = Lines::new(3);
    lines.push(b"abc\r\n");
    assert_eq!(lines.next().unwrap().unwrap().bytes, b"abc");
    lines.push(b"abcd");
    assert_eq!(lines.next().unwrap(), None, "the fourth may be a carriage return");
    lines.push(b"e");
    assert!(matches!(lines.next(), Err(Failure::InputUnusable(problem)) if problem.code == "line-too-long"));
    let mut lines = Lines::new(3);
    lines.push(b"abcd\n");
    assert!(lines.next().is_err());
}

#[test]
fn rows_go_out_and_come_back() {
    let format = native("back").read_at_once(1);
    let rows: Vec<OwnedPair> = (0..3_000).map(|row| pair(&format!("n{row}"), row)).collect();
    let file = format.write::<Pairs>(&rows, &format.hub()).unwrap();
    let read = format.read::<Pairs, OwnedPair>(&file, &format.hub()).unwrap();
    assert_eq!((read.refused.len(), read.rows.len()), (0, 3_000));
    assert_eq!(read.rows.last().unwrap().0.line, 3_000);
    assert!(read.rows.into_iter().map(|(_, row)| row).eq(rows));
}

#[test]
fn every_row_that_cannot_be_written_is_told() {
    let format = native("unwritable");
    let mut rows: Vec<OwnedPair> = (0..1_500).map(|row| pair("n", row)).collect();
    (rows[1_100].name, rows[1_200].name) = ("a=b".to_owned(), "c\nd".to_owned());
    let Err(NotWritten::Rows(told)) = format.write::<Pairs>(&rows, &format.hub()) else { panic!("it was written") };
    let told: Vec<_> = told.iter().map(|(row, column, code)| (*row, column.as_deref(), code.as_str())).collect();
    assert_eq!(told, [(1_100, Some("name"), "name-unfit"), (1_200, Some("name"), "name-unfit")]);
}

#[test]
fn a_way_that_is_not_gone_is_a_defect() {
    let format = native("half-way");
    let failed = format.write::<HalfWay>(&[pair("n", 1)], &format.hub());
    assert!(matches!(failed, Err(NotWritten::Failed(Failure::PluginDefect(problem))) if problem.code == "way-unknown"));
}

#[test]
fn cases_pass_or_show_every_difference() {
    let files = [
        ("plugin.toml", MANIFEST),
        ("cases/both/case.toml", "today = 2026-10-19\n"),
        ("cases/both/rows.csv", "name,amount\na,1.00\nb,2.50\n"),
        ("cases/both/file.txt", "a=1.00\nb=2.50\n"),
        ("cases/out/case.toml", "today = 2026-10-19\nways = [\"write\"]\n"),
        ("cases/out/rows.csv", "name,amount\na=b,1.00\n"),
        ("cases/out/unwritable.csv", "row,column,code\n0,name,name-unfit\n"),
        ("cases/in/case.toml", "today = 2026-10-19\nways = [\"read\"]\n"),
        ("cases/in/file.txt", "a\nb=1.00\nc"),
        ("cases/in/rows.csv", "name,amount\nb,1.00\n"),
        ("cases/in/refused.csv", "line,column,code\n1,,no-pair\n3,,line-not-ended\n"),
    ];
    let verdict = |folder: &Path| {
        let run = || run_cases::<Pairs>(folder.to_str().unwrap());
        std::panic::catch_unwind(run).err().map(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default())
    };
    assert_eq!(verdict(&folder("right", &files, &[])), None);
    for (number, (changed, told)) in [
        (("cases/both/file.txt", "a=1.00\nb=2.51\n"), "expected b=2.51\n    found    b=2.50"),
        (("cases/both/file.txt", ""), "0 files of the format"),
        (("cases/both/other.bin", "x"), "2 files of the format"),
        (("cases/both/rows.csv", "name,amount\na,1.00\n"), "rows.csv"),
        (("cases/out/unwritable.csv", ""), "0 files of the format"),
        (("cases/out/unwritable.csv", "row,column,code\n1,name,name-unfit\n"), "found    0,name,name-unfit"),
        (("cases/in/refused.csv", ""), "1,,no-pair"),
        (("cases/in/rows.csv", ""), "found    b,1.00"),
        (("cases/in/file.txt", "\u{e9}=1.00\n".repeat(9).as_str()), "rows.csv"),
        (("cases/in/case.toml", "today = 2026-10-19\nways = [\"read\"]\nexpect-failure = \"input-unusable\"\n"), "it did not fail"),
        (("cases/in/case.toml", "today = 2026-10-19\nways = []\n"), "name what plugin.toml declares"),
        (("plugin.toml", &MANIFEST.replace("\"write\", ", "")), "name what plugin.toml declares"),
        (("plugin.toml", &MANIFEST.replace("\"format\"", "\"adapter\"")), "a format is registered"),
    ]
    .into_iter()
    .enumerate()
    {
        let said = verdict(&folder(&format!("wrong-{number}"), &files, &[changed])).unwrap_or_default();
        assert!(said.contains(told), "{}: {told:?} is not in:\n{said}", changed.0);
    }
}
