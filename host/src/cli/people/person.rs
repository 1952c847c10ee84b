//! `bailiwick person`: who may sign in to the console, and what they are at each partner.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::paint::{say, table};
use super::{Answer, DataOption, open, password, show};
use crate::access::{Role, hashed};
use crate::api::wire::moment;
use crate::ledger::{NewPerson, NewRole, Person, Scope};
use crate::model::ids::{PartnerName, PersonName};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Adds a person. Their password is asked for, or read from standard input; they may do nothing until they are given a role.
    Add(AddOptions),
    /// Lists people: what they are where, and whether they may sign in.
    List(ListOptions),
    /// Gives a person a role at a partner. They have it at once, also where they are signed in.
    Grant(RoleOptions),
    /// Takes a role at a partner from a person, also where they are signed in.
    Revoke(RoleOptions),
    /// Lets a person sign in no longer, and ends their sessions; with --undo, lets them sign in again.
    Disable(DisableOptions),
    /// Gives a person another password, and ends their sessions. It is asked for, or read from standard input.
    Password(NameOptions),
    /// Makes a person a keeper of the hub, who may appoint people at every partner; with --undo, no longer.
    HubOperator(DisableOptions),
    /// Lists who is signed in; with --end, ends the sessions of a person.
    Sessions(SessionsOptions),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct AddOptions {
    #[command(flatten)]
    data: DataOption,
    /// The name under which they sign in.
    name: PersonName,
    /// The name by which others know them.
    #[arg(long, value_name = "NAME")]
    display_name: Option<String>,
    /// Where they are written to.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// They keep the hub itself, and may appoint people at every partner.
    #[arg(long)]
    hub_operator: bool,
    /// Give them no password: they sign in at a provider of identities.
    #[arg(long)]
    no_password: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListOptions {
    #[command(flatten)]
    data: DataOption,
    /// Only those who have a role at this partner.
    #[arg(long)]
    partner: Option<PartnerName>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RoleOptions {
    #[command(flatten)]
    data: DataOption,
    /// The person.
    name: PersonName,
    /// The partner.
    partner: PartnerName,
    /// The role: viewer, operator, approver or admin.
    role: Role,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DisableOptions {
    #[command(flatten)]
    data: DataOption,
    /// The person.
    name: PersonName,
    /// Take it back.
    #[arg(long)]
    undo: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct NameOptions {
    #[command(flatten)]
    data: DataOption,
    /// The person.
    name: PersonName,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SessionsOptions {
    #[command(flatten)]
    data: DataOption,
    /// Only of this person.
    name: Option<PersonName>,
    /// End them.
    #[arg(long, requires = "name", conflicts_with = "json")]
    end: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct RoleJson {
    partner: String,
    role: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PersonJson {
    name: String,
    display_name: String,
    email: Option<String>,
    roles: Vec<RoleJson>,
    hub_operator: bool,
    has_password: bool,
    added_at: String,
    added_by: String,
    disabled_at: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct SessionJson {
    person: String,
    began_at: String,
    used_at: String,
    ends_at: String,
    from: String,
    way: String,
}

pub(in crate::cli) async fn answer(command: Command) -> Answer {
    match command {
        Command::Add(options) => add(options).await,
        Command::List(options) => list(options).await,
        Command::Grant(options) => role(options, true).await,
        Command::Revoke(options) => role(options, false).await,
        Command::Disable(options) => disable(options).await,
        Command::Password(options) => set_password(options).await,
        Command::HubOperator(options) => hub_operator(options).await,
        Command::Sessions(options) => sessions(options).await,
    }
}

async fn add(options: AddOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let password = if options.no_password { None } else { Some(hashed(&options.name, password::typed()?).await?) };
    let display_name = options.display_name.unwrap_or_else(|| options.name.to_string());
    if display_name.trim().is_empty() || display_name.chars().any(char::is_control) || display_name.chars().count() > 100 {
        return Err("a display name has 1 to 100 characters on one line".into());
    }
    let name = options.name.clone();
    let new = NewPerson { name: options.name, display_name, email: options.email, password, hub_operator: options.hub_operator };
    hub.ledger().add_person(&new, &open::person(&hub)).await?;
    say(format!("{name} may sign in; give them a role with `bailiwick person grant {name} PARTNER ROLE`"));
    Ok(ExitCode::SUCCESS)
}

async fn list(options: ListOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let people = hub.ledger().people(options.partner.as_ref().map_or(Scope::Hub, Scope::Partner)).await?;
    if options.json {
        return show::json(&people.into_iter().map(as_json).collect::<Vec<_>>());
    }
    if people.is_empty() {
        say("no people: add one with `bailiwick person add NAME`");
        return Ok(ExitCode::SUCCESS);
    }
    let row = |person: Person| {
        let mut roles: Vec<String> = person.roles.iter().map(|(partner, role)| format!("{partner}: {role}")).collect();
        roles.extend(person.hub_operator.then(|| "keeps the hub".to_owned()));
        let standing = match (person.disabled_at_ms, person.has_password) {
            (Some(since), _) => format!("disabled {}", moment(since)),
            (None, true) => "may sign in".to_owned(),
            (None, false) => "may sign in at a provider of identities".to_owned(),
        };
        vec![person.name.to_string(), person.display_name, roles.join("\n"), standing]
    };
    say(table(&["person", "known as", "roles", ""], &[], people.into_iter().map(row)));
    Ok(ExitCode::SUCCESS)
}

fn as_json(person: Person) -> PersonJson {
    let roles = person.roles.into_iter().map(|(partner, role)| RoleJson { partner: partner.to_string(), role });
    PersonJson {
        name: person.name.to_string(),
        display_name: person.display_name,
        email: person.email,
        roles: roles.collect(),
        hub_operator: person.hub_operator,
        has_password: person.has_password,
        added_at: moment(person.added_at_ms),
        added_by: person.added_by.to_string(),
        disabled_at: person.disabled_at_ms.map(moment),
    }
}

async fn role(options: RoleOptions, granted: bool) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let RoleOptions { name, partner, role, .. } = options;
    let (new, by) = (NewRole { partner: &partner, person: &name, role: role.name() }, open::person(&hub));
    let changed = if granted { hub.ledger().grant_role(new, &by).await? } else { hub.ledger().revoke_role(new, &by).await? };
    say(match (granted, changed) {
        (true, true) => format!("{name} is {role} at {partner}"),
        (true, false) => format!("{name} was {role} at {partner} before: nothing changed"),
        (false, true) => format!("{name} is no longer {role} at {partner}; their sessions have ended"),
        (false, false) => format!("{name} was not {role} at {partner}: nothing changed"),
    });
    Ok(ExitCode::SUCCESS)
}

async fn disable(options: DisableOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let name = &options.name;
    let changed = hub.ledger().disable_person(name, !options.undo, &open::person(&hub)).await?;
    say(match (options.undo, changed) {
        (false, true) => format!("{name} may sign in no longer; their sessions have ended"),
        (true, true) => format!("{name} may sign in again"),
        (_, false) => "nothing changed: that is how it was".to_owned(),
    });
    Ok(ExitCode::SUCCESS)
}

async fn set_password(options: NameOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    let hash = hashed(&options.name, password::typed()?).await?;
    hub.ledger().set_password(&options.name, &hash, &open::person(&hub)).await?;
    say(format!("{} has another password; their sessions have ended", options.name));
    Ok(ExitCode::SUCCESS)
}

async fn hub_operator(options: DisableOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    hub.ledger().set_hub_operator(&options.name, !options.undo, &open::person(&hub)).await?;
    say(if options.undo { format!("{} keeps the hub no longer", options.name) } else { format!("{} keeps the hub", options.name) });
    Ok(ExitCode::SUCCESS)
}

async fn sessions(options: SessionsOptions) -> Answer {
    let hub = open::existing_hub(&options.data).await?;
    if let Some(name) = options.name.as_ref().filter(|_| options.end) {
        let ended = hub.ledger().end_sessions(name, &open::person(&hub)).await?;
        say(format!("{ended} sessions of {name} have ended"));
        return Ok(ExitCode::SUCCESS);
    }
    let live = hub.ledger().live_sessions(options.name.as_ref(), hub.clock().now_ms()).await?;
    let live = live.into_iter().map(|session| SessionJson {
        person: session.person.to_string(),
        began_at: moment(session.began_at_ms),
        used_at: moment(session.used_at_ms),
        ends_at: moment(session.ends_at_ms),
        from: session.came_from,
        way: session.way,
    });
    if options.json {
        return show::json(&live.collect::<Vec<_>>());
    }
    let row = |session: SessionJson| vec![session.person, session.began_at, session.used_at, session.from, session.way];
    let rows: Vec<Vec<String>> = live.map(row).collect();
    if rows.is_empty() {
        say("nobody is signed in");
    } else {
        say(table(&["person", "since", "last used", "from", "by"], &[], rows));
    }
    Ok(ExitCode::SUCCESS)
}
