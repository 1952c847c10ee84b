//! Money beside rust_decimal, and the ties by which rounding rules are told apart.

#![allow(clippy::unwrap_used, missing_docs)]

use bailiwick_sdk::{Decimal, Money, Overflow, Rounding};
use proptest::prelude::*;
use rust_decimal::RoundingStrategy;

const ROUNDINGS: [(Rounding, RoundingStrategy); 4] = [
    (Rounding::HalfUp, RoundingStrategy::MidpointAwayFromZero),
    (Rounding::HalfEven, RoundingStrategy::MidpointNearestEven),
    (Rounding::Down, RoundingStrategy::ToZero),
    (Rounding::Up, RoundingStrategy::AwayFromZero),
];

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn ties_are_told_apart() {
    use Rounding::{Down, HalfEven, HalfUp, Up};
    for (amount, rate, rounding, expected) in [
        ("1930.00", "0.0275", HalfUp, "53.08"),
        ("1930.00", "0.0275", HalfEven, "53.08"),
        ("1930.00", "0.0275", Down, "53.07"),
        ("2410.00", "0.0325", HalfUp, "78.33"),
        ("2410.00", "0.0325", HalfEven, "78.32"),
        ("2410.00", "0.0325", Down, "78.32"),
        ("2410.00", "0.0325", Up, "78.33"),
        ("-2410.00", "0.0325", HalfUp, "-78.33"),
        ("-2410.00", "0.0325", HalfEven, "-78.32"),
        ("-2410.00", "0.0325", Down, "-78.32"),
        ("-2410.00", "0.0325", Up, "-78.33"),
        ("0.01", "0.0000000000000000000000000001", Up, "0.01"),
        ("0.01", "0.0000000000000000000000000001", HalfUp, "0.00"),
        // Products beyond 64 and 128 bits: the result is small, and exact all the same.
        ("90000000000000000.00", "0.5000000000000000000000000001", HalfUp, "45000000000000000.00"),
        ("-90000000000000000.00", "0.3333333333333333333333333333", HalfUp, "-30000000000000000.00"),
        ("0.30", "1.6666666666666666666666666667", HalfUp, "0.50"),
        ("0.30", "1.6666666666666666666666666666", Down, "0.49"),
    ] {
        assert_eq!(money(amount).times(decimal(rate), rounding), money(expected), "{amount} × {rate} {rounding:?}");
    }
}

#[test]
fn what_does_not_fit_says_so() {
    let most = Money::new(i64::MAX, 2);
    assert_eq!(most.checked_add(Money::from_pence(1)), Err(Overflow));
    assert_eq!(most.checked_times(decimal("1.01"), Rounding::HalfUp), Err(Overflow));
    assert_eq!(most.checked_times(Decimal::MAX, Rounding::HalfUp), Err(Overflow));
    assert_eq!(most.checked_times(Decimal::ONE, Rounding::HalfUp), Ok(most));
    assert_eq!(most.rescale(3, Rounding::HalfUp), Err(Overflow));
    assert_eq!(Money::ZERO.rescale(19, Rounding::HalfUp), Err(Overflow));
    assert_eq!(Money::ZERO.share(1, 0, Rounding::HalfUp), Err(Overflow));
    assert_eq!(Money::from_pence(i64::MIN).checked_sub(Money::from_pence(1)), Err(Overflow));
}

#[test]
fn text_is_strict() {
    for (text, shown) in [("12", "12.00"), ("1234.5", "1234.50"), ("-0.05", "-0.05"), ("0.125", "0.125"), ("007.10", "7.10")] {
        assert_eq!(money(text).to_string(), shown);
    }
    for text in [
        "",
        "-",
        ".",
        "1.",
        ".5",
        "£1",
        "1,000.00",
        "1e3",
        "--1",
        "+1",
        " 1",
        "1 ",
        "1.0.0",
        "92233720368547758.08",
        "1.0000000000000000000",
    ] {
        assert!(text.parse::<Money>().is_err(), "{text}");
    }
    assert_eq!(format!("[{:>8}]", money("1.50")), "[    1.50]");
}

#[test]
fn whole_pounds_and_shares() {
    assert_eq!(money("1234.56").floor_pounds().to_string(), "1234.00");
    assert_eq!(money("-0.50").floor_pounds().to_string(), "-1.00");
    assert_eq!(money("2500.00").share(17, 31, Rounding::HalfUp).unwrap().to_string(), "1370.97");
    assert_eq!(money("-2500.00").share(17, 31, Rounding::HalfUp).unwrap().to_string(), "-1370.97");
    assert_eq!([money("0.10"), money("0.205")].iter().sum::<Money>().to_string(), "0.305");
}

#[test]
fn json_is_text() {
    assert_eq!(serde_json::to_string(&money("1234.50")).unwrap(), "\"1234.50\"");
    assert_eq!(serde_json::from_str::<Money>("\"-3.10\"").unwrap(), money("-3.10"));
    for wrong in ["1234.5", "12", "\"£1\"", "null"] {
        assert!(serde_json::from_str::<Money>(wrong).is_err(), "{wrong}");
    }
}

fn any_money() -> impl Strategy<Value = Money> {
    (-1_000_000_000_000_i64..1_000_000_000_000, 0_u8..=6).prop_map(|(coefficient, scale)| Money::new(coefficient, scale))
}

proptest! {
    #[test]
    fn products_are_those_of_rust_decimal(amount in any_money(), mantissa in -10_000_000_000_i64..10_000_000_000, places in 0_u32..=10) {
        // 13 and 11 digits: the product is exact in rust_decimal's 28, so rounding it is right there too.
        let rate = Decimal::new(mantissa, places);
        for (ours, theirs) in ROUNDINGS {
            let expected = (amount.to_decimal() * rate).round_dp_with_strategy(u32::from(amount.scale()), theirs);
            match amount.checked_times(rate, ours) {
                Ok(product) => prop_assert_eq!(product.to_decimal(), expected, "{:?}", ours),
                Err(Overflow) => prop_assert!(expected.abs() > Decimal::new(i64::MAX, u32::from(amount.scale()))),
            }
        }
    }

    #[test]
    fn a_rate_may_be_written_with_any_number_of_zeros(amount in any_money(), mantissa in -10_000_i64..10_000, places in 0_u32..=4, zeros in 0_u32..=23) {
        // More zeros take other ways through the arithmetic: 64 bits, then wide.
        let short = Decimal::new(mantissa, places);
        let long = Decimal::from_i128_with_scale(i128::from(mantissa) * 10_i128.pow(zeros), places + zeros);
        for (rounding, _) in ROUNDINGS {
            prop_assert_eq!(amount.checked_times(short, rounding), amount.checked_times(long, rounding));
        }
    }

    #[test]
    fn adding_is_exact(left in any_money(), right in any_money()) {
        let sum = left + right;
        prop_assert_eq!(sum.to_decimal(), left.to_decimal() + right.to_decimal());
        prop_assert_eq!(sum - right, left);
        prop_assert_eq!(left.cmp(&right), left.to_decimal().cmp(&right.to_decimal()));
    }

    #[test]
    fn shares_are_those_of_rust_decimal(amount in any_money(), part in 0_i64..=366, whole in 1_i64..=366) {
        for (rounding, _) in [ROUNDINGS[2], ROUNDINGS[0]] {
            let share = amount.share(part, whole, rounding).unwrap();
            let off = (share.to_decimal() * Decimal::from(whole) - amount.to_decimal() * Decimal::from(part)).abs();
            let unit = Decimal::new(1, u32::from(amount.scale())) * Decimal::from(whole);
            let allowed = if rounding == Rounding::Down { off < unit } else { off * Decimal::TWO <= unit };
            prop_assert!(allowed, "{share} of {amount} × {part} / {whole}");
        }
    }

    #[test]
    fn rescaling_rounds_as_rust_decimal_does(amount in any_money(), scale in 0_u8..=6) {
        for (ours, theirs) in ROUNDINGS {
            let expected = amount.to_decimal().round_dp_with_strategy(u32::from(scale), theirs);
            prop_assert_eq!(amount.rescale(scale, ours).unwrap().to_decimal(), expected);
        }
    }

    #[test]
    fn text_reads_back(coefficient in any::<i64>(), scale in 2_u8..=18) {
        let amount = Money::new(coefficient, scale);
        prop_assume!(coefficient != i64::MIN);
        prop_assert_eq!(amount.to_string().parse::<Money>(), Ok(amount));
        prop_assert_eq!(amount.to_string().parse::<Money>().unwrap().scale(), scale);
    }
}
