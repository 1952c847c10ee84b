//! Splitting an amount by weights to the last unit: the largest remainder method (Hamilton's).
//!
//! It knows whole numbers only; what they count (pence, square metres) is its caller's affair.

/// Why nothing can be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsplittable {
    /// The weights come to nothing, so there is nothing to split by.
    NoWeight,
    /// A weight is below nothing.
    NegativeWeight,
}

/// Splits `amount` by `weights`, one share for each weight, in their order; the shares add up to `amount` exactly.
///
/// Every share is the exact one rounded down or up to a whole unit: each gets its whole part, and what is left over goes,
/// a unit each, to those with the largest remainders, the first of equals first.
/// A negative amount is split as if it were positive and each share then negated, so that a credit undoes its charge.
///
/// # Errors
/// [`Unsplittable`] if no split follows from the weights.
pub fn largest_remainder(amount: i64, weights: &[i64]) -> Result<Vec<i64>, Unsplittable> {
    if weights.iter().any(|weight| *weight < 0) {
        return Err(Unsplittable::NegativeWeight);
    }
    let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if total == 0 {
        return Err(Unsplittable::NoWeight);
    }
    // Two factors below 2^63 make a product below 2^126.
    let magnitude = i128::from(amount).abs();
    let mut shares: Vec<i128> = weights.iter().map(|weight| magnitude * i128::from(*weight) / total).collect();
    let left_over = magnitude - shares.iter().sum::<i128>();
    if left_over > 0 {
        let mut places: Vec<usize> = (0..weights.len()).collect();
        // The sort is stable, so equals stay in the order of the partners.
        places.sort_by_key(|place| std::cmp::Reverse(magnitude * i128::from(weights[*place]) % total));
        for place in places.into_iter().take(usize::try_from(left_over).expect("fewer units are left over than there are weights")) {
            shares[place] += 1;
        }
    }
    let sign = i128::from(amount.signum());
    Ok(shares.into_iter().map(|share| i64::try_from(sign * share).expect("no share is larger than the amount")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(amount: i64, weights: &[i64]) -> Vec<i64> {
        largest_remainder(amount, weights).expect("these weights can be split by")
    }

    #[test]
    fn known_splits() {
        for (amount, weights, shares) in [
            (123_456_789, &[2140, 1365][..], &[75_377_326, 48_079_463][..]),
            (10_000, &[1, 1, 1], &[3334, 3333, 3333]),
            (-10_000, &[1, 1, 1], &[-3334, -3333, -3333]),
            (2, &[1, 1, 1], &[1, 1, 0]),
            (1, &[1, 2], &[0, 1]),
            (100, &[0, 5, 0], &[0, 100, 0]),
            (0, &[3, 4], &[0, 0]),
            (7, &[1], &[7]),
            (i64::MIN, &[1], &[i64::MIN]),
            (i64::MAX, &[i64::MAX, i64::MAX], &[4_611_686_018_427_387_904, 4_611_686_018_427_387_903]),
        ] {
            assert_eq!(split(amount, weights), shares, "{amount} over {weights:?}");
        }
    }

    #[test]
    fn what_cannot_be_split() {
        assert_eq!(largest_remainder(100, &[]), Err(Unsplittable::NoWeight));
        assert_eq!(largest_remainder(100, &[0, 0]), Err(Unsplittable::NoWeight));
        assert_eq!(largest_remainder(100, &[5, -5]), Err(Unsplittable::NegativeWeight));
    }

    fn weights() -> impl Strategy<Value = Vec<i64>> {
        let weight = prop_oneof![0_i64..5, 0_i64..1_000_000, 0..=i64::MAX];
        prop::collection::vec(weight, 1..12).prop_filter("some weight", |weights| weights.iter().any(|weight| *weight > 0))
    }

    proptest! {
        #[test]
        fn shares_add_up_and_stay_within_a_unit(amount in any::<i64>(), weights in weights()) {
            let shares = split(amount, &weights);
            prop_assert_eq!(shares.iter().map(|share| i128::from(*share)).sum::<i128>(), i128::from(amount));
            let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            for (share, weight) in shares.iter().zip(&weights) {
                let exact = i128::from(amount).unsigned_abs() * weight.unsigned_abs() as u128;
                let (down, up) = (exact / total.unsigned_abs(), exact.div_ceil(total.unsigned_abs()));
                let share = u128::from(share.unsigned_abs());
                prop_assert!(share == down || share == up, "{} is not {} or {}", share, down, up);
            }
        }

        #[test]
        fn a_credit_undoes_its_charge(amount in -i64::MAX..=i64::MAX, weights in weights()) {
            let undone: Vec<i64> = split(-amount, &weights).into_iter().map(|share| -share).collect();
            prop_assert_eq!(undone, split(amount, &weights));
        }

        // Of two partners that change places, only those with equal remainders may change pennies, so the shares
        // as a set of (weight, share) stay the same whatever the order.
        #[test]
        fn order_matters_to_ties_only(amount in any::<i64>(), weights in weights(), turn in 0_usize..12) {
            let pairs = |weights: &[i64]| {
                let mut pairs: Vec<(i64, i64)> = weights.iter().copied().zip(split(amount, weights)).collect();
                pairs.sort_unstable();
                pairs
            };
            let mut turned = weights.clone();
            turned.rotate_left(turn % weights.len());
            let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            let magnitude = i128::from(amount).abs();
            let mut remainders: Vec<(i128, i64)> = weights.iter().map(|w| (magnitude * i128::from(*w) % total, *w)).collect();
            remainders.sort_unstable();
            remainders.dedup();
            let tie_of_unequals = remainders.windows(2).any(|two| two[0].0 == two[1].0);
            if !tie_of_unequals {
                prop_assert_eq!(pairs(&weights), pairs(&turned));
            }
        }

        #[test]
        fn more_weight_never_bears_less(amount in 0_i64..=i64::MAX, weights in weights()) {
            let shares = split(amount, &weights);
            for (i, a) in weights.iter().enumerate() {
                for (j, b) in weights.iter().enumerate() {
                    prop_assert!(a <= b || shares[i] >= shares[j], "{} bears {}, {} bears {}", a, shares[i], b, shares[j]);
                }
            }
        }
    }
}
