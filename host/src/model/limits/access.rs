//! Limits of signing in: how long a session lasts, how long a password is, how soon somebody who guesses has to wait.

/// A session ends when nobody has used it for so long: a lunch, not an afternoon.
pub const SESSION_IDLE_MS: i64 = 60 * 60_000;

/// A session ends after so long, used or not: a working day and a little more.
pub const SESSION_MS_MAX: i64 = 12 * 3_600_000;

/// Sessions that one person has at a time, each a browser; with one more, the one that was used longest ago ends.
pub const SESSIONS_OF_PERSON_MAX: usize = 10;

/// Shortest password, in characters: what NIST SP 800-63B asks for where a password is all there is, less three as guessing is slowed.
pub const PASSWORD_CHARS_MIN: usize = 12;

/// Longest password, in bytes: a passphrase and more, and little to hash.
pub const PASSWORD_BYTES_MAX: usize = 256;

/// Passwords that are hashed at one time: each takes 19 MiB.
pub const PASSWORDS_AT_ONCE: usize = 4;

/// How long somebody waits for their turn to have a password hashed, in milliseconds.
pub const PASSWORD_TURN_MS_MAX: u64 = 5_000;

/// How long signing in at a provider of identities may take, from leaving the hub to coming back: somebody looks for their key.
pub const SIGN_IN_ELSEWHERE_MS_MAX: i64 = 10 * 60_000;

/// How long a provider of identities may take over one answer, in milliseconds.
pub const PROVIDER_MS_MAX: u64 = 10_000;

/// Largest answer of a provider of identities, in bytes: its keys and a token are a few thousand.
pub const PROVIDER_BYTES_MAX: u64 = 1 << 20;

/// How failed attempts to sign in slow the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttle {
    /// Failures that cost nothing. The last of them, and each further one, is followed by a wait: a second, then double each time.
    pub free: u32,
    /// The longest wait.
    pub wait_ms_max: i64,
    /// One failure is forgiven each time that this has passed.
    pub forgives_every_ms: i64,
}

/// Of one name, whether or not somebody has it. Some hundred guesses a day, while its owner waits a quarter of an hour at worst.
pub const THROTTLE_OF_NAME: Throttle = Throttle { free: 3, wait_ms_max: 15 * 60_000, forgives_every_ms: 3_600_000 };

/// Of one address, behind which a whole office may sit: a failure a minute is forgiven.
pub const THROTTLE_OF_ADDRESS: Throttle = Throttle { free: 30, wait_ms_max: 2 * 60_000, forgives_every_ms: 60_000 };

impl Throttle {
    /// How long the next attempt waits after so many failures.
    #[must_use]
    pub fn wait_ms(&self, failures: u32) -> i64 {
        let Some(doublings) = failures.checked_sub(self.free) else { return 0 };
        1_000_i64.checked_shl(doublings.min(32)).unwrap_or(i64::MAX).min(self.wait_ms_max)
    }

    /// The most failures that are counted: those after which the wait grows no longer.
    #[must_use]
    pub fn failures_max(&self) -> u32 {
        (self.free..).find(|failures| self.wait_ms(*failures) >= self.wait_ms_max).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<i64> = (0..16).map(|failures| THROTTLE_OF_NAME.wait_ms(failures) / 1_000).collect();
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(THROTTLE_OF_NAME.failures_max(), 13);
        assert_eq!(THROTTLE_OF_NAME.wait_ms(u32::MAX), 900_000);
        assert_eq!((THROTTLE_OF_ADDRESS.wait_ms(29), THROTTLE_OF_ADDRESS.wait_ms(30), THROTTLE_OF_ADDRESS.failures_max()), (0, 1_000, 37));
    }
}
