//! The only place that knows what time it is. Everything else is told.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

/// Where the time comes from: the machine, or a test.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    Machine,
    Set(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn machine() -> Self {
        Self(Source::Machine)
    }

    /// A clock that stands at a moment until it is moved.
    #[must_use]
    pub fn standing_at(moment: Timestamp) -> Self {
        Self(Source::Set(Arc::new(Mutex::new(moment))))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Machine => Timestamp::now(),
            Source::Set(moment) => *moment.lock().expect("nobody panics while holding the time"),
        }
    }

    /// The time now in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now().as_millisecond()
    }

    /// Moves a clock that stands. The machine's clock cannot be moved, and stays.
    pub fn advance(&self, by: SignedDuration) {
        if let Source::Set(moment) = &self.0 {
            let mut moment = moment.lock().expect("nobody panics while holding the time");
            *moment = moment.checked_add(by).unwrap_or(*moment);
        }
    }
}
