//! What a guest hands across: columns, findings and decisions. Accepted is exactly what the contract allows, and whatever
//! is accepted can be read, cut, masked and written without another look.

use bailiwick::format::row_as_json;
use bailiwick::model::ids::is_name;
use bailiwick::model::limits::MESSAGE_BYTES_MAX;
use bailiwick::model::manifest::{AdapterShape, RuleSetShape};
use bailiwick::model::outcome::{Effect, Verdict};
use bailiwick::model::rows::{Batch, Column, ColumnData, ColumnKind, ColumnShape, PortShape, TextColumn, Validity, date_of_days};
use bailiwick::sandbox::{MadeDecision, MadeFinding, judge_decision, judge_outcome};

use super::bytes::Bytes;

const KINDS: [ColumnKind; 6] = [
    ColumnKind::Integer,
    ColumnKind::Money { scale: 2 },
    ColumnKind::Decimal { scale: 18 },
    ColumnKind::Date,
    ColumnKind::Text,
    ColumnKind::Boolean,
];

/// Choices of which an answer is made: the first whose it is, an adapter's or a rule set's.
pub fn answers(input: &[u8]) {
    let mut bytes = Bytes(input);
    if bytes.below(4) == 3 { decision(&mut bytes) } else { outcome(&mut bytes) }
}

fn outcome(bytes: &mut Bytes<'_>) {
    let shape = AdapterShape { inputs: vec![port("lines")], outputs: vec![port("passed-on"), port("more")], independent_rows: true };
    let rows = [(0, bytes.number())];
    let outputs = bytes.few(2, |bytes| (u32::from(bytes.byte()) % 3, batch(bytes)));
    let findings: Vec<MadeFinding> = bytes.few(2, |bytes| {
        let effect = [Effect::Reject, Effect::Skip, Effect::Warn][bytes.below(3)];
        let reasons = bytes.few(2, |bytes| ((bytes.below(2) == 1).then(|| u32::from(bytes.byte() % 8)), bytes.text(), bytes.text()));
        (u32::from(bytes.byte() % 2), bytes.number(), effect, reasons)
    });
    let sound = outputs.iter().all(|(place, batch)| *place < 2 && is_sound(batch, &shape.outputs[0].columns))
        && findings.iter().all(|(input, row, _, reasons)| {
            let known = |column: &Option<u32>| column.is_none_or(|place| (place as usize) < KINDS.len());
            *input == 0 && *row < rows[0].1 && !reasons.is_empty() && reasons.iter().all(|(column, code, _)| known(column) && is_name(code))
        });
    match judge_outcome(&shape, &rows, outputs.clone(), findings) {
        Ok(accepted) => {
            assert!(sound, "accepted: {accepted:?}");
            accepted.outputs.iter().zip(&outputs).for_each(|((_, batch), (_, given))| is_whole(batch, given, &shape.outputs[0]));
            let reasons = accepted.findings.iter().flat_map(|finding| &finding.reasons);
            reasons.for_each(|reason| is_clean(&reason.message));
        }
        Err(detail) => {
            assert!(!sound, "refused: {detail}");
            is_clean(&detail);
        }
    }
}

fn port(name: &str) -> PortShape {
    let shape = |(place, kind): (usize, ColumnKind)| ColumnShape {
        name: format!("c{place}"),
        kind,
        required: place % 2 == 0,
        personal: false,
        length_max: None,
        about: String::new(),
    };
    let columns = KINDS.into_iter().enumerate().map(shape).collect();
    PortShape { name: name.to_owned(), about: String::new(), optional: false, columns, unique: Vec::new(), aggregate_by: None }
}

/// Mostly sound; each choice but the first makes something in it wrong.
fn batch(bytes: &mut Bytes<'_>) -> Batch {
    let rows = bytes.below(40);
    let columns = KINDS.into_iter().map(|kind| column(bytes, kind, rows));
    let mut columns: Vec<Column> = columns.collect();
    match bytes.byte() {
        1 => drop(columns.pop()),
        2 => columns.push(columns[0].clone()),
        3 => columns.swap(0, 1),
        _ => {}
    }
    Batch { first_row: bytes.number(), rows: if bytes.byte() == 1 { bytes.number() as u32 as usize } else { rows }, columns }
}

fn column(bytes: &mut Bytes<'_>, kind: ColumnKind, rows: usize) -> Column {
    let count = if bytes.byte() == 1 { bytes.below(60) } else { rows };
    let numbers = |bytes: &mut Bytes<'_>| (0..count).map(|_| bytes.number() as i64).collect();
    let bits = |bytes: &mut Bytes<'_>| (0..count.div_ceil(8)).map(|_| bytes.byte()).collect::<Vec<u8>>();
    let data = match kind {
        ColumnKind::Integer => ColumnData::Integers(numbers(bytes)),
        ColumnKind::Money { scale } | ColumnKind::Decimal { scale } => {
            let scale = if bytes.byte() == 1 { bytes.byte() } else { scale };
            ColumnData::Decimals { scale, coefficients: numbers(bytes) }
        }
        ColumnKind::Date => ColumnData::Dates((0..count).map(|_| bytes.number() as i32).collect()),
        ColumnKind::Text => ColumnData::Text(text(bytes, count)),
        ColumnKind::Boolean => ColumnData::Booleans(bits(bytes)),
    };
    let validity = if bytes.byte() == 1 { bits(bytes) } else { Vec::new() };
    Column { validity: Validity { bits: validity }, data }
}

fn text(bytes: &mut Bytes<'_>, count: usize) -> TextColumn {
    if bytes.byte() == 1 {
        return TextColumn { offsets: (0..count).map(|_| bytes.number() as u32).collect(), content: bytes.text() };
    }
    let (mut offsets, mut content) = (vec![0], String::new());
    for _ in 0..count {
        content.push_str(&bytes.text());
        offsets.push(u32::try_from(content.len()).expect("inputs are short"));
    }
    TextColumn { offsets, content }
}

/// What the contract says of a batch, told as simply as can be: value by value.
fn is_sound(batch: &Batch, shapes: &[ColumnShape]) -> bool {
    batch.columns.len() == shapes.len()
        && batch.columns.iter().zip(shapes).all(|(column, shape)| {
            let bitmap = batch.rows.div_ceil(8);
            let bits = &column.validity.bits;
            let whole = match (&column.data, shape.kind) {
                (ColumnData::Integers(values), ColumnKind::Integer) => values.len() == batch.rows,
                (ColumnData::Decimals { scale, coefficients }, ColumnKind::Money { .. } | ColumnKind::Decimal { .. }) => {
                    coefficients.len() == batch.rows && *scale == shape.kind.scale()
                }
                (ColumnData::Dates(days), ColumnKind::Date) => {
                    days.len() == batch.rows && days.iter().all(|day| date_of_days(*day).is_some_and(|date| date.year() >= 1))
                }
                (ColumnData::Text(text), ColumnKind::Text) => {
                    let [0, rest @ ..] = &text.offsets[..] else { return false };
                    let cuts = text.offsets.iter().zip(rest).map(|(from, to)| text.content.get(*from as usize..*to as usize));
                    let cuts: Option<Vec<&str>> = cuts.collect();
                    cuts.is_some_and(|cuts| cuts.len() == batch.rows && cuts.concat() == text.content)
                }
                (ColumnData::Booleans(values), ColumnKind::Boolean) => values.len() == bitmap,
                _ => false,
            };
            let all = bits.is_empty() || (0..batch.rows).all(|row| bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1));
            whole && (bits.is_empty() || bits.len() == bitmap) && (all || !shape.required)
        })
}

/// What was accepted is what was given, and every use of it stays within it.
fn is_whole(batch: &Batch, given: &Batch, port: &PortShape) {
    assert_eq!((&batch.columns, batch.rows), (&given.columns, given.rows));
    assert!(batch.bytes() <= given.rows * 64 + 4_096 + text_bytes(given));
    for row in 0..batch.rows {
        let json = row_as_json(&port.columns, batch, row);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error} in {json}"));
        for (column, shape) in batch.columns.iter().zip(&port.columns) {
            let shown = &json[&shape.name];
            match &column.data {
                _ if !column.validity.has(row) => assert!(shown.is_null(), "{json}"),
                // Text that no file may hold is not shown; writing it to an output fails the run by name.
                ColumnData::Text(text) => assert!(shown.is_null() || shown == text.value(row), "{json}"),
                _ => assert!(!shown.is_null(), "{json}"),
            }
        }
    }
    let half = batch.rows / 2;
    let (first, second) = (batch.slice(0, half), batch.slice(half, batch.rows));
    for part in [&first, &second] {
        assert_eq!(part.check(&port.columns), Ok(()));
    }
    let rows = |batch: &Batch| (0..batch.rows).map(|row| row_as_json(&port.columns, batch, row)).collect::<Vec<_>>();
    assert_eq!([rows(&first), rows(&second)].concat(), rows(batch), "cut in two it is something else");
}

fn text_bytes(batch: &Batch) -> usize {
    let text = |column: &Column| if let ColumnData::Text(text) = &column.data { text.content.len() } else { 0 };
    batch.columns.iter().map(text).sum()
}

/// What people are shown neither steers a terminal nor runs on.
fn is_clean(text: &str) {
    assert!(text.len() <= MESSAGE_BYTES_MAX, "{} bytes for people", text.len());
    let misleads = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}' | '\u{feff}');
    assert!(!text.contains(misleads), "{text:?}");
}

fn decision(bytes: &mut Bytes<'_>) {
    let shape = RuleSetShape {
        case_schema: serde_json::Value::Null,
        case_order: Vec::new(),
        reference: "/reference".to_owned(),
        amounts: Vec::new(),
        personal: Vec::new(),
        outcomes: vec!["fund".to_owned(), "refer".to_owned()],
        figures: vec!["share".to_owned(), "excess".to_owned()],
    };
    let word = |bytes: &mut Bytes<'_>, words: [&str; 2]| match bytes.below(4) {
        0 | 1 => words[0].to_owned(),
        2 => words[1].to_owned(),
        _ => bytes.text(),
    };
    let day = |bytes: &mut Bytes<'_>| bytes.number() as i32;
    let made = MadeDecision {
        outcome: word(bytes, ["fund", "refer"]),
        reasons: bytes.few(3, |bytes| {
            let verdict = [Verdict::Pass, Verdict::Refer, Verdict::Fail, Verdict::CannotCheck, Verdict::Applies][bytes.below(5)];
            (word(bytes, ["limit", "age"]), verdict, bytes.text(), bytes.few(2, |bytes| word(bytes, ["/amount", "/a~1b/0"])))
        }),
        actions: bytes.few(2, |bytes| (word(bytes, ["pay", "ask"]), bytes.text(), bytes.text(), (bytes.below(2) == 1).then(|| day(bytes)))),
        figures: bytes.few(3, |bytes| (word(bytes, ["share", "excess"]), bytes.number() as i64, bytes.byte() % 24)),
        tables: bytes.few(2, |bytes| (bytes.text(), bytes.text(), day(bytes), (bytes.below(2) == 1).then(|| day(bytes)))),
    };
    let told = format!("{made:?}");
    match judge_decision(&shape, made) {
        Ok(accepted) => {
            assert!(shape.outcomes.contains(&accepted.outcome));
            for (place, (name, amount)) in accepted.figures.iter().enumerate() {
                assert!(shape.figures.contains(name) && accepted.figures[..place].iter().all(|(other, _)| other != name), "{told}");
                assert!(amount.scale <= 18 && !amount.to_string().is_empty());
            }
            for reason in &accepted.reasons {
                assert!(is_name(&reason.rule));
                is_clean(&reason.text);
                assert!(reason.evidence.iter().all(|pointer| pointer.is_empty() || pointer.starts_with('/')), "{told}");
                reason.evidence.iter().for_each(|pointer| is_clean(pointer));
            }
            for action in &accepted.actions {
                assert!(is_name(&action.kind));
                [&action.party, &action.text].into_iter().for_each(|text| is_clean(text));
            }
            accepted.tables.iter().for_each(|table| [&table.table, &table.version].into_iter().for_each(|text| is_clean(text)));
        }
        Err(detail) => is_clean(&detail),
    }
}
