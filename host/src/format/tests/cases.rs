//! Files of cases, and of decisions.

use super::super::{CaseLine, CaseReader, DecisionWriter, Written};
use super::*;

fn read(bytes: &[u8]) -> Result<Vec<CaseLine>, FormatError> {
    let mut reader = CaseReader::open(bytes)?;
    let mut lines = Vec::new();
    while let Some(line) = reader.next_case()? {
        lines.push(line);
    }
    Ok(lines)
}

#[test]
fn cases_and_what_is_none() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(2 << 20));
    let text = format!(
        "\u{feff}{{\"a\":1}}\n\n  {{\"b\":[{{\"c\":null}}]}}\r\nnonsense\n[1]\n{{\"a\":{{\"x\":1,\"x\":2}}}}\n{{\"a\":\"\0\"}}\n{long}\n{{\"z\":1.5}}"
    );
    let lines = read(text.as_bytes()).unwrap();
    let told: Vec<String> = lines
        .iter()
        .map(|line| match line {
            CaseLine::Case { row, place, text } => format!("{row} line {}: {text}", place.line),
            CaseLine::Reject(reject) => format!("line {}: {}", reject.line, reject.reasons[0].code),
        })
        .collect();
    let expect = [
        "0 line 1: {\"a\":1}",
        "1 line 3: {\"b\":[{\"c\":null}]}",
        "line 4: record-not-json",
        "line 5: record-not-an-object",
        "line 6: key-twice",
        "line 7: nul-character",
        "line 8: record-too-long",
        "2 line 9: {\"z\":1.5}",
    ];
    assert_eq!(told, expect);
    let CaseLine::Case { place, .. } = &lines[1] else { panic!("{:?}", lines[1]) };
    assert_eq!(place.byte_offset, 12);
}

#[test]
fn files_that_cannot_be_trusted() {
    for (bytes, expect) in [(&b""[..], "file-empty"), (b"{\"a\":1}\n{\"a\"", "file-truncated"), (b"{\"a\":\"\xff\"}\n", "file-encoding")] {
        match read(bytes) {
            Err(FormatError::File(refused)) => assert_eq!(refused.code, expect),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn decisions() {
    let mut writer = DecisionWriter::open(Vec::new());
    writer.write("{\"outcome\":\"fund\"}").unwrap();
    writer.write("{\"outcome\":\"split\"}").unwrap();
    let (bytes, written) = writer.finish().unwrap();
    assert_eq!(bytes, b"{\"outcome\":\"fund\"}\n{\"outcome\":\"split\"}\n");
    assert_eq!(written, Written { rows: 2, bytes: bytes.len() as u64 });
}
