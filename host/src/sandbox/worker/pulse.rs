//! The sandbox's sense of time: one thread that, every ten milliseconds, moves the epoch of every engine and a coarse
//! clock that all instances read.
//!
//! It is a thread of the system's and no task of the async runtime, because a busy runtime would let a plugin run on.
//! Ten milliseconds: limits are a second and more, an instance that meets a tick spends about a microsecond on it,
//! and a hub at rest spends less than a thousandth of a core. An engine joins when it is made, so none goes unticked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::{Engine, EngineWeak};

/// Between two ticks. Every limit of time is kept to within this.
pub(in crate::sandbox) const TICK: Duration = Duration::from_millis(10);

/// The ticker. It ends when the last owner drops it.
#[derive(Default)]
pub(in crate::sandbox) struct Pulse {
    now_ms: AtomicU64,
    engines: Mutex<Vec<EngineWeak>>,
}

impl Pulse {
    /// Starts the thread.
    pub(in crate::sandbox) fn start() -> std::io::Result<Arc<Self>> {
        let pulse = Arc::new(Self::default());
        let watched = Arc::downgrade(&pulse);
        thread::Builder::new().name("sandbox-pulse".to_owned()).spawn(move || beat(&watched))?;
        Ok(pulse)
    }

    /// From now on, this engine's epoch moves.
    pub(in crate::sandbox) fn join(&self, engine: &Engine) {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner).push(engine.weak());
    }

    /// Milliseconds since the start, at the last tick.
    pub(in crate::sandbox) fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    fn tick(&self, now: Duration) {
        self.now_ms.store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.engines.lock().unwrap_or_else(PoisonError::into_inner).retain(|engine| match engine.upgrade() {
            Some(engine) => {
                engine.increment_epoch();
                true
            }
            None => false,
        });
    }
}

fn beat(watched: &Weak<Pulse>) {
    let begun = Instant::now();
    loop {
        thread::sleep(TICK);
        match watched.upgrade() {
            Some(pulse) => pulse.tick(begun.elapsed()),
            None => return,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn moves_and_ends() {
        let pulse = Pulse::start().unwrap();
        let begun = Instant::now();
        while pulse.now_ms() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(10), "no tick came");
            thread::sleep(TICK);
        }
        let weak = Arc::downgrade(&pulse);
        drop(pulse);
        assert!(
            weak.upgrade().is_none() || {
                thread::sleep(TICK * 10);
                weak.upgrade().is_none()
            }
        );
    }
}
