//! How the hub speaks to its operator: lines by `tracing`, for people or as JSON; traces, where somebody collects them; and figures.
//!
//! Nothing in any of them is anybody's data: names of partners and jobs, numbers of runs, counts, and how long things took.

mod figures;
mod traces;

use std::io::IsTerminal as _;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

pub use figures::{Counted, Figures, Gauges, PerJob, RowsCounted};
pub use traces::Traces;

/// In which form lines are written to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogForm {
    /// For people; in colour on a terminal.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Starts writing lines, and sending traces where `OTEL_EXPORTER_OTLP_ENDPOINT` says to. `BAILIWICK_LOG` chooses which lines are written,
/// as in `BAILIWICK_LOG=debug`; else `level` does. What is answered is kept until the program ends, so that the last traces are sent.
pub fn start(form: LogForm, level: &str) -> Option<Traces> {
    let filter = EnvFilter::try_from_env("BAILIWICK_LOG").unwrap_or_else(|_| EnvFilter::new(format!("warn,bailiwick={level}")));
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines = match form {
        LogForm::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogForm::Json => lines.json().flatten_event(true).boxed(),
    };
    let (traces, not_sent) = match Traces::from_environment() {
        Ok(traces) => (traces, None),
        Err(why) => (None, Some(why)),
    };
    let sent = traces.as_ref().map(|traces| traces.layer());
    // A second start, as tests make it, leaves the first in place.
    drop(tracing_subscriber::registry().with(lines.with_filter(filter)).with(sent).try_init());
    if let Some(why) = not_sent {
        tracing::error!(why, "traces are not sent");
    }
    traces
}
