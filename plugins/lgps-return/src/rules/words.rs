//! The code words of a payroll row. Case is of no matter; anything unknown is for the caller to refuse.

macro_rules! words {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $($word:literal)|+),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $type { $($(#[$variant_doc])* $variant),+ }

        impl $type {
            /// What a word says, if it is known.
            #[inline]
            #[must_use]
            pub fn read(text: &str) -> Option<Self> {
                $(if $(text.eq_ignore_ascii_case($word))||+ { return Some(Self::$variant); })+
                None
            }
        }
    };
}

words!(
    /// Where a pay line stands in the life of its employment.
    Status {
        /// Paid before and after.
        Active = "A" | "ACTIVE",
        /// Paid for the first time.
        Starter = "S" | "STARTER",
        /// Paid for the last time.
        Leaver = "L" | "LEAVER",
    }
);

words!(
    /// The pension scheme of a person on the payroll.
    Scheme {
        /// Local Government Pension Scheme.
        Lgps = "LGPS",
        /// Police Pension Scheme.
        Police = "PPS",
        /// Firefighters' Pension Scheme.
        Firefighters = "FPS",
        /// Could be a member and chose not to be.
        OptedOut = "OPT",
        /// Cannot be a member.
        None = "NONE",
    }
);

words!(
    /// The section of the LGPS.
    Section {
        /// Full contributions, full pension.
        Main = "MAIN" | "1",
        /// Half contributions, half pension.
        Half = "5050" | "50/50" | "2",
    }
);

words!(
    /// The hours indicator.
    Hours {
        /// Full time.
        Full = "F",
        /// Part time.
        Part = "P",
        /// Casual: hours, and so annual pay, are not fixed.
        Casual = "C",
    }
);

words!(
    /// Why pay was reduced.
    Reduction {
        /// Sickness: brings assumed pensionable pay.
        Sickness = "SICK",
        /// Child-related leave: brings assumed pensionable pay.
        ChildRelated = "CHILD",
        /// A trade dispute: pay counts as it was received.
        TradeDispute = "TRADE",
        /// Permitted absence: pay counts as it was received.
        PermittedAbsence = "PERMITTED",
    }
);

words!(
    /// Why service was broken.
    BreakReason {
        /// Strike.
        Strike = "S",
        /// Career break.
        Career = "C",
        /// Paternity leave.
        Paternity = "PL",
        /// Maternity leave.
        Maternity = "M",
        /// Authorised absence.
        Authorised = "A",
    }
);

impl Section {
    /// The section as the fund's files call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "MAIN",
            Self::Half => "5050",
        }
    }
}

impl Hours {
    /// The indicator as the fund's files have it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Full => "F",
            Self::Part => "P",
            Self::Casual => "C",
        }
    }
}

impl BreakReason {
    /// The reason as the fund's files have it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Strike => "S",
            Self::Career => "C",
            Self::Paternity => "PL",
            Self::Maternity => "M",
            Self::Authorised => "A",
        }
    }
}

impl Reduction {
    /// Whether it brings assumed pensionable pay.
    #[must_use]
    pub const fn brings_assumed_pay(self) -> bool {
        matches!(self, Self::Sickness | Self::ChildRelated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_whatever_their_case() {
        assert_eq!(Section::read("Main"), Some(Section::Main));
        assert_eq!(Section::read("50/50"), Some(Section::Half));
        assert_eq!(Section::read("3"), None);
        assert_eq!(Status::read("leaver"), Some(Status::Leaver));
        assert_eq!(BreakReason::read("pl"), Some(BreakReason::Paternity));
        assert_eq!(Scheme::read(""), None);
    }
}
