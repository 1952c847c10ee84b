//! `bailiwick decide`: one case, or a list of them, by a rule set.

use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use super::paint::{Tone, paint, say};
use super::show::json;
use super::{Answer, DataOption, open};
use crate::ledger::Scope;
use crate::model::ids::{PartnerName, PluginName};
use crate::model::outcome::{Decision, Verdict};
use crate::registry::cases::DecisionJson;
use crate::run::Question;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    data: DataOption,
    /// The rule set.
    rule_set: PluginName,
    /// Whose, where two partners have it.
    #[arg(long)]
    partner: Option<PartnerName>,
    /// The case: a file with a JSON object or a list of them; - for standard input.
    #[arg(long, value_name = "FILE")]
    case: PathBuf,
    /// Settings for the rule set: a file with a JSON object.
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn decide(options: Options) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let releases = hub.ledger().releases(Scope::Hub).await?;
    let owner = releases.iter().find(|release| {
        let key = &release.release.key;
        release.active_since_ms.is_some()
            && key.plugin == options.rule_set
            && options.partner.as_ref().is_none_or(|partner| *partner == key.partner)
    });
    let partner = owner
        .map(|release| release.release.key.partner.clone())
        .ok_or_else(|| format!("there is no active release of {}: `bailiwick apply FOLDER` brings one", options.rule_set))?;
    let settings = match &options.settings {
        Some(path) => serde_json::from_str(&read(path)?)?,
        None => serde_json::json!({}),
    };
    let cases: Vec<serde_json::Value> =
        match serde_json::from_str(&read(&options.case)?).map_err(|error| format!("{} is not JSON: {error}", options.case.display()))? {
            serde_json::Value::Array(cases) => cases,
            case => vec![case],
        };
    // Who types it, may wait or stop it.
    let question = Question { partner, plugin: options.rule_set, settings, within: std::time::Duration::MAX };
    let mut failed = false;
    for answer in hub.decide(&question, cases).await? {
        match answer {
            Ok(decided) if options.json => drop(json(&DecisionJson::from(&decided.decision))?),
            Ok(decided) => say_decision(&decided.decision),
            Err(error) => {
                failed = true;
                say(format!("{}: {error}", paint(Tone::Bad, "not decided")));
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(path: &std::path::Path) -> Result<String, Box<dyn std::error::Error>> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()).into())
}

fn say_decision(decision: &Decision) {
    say(paint(Tone::Strong, &decision.outcome));
    for (name, amount) in &decision.figures {
        say(format!("  {name}: £{amount:#}"));
    }
    for reason in &decision.reasons {
        let word = match reason.verdict {
            Verdict::Pass => paint(Tone::Good, "pass"),
            Verdict::Refer => paint(Tone::Attention, "refer"),
            Verdict::Fail => paint(Tone::Bad, "fail"),
            Verdict::CannotCheck => paint(Tone::Attention, "cannot check"),
            Verdict::Applies => paint(Tone::Quiet, "applies"),
        };
        say(format!("  {word}  {}  {}", reason.rule, reason.text));
    }
    for action in &decision.actions {
        let due = action.due.map_or_else(String::new, |due| format!(" by {due}"));
        say(format!("  to do{due}  {} ({})  {}", action.kind, action.party, action.text));
    }
    for table in &decision.tables {
        say(paint(Tone::Quiet, format!("  table {} {}", table.table, table.version)));
    }
}
