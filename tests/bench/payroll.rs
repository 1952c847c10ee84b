//! A month's payroll of any number of rows, invented: the same rows on both sides of every comparison, none of them at fault.
//!
//! It knows the columns of `plugins/lgps-return`, and neither the hub's batches nor the SDK's: each side moves the values into its own.

/// The job's settings that go with it.
pub(crate) const SETTINGS: &str = r#"{"employers":[{"code":"00321","rate-percent":"18.9","from":"2026-04-01"},{"code":"00322","rate-percent":"18.9","from":"2026-04-01"}]}"#;

/// 31 October 2026, in days since 1970.
const PERIOD_END: i32 = 20_757;

/// Highest annual pay in pounds and rate in hundredths of a percent: `plugins/lgps-return/tables/lgps-bands-2026-27.csv`.
const BANDS: [(i64, i64); 5] = [(18_400, 550), (29_000, 580), (47_300, 650), (59_800, 680), (84_000, 850)];

/// Tenths of a percent.
const EMPLOYER_RATE: i64 = 189;

const PREFIXES: [&str; 8] = ["AB", "CE", "EH", "JK", "LM", "PR", "SX", "WY"];
const SURNAMES: [&str; 12] =
    ["Adams", "Baker", "Carter", "Davies", "Fitz-Hugh", "Hammersley", "Iqbal", "Kaur", "Moore", "O’Neill", "Stevenson", "Wood"];
const FORENAMES: [&str; 10] = ["Aaliyah", "Ben", "Charlotte", "Chloë", "Gareth", "Harpreet", "Joanne", "Mohammed", "Siân", "Tracey"];

/// The values of one column.
pub(crate) enum Values {
    /// Laid end to end; one more offset than rows.
    Text { offsets: Vec<u32>, content: String },
    /// With two digits after the point.
    Decimals(Vec<i64>),
    /// Days since 1970.
    Dates(Vec<i32>),
}

/// One column: its values, and one bit a row for those that have one, or no bits if all have.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) validity: Vec<u8>,
    pub(crate) values: Values,
}

/// Some consecutive rows, in the columns that the plugin declares.
pub(crate) struct Piece {
    pub(crate) first_row: u64,
    pub(crate) rows: usize,
    pub(crate) columns: Vec<Column>,
}

/// The month in pieces of at most `batch` rows.
pub(crate) fn pieces(rows: usize, batch: usize) -> impl Iterator<Item = Piece> {
    (0..rows).step_by(batch.max(1)).map(move |first| piece(first, batch.min(rows - first)))
}

/// One employment.
struct Member {
    number: u64,
    mixed: u64,
    main: bool,
    part_time: bool,
    annual: i64,
    full_time: i64,
    pay: i64,
    rate: i64,
}

impl Member {
    fn new(number: u64) -> Self {
        let mixed = mix(number);
        let pounds = 24_000 + (mixed % 36_000) as i64;
        let (main, part_time) = (!(mixed / 7).is_multiple_of(12), (mixed / 11).is_multiple_of(4));
        let full_time = pounds * 100;
        let annual = if part_time { full_time / 2 } else { full_time };
        let hundredths = BANDS.iter().find(|(upper, _)| annual / 100 <= *upper).map_or(990, |(_, rate)| *rate);
        let rate = if main { hundredths } else { hundredths / 2 };
        Self { number, mixed, main, part_time, annual, full_time, pay: half_up(annual, 12), rate }
    }

    fn ni_number(&self) -> String {
        let prefix = PREFIXES[(self.mixed >> 8) as usize % PREFIXES.len()];
        let letter = ['A', 'B', 'C', 'D'][(self.mixed >> 16) as usize % 4];
        format!("{prefix}{:06}{letter}", (self.mixed >> 20) % 1_000_000)
    }

    fn contribution(&self) -> i64 {
        half_up(self.pay * self.rate, 10_000)
    }
}

fn piece(first: usize, rows: usize) -> Piece {
    let members: Vec<Member> = (first..first + rows).map(|number| Member::new(number as u64)).collect();
    let text = |name, value: &dyn Fn(&Member) -> String| text(name, members.iter().map(value));
    let some = |name, value: &dyn Fn(&Member) -> Option<i64>| decimals(name, members.iter().map(value));
    let money = |name, value: &dyn Fn(&Member) -> i64| some(name, &|member| Some(value(member)));
    let dates = |name, value: &dyn Fn(&Member) -> i32| dates(name, members.iter().map(value));
    let no_date = |name| Column { name, validity: vec![0; rows.div_ceil(8)], values: Values::Dates(vec![0; rows]) };
    let no_text = |name| Column {
        name,
        validity: vec![0; rows.div_ceil(8)],
        values: Values::Text { offsets: vec![0; rows + 1], content: String::new() },
    };
    let columns = vec![
        text("employer_code", &|member| if member.mixed % 5 == 0 { "00322".into() } else { "00321".into() }),
        text("employment_number", &|member| (40_000_000 + member.number).to_string()),
        text("ni_number", &Member::ni_number),
        text("surname", &|member| SURNAMES[(member.mixed >> 3) as usize % SURNAMES.len()].into()),
        text("forenames", &|member| FORENAMES[(member.mixed >> 5) as usize % FORENAMES.len()].into()),
        dates("date_of_birth", &|member| (member.mixed >> 9) as i32 % 14_000 - 2_500),
        dates("period_end", &|_| PERIOD_END),
        text("status", &|_| "Active".into()),
        text("scheme", &|_| "LGPS".into()),
        text("section", &|member| if member.main { "MAIN".into() } else { "5050".into() }),
        text("hours_indicator", &|member| if member.part_time { "P".into() } else { "F".into() }),
        money("weekly_hours", &|member| if member.part_time { 1_850 } else { 3_700 }),
        no_date("hours_effective"),
        no_date("date_joined"),
        no_date("date_left"),
        money("annual_pay", &|member| member.annual),
        money("fte_final_pay", &|member| member.full_time),
        money("pay_main", &|member| if member.main { member.pay } else { 0 }),
        money("pay_5050", &|member| if member.main { 0 } else { member.pay }),
        money("rate_percent", &|member| member.rate),
        money("employee_main", &|member| if member.main { member.contribution() } else { 0 }),
        money("employee_5050", &|member| if member.main { 0 } else { member.contribution() }),
        money("employer_contribution", &|member| half_up(member.pay * EMPLOYER_RATE, 1_000)),
        some("apc", &|member| (member.mixed % 13 == 0).then_some(4_200)),
        some("scapc", &|_| None),
        some("avc", &|member| (member.mixed % 17 == 0).then_some(15_000)),
        no_text("reduced_pay_reason"),
        no_date("reduced_pay_from"),
        no_date("reduced_pay_to"),
        some("pay_while_reduced", &|_| None),
        some("assumed_pay", &|_| None),
        no_text("break_reason"),
        no_date("break_from"),
        no_date("break_to"),
    ];
    Piece { first_row: first as u64, rows, columns }
}

fn text(name: &'static str, values: impl Iterator<Item = String>) -> Column {
    let (mut offsets, mut content) = (vec![0], String::new());
    for value in values {
        content += &value;
        offsets.push(u32::try_from(content.len()).expect("a piece is small"));
    }
    Column { name, validity: Vec::new(), values: Values::Text { offsets, content } }
}

fn decimals(name: &'static str, values: impl Iterator<Item = Option<i64>>) -> Column {
    let (mut validity, mut coefficients, mut absent) = (Vec::new(), Vec::new(), false);
    for (row, value) in values.enumerate() {
        if row % 8 == 0 {
            validity.push(0);
        }
        validity[row / 8] |= u8::from(value.is_some()) << (row % 8);
        absent |= value.is_none();
        coefficients.push(value.unwrap_or(0));
    }
    Column { name, validity: if absent { validity } else { Vec::new() }, values: Values::Decimals(coefficients) }
}

fn dates(name: &'static str, values: impl Iterator<Item = i32>) -> Column {
    Column { name, validity: Vec::new(), values: Values::Dates(values.collect()) }
}

fn half_up(amount: i64, parts: i64) -> i64 {
    (amount + parts / 2) / parts
}

/// SplitMix64: rows that differ, and are the same every time.
fn mix(seed: u64) -> u64 {
    let seed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
