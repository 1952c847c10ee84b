//! The audit trail written out, to the terminal or a file.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::cli::paint::{count, say};
use crate::cli::{Answer, DataOption, open};
use crate::model::ids::PartnerName;
use crate::run::{Export, ExportForm};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    data: DataOption,
    /// Only what concerns this partner. Of the rest, digests stay in, so that the chain can be checked.
    #[arg(long)]
    partner: Option<PartnerName>,
    /// Only from this day on, or this moment: 2026-09-01, 2026-09-01T12:00:00Z.
    #[arg(long, value_parser = from_moment)]
    from: Option<i64>,
    /// Only up to this day, which is taken in, or this moment.
    #[arg(long, value_parser = to_moment)]
    to: Option<i64>,
    /// As CSV, in place of a JSON object a line.
    #[arg(long)]
    csv: bool,
    /// The file to write, in place of standard output. One that is there is not replaced.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) async fn export(options: Options) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let form = if options.csv { ExportForm::Csv } else { ExportForm::Lines };
    let export = Export { partner: options.partner, from_ms: options.from, to_ms: options.to, form };
    match options.out {
        None => {
            let mut out = std::io::stdout().lock();
            export.write(hub.ledger(), |line| out.write_all(line.as_bytes())).await?;
            out.flush()?;
        }
        Some(path) => {
            let mut file = std::io::BufWriter::new(std::fs::File::create_new(&path)?);
            let written = export.write(hub.ledger(), |line| file.write_all(line.as_bytes())).await?;
            file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
            say(format!("{} entries in {}: `bailiwick audit verify {}` checks it", count(written), path.display(), path.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn from_moment(text: &str) -> Result<i64, String> {
    moment(text, false)
}

fn to_moment(text: &str) -> Result<i64, String> {
    moment(text, true)
}

/// A moment, or the beginning or end of a day in UTC.
fn moment(text: &str, end: bool) -> Result<i64, String> {
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment.as_millisecond());
    }
    let day: Date = text.parse().map_err(|_| "write a day such as 2026-09-01, or a moment such as 2026-09-01T12:00:00Z".to_owned())?;
    let begins = |day: Date| day.to_zoned(jiff::tz::TimeZone::UTC).map(|begin| begin.timestamp().as_millisecond());
    if end { day.tomorrow().and_then(begins).map(|next| next - 1) } else { begins(day) }.map_err(|error| error.to_string())
}
