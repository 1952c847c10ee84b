//! `bailiwick plugin bench`: how long a component takes in the sandbox, and how close it comes to each limit.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use crate::cli::paint::{Tone, bytes, count, paint, say, table};
use crate::cli::{Answer, show};
use crate::clock::Clock;
use crate::model::ids::Digest;
use crate::run::{self, BenchInput, BenchRounds, Benched, BenchedCase, LimitShare};
use crate::sandbox::{Sandbox, SandboxOptions};

/// Nobody waits longer for one case.
const AT_MOST: Duration = Duration::from_secs(10);

/// From this share of a limit on, in tenths of a percent, it is pointed out.
const CLOSE: u64 = 800;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Options {
    /// The component, as `bailiwick plugin build` makes it.
    component: PathBuf,
    /// For a rule set a file of cases. For an adapter a case's folder, or a CSV file named after an input: can be given again.
    #[arg(long = "case", value_name = "PATH", required = true)]
    cases: Vec<PathBuf>,
    /// Settings for CSV files: a file with a JSON object. Cases have their own.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// How often each case is run, in a fresh sandbox each time. It stops after ten seconds.
    #[arg(long, default_value_t = 100, value_name = "N")]
    times: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn bench(options: Options) -> Answer {
    let component =
        std::fs::read(&options.component).map_err(|error| format!("{} cannot be read: {error}", options.component.display()))?;
    let settings = match &options.settings {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
            serde_json::from_str(&text).map_err(|error| format!("{} is not JSON: {error}", path.display()))?
        }
        None => json!({}),
    };
    let cache = tempfile::tempdir()?;
    let sandbox = Sandbox::new(SandboxOptions {
        cache_dir: cache.path().join("compiled"),
        compiler: std::env::current_exe()?,
        run_threads: 1,
        decision_threads: 1,
    })?;
    let today = Clock::machine().now().in_tz("Europe/London")?.date();
    let input = BenchInput { paths: options.cases, settings, today };
    let benched = run::bench(&component, &input, BenchRounds { times: options.times, at_most: AT_MOST }, &sandbox).await?;
    if options.json {
        return print_json(&component, &benched);
    }
    say_benched(&benched);
    Ok(ExitCode::SUCCESS)
}

fn print_json(component: &[u8], benched: &Benched) -> Answer {
    let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let case = |case: &BenchedCase| {
        json!({
            "name": case.name, "rows": case.rows, "times": case.took.len(), "memory-bytes": case.memory_bytes,
            "median-ns": nanoseconds(case.per_mille(500)), "p99-ns": nanoseconds(case.per_mille(990)),
        })
    };
    let limit = |share: &LimitShare| {
        let percent = share.tenths_of_percent().and_then(|tenths| tenths_shown(tenths).parse::<f64>().ok());
        json!({ "limit": share.limit.name(), "used": share.used, "allowed": share.allowed, "percent": percent })
    };
    show::json(&json!({
        "digest": Digest::of(component).to_string(),
        "name": benched.manifest.name.to_string(),
        "version": benched.manifest.version,
        "kind": benched.manifest.kind_name(),
        "cases": benched.cases.iter().map(case).collect::<Vec<_>>(),
        "limits": benched.limits.iter().map(limit).collect::<Vec<_>>(),
    }))
}

fn say_benched(benched: &Benched) {
    let manifest = &benched.manifest;
    say(format!("{} {}, {}", paint(Tone::Strong, &manifest.name), manifest.version, manifest.kind_name()));
    let case = |case: &BenchedCase| {
        let median = case.per_mille(500);
        let a_second = case.rows.and_then(|rows| u128::from(rows).saturating_mul(1_000_000_000).checked_div(median.as_nanos()));
        vec![
            case.name.clone(),
            count(case.took.len() as u64),
            shown(median),
            shown(case.per_mille(990)),
            bytes(case.memory_bytes),
            case.rows.map(count).unwrap_or_default(),
            a_second.map(|rows| count(u64::try_from(rows).unwrap_or(u64::MAX))).unwrap_or_default(),
        ]
    };
    let headings = ["case", "times", "median", "p99", "memory", "rows", "rows a second"];
    say(table(&headings, &[1, 2, 3, 4, 5, 6], benched.cases.iter().map(case)));
    say("");
    let limit = |share: &LimitShare| {
        let percent = share.tenths_of_percent().map_or_else(String::new, |tenths| {
            let tone = if tenths >= CLOSE { Tone::Attention } else { Tone::Quiet };
            paint(tone, format!("{} %", tenths_shown(tenths)))
        });
        vec![share.limit.to_string(), share.used.map_or_else(|| "not measured".to_owned(), count), count(share.allowed), percent]
    };
    say(table(&["limit", "most used", "allowed", "share"], &[1, 2, 3], benched.limits.iter().map(limit)));
}

fn tenths_shown(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Three digits or so of a time.
fn shown(time: Duration) -> String {
    let in_unit =
        |nanoseconds: u128, unit: u128, name: &str| format!("{}.{:02} {name}", nanoseconds / unit, nanoseconds % unit * 100 / unit);
    match time.as_nanos() {
        nanoseconds @ 0..1_000_000 => in_unit(nanoseconds, 1_000, "µs"),
        nanoseconds @ 1_000_000..1_000_000_000 => in_unit(nanoseconds, 1_000_000, "ms"),
        nanoseconds => in_unit(nanoseconds, 1_000_000_000, "s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_in_which_people_read_them() {
        for (nanoseconds, text) in [
            (0, "0.00 µs"),
            (24_650, "24.65 µs"),
            (999_999, "999.99 µs"),
            (1_000_000, "1.00 ms"),
            (1_007_000_000, "1.00 s"),
            (61_500_000_000, "61.50 s"),
        ] {
            assert_eq!(shown(Duration::from_nanos(nanoseconds)), text);
        }
    }
}
