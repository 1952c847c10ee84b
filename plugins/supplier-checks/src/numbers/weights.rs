//! Rows of the weight table of the VocaLink modulus check, as the reference table `vocalink-weights` carries them.

use super::digits;

/// How the products of digits and weights are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The products; the sum is a multiple of 10.
    Mod10,
    /// The products; the sum is a multiple of 11.
    Mod11,
    /// The digits of the products; the sum is a multiple of 10.
    DoubleAlternate,
}

impl Method {
    /// By which number the sum is divided.
    #[must_use]
    pub const fn modulus(self) -> i32 {
        match self {
            Self::Mod11 => 11,
            Self::Mod10 | Self::DoubleAlternate => 10,
        }
    }
}

/// One row: how accounts of a range of sort codes are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeightRow {
    first: u32,
    last: u32,
    /// How the products are added up.
    pub method: Method,
    /// One weight for each of the fourteen digits of sort code and account number.
    pub weights: [i32; 14],
    /// The numbered exception that applies, 1 to 14.
    pub exception: Option<u8>,
}

/// The columns of a row as text.
#[derive(Debug, Clone, Copy)]
pub struct WeightText<'a> {
    /// Column `from`: the first sort code.
    pub from: &'a str,
    /// Column `to`: the last sort code.
    pub to: &'a str,
    /// Column `method`: `MOD10`, `MOD11` or `DBLAL`.
    pub method: &'a str,
    /// Column `weights`: fourteen whole numbers between spaces.
    pub weights: &'a str,
    /// Column `exception`: a number or nothing.
    pub exception: &'a str,
}

impl WeightRow {
    /// Reads a row; none if it is not one. A row that cannot be read must never count as a row that is not there.
    #[must_use]
    pub fn parse(text: WeightText<'_>) -> Option<Self> {
        let method = match text.method {
            "MOD10" => Method::Mod10,
            "MOD11" => Method::Mod11,
            "DBLAL" => Method::DoubleAlternate,
            _ => return None,
        };
        let weights: Option<Vec<i32>> = text.weights.split(' ').map(|weight| weight.parse().ok()).collect();
        let exception = match text.exception {
            "" => None,
            number => Some(number.parse().ok().filter(|number| (1..=14).contains(number))?),
        };
        Some(Self {
            first: number(&digits::<6>(text.from)?),
            last: number(&digits::<6>(text.to)?),
            method,
            weights: weights?.try_into().ok()?,
            exception,
        })
    }

    /// Whether it is for this sort code.
    #[must_use]
    pub fn covers(&self, sort_code: &[u8; 6]) -> bool {
        (self.first..=self.last).contains(&number(sort_code))
    }
}

fn number(digits: &[u8; 6]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + u32::from(*digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: WeightText<'_> =
        WeightText { from: "070116", to: "070119", method: "MOD11", weights: "0 0 7 6 5 8 9 4 5 6 7 8 9 -1", exception: "12" };

    #[test]
    fn reads_rows() {
        let row = WeightRow::parse(GOOD).expect("a good row");
        assert_eq!((row.method, row.weights[13], row.exception), (Method::Mod11, -1, Some(12)));
        assert!(row.covers(&[0, 7, 0, 1, 1, 6]) && row.covers(&[0, 7, 0, 1, 1, 9]));
        assert!(!row.covers(&[0, 7, 0, 1, 1, 5]) && !row.covers(&[0, 7, 0, 1, 2, 0]));
    }

    #[test]
    fn refuses_what_is_not_a_row() {
        for bad in [
            WeightText { from: "70116", ..GOOD },
            WeightText { to: "", ..GOOD },
            WeightText { method: "MOD12", ..GOOD },
            WeightText { weights: "1 2 3", ..GOOD },
            WeightText { weights: "0 0 7 6 5 8 9 4 5 6 7 8 9 x", ..GOOD },
            WeightText { exception: "15", ..GOOD },
            WeightText { exception: "0", ..GOOD },
        ] {
            assert_eq!(WeightRow::parse(bad), None, "{bad:?}");
        }
    }
}
