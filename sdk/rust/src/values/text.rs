//! Money as text, in JSON, and in the columns of a batch.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::money::{Money, SCALE_MAX, ten_to};

impl Money {
    /// Reads `1234.56`, `-0.05` or `12`. The scale is the number of digits after the point, and at least 2.
    ///
    /// # Errors
    /// [`NotMoney`] for anything else: signs of currency, commas, spaces, more than 18 digits after the point.
    pub fn parse(text: &str) -> Result<Self, NotMoney> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let scale = u8::try_from(fraction.len().max(2)).ok().filter(|scale| *scale <= SCALE_MAX).ok_or(NotMoney)?;
        if whole.is_empty() || fraction.is_empty() {
            return Err(NotMoney);
        }
        let mut magnitude = 0_i64;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return Err(NotMoney);
            }
            magnitude = magnitude.checked_mul(10).and_then(|m| m.checked_add(i64::from(byte - b'0'))).ok_or(NotMoney)?;
        }
        let raised = usize::from(scale) - fraction.len();
        let magnitude = magnitude.checked_mul(ten_to(raised)).ok_or(NotMoney)?;
        Ok(Self { coefficient: if negative { -magnitude } else { magnitude }, scale })
    }
}

/// A text that is no amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotMoney;

impl fmt::Display for NotMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an amount of money: write digits with at most one point, such as 1234.56")
    }
}

impl std::error::Error for NotMoney {}

impl FromStr for Money {
    type Err = NotMoney;

    fn from_str(text: &str) -> Result<Self, NotMoney> {
        Self::parse(text)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(decimal_text(self.coefficient, self.scale).as_str())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "£{self}")
    }
}

/// The name under which money passes between a row's struct and its columns, as a packed whole number.
pub(crate) const MONEY: &str = "bailiwick_sdk::Money";

/// The coefficient of a decimal number in text at a scale, if it has one.
pub(crate) fn decimal_coefficient(text: &str, scale: u8) -> Option<i64> {
    let decimal: rust_decimal::Decimal = text.parse().ok()?;
    let decimal = decimal.normalize();
    let raised = u32::from(scale).checked_sub(decimal.scale())?;
    i64::try_from(decimal.mantissa().checked_mul(10_i128.pow(raised))?).ok()
}

/// Coefficient and scale in one number, so that both pass through serde without text.
#[inline]
pub(crate) const fn pack(coefficient: i64, scale: u8) -> i128 {
    (coefficient as i128) << 8 | scale as i128
}

/// The opposite of [`pack`].
#[inline]
pub(crate) const fn unpack(packed: i128) -> (i64, u8) {
    ((packed >> 8) as i64, packed as u8)
}

/// In JSON, money is text: `"1234.56"`.
impl Serialize for Money {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_newtype_struct(MONEY, &pack(self.coefficient, self.scale))
        }
    }
}

impl<'de> Deserialize<'de> for Money {
    #[inline]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(MoneyVisitor)
        } else {
            deserializer.deserialize_newtype_struct(MONEY, MoneyVisitor)
        }
    }
}

struct MoneyVisitor;

impl de::Visitor<'_> for MoneyVisitor {
    type Value = Money;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount of money as text, such as \"1234.56\"")
    }

    #[inline]
    fn visit_i128<E: de::Error>(self, packed: i128) -> Result<Money, E> {
        let (coefficient, scale) = unpack(packed);
        Ok(Money { coefficient, scale })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Money, E> {
        Money::parse(text).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

/// A number as text, without allocation.
pub(crate) struct SmallText {
    bytes: [u8; 24],
    start: usize,
}

impl SmallText {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[self.start..]).expect("digits, sign and point are ASCII")
    }
}

/// A coefficient with a point where its scale puts it.
pub(crate) fn decimal_text(coefficient: i64, scale: u8) -> SmallText {
    let mut text = SmallText { bytes: [0; 24], start: 24 };
    let mut put = |byte: u8| {
        text.start -= 1;
        text.bytes[text.start] = byte;
    };
    let mut rest = coefficient.unsigned_abs();
    let mut place = 0;
    while rest > 0 || place <= scale {
        if place == scale && scale > 0 {
            put(b'.');
        }
        put(b'0' + (rest % 10) as u8);
        rest /= 10;
        place += 1;
    }
    if coefficient < 0 {
        put(b'-');
    }
    text
}
