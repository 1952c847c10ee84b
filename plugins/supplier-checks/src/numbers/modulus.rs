//! The VocaLink modulus check: whether an account number can belong to a sort code.
//!
//! The fourteen digits of sort code and account number are called `u v w x y z a b c d e f g h`, as in the specification.
//! The weights are data of the caller: nothing here knows which banks there are.

use super::weights::{Method, WeightRow};
use super::{compact, digits, weighted_sum};

/// A sort code with an account number of eight digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Six digits.
    pub sort_code: [u8; 6],
    /// Eight digits.
    pub number: [u8; 8],
}

/// Why an account cannot be brought into eight digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountFault {
    /// The sort code is not six digits.
    SortCode,
    /// The account number is not six to ten digits.
    Number,
    /// The account number has nine digits, but the sort code is of no bank that gives such numbers.
    NineDigits,
    /// The account number has ten digits, but the sort code is of no bank that gives such numbers.
    TenDigits,
}

/// Which banks give account numbers of nine and ten digits, by the first digits of their sort codes.
#[derive(Debug, Clone, Copy)]
pub struct LongNumbers<'a> {
    /// Nine digits: the first takes the place of the last digit of the sort code.
    pub nine: &'a [String],
    /// Ten digits, of which the first eight count.
    pub ten_first_eight: &'a [String],
    /// Ten digits, of which the last eight count.
    pub ten_last_eight: &'a [String],
}

/// Brings sort code and account number into the form that is checked.
///
/// # Errors
/// Why that cannot be done.
pub fn account(sort_code: &str, number: &str, long: LongNumbers<'_>) -> Result<Account, AccountFault> {
    let (code, number) = (compact(sort_code), compact(number));
    let mut sort_code: [u8; 6] = digits(&code).ok_or(AccountFault::SortCode)?;
    if !super::all_digits(&number) {
        return Err(AccountFault::Number);
    }
    let of = |prefixes: &[String]| prefixes.iter().any(|prefix| code.starts_with(prefix.as_str()));
    let eight = match number.len() {
        6..=8 => format!("{number:0>8}"),
        9 if of(long.nine) => {
            sort_code[5] = number.as_bytes()[0] - b'0';
            number[1..].to_owned()
        }
        9 => return Err(AccountFault::NineDigits),
        10 if of(long.ten_first_eight) => number[..8].to_owned(),
        10 if of(long.ten_last_eight) => number[2..].to_owned(),
        10 => return Err(AccountFault::TenDigits),
        _ => return Err(AccountFault::Number),
    };
    Ok(Account { sort_code, number: digits(&eight).ok_or(AccountFault::Number)? })
}

/// What the check says of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The digits agree.
    Agrees,
    /// The digits do not agree: no such account.
    Disagrees,
    /// An account in a foreign currency (exception 6), to which the check is not applied and which counts as in order.
    ForeignCurrency,
    /// No row of the weight table is for the sort code, so that nothing can be said. This is not [`Answer::Agrees`].
    NoRow,
}

/// Checks an account with the rows for its sort code, in the table's order, and the sort code that takes the place of its
/// own under exception 5.
#[must_use]
pub fn check(account: &Account, rows: &[WeightRow], substitute: Option<[u8; 6]>) -> Answer {
    let rows: Vec<&WeightRow> = rows.iter().filter(|row| row.covers(&account.sort_code)).collect();
    let Some(first) = rows.first() else { return Answer::NoRow };
    let [a, .., g, h] = account.number;
    if rows.iter().any(|row| row.exception == Some(6)) && (4..=8).contains(&a) && g == h {
        return Answer::ForeignCurrency;
    }
    let passes = |row: &WeightRow| row_passes(row, account, substitute);
    let agrees = match first.exception {
        Some(2 | 9 | 10 | 11 | 12 | 13) => rows.iter().any(|row| passes(row)),
        Some(14) => passes(first) || shifted(account).is_some_and(|shifted| row_passes(first, &shifted, substitute)),
        _ => rows.iter().all(|row| passes(row)),
    };
    if agrees { Answer::Agrees } else { Answer::Disagrees }
}

/// Exception 14: a last digit of 0, 1 or 9 is dropped and a 0 put first.
fn shifted(account: &Account) -> Option<Account> {
    let [a, b, c, d, e, f, g, h] = account.number;
    matches!(h, 0 | 1 | 9).then_some(Account { sort_code: account.sort_code, number: [0, a, b, c, d, e, f, g] })
}

fn row_passes(row: &WeightRow, account: &Account, substitute: Option<[u8; 6]>) -> bool {
    let [_, _, c, .., g, h] = account.number;
    if row.exception == Some(3) && matches!(c, 6 | 9) {
        return true;
    }
    let figures = figures(row, account, substitute);
    let sum = match row.method {
        Method::Mod10 | Method::Mod11 => weighted_sum(&figures, &weights(row, account)),
        Method::DoubleAlternate => {
            figures.iter().zip(weights(row, account)).map(|(digit, weight)| cross_sum(i32::from(*digit) * weight)).sum()
        }
    };
    let sum = if row.exception == Some(1) { sum + 27 } else { sum };
    let left = sum.rem_euclid(row.method.modulus());
    let (g, h) = (i32::from(g), i32::from(h));
    match (row.exception, row.method) {
        (Some(4), _) => left == 10 * g + h,
        // What is left of 11 must be g; ten is no digit, so a remainder of 1 never passes.
        (Some(5), Method::Mod11) => left != 1 && (11 - left) % 11 == g,
        (Some(5), _) => (10 - left) % 10 == h,
        _ => left == 0,
    }
}

/// The fourteen digits, with another sort code where an exception says so.
fn figures(row: &WeightRow, account: &Account, substitute: Option<[u8; 6]>) -> [u8; 14] {
    let sort_code = match row.exception {
        Some(5) => substitute.unwrap_or(account.sort_code),
        Some(8) => [0, 9, 0, 1, 2, 6],
        Some(9) => [3, 0, 9, 6, 3, 4],
        _ => account.sort_code,
    };
    let mut figures = [0; 14];
    figures[..6].copy_from_slice(&sort_code);
    figures[6..].copy_from_slice(&account.number);
    figures
}

/// The row's weights, with others where an exception says so.
fn weights(row: &WeightRow, account: &Account) -> [i32; 14] {
    let [a, b, .., g, _] = account.number;
    match row.exception {
        Some(2) if a != 0 && g != 9 => [0, 0, 1, 2, 5, 3, 6, 4, 8, 7, 10, 9, 3, 1],
        Some(2) if a != 0 => [0, 0, 0, 0, 0, 0, 0, 0, 8, 7, 10, 9, 3, 1],
        Some(7) if g == 9 => without_first_eight(row.weights),
        Some(10) if matches!((a, b), (0 | 9, 9)) && g == 9 => without_first_eight(row.weights),
        _ => row.weights,
    }
}

fn without_first_eight(mut weights: [i32; 14]) -> [i32; 14] {
    weights[..8].fill(0);
    weights
}

fn cross_sum(product: i32) -> i32 {
    let mut rest = product.abs();
    let mut sum = 0;
    while rest > 0 {
        sum += rest % 10;
        rest /= 10;
    }
    sum
}
