//! What many callers ask at the same time, done in one transaction: a commit costs the same for one as for a hundred.
//!
//! Nobody waits so that others may come: what arrives while one transaction is under way is the next.
//!
//! Must not know what is asked.

use std::fmt;

use tokio::sync::{mpsc, oneshot};

/// Most questions of one transaction.
const TOGETHER_MAX: usize = 128;

/// Takes questions, and answers them together. Clones take them for the same transactions.
pub(super) struct Together<Q, A> {
    asked: mpsc::Sender<Asked<Q, A>>,
}

struct Asked<Q, A> {
    question: Q,
    answer: oneshot::Sender<A>,
}

impl<Q, A> Clone for Together<Q, A> {
    fn clone(&self) -> Self {
        Self { asked: self.asked.clone() }
    }
}

impl<Q, A> fmt::Debug for Together<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Together")
    }
}

impl<Q: Send + 'static, A: Send + 'static> Together<Q, A> {
    /// With what answers some questions in one transaction: an answer for each, in their order, or none for what is better asked alone.
    pub(super) fn new<F, W>(work: W) -> Self
    where
        F: Future<Output = Vec<Option<A>>> + Send,
        W: Fn(Vec<Q>) -> F + Send + 'static,
    {
        let (asked, mut waiting) = mpsc::channel::<Asked<Q, A>>(TOGETHER_MAX);
        // Ends when the last clone is gone, and nobody can ask.
        tokio::spawn(async move {
            let mut some = Vec::with_capacity(TOGETHER_MAX);
            while waiting.recv_many(&mut some, TOGETHER_MAX).await > 0 {
                let (questions, answers): (Vec<Q>, Vec<_>) = some.drain(..).map(|asked| (asked.question, asked.answer)).unzip();
                for (asked, answer) in answers.into_iter().zip(work(questions).await) {
                    // Who has gone away meanwhile has no use for it; who gets none asks alone.
                    let _gone = answer.map(|answer| asked.send(answer));
                }
            }
        });
        Self { asked }
    }

    /// The answer, once it is durable; none if the question has to be asked alone, and nothing of it was done.
    pub(super) async fn ask(&self, question: Q) -> Option<A> {
        let (answer, answered) = oneshot::channel();
        self.asked.send(Asked { question, answer }).await.ok()?;
        answered.await.ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn each_gets_its_own_answer_and_many_are_answered_at_once() {
        let times = Arc::new(AtomicUsize::new(0));
        let together = Together::new({
            let times = Arc::clone(&times);
            move |some: Vec<u32>| {
                times.fetch_add(1, Ordering::Relaxed);
                async move {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                    some.into_iter().map(|number| (number % 3 != 0).then_some(number * 2)).collect()
                }
            }
        });
        let asking: Vec<_> = (0..300_u32)
            .map(|number| {
                let together = together.clone();
                tokio::spawn(async move { (number, together.ask(number).await) })
            })
            .collect();
        for asked in asking {
            let (number, answer) = asked.await.unwrap();
            assert_eq!(answer, (number % 3 != 0).then_some(number * 2));
        }
        let times = times.load(Ordering::Relaxed);
        assert!(times < 30, "{times} times for 300 questions");
    }

    #[tokio::test]
    async fn what_goes_wrong_with_some_is_asked_alone() {
        let together = Together::new(|some: Vec<bool>| async move {
            assert!(!some.contains(&true), "a defect");
            vec![Some(1); some.len()]
        });
        assert_eq!(together.ask(false).await, Some(1));
        assert_eq!(together.ask(true).await, None);
        assert_eq!(together.ask(false).await, None, "the task has ended; everybody asks alone");
    }
}
