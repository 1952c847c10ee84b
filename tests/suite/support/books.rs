//! Delivered files read again and added up, with nothing of the hub's own arithmetic.

/// A CSV file by headings.
pub(crate) struct Csv {
    headings: Vec<String>,
    records: Vec<csv::StringRecord>,
}

impl Csv {
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut reader = csv::Reader::from_reader(bytes);
        let headings = reader.headers().expect("headings").iter().map(ToOwned::to_owned).collect();
        Self { headings, records: reader.records().collect::<Result<_, _>>().expect("records") }
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// The values of a column.
    pub(crate) fn column(&self, heading: &str) -> Vec<&str> {
        let place = self.headings.iter().position(|found| found == heading);
        let place = place.unwrap_or_else(|| panic!("there is no {heading:?} among {:?}", self.headings));
        self.records.iter().map(|record| &record[place]).collect()
    }

    /// The values of a money column, in pence.
    pub(crate) fn pence(&self, heading: &str) -> Vec<i128> {
        self.column(heading).into_iter().map(pence).collect()
    }
}

/// An amount of money in pence; nothing is none. A part of a penny is a defect.
pub(crate) fn pence(text: &str) -> i128 {
    let text = text.replace(',', "");
    let (sign, digits) = text.strip_prefix('-').map_or((1, text.as_str()), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(part.len() <= 2 && digits.chars().all(|each| each.is_ascii_digit() || each == '.'), "{text:?} is no amount");
    let number = |text: &str| if text.is_empty() { 0 } else { text.parse::<i128>().expect("digits") };
    sign * (number(whole) * 100 + number(&format!("{part:0<2}")))
}

/// Pence as people write them.
pub(crate) fn pounds(pence: i128) -> String {
    format!("{}{}.{:02}", if pence < 0 { "-" } else { "" }, pence.abs() / 100, pence.abs() % 100)
}
