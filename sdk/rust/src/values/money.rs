//! Exact money in pounds sterling: whole units of a power of ten, never a float.

use std::fmt;

use rust_decimal::Decimal;

use super::rounding::{Remainder, Rounding, divide_u64, divide_u128};

/// Most digits after the point.
pub(super) const SCALE_MAX: u8 = 18;

/// An exact amount of money in pounds sterling.
///
/// It is a whole number of units of ten to the power of minus its scale: with scale 2, pence.
/// Two amounts are equal when their values are, whatever their scales.
///
/// Adding and subtracting is exact. Every operation that can need rounding takes a [`Rounding`].
/// `+`, `-` and [`times`](Money::times) panic on amounts beyond 64 bits, some ninety thousand million million pounds in pence;
/// where a row could hold such nonsense, [`checked_add`](Money::checked_add) and its siblings give an [`Overflow`],
/// which `?` turns into a [`Reject`](crate::Reject) of the row.
#[derive(Clone, Copy)]
pub struct Money {
    pub(super) coefficient: i64,
    pub(super) scale: u8,
}

impl Money {
    /// Nothing, in pence.
    pub const ZERO: Self = Self { coefficient: 0, scale: 2 };

    /// `coefficient` units of ten to the power of minus `scale`, so that `new(123_456, 2)` is £1,234.56.
    ///
    /// # Panics
    /// If `scale` is above 18.
    #[must_use]
    pub const fn new(coefficient: i64, scale: u8) -> Self {
        assert!(scale <= SCALE_MAX, "money has at most 18 digits after the point");
        Self { coefficient, scale }
    }

    /// Some pence.
    #[must_use]
    #[inline]
    pub const fn from_pence(pence: i64) -> Self {
        Self { coefficient: pence, scale: 2 }
    }

    /// Some whole pounds, in pence.
    ///
    /// # Panics
    /// If that many pounds are not countable in pence in 64 bits.
    #[must_use]
    #[inline]
    pub const fn from_pounds(pounds: i64) -> Self {
        match pounds.checked_mul(100) {
            Some(pence) => Self::from_pence(pence),
            None => panic!("{}", TOO_LARGE),
        }
    }

    /// The units, of ten to the power of minus [`scale`](Money::scale).
    #[must_use]
    #[inline]
    pub const fn coefficient(self) -> i64 {
        self.coefficient
    }

    /// Digits after the point, 0 to 18.
    #[must_use]
    #[inline]
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// Whether it is nothing.
    #[must_use]
    #[inline]
    pub const fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    /// Whether it is less than nothing.
    #[must_use]
    #[inline]
    pub const fn is_negative(self) -> bool {
        self.coefficient < 0
    }

    /// Its size without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        if self.is_negative() { -self } else { self }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`Overflow`] if it does not fit 64 bits at the finer of the two scales.
    #[inline]
    pub const fn checked_add(self, other: Self) -> Result<Self, Overflow> {
        if self.scale == other.scale {
            return match self.coefficient.checked_add(other.coefficient) {
                Some(coefficient) => Ok(Self { coefficient, scale: self.scale }),
                None => Err(Overflow),
            };
        }
        add_scales(self, other)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`Overflow`] if it does not fit 64 bits at the finer of the two scales.
    #[inline]
    pub const fn checked_sub(self, other: Self) -> Result<Self, Overflow> {
        if self.scale == other.scale {
            return match self.coefficient.checked_sub(other.coefficient) {
                Some(coefficient) => Ok(Self { coefficient, scale: self.scale }),
                None => Err(Overflow),
            };
        }
        subtract_scales(self, other)
    }

    /// This amount times a rate, rounded to this amount's scale: `pay.times(Decimal::new(275, 4), HalfUp)` is 2.75 % of the pay.
    ///
    /// The product is worked out exactly in whole numbers and rounded once.
    ///
    /// # Panics
    /// If the result does not fit 64 bits. [`checked_times`](Money::checked_times) does not panic.
    #[inline]
    #[must_use]
    pub fn times(self, rate: Decimal, rounding: Rounding) -> Self {
        self.checked_times(rate, rounding).expect(TOO_LARGE)
    }

    /// As [`times`](Money::times), without panics.
    ///
    /// # Errors
    /// [`Overflow`] if the result does not fit 64 bits.
    #[inline]
    pub fn checked_times(self, rate: Decimal, rounding: Rounding) -> Result<Self, Overflow> {
        let (mantissa, places) = (rate.mantissa(), rate.scale());
        let negative = (self.coefficient < 0) != (mantissa < 0);
        let (left, right) = (self.coefficient.unsigned_abs(), mantissa.unsigned_abs());
        if let (Ok(right), 0..=18) = (u64::try_from(right), places)
            && left.leading_zeros() + right.leading_zeros() >= u64::BITS
        {
            // The product has at most 64 bits; asking `checked_mul` would cost a wide multiplication in WebAssembly.
            return self.signed(negative, divide_u64(left * right, ten_to(places as usize) as u64, rounding));
        }
        self.signed(negative, wide_times(left, right, places, rounding)?)
    }

    /// This amount times `part` of `whole`, rounded to this amount's scale: `pay.share(17, 31, HalfUp)` is the pay for 17 days of 31.
    ///
    /// # Errors
    /// [`Overflow`] if the result does not fit 64 bits, or if `whole` is 0.
    pub fn share(self, part: i64, whole: i64, rounding: Rounding) -> Result<Self, Overflow> {
        if whole == 0 {
            return Err(Overflow);
        }
        let negative = (self.coefficient < 0) ^ (part < 0) ^ (whole < 0);
        let (left, right) = (self.coefficient.unsigned_abs(), part.unsigned_abs());
        if left.leading_zeros() + right.leading_zeros() >= u64::BITS {
            // As in `checked_times`: dividing 128 bits is a call into a long function in WebAssembly.
            return self.signed(negative, divide_u64(left * right, whole.unsigned_abs(), rounding));
        }
        let product = u128::from(left) * u128::from(right);
        let quotient = divide_u128(product, u128::from(whole.unsigned_abs()), rounding);
        self.signed(negative, u64::try_from(quotient).map_err(|_| Overflow)?)
    }

    /// This amount with another number of digits after the point.
    ///
    /// # Errors
    /// [`Overflow`] if it does not fit 64 bits at that scale, or if `scale` is above 18.
    pub fn rescale(self, scale: u8, rounding: Rounding) -> Result<Self, Overflow> {
        if scale > SCALE_MAX {
            return Err(Overflow);
        }
        if scale >= self.scale {
            return narrow(wide_at(self, scale), scale);
        }
        let divisor = ten_to(usize::from(self.scale - scale)) as u64;
        let to = Self { coefficient: self.coefficient, scale };
        to.signed(self.is_negative(), divide_u64(self.coefficient.unsigned_abs(), divisor, rounding))
    }

    /// The whole pounds in this amount, at its scale: £1,234.56 becomes £1,234.00, and -£0.50 becomes -£1.00.
    ///
    /// # Panics
    /// If the result does not fit 64 bits, which takes an amount within a pound of the least there is.
    #[must_use]
    pub fn floor_pounds(self) -> Self {
        let pound = ten_to(usize::from(self.scale));
        let coefficient = self.coefficient.div_euclid(pound).checked_mul(pound).expect(TOO_LARGE);
        Self { coefficient, scale: self.scale }
    }

    /// The same value as a [`Decimal`], for arithmetic that is not money's.
    #[must_use]
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.coefficient, u32::from(self.scale))
    }

    #[inline(always)]
    fn signed(self, negative: bool, magnitude: u64) -> Result<Self, Overflow> {
        let coefficient = i64::try_from(magnitude).map_err(|_| Overflow)?;
        Ok(Self { coefficient: if negative { -coefficient } else { coefficient }, scale: self.scale })
    }
}

pub(super) const TOO_LARGE: &str = "an amount of money does not fit 64 bits";

/// A result that does not fit: no real amount does that, so what it came from is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow;

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount is too large to be worked with")
    }
}

impl std::error::Error for Overflow {}

#[cold]
pub(super) const fn wide_at(money: Money, scale: u8) -> i128 {
    money.coefficient as i128 * ten_to((scale - money.scale) as usize) as i128
}

/// Amounts of one plugin mostly have one scale: kept out of line, so that what is done to every row stays small.
#[cold]
#[inline(never)]
const fn add_scales(left: Money, right: Money) -> Result<Money, Overflow> {
    let scale = if left.scale > right.scale { left.scale } else { right.scale };
    narrow(wide_at(left, scale) + wide_at(right, scale), scale)
}

#[cold]
#[inline(never)]
const fn subtract_scales(left: Money, right: Money) -> Result<Money, Overflow> {
    let scale = if left.scale > right.scale { left.scale } else { right.scale };
    narrow(wide_at(left, scale) - wide_at(right, scale), scale)
}

const fn narrow(wide: i128, scale: u8) -> Result<Money, Overflow> {
    if wide > i64::MAX as i128 || wide < i64::MIN as i128 { Err(Overflow) } else { Ok(Money { coefficient: wide as i64, scale }) }
}

/// A power of ten, of 0 to 18.
#[inline]
pub(crate) const fn ten_to(places: usize) -> i64 {
    const POWERS: [i64; 19] = {
        let mut powers = [1; 19];
        let mut place = 1;
        while place < 19 {
            powers[place] = powers[place - 1] * 10;
            place += 1;
        }
        powers
    };
    POWERS[places]
}

/// `left` × `right` ÷ 10^`places` for products beyond 64 bits. A rate has up to 96 bits, so 160 bits must be enough: three limbs.
#[cold]
#[inline(never)]
fn wide_times(left: u64, right: u128, places: u32, rounding: Rounding) -> Result<u64, Overflow> {
    let low = u128::from(left) * (right & u128::from(u64::MAX));
    let high = u128::from(left) * (right >> 64) + (low >> 64);
    let mut limbs = [(high >> 64) as u64, high as u64, low as u64];
    // The last digit is divided off alone: it and whether anything came before it tell where the half is.
    let (mut last, mut rest_before) = (0, 0);
    for place in 0..places {
        rest_before |= last;
        last = divide_limbs(&mut limbs, 10);
        debug_assert!(place < 29, "a rate has at most 28 digits after the point");
    }
    let remainder = match (last, rest_before) {
        (0, 0) => Remainder::Nothing,
        (5, 0) => Remainder::Half,
        (0..5, _) => Remainder::BelowHalf,
        _ => Remainder::AboveHalf,
    };
    let [0, 0, quotient] = limbs else { return Err(Overflow) };
    quotient.checked_add(u64::from(rounding.goes_up(quotient % 2 == 1, remainder))).ok_or(Overflow)
}

fn divide_limbs(limbs: &mut [u64; 3], divisor: u64) -> u64 {
    limbs.iter_mut().fold(0, |carried, limb| {
        let value = u128::from(carried) << 64 | u128::from(*limb);
        *limb = (value / u128::from(divisor)) as u64;
        (value % u128::from(divisor)) as u64
    })
}
