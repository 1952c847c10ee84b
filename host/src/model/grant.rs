//! What is lent to a plugin: what it asks for, narrowed by what its partner granted and by what the operator allows at all.
//!
//! Every step only takes away, so that no order of them, and none of them alone, widens what another left. Who grants is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::ids::is_name;
use super::limits::{Limit, Limits};
use super::manifest::Wants;

/// Something that the hub lends, and that can be kept back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lent {
    /// Notes in the run's log.
    Log,
    /// The run's time.
    Clock,
    /// Random numbers.
    Random,
    /// What is kept from one run of a job to the next.
    State,
    /// Requests through the connection that the job names.
    Http,
    /// Looking things up in one table.
    Table(String),
}

impl fmt::Display for Lent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log => f.write_str("log"),
            Self::Clock => f.write_str("clock"),
            Self::Random => f.write_str("random"),
            Self::State => f.write_str("state"),
            Self::Http => f.write_str("http"),
            Self::Table(name) => write!(f, "table:{name}"),
        }
    }
}

impl FromStr for Lent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "log" => Self::Log,
            "clock" => Self::Clock,
            "random" => Self::Random,
            "state" => Self::State,
            "http" => Self::Http,
            _ => match text.strip_prefix("table:").filter(|name| is_name(name)) {
                Some(name) => Self::Table(name.to_owned()),
                None => return Err(format!("{text:?} is nothing that is lent: write log, clock, random, state, http or table:NAME")),
            },
        })
    }
}

/// How far something goes: all that is asked for, but for what is kept back, and within some limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grant {
    /// What is kept back.
    pub without: BTreeSet<Lent>,
    /// The most of a limit; of those that are not named, what is asked for.
    pub limits: BTreeMap<Limit, u64>,
}

impl Grant {
    /// What both allow.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.without.extend(other.without.iter().cloned());
        for (limit, most) in &other.limits {
            both.limits.entry(*limit).and_modify(|amount| *amount = (*amount).min(*most)).or_insert(*most);
        }
        both
    }

    /// What is lent of what is asked for.
    #[must_use]
    pub fn lend(&self, asked: &Wants) -> Wants {
        let lent = |wanted: bool, what: Lent| wanted && !self.without.contains(&what);
        Wants {
            log: lent(asked.log, Lent::Log),
            clock: lent(asked.clock, Lent::Clock),
            random: lent(asked.random, Lent::Random),
            state: lent(asked.state, Lent::State),
            http: lent(asked.http, Lent::Http),
            lookup: asked.lookup.iter().filter(|table| lent(true, Lent::Table((*table).clone()))).cloned().collect(),
        }
    }

    /// Limits, none above what is granted.
    #[must_use]
    pub fn cap(&self, asked: &Limits) -> Limits {
        let mut capped = asked.clone();
        for (limit, most) in self.limits.iter().filter(|(limit, most)| **most < asked.get(**limit)) {
            capped.set(*limit, *most).expect("it is below what was in force");
        }
        capped
    }

    /// What of some amounts goes beyond what is granted: the limit, the amount, and the most.
    pub fn above<'a>(&'a self, amounts: &'a [(Limit, u64)]) -> impl Iterator<Item = (Limit, u64, u64)> + 'a {
        let most = |limit: &Limit| self.limits.get(limit).copied();
        amounts.iter().filter_map(move |(limit, amount)| Some((*limit, *amount, most(limit).filter(|most| amount > most)?)))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn grant() -> impl Strategy<Value = Grant> {
        let lent = prop_oneof![Just("log"), Just("clock"), Just("random"), Just("state"), Just("http"), Just("table:bands")];
        let limits = prop::collection::btree_map(prop_oneof![Just(Limit::CpuMs), Just(Limit::LogLines)], 1..2_000_u64, 0..3);
        (prop::collection::btree_set(lent, 0..4), limits)
            .prop_map(|(without, limits)| Grant { without: without.into_iter().map(|text| text.parse().unwrap()).collect(), limits })
    }

    fn asked() -> Wants {
        Wants { log: true, clock: true, random: false, state: true, http: true, lookup: vec!["bands".to_owned(), "rates".to_owned()] }
    }

    /// Whether nothing is in the one that is not in the other.
    fn within(one: &Wants, other: &Wants) -> bool {
        let flags = |wants: &Wants| [wants.log, wants.clock, wants.random, wants.state, wants.http];
        flags(one).iter().zip(flags(other)).all(|(one, other)| !one || other) && one.lookup.iter().all(|table| other.lookup.contains(table))
    }

    proptest! {
        #[test]
        fn none_widens_what_another_left(one in grant(), other in grant()) {
            let both = one.and(&other);
            prop_assert_eq!(&both, &other.and(&one));
            prop_assert_eq!(&both.and(&one), &both);
            let (asked, limits) = (asked(), Limits::default());
            for narrower in [&one, &other] {
                prop_assert!(within(&both.lend(&asked), &narrower.lend(&asked)));
                prop_assert!(both.cap(&limits).iter().zip(narrower.cap(&limits).iter()).all(|((_, both), (_, one))| both <= one));
            }
            prop_assert!(within(&one.lend(&asked), &asked));
            prop_assert!(one.cap(&limits).iter().zip(limits.iter()).all(|((_, is), (_, was))| is <= was));
        }
    }

    #[test]
    fn what_is_lent_is_named_one_way() {
        for text in ["log", "clock", "random", "state", "http", "table:lgps-bands"] {
            assert_eq!(text.parse::<Lent>().unwrap().to_string(), text);
        }
        for wrong in ["", "sockets", "table:", "table:A B", "lookup"] {
            assert!(wrong.parse::<Lent>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_goes_beyond_a_grant_is_named() {
        let grant = Grant { limits: [(Limit::CpuMs, 10)].into(), ..Grant::default() };
        let above: Vec<_> = grant.above(&[(Limit::CpuMs, 11), (Limit::LogLines, 5)]).collect();
        assert_eq!(above, [(Limit::CpuMs, 11, 10)]);
    }
}
