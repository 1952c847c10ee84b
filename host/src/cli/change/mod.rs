//! Commands for changes that take two persons: looked at, approved, refused.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::paint::{say, table};
use super::{Answer, DataOption, open, show};
use crate::api::wire::moment;
use crate::ledger::{Actor, PAGE_ITEMS_MAX, Scope, StoredChange};
use crate::model::ids::PartnerName;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists proposed changes and what became of them, newest first.
    List(ListOptions),
    /// Shows what a change would put in force.
    Show(OneOptions),
    /// Puts a change in force that another person proposed.
    Approve(DecideOptions),
    /// Refuses a change; whoever proposed it takes it back in the same way.
    Refuse(DecideOptions),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    data: DataOption,
    /// Only of this partner.
    #[arg(long)]
    partner: Option<PartnerName>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct OneOptions {
    #[command(flatten)]
    data: DataOption,
    /// Whose.
    partner: PartnerName,
    /// Its number.
    number: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DecideOptions {
    #[command(flatten)]
    data: DataOption,
    /// Whose.
    partner: PartnerName,
    /// Its number.
    number: u64,
    /// The reason, for the audit trail.
    #[arg(long)]
    why: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ChangeJson {
    partner: String,
    number: u64,
    state: &'static str,
    difference: Vec<String>,
    digest: String,
    proposed_at: String,
    proposed_by: String,
    decided_at: Option<String>,
    decided_by: Option<String>,
    why: Option<String>,
}

impl From<StoredChange> for ChangeJson {
    fn from(change: StoredChange) -> Self {
        Self {
            partner: change.partner.to_string(),
            number: change.number,
            state: change.state.as_str(),
            difference: change.difference,
            digest: change.digest.to_string(),
            proposed_at: moment(change.proposed_at_ms),
            proposed_by: change.proposed_by.to_string(),
            decided_at: change.decided_at_ms.map(moment),
            decided_by: change.decided_by.as_ref().map(Actor::to_string),
            why: change.why,
        }
    }
}

pub(crate) async fn answer(command: Command) -> Answer {
    match command {
        Command::List(options) => list(options).await,
        Command::Show(options) => show_one(options).await,
        Command::Approve(options) => approve(options).await,
        Command::Refuse(options) => refuse(options).await,
    }
}

async fn list(options: ListOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let scope = options.partner.as_ref().map_or(Scope::Hub, Scope::Partner);
    let changes: Vec<ChangeJson> = hub.ledger().changes(scope, PAGE_ITEMS_MAX).await?.into_iter().map(ChangeJson::from).collect();
    if options.json {
        return show::json(&changes);
    }
    if changes.is_empty() {
        say("no changes: a partner with changes = \"two-persons\" in partners.toml has protected ones proposed by `bailiwick apply`");
        return Ok(ExitCode::SUCCESS);
    }
    let row = |change: ChangeJson| {
        let what = change.difference.join(", ");
        vec![change.partner, change.number.to_string(), change.state.to_owned(), change.proposed_by, change.proposed_at, what]
    };
    say(table(&["partner", "change", "state", "proposed by", "at", "what"], &[1], changes.into_iter().map(row)));
    Ok(ExitCode::SUCCESS)
}

async fn show_one(options: OneOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let change = hub.ledger().proposed_change(&options.partner, options.number).await?;
    if options.json {
        return show::json(&ChangeJson::from(change));
    }
    say(format!("change {} of {}: {}", change.number, change.partner, change.state));
    say(format!("proposed by {} at {}, digest {}", change.proposed_by, moment(change.proposed_at_ms), change.digest.short()));
    if let (Some(by), Some(at_ms)) = (&change.decided_by, change.decided_at_ms) {
        say(format!("{} by {by} at {}: {}", change.state, moment(at_ms), change.why.as_deref().unwrap_or_default()));
    }
    change.difference.iter().for_each(|line| say(format!("  {line}")));
    hub.change_in_full(&change).await?.iter().for_each(|line| say(format!("    {line}")));
    Ok(ExitCode::SUCCESS)
}

async fn approve(options: DecideOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let by = open::person(&hub);
    let plan = hub.approve_change((&options.partner, options.number), &options.why, &by).await.map_err(open::shown)?;
    open::say_plan(&plan, "put in force");
    Ok(ExitCode::SUCCESS)
}

async fn refuse(options: DecideOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    hub.ledger().refuse_change((&options.partner, options.number), &options.why, &open::person(&hub)).await?;
    say(format!("change {} of {} is refused", options.number, options.partner));
    Ok(ExitCode::SUCCESS)
}
