//! How long a run waits between two attempts: a pure function of their number.

use std::time::Duration;

/// How long to wait before the attempt after `attempt`: doubling from five seconds to an hour, spread by a fifth so that
/// runs that failed together do not come back together. `spread` is any number.
pub(crate) fn pause_after(attempt: u64, spread: u64) -> Duration {
    let doubled = Duration::from_secs(5).saturating_mul(1 << attempt.saturating_sub(1).min(10));
    let pause = doubled.min(Duration::from_secs(3_600));
    let fifth = u64::try_from(pause.as_millis() / 5).unwrap_or(u64::MAX).max(1);
    pause + Duration::from_millis(spread % fifth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_spread() {
        assert_eq!(pause_after(1, 0), Duration::from_secs(5));
        assert_eq!(pause_after(2, 0), Duration::from_secs(10));
        assert_eq!(pause_after(60, 0), Duration::from_secs(3_600));
        assert!(pause_after(1, 999) > pause_after(1, 0));
        assert!(pause_after(60, u64::MAX) <= Duration::from_secs(3_600 + 720));
    }
}
