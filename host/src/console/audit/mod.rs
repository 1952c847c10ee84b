//! The audit trail of a partner: searched, page by page; worked out again; downloaded.
//!
//! It must not know what acts mean, or how entries are chained.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;

use super::look::{Column, Faults, Field, Table, Weight, button, day_of, details, filter, form, link_button, pages, words};
use super::visit::{At, Fault, Posted};
use crate::access::Action;
use crate::ledger::{AuditEntry, AuditSought, AuditWords};
use crate::run::Hub;

/// Entries of one page.
const PAGE: u32 = 50;

/// Entries of one download.
const DOWNLOAD_MAX: u32 = 100_000;

/// Entries that are read at once.
const READ: u32 = 1_000;

pub(super) fn routes() -> Router<Hub> {
    Router::new().route("/p/{partner}/audit", get(list).post(verify)).route("/p/{partner}/audit/export", get(export))
}

/// What is sought. Dates are as typed, so that a wrong one is shown again.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Sought {
    actor: String,
    action: String,
    subject: String,
    from: String,
    to: String,
    before: Option<u64>,
}

/// The same, read.
struct Filter {
    sought: Sought,
    /// From this moment on.
    from_ms: Option<i64>,
    /// Up to before this moment.
    until_ms: Option<i64>,
}

impl Filter {
    fn read(sought: Sought) -> (Self, Faults) {
        let mut faults = Faults::new();
        let mut moment = |field: &str, text: &str, days: i64| {
            if text.trim().is_empty() {
                return None;
            }
            let day = day_of(text).and_then(|day| day.checked_add(jiff::Span::new().days(days)).ok());
            let local = day.and_then(|day| day.in_tz(words::ZONE).ok());
            match local {
                Some(local) => Some(local.timestamp().as_millisecond()),
                None => {
                    faults.add(field, "Write a day that exists, such as 31/3/2026");
                    None
                }
            }
        };
        let (from_ms, until_ms) = (moment("from", &sought.from, 0), moment("to", &sought.to, 1));
        if from_ms.zip(until_ms).is_some_and(|(from, until)| from >= until) {
            faults.add("to", "The last day must not be before the first");
        }
        (Self { sought, from_ms, until_ms }, faults)
    }

    fn sought(&self) -> AuditSought {
        let words = |text: &str| match text.trim() {
            "" => AuditWords::Any,
            text => AuditWords::Have(text.to_owned()),
        };
        let Sought { actor, action, subject, .. } = &self.sought;
        AuditSought { actor: words(actor), action: words(action), subject: words(subject), from_ms: self.from_ms, until_ms: self.until_ms }
    }

    /// As it stands in an address; from before an entry, or from the end of the trail.
    fn query(&self, before: Option<u64>) -> String {
        let Sought { actor, action, subject, from, to, .. } = &self.sought;
        let named = [("actor", actor), ("action", action), ("subject", subject), ("from", from), ("to", to)];
        let set = named.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={}", words::encoded(value)));
        set.chain(before.map(|before| format!("before={before}"))).collect::<Vec<_>>().join("&")
    }
}

async fn list(State(hub): State<Hub>, at: At, Query(sought): Query<Sought>) -> Result<Response, Fault> {
    at.may(Action::ReadAudit)?;
    show(&hub, &at, sought, None).await
}

/// Works the whole trail out again, and shows what came of it above the entries.
async fn verify(State(hub): State<Hub>, at: At, Posted(_): Posted) -> Result<Response, Fault> {
    at.may(Action::ReadAudit)?;
    let check = hub.ledger().verify_audit().await?;
    let verified = match &check.broken {
        None => html! {
            div class="told success" role="status" tabindex="-1" aria-labelledby="verified" {
                h2 id="verified" { "The trail is whole" }
                p { (words::counted(check.entries, "entry", "entries")) " of this hub were worked out again, and each follows from the one before it." }
                p { "The last has the hash " code { (check.head) } ". Noted elsewhere, it shows later that nothing up to it was rewritten." }
            }
        },
        Some(broken) => html! {
            div class="told errors" role="alert" tabindex="-1" aria-labelledby="verified" {
                h2 id="verified" { "The trail is broken" }
                p { "Entry " (broken.seq) " " (broken.why) "." }
                p { (words::counted(check.entries, "entry", "entries")) " before it fit. Keep the database as it is, and tell whoever keeps the hub." }
            }
        },
    };
    show(&hub, &at, Sought::default(), Some(verified)).await
}

async fn show(hub: &Hub, at: &At, sought: Sought, verified: Option<Markup>) -> Result<Response, Fault> {
    let (filter, faults) = Filter::read(sought);
    let (entries, next) = if faults.is_empty() {
        let found = hub.ledger().audit_sought(at.scope(), &filter.sought(), filter.sought.before, PAGE).await?;
        (found.items, found.next)
    } else {
        (Vec::new(), None)
    };
    let mut table = Table::new(
        "Entries, newest first",
        [Column::number("Number")].into_iter().chain(["When", "Who", "What", "To what", "How it was and is"].map(Column::words)),
    );
    for entry in &entries {
        table.push(row(entry));
    }
    let address = |query: String| if query.is_empty() { at.href("audit") } else { format!("{}?{query}", at.href("audit")) };
    let first = filter.sought.before.map(|_| address(filter.query(None)));
    Ok(at.page("Audit trail").section("audit").faults(&faults).body(html! {
        @if let Some(verified) = verified { (verified) }
        p class="lede" { "Who did what at this partner, each entry chained to the one before it, so that none can be changed or taken out unseen." }
        div class="buttons" {
            (form(&at.href("audit"), at.csrf(), button(Weight::Second, "Verify the trail")))
            (link_button(Weight::Second, &format!("{}?{}", at.href("audit/export"), filter.query(None)), "Download what is sought"))
        }
        (search(at, &filter, &faults))
        (table.empty("No entry is like that."))
        (pages("the audit trail", first, next.map(|next| address(filter.query(Some(next))))))
    }))
}

fn search(at: &At, sought: &Filter, faults: &Faults) -> Markup {
    let Sought { actor, action, subject, from, to, .. } = &sought.sought;
    filter(
        &at.href("audit"),
        "Search the audit trail",
        html! {
            (Field::new("actor", "Who").value(actor).text())
            (Field::new("action", "What").value(action).text())
            (Field::new("subject", "To what").value(subject).text())
            (Field::new("from", "From").value(from).faults(faults).day())
            (Field::new("to", "To").value(to).faults(faults).day())
        },
    )
}

fn row(entry: &AuditEntry) -> [Markup; 6] {
    let told = [("Was", &entry.before), ("Is", &entry.after)];
    let said = told.iter().any(|(_, said)| said.is_some());
    [
        html! { (entry.seq) },
        words::exact_moment(entry.at_ms),
        html! { (entry.actor) },
        html! { code class="no-wrap" { (entry.action) } },
        html! { span class="mono" { (entry.subject) } },
        html! {
            @if said {
                (details("Show", html! {
                    @for (word, json) in told {
                        @if let Some(json) = json { p { span class="strong" { (word) ": " } span class="mono" { (json) } } }
                    }
                    p class="small" { "Hash " span class="mono" { (entry.hash) } }
                }))
            }
        },
    ]
}

async fn export(State(hub): State<Hub>, at: At, Query(sought): Query<Sought>) -> Result<Response, Fault> {
    at.may(Action::ReadAudit)?;
    let (filter, faults) = Filter::read(Sought { before: None, ..sought });
    if let Some((_, sentence)) = faults.iter().next() {
        return Err(Fault::conflict(sentence));
    }
    let (sought, mut before, mut lines) = (filter.sought(), None, String::new());
    for _ in 0..DOWNLOAD_MAX / READ {
        let page = hub.ledger().audit_sought(at.scope(), &sought, before, READ).await?;
        lines.extend(page.items.iter().map(line));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    let name = format!("attachment; filename=\"audit-{}.jsonl\"", at.caller.partner());
    Ok(([(CONTENT_TYPE, "application/jsonl".to_owned()), (CONTENT_DISPOSITION, name)], lines).into_response())
}

fn line(entry: &AuditEntry) -> String {
    let json = |text: &Option<String>| text.as_ref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    let at = jiff::Timestamp::from_millisecond(entry.at_ms).unwrap_or_default().to_string();
    let line = serde_json::json!({
        "seq": entry.seq, "at": at, "actor": entry.actor.as_str(), "action": entry.action, "subject": entry.subject,
        "before": json(&entry.before), "after": json(&entry.after), "hash": entry.hash.to_string(),
    });
    format!("{line}\n")
}
