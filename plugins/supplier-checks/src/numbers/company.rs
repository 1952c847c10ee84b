//! Company numbers of Companies House. They have no check digit.

use super::{all_digits, compact};

/// The letters before six digits, and the register that they stand for.
const PREFIXES: [(&str, &str); 44] = [
    ("AC", "assurance company in England and Wales"),
    ("BR", "branch of an overseas company"),
    ("CE", "charitable incorporated organisation"),
    ("CS", "Scottish charitable incorporated organisation"),
    ("ES", "European company"),
    ("FC", "overseas company"),
    ("FE", "branch of an overseas company"),
    ("GE", "European economic interest grouping"),
    ("GN", "European economic interest grouping in Northern Ireland"),
    ("GS", "European economic interest grouping in Scotland"),
    ("IC", "investment company with variable capital"),
    ("IP", "registered society"),
    ("LP", "limited partnership"),
    ("NA", "assurance company in Northern Ireland"),
    ("NC", "limited liability partnership in Northern Ireland"),
    ("NF", "overseas company in Northern Ireland"),
    ("NI", "company in Northern Ireland"),
    ("NL", "limited partnership in Northern Ireland"),
    ("NO", "registered society in Northern Ireland"),
    ("NP", "registered society in Northern Ireland"),
    ("NR", "royal charter company in Northern Ireland"),
    ("NV", "investment company with variable capital in Northern Ireland"),
    ("NZ", "company in Northern Ireland that is not under the Companies Act"),
    ("OC", "limited liability partnership"),
    ("OE", "overseas entity"),
    ("PC", "protected cell company"),
    ("RC", "royal charter company"),
    ("RS", "registered society"),
    ("SA", "assurance company in Scotland"),
    ("SC", "company in Scotland"),
    ("SE", "European company"),
    ("SF", "overseas company in Scotland"),
    ("SG", "Scottish qualifying partnership"),
    ("SI", "investment company with variable capital in Scotland"),
    ("SL", "limited partnership in Scotland"),
    ("SO", "limited liability partnership in Scotland"),
    ("SP", "registered society in Scotland"),
    ("SR", "royal charter company in Scotland"),
    ("SZ", "company in Scotland that is not under the Companies Act"),
    ("UA", "unregistered company"),
    ("UN", "unregistered company"),
    ("US", "unregistered company"),
    ("ZC", "company that is not under the Companies Act"),
    ("NS", "registered society in Northern Ireland"),
];

/// A well-formed number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyNumber {
    /// Its eight characters.
    pub number: String,
    /// The register that its letters stand for; none where the letters are not known here.
    pub register: Option<&'static str>,
}

/// Checks the form of a number and fills it up to its eight characters.
///
/// # Errors
/// `Malformed` if it is no such number.
pub fn check(text: &str) -> Result<CompanyNumber, Malformed> {
    let number = compact(text);
    let letters = number.bytes().take_while(u8::is_ascii_uppercase).count();
    let figures = &number[letters..];
    if !all_digits(figures) || figures.bytes().all(|byte| byte == b'0') {
        return Err(Malformed);
    }
    let register = match (letters, figures.len()) {
        (0, 1..=8) => return Ok(CompanyNumber { number: format!("{figures:0>8}"), register: Some("company in England and Wales") }),
        (1, 7) if number.starts_with('R') => Some("company on an older register"),
        (2, 6) => PREFIXES.iter().find(|(prefix, _)| *prefix == &number[..2]).map(|(_, register)| *register),
        _ => return Err(Malformed),
    };
    Ok(CompanyNumber { number, register })
}

/// The text is no company number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_forms() {
        for (text, expect) in [
            ("00445790", Some("00445790")),
            ("445790", Some("00445790")),
            ("SC 095 237", Some("SC095237")),
            ("oc303675", Some("OC303675")),
            ("NI012345", Some("NI012345")),
            ("R0000042", Some("R0000042")),
            ("QQ123456", Some("QQ123456")),
            ("123456789", None),
            ("SC12345", None),
            ("S1234567", None),
            ("00000000", None),
            ("SC000000", None),
            ("", None),
            ("ACME", None),
            ("é1234567", None),
        ] {
            assert_eq!(check(text).ok().map(|found| found.number).as_deref(), expect, "{text}");
        }
        assert_eq!(check("QQ123456").map(|found| found.register), Ok(None));
        assert_eq!(check("LP003875").map(|found| found.register), Ok(Some("limited partnership")));
    }
}
