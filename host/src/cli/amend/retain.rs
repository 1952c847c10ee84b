//! `bailiwick retain`.

use std::process::ExitCode;

use crate::cli::paint::{Tone, bytes, count, paint, say, table};
use crate::cli::show::json;
use crate::cli::{Answer, DataOption, open};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RetainOptions {
    #[command(flatten)]
    data: DataOption,
    /// Give up all that may go, at once; a hub that serves does so by itself, hour by hour. Without this, say how long what is kept.
    #[arg(long)]
    now: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(in crate::cli) async fn retain(options: RetainOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    if options.now {
        let given_up = hub.retain(&open::person(&hub)).await?;
        if options.json {
            return json(&serde_json::json!({
                "runs": given_up.runs, "rejects": given_up.rejects, "logs": given_up.logs,
                "artefacts": given_up.artefacts, "artefact-bytes": given_up.artefact_bytes,
            }));
        }
        say(format!(
            "files of {} runs expired, {} removed ({}); rejects of {} runs cleared; logs of {} runs trimmed",
            count(given_up.runs),
            count(given_up.artefacts),
            bytes(given_up.artefact_bytes),
            count(given_up.rejects),
            count(given_up.logs)
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let kept = hub.ledger().partners(crate::ledger::Scope::Hub).await?;
    let days = |days: Option<u32>| days.map_or_else(|| "for good".to_owned(), |days| format!("{days} days"));
    if options.json {
        let of = |partner: &crate::model::job::Partner| {
            let retention = partner.retention;
            serde_json::json!({
                "partner": partner.name.as_str(), "artefacts-days": retention.artefacts_days,
                "rejects-days": retention.rejects_days, "events-days": retention.events_days,
            })
        };
        return json(&kept.iter().map(of).collect::<Vec<_>>());
    }
    let rows = kept.iter().map(|partner| {
        let retention = partner.retention;
        vec![partner.name.to_string(), days(retention.artefacts_days), days(retention.rejects_days), days(retention.events_days)]
    });
    say(table(&["partner", "files", "rejects", "events"], &[], rows));
    say(paint(Tone::Quiet, "declared as [partner.retention] in partners.toml; digests, totals and the audit trail are kept for good"));
    Ok(ExitCode::SUCCESS)
}
