//! How often somebody may ask: each token or session by itself, and everybody who is not known yet by their address.
//!
//! A token is known once a call with it was not turned away. Until then it counts for its address, so that whoever guesses tokens
//! guesses as slowly as one who sends none, and cannot fill the hub's memory with them.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};

use crate::model::ids::Digest;
use crate::model::limits::serving::{
    ADDRESS_REQUESTS_PER_SECOND_DEFAULT, CALLERS_COUNTED_MAX, REQUESTS_SAVED_SECONDS, TOKEN_REQUESTS_PER_SECOND_DEFAULT,
};

/// Requests a second.
#[derive(Debug, Clone, Copy)]
pub struct RequestRates {
    /// Of one token or session.
    pub of_token: NonZeroU32,
    /// Of one address by whoever is not known yet.
    pub of_address: NonZeroU32,
}

impl Default for RequestRates {
    fn default() -> Self {
        let rate = |per_second| NonZeroU32::new(per_second).expect("the defaults are above nothing");
        Self { of_token: rate(TOKEN_REQUESTS_PER_SECOND_DEFAULT), of_address: rate(ADDRESS_REQUESTS_PER_SECOND_DEFAULT) }
    }
}

type Counted<K> = RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock>;

/// What was asked lately, and by whom.
pub(super) struct Rates {
    tokens: Counted<Digest>,
    addresses: Counted<IpAddr>,
    known: Mutex<HashSet<Digest>>,
}

impl Rates {
    pub(super) fn new(rates: RequestRates) -> Self {
        let quota = |rate: NonZeroU32| Quota::per_second(rate).allow_burst(rate.saturating_mul(saved()));
        Self {
            tokens: RateLimiter::keyed(quota(rates.of_token)),
            addresses: RateLimiter::keyed(quota(rates.of_address)),
            known: Mutex::default(),
        }
    }

    /// Counts a request; with too many, how long to wait.
    pub(super) fn enter(&self, shown: Option<Digest>, client: IpAddr) -> Result<(), Duration> {
        let known = shown.filter(|shown| self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(shown));
        match known {
            Some(token) => count(&self.tokens, &token),
            None => count(&self.addresses, &network(client)),
        }
    }

    /// Notes whether what was shown was accepted.
    pub(super) fn leave(&self, shown: Option<Digest>, accepted: bool) {
        let Some(shown) = shown else { return };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !accepted {
            known.remove(&shown);
            return;
        }
        if known.len() >= CALLERS_COUNTED_MAX {
            // They are known again with their next call.
            known.clear();
        }
        known.insert(shown);
    }
}

const fn saved() -> NonZeroU32 {
    NonZeroU32::new(REQUESTS_SAVED_SECONDS).expect("it is above nothing")
}

fn count<K: Clone + std::hash::Hash + Eq>(counted: &Counted<K>, key: &K) -> Result<(), Duration> {
    if counted.len() > CALLERS_COUNTED_MAX {
        counted.retain_recent();
        counted.shrink_to_fit();
    }
    counted.check_key(key).map_err(|until| until.wait_time_from(counted.clock().now()))
}

/// Whoever has an address of IPv6 has a whole network of them.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => IpAddr::V4(four),
            None => {
                let [a, b, c, d, ..] = six.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rates(of_token: u32, of_address: u32) -> Rates {
        Rates::new(RequestRates { of_token: NonZeroU32::new(of_token).unwrap(), of_address: NonZeroU32::new(of_address).unwrap() })
    }

    #[test]
    fn each_is_counted_by_itself() {
        let rates = rates(2, 1);
        let [one, other]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|address| address.parse().unwrap());
        let saved = REQUESTS_SAVED_SECONDS;
        for _ in 0..saved {
            rates.enter(None, one).unwrap();
        }
        let wait = rates.enter(None, one).unwrap_err();
        assert!(wait <= Duration::from_secs(1) && wait > Duration::ZERO, "{wait:?}");
        rates.enter(None, other).unwrap();
        // A token that is not known counts for its address, whatever it is.
        let token = Digest::of(b"bwk_1");
        assert!(rates.enter(Some(token), one).is_err());
        rates.leave(Some(token), true);
        for _ in 0..2 * saved {
            rates.enter(Some(token), one).unwrap();
        }
        assert!(rates.enter(Some(token), one).is_err());
        // One that is turned away is not known any more.
        rates.leave(Some(token), false);
        rates.enter(Some(token), other).unwrap();
    }

    #[test]
    fn a_network_of_addresses_is_one() {
        let same = |one: &str, other: &str| network(one.parse().unwrap()) == network(other.parse().unwrap());
        assert!(same("2001:db8:1:2:3::4", "2001:db8:1:2:ffff::1"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
    }
}
