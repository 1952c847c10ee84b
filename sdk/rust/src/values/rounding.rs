//! Named ways to round, in whole numbers only.

/// How a result that falls between two values is settled.
///
/// Every rounding of money names its rule, because two providers seldom share one:
/// 3.25 % of £2,410.00 is £78.325, which is £78.33 by [`HalfUp`](Rounding::HalfUp) and £78.32 by [`HalfEven`](Rounding::HalfEven).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// To the nearest value; a tie goes away from zero. What people mean by "round to the nearest penny".
    HalfUp,
    /// To the nearest value; a tie goes to the even one, so that many ties do not add up. Also called bankers' rounding.
    HalfEven,
    /// Towards zero: what is beyond is cut off.
    Down,
    /// Away from zero: any remainder counts as a whole unit.
    Up,
}

impl Rounding {
    /// Whether a magnitude goes up to the next unit, by what remains of it.
    #[inline]
    pub(crate) const fn goes_up(self, quotient_is_odd: bool, remainder: Remainder) -> bool {
        match (self, remainder) {
            (_, Remainder::Nothing) | (Self::Down, _) => false,
            (Self::Up, _) => true,
            (Self::HalfUp, remainder) => matches!(remainder, Remainder::Half | Remainder::AboveHalf),
            (Self::HalfEven, Remainder::Half) => quotient_is_odd,
            (Self::HalfEven, remainder) => matches!(remainder, Remainder::AboveHalf),
        }
    }
}

/// What remains of a division, against half of the divisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remainder {
    Nothing,
    BelowHalf,
    Half,
    AboveHalf,
}

macro_rules! divide {
    ($name:ident, $number:ty) => {
        /// `dividend` by `divisor`, rounded. The divisor is not 0.
        #[inline]
        pub(crate) const fn $name(dividend: $number, divisor: $number, rounding: Rounding) -> $number {
            let (quotient, rest) = (dividend / divisor, dividend % divisor);
            let remainder = if rest == 0 {
                Remainder::Nothing
            } else if rest == divisor - rest {
                Remainder::Half
            } else if rest < divisor - rest {
                Remainder::BelowHalf
            } else {
                Remainder::AboveHalf
            };
            quotient + rounding.goes_up(quotient % 2 == 1, remainder) as $number
        }
    };
}

divide!(divide_u64, u64);
divide!(divide_u128, u128);
