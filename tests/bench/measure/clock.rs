//! What a piece of work took, and what the process holds.

use std::time::{Duration, Instant};

/// A beginning, on the wall and on this thread's CPU.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu: thread_cpu() }
    }

    /// Time on the wall since.
    pub(crate) fn wall(&self) -> Duration {
        self.wall.elapsed()
    }

    /// This thread's time on the CPU since.
    pub(crate) fn cpu(&self) -> Duration {
        thread_cpu() - self.cpu
    }
}

fn thread_cpu() -> Duration {
    clock(rustix::time::ClockId::ThreadCPUTime)
}

/// Time on the CPU of all threads so far.
pub(crate) fn process_cpu() -> Duration {
    clock(rustix::time::ClockId::ProcessCPUTime)
}

fn clock(clock: rustix::time::ClockId) -> Duration {
    Duration::try_from(rustix::time::clock_gettime(clock)).expect("time on the CPU is not negative")
}

/// Nanoseconds each of some things took.
pub(crate) fn each(time: Duration, things: usize) -> f64 {
    time.as_nanos() as f64 / things as f64
}

/// The most memory that the process has held, in MiB, as the kernel says.
pub(crate) fn peak_mib() -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kib.map(|kib| kib / 1_024.0).ok_or_else(|| anyhow::anyhow!("the kernel does not say how much memory the process has held"))
}
