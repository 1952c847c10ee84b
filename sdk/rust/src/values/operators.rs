//! Comparing and adding money.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use super::money::{Money, SCALE_MAX, TOO_LARGE, wide_at};

impl Eq for Money {}

impl PartialEq for Money {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl PartialOrd for Money {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Money {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        if self.scale == other.scale {
            return self.coefficient.cmp(&other.coefficient);
        }
        compare_scales(*self, *other)
    }
}

/// Amounts of one plugin mostly have one scale: kept out of line, as in `money.rs`.
#[cold]
#[inline(never)]
fn compare_scales(left: Money, right: Money) -> Ordering {
    let scale = left.scale.max(right.scale);
    wide_at(left, scale).cmp(&wide_at(right, scale))
}

impl Hash for Money {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // At the finest scale, so that equal values of different scales hash alike.
        wide_at(*self, SCALE_MAX).hash(state);
    }
}

impl Default for Money {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Add for Money {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        self.checked_add(other).expect(TOO_LARGE)
    }
}

impl Sub for Money {
    type Output = Self;

    #[inline]
    fn sub(self, other: Self) -> Self {
        self.checked_sub(other).expect(TOO_LARGE)
    }
}

impl AddAssign for Money {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Money {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Neg for Money {
    type Output = Self;

    #[inline]
    fn neg(self) -> Self {
        Self { coefficient: self.coefficient.checked_neg().expect(TOO_LARGE), scale: self.scale }
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl<'a> Sum<&'a Money> for Money {
    fn sum<I: Iterator<Item = &'a Self>>(amounts: I) -> Self {
        amounts.copied().sum()
    }
}
