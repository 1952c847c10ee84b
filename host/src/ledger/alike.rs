//! What many callers ask alike, read once for those who ask at the same time, and once for as long as nothing at all is committed.
//!
//! No answer is older than its question: whoever asks is answered by a reading that began afterwards, or by one since whose beginning
//! nobody has committed anything, which the database says. So nothing has to be thrown away when something is written, here, on another hub
//! or by hand; and where the database does not say, who asks alone reads for itself.
//!
//! Must not know what is asked.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, watch};

/// Most answers that are kept. Whoever guesses tokens asks a new question each time.
const KEPT_MAX: usize = 1024;

/// Questions, and who is reading for whom. Clones share their readings.
pub(super) struct Alike<Q: Eq + Hash, A> {
    asked: Arc<Mutex<HashMap<Q, Arc<Reading<A>>>>>,
    /// Answers, each with the version of the database as it was before its reading began.
    kept: Arc<Mutex<HashMap<Q, (i64, A)>>>,
}

/// One question, for as long as anybody asks it.
struct Reading<A> {
    /// How many readings have begun.
    begun: AtomicU64,
    /// The last reading that ended well: its number, and what it found.
    found: watch::Sender<(u64, Option<A>)>,
    /// For whoever reads.
    turn: Semaphore,
}

/// Somebody who asks; the last one takes the question with them.
struct Asking<'a, Q: Eq + Hash, A> {
    alike: &'a Alike<Q, A>,
    question: Q,
    reading: Arc<Reading<A>>,
}

impl<Q: Eq + Hash, A> Clone for Alike<Q, A> {
    fn clone(&self) -> Self {
        Self { asked: Arc::clone(&self.asked), kept: Arc::clone(&self.kept) }
    }
}

impl<Q: Eq + Hash, A> Default for Alike<Q, A> {
    fn default() -> Self {
        Self { asked: Arc::default(), kept: Arc::default() }
    }
}

impl<Q: Eq + Hash, A> fmt::Debug for Alike<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Alike")
    }
}

impl<Q: Eq + Hash + Clone, A: Clone> Alike<Q, A> {
    /// The answer of a reading that begins after this, or that is of the version which stands; of `read`, unless somebody else's comes
    /// first. A reading that fails is told to its own caller alone: the next one reads for itself.
    pub(super) async fn ask<E>(
        &self,
        question: Q,
        version: impl Fn() -> Option<i64>,
        read: impl Future<Output = Result<A, E>>,
    ) -> Result<A, E> {
        if let Some(answer) = version().and_then(|version| self.kept(&question, version)) {
            return Ok(answer);
        }
        let asking = self.asking(question);
        let Reading { begun, found, turn } = &*asking.reading;
        let before = begun.load(Ordering::SeqCst);
        let mut heard = found.subscribe();
        let _turn = tokio::select! {
            biased;
            Ok(told) = heard.wait_for(|(number, _)| *number > before) => {
                return Ok(told.1.clone().expect("a reading that ended has found something"));
            }
            turn = turn.acquire() => turn.expect("the turn is never closed"),
        };
        let number = begun.fetch_add(1, Ordering::SeqCst) + 1;
        let version = version();
        let answer = read.await?;
        if let Some(version) = version {
            self.keep(&asking.question, version, answer.clone());
        }
        found.send_replace((number, Some(answer.clone())));
        Ok(answer)
    }

    fn kept(&self, question: &Q, version: i64) -> Option<A> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(question).filter(|(of, _)| *of == version).map(|(_, answer)| answer.clone())
    }

    fn keep(&self, question: &Q, version: i64, answer: A) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, (of, _)| *of == version);
        }
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(question.clone(), (version, answer));
    }

    fn asking(&self, question: Q) -> Asking<'_, Q, A> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = Arc::clone(asked.entry(question.clone()).or_default());
        Asking { alike: self, question, reading }
    }
}

impl<A> Default for Reading<A> {
    fn default() -> Self {
        Self { begun: AtomicU64::new(0), found: watch::Sender::new((0, None)), turn: Semaphore::new(1) }
    }
}

impl<Q: Eq + Hash, A> Drop for Asking<'_, Q, A> {
    fn drop(&mut self) {
        let mut asked = self.alike.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // One is in the list, one is here.
        if Arc::strong_count(&self.reading) == 2 {
            asked.remove(&self.question);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where by itself")]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::AtomicI64;
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn many_are_answered_at_once_and_nobody_with_what_was_before() {
        let alike = Alike::<&str, u64>::default();
        let (world, readings) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let asking: Vec<_> = (0..2_000_u64)
            .map(|number| {
                let (alike, world, readings) = (alike.clone(), Arc::clone(&world), Arc::clone(&readings));
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_micros(number * 7 % 20_000)).await;
                    let before = world.fetch_add(1, Ordering::SeqCst) + 1;
                    let read = async {
                        readings.fetch_add(1, Ordering::SeqCst);
                        let found = world.load(Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(2)).await;
                        Ok::<_, Infallible>(found)
                    };
                    let answer = alike.ask("how many", || None, read).await.unwrap();
                    assert!(answer >= before, "{answer} is older than {before}");
                })
            })
            .collect();
        for asked in asking {
            asked.await.unwrap();
        }
        let readings = readings.load(Ordering::SeqCst);
        assert!(readings < 200, "{readings} readings for 2,000 questions");
        assert!(alike.asked.lock().unwrap().is_empty(), "nobody asks any more, and nothing is kept");
    }

    #[tokio::test]
    async fn who_goes_away_or_fails_takes_nobody_along() {
        let alike = Alike::<u8, u8>::default();
        let slow = tokio::spawn({
            let alike = alike.clone();
            async move { alike.ask(1, || None, std::future::pending::<Result<u8, &str>>()).await }
        });
        tokio::task::yield_now().await;
        let waiting = tokio::spawn({
            let alike = alike.clone();
            async move { alike.ask(1, || None, async { Ok::<_, &str>(7) }).await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished(), "it waits for its turn");
        slow.abort();
        assert_eq!(waiting.await.unwrap(), Ok(7));
        let (failed, well) = tokio::join!(
            alike.ask(2, || None, async {
                tokio::task::yield_now().await;
                Err("no database")
            }),
            alike.ask(2, || None, async { Ok::<_, &str>(9) })
        );
        assert_eq!((failed, well), (Err("no database"), Ok(9)));
        assert_eq!(alike.ask(3, || None, async { Ok::<_, &str>(1) }).await, Ok(1));
        assert_eq!(alike.ask(3, || None, async { Ok::<_, &str>(2) }).await, Ok(2), "what was asked alone is read each time");
        assert!(alike.asked.lock().unwrap().is_empty());
    }
    #[tokio::test]
    async fn what_was_read_holds_until_something_is_committed_and_no_longer() {
        let (alike, version, readings) = (Alike::<u8, u64>::default(), AtomicI64::new(7), AtomicU64::new(0));
        let now = || Some(version.load(Ordering::SeqCst));
        let ask = || {
            alike.ask(1, now, async {
                // Something may be committed while it is read; then nobody knows whether this saw it.
                let number = readings.fetch_add(1, Ordering::SeqCst);
                if number == 1 {
                    version.fetch_add(1, Ordering::SeqCst);
                }
                Ok::<_, Infallible>(number)
            })
        };
        assert_eq!((ask().await, ask().await), (Ok(0), Ok(0)), "nothing was committed, and it was read once");
        version.fetch_add(1, Ordering::SeqCst);
        assert_eq!(ask().await, Ok(1), "something was");
        assert_eq!(ask().await, Ok(2), "and again while that was read");
        assert_eq!(ask().await, Ok(2));
        for question in 0..=u8::MAX {
            alike.ask(question, now, async { Ok::<_, Infallible>(0) }).await.unwrap();
        }
        assert_eq!(alike.kept.lock().unwrap().len(), 256);
    }

    #[tokio::test]
    async fn whoever_asks_something_else_each_time_fills_nothing() {
        let alike = Alike::<usize, ()>::default();
        for question in 0..3 * KEPT_MAX {
            alike.ask(question, || Some(1), async { Ok::<_, Infallible>(()) }).await.unwrap();
            assert!(alike.kept.lock().unwrap().len() <= KEPT_MAX);
        }
    }
}
