//! The sandbox's own threads. A guest runs to its end on one of them, so the async runtime's threads never wait for a plugin.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread;

use tokio::sync::oneshot;

use super::super::error::SandboxError;
use super::pulse::Pulse;
use super::{Worker, panic_message};
use crate::model::limits::{Limit, SANDBOX_QUEUE_MAX};

type Work = Box<dyn FnOnce(&Worker) + Send>;

/// Threads of one kind, which share one queue. They end when this is dropped and their work is done.
pub(in crate::sandbox) struct Threads {
    queue: flume::Sender<Work>,
}

impl Threads {
    /// Starts some threads, each with a worker of its own.
    pub(in crate::sandbox) fn start(name: &str, count: usize, pulse: &Arc<Pulse>) -> Result<Self, SandboxError> {
        let (queue, work) = flume::bounded(SANDBOX_QUEUE_MAX);
        let (ready, readies) = std_mpsc::channel();
        let count = count.max(1);
        for number in 0..count {
            let (work, pulse, ready) = (work.clone(), Arc::clone(pulse), ready.clone());
            thread::Builder::new()
                .name(format!("{name}-{number}"))
                .stack_size(stack_bytes())
                .spawn(move || match Worker::new(pulse) {
                    Ok(worker) => {
                        let _ = ready.send(Ok(()));
                        serve(&worker, &work);
                    }
                    Err(error) => {
                        let _ = ready.send(Err(format!("{error:#}")));
                    }
                })
                .map_err(|error| SandboxError::ThreadsStopped { detail: error.to_string() })?;
        }
        drop(ready);
        readies.iter().take(count).collect::<Result<(), _>>().map_err(|detail| SandboxError::ThreadsStopped { detail })?;
        Ok(Self { queue })
    }

    /// Does some work on one of the threads, after the work that waits already.
    pub(in crate::sandbox) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Worker) -> R + Send + 'static,
    ) -> Result<R, SandboxError> {
        let stopped = || SandboxError::ThreadsStopped { detail: "the hub is shutting down".to_owned() };
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |worker| {
            // Who asked waits no longer.
            if answer.is_closed() {
                return;
            }
            let done = catch_unwind(AssertUnwindSafe(|| work(worker)));
            let _ = answer.send(done.map_err(|panic| SandboxError::Panicked { message: panic_message(&*panic).to_owned() }));
        });
        self.queue.send_async(work).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

fn serve(worker: &Worker, queue: &flume::Receiver<Work>) {
    for work in queue {
        work(worker);
    }
}

/// The stack of a thread that calls plugins: the guest's is part of it, the rest is for the hub's own functions.
pub(crate) fn stack_bytes() -> usize {
    let guest = usize::try_from(Limit::StackBytes.fact().default).expect("the stack's limit is below 1 MiB");
    guest + (2 << 20)
}
