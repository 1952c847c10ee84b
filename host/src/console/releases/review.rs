//! One release, as whoever approves it sees it: what it may do, what is different, who vouches for it, what its trials came to.
//!
//! It must not do anything: it reads.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::{Told, beside, standing};
use crate::access::Action;
use crate::console::look::{Column, Summary, Table, Weight, bad_inset, inset, link_button, words};
use crate::console::visit::{Answers, At, Fault};
use crate::ledger::{ProofState, Release, ReleaseKey, ReleaseStanding, Run, RunFilter, RunState};
use crate::run::{Hub, Review};

/// Runs of each job that are looked through for trials of a release.
const RUNS_LOOKED_AT: u32 = 200;

/// Trials that are shown.
const TRIALS_SHOWN: usize = 20;

/// The field that names the review that a person had before them, and that of the trials.
pub(super) const REVIEW: &str = "review";
pub(super) const TRIALS: &str = "trials";

/// What a person had before them when they chose to do something.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Seen {
    /// The review.
    #[serde(default)]
    review: String,
    /// The trials that came to something else.
    #[serde(default)]
    trials: String,
}

impl Seen {
    /// What a page shows.
    pub(super) fn now(review: &Review, proof: &ProofState) -> Self {
        Self { review: review.code.clone(), trials: proof.code() }
    }

    /// What a form carries on.
    pub(super) fn in_form(answers: &Answers) -> Self {
        Self { review: answers.text(REVIEW).to_owned(), trials: answers.text(TRIALS).to_owned() }
    }

    /// The same; where it does not say, what stands there now.
    pub(super) fn or(self, review: &Review, proof: &ProofState) -> Self {
        let now = Self::now(review, proof);
        let first = |said: String, now: String| if said.is_empty() { now } else { said };
        Self { review: first(self.review, now.review), trials: first(self.trials, now.trials) }
    }

    /// As fields of a form.
    pub(super) fn fields(self) -> [(String, String); 2] {
        [(REVIEW.to_owned(), self.review), (TRIALS.to_owned(), self.trials)]
    }

    /// As the end of an address.
    pub(super) fn query(&self) -> String {
        format!("{REVIEW}={}&{TRIALS}={}", self.review, self.trials)
    }
}

pub(super) async fn page(
    State(hub): State<Hub>,
    at: At,
    Path((_, release)): Path<(String, String)>,
    Query(told): Query<Told>,
) -> Result<Response, Fault> {
    at.may(Action::Read)?;
    let release = found(&hub, &at, &release).await?;
    let key = release.release.key.clone();
    let review = hub.review_release(&key).await?;
    let trials = trials(&hub, &at, &key).await?;
    let (proof, candidate) = (hub.proof(&key).await?, beside::standing(&hub, &at, &key).await?);
    let own = own(&hub, &at, &review).await?;
    Ok(at
        .page(format!("{} {}", key.plugin, release.release.version))
        .caption("Release")
        .section("plugins")
        .crumb(at.href("plugins"), "Plugins and releases")
        .done(told.sentence())
        .aside(standing(&review.release))
        .body(html! {
            (facts(&review.release))
            (acts(&at, (&review, &proof), own.as_deref()))
            div class="columns even" {
                div {
                    h2 { "What it may do" }
                    ul { @for sentence in &review.may_do { li { (sentence) } } }
                }
                div { (changes(&at, &review)) }
            }
            @if !review.unfit.is_empty() {
                (bad_inset(html! {
                    p class="strong" { "It does not fit this partner’s jobs, so it cannot be put in use:" }
                    ul { @for sentence in &review.unfit { li { (sentence) } } }
                }))
            }
            (beside::section(&at, (&review, candidate.as_ref()), (&proof, own.is_some())))
            (trial_table(&at, &trials))
        }))
}

/// The release of a digest, in full or by its beginning.
pub(super) async fn found(hub: &Hub, at: &At, digest: &str) -> Result<Release, Fault> {
    let kept = hub.ledger().releases(at.scope()).await?;
    let mut fitting = kept.into_iter().filter(|release| digest.len() >= 8 && release.release.key.digest.to_string().starts_with(digest));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one),
        _ => Err(Fault::NotFound),
    }
}

/// Why this person leaves it to others to approve a release, or to explain what it differs in: they, or a token of theirs, handed it in or
/// brought its signature.
pub(super) async fn own(hub: &Hub, at: &At, review: &Review) -> Result<Option<String>, Fault> {
    let own = hub.ledger().own_work(&review.release, &at.by(hub)).await?;
    Ok(own.map(|own| format!("{own}.")))
}

fn facts(release: &Release) -> Markup {
    let new = &release.release;
    let signed = html! {
        @if let Some(signature) = &new.signature {
            "Key " code { (signature.key) } @if !signature.comment.is_empty() { ", who says: " (signature.comment) }
        } @else { "Nobody" }
    };
    let said = release.verdict.as_ref().map(|verdict| {
        html! {
            @if verdict.standing == ReleaseStanding::Approved { "Approved" } @else { "Refused" }
            " by " (verdict.by) ", " (words::moment(verdict.at_ms)) ". “" (verdict.why) "”"
        }
    });
    let summary = Summary::new()
        .row("Digest", html! { code { (new.key.digest) } })
        .row("Size", words::size(new.size_bytes))
        .row("Handed in", html! { (words::moment(release.added_at_ms)) " by " (words::actor(&release.added_by)) })
        .row("Signed by", signed)
        .maybe("What was said of it", said)
        .maybe("In use since", release.active_since_ms.map(words::moment));
    html! { (summary) (kept_back(release)) }
}

/// What its approval keeps back.
fn kept_back(release: &Release) -> Markup {
    let grant = release.grant();
    html! {
        @if !grant.without.is_empty() || !grant.limits.is_empty() {
            h2 { "What its approval keeps back" }
            ul {
                @for lent in &grant.without { li { "It is not lent " (lent) "." } }
                @for (limit, most) in &grant.limits { li { "Its limit " (limit) " is at most " (words::count(*most)) "." } }
            }
        }
    }
}

fn changes(at: &At, review: &Review) -> Markup {
    html! {
        h2 { "What is different" }
        @if let Some(active) = &review.active {
            @let key = &active.release.key;
            p { "From " a href=(at.href(format_args!("releases/{}", key.digest))) { "version " (active.release.version) } ", which is in use:" }
            @if review.changes.is_empty() { p { "Nothing that it declares: only its code." } }
            @else { ul { @for sentence in &review.changes { li { (sentence) } } } }
        } @else if review.release.active_since_ms.is_some() { p { "Nothing: it is the one in use." } }
        @else { p { "No release of this plugin is in use, so all of it is new." } }
    }
}

/// What this person can do with it, and why not what they cannot.
fn acts(at: &At, (review, proof): (&Review, &ProofState), own: Option<&str>) -> Markup {
    let release = &review.release;
    let key = &release.release.key;
    let seen = Seen::now(review, proof).query();
    let href = |act: &str| at.href(format_args!("releases/{}/{act}?{seen}", key.digest));
    if !at.caller.can(Action::Approve) {
        return html! {
            (inset(html! { p { "Whoever may approve at this partner decides whether its runs use this release." } }))
            @if at.caller.can(Action::Run) && release.active_since_ms.is_none() && release.retired.is_none() {
                div class="buttons" { (link_button(Weight::Second, &href("try"), "Try it on what ran")) }
            }
        };
    }
    let approved = release.verdict.as_ref().map(|verdict| verdict.standing) == Some(ReleaseStanding::Approved);
    let active = release.active_since_ms.is_some();
    html! {
        @if let Some(why) = own.filter(|_| !approved) {
            (inset(html! { p { (why) } p { "Somebody else has to approve it: four eyes see more than two." } }))
        }
        @if let Some(retired) = &release.retired {
            (inset(html! { p { "It was given up by " (retired.by) ", " (words::moment(retired.at_ms)) ": “" (retired.why) "”" } }))
        } @else { div class="buttons" {
            @if own.is_none() && !approved { (link_button(Weight::First, &href("approve"), "Approve")) }
            @if approved && !active { (link_button(Weight::First, &href("activate"), "Put in use")) }
            @if !active { (link_button(Weight::Second, &href("try"), "Try it on what ran")) }
            @if !active { (link_button(Weight::Second, &href("refuse"), "Refuse")) }
            @if !active && !approved { (link_button(Weight::Second, &href("activate"), "Put in use")) }
            @if !active { (link_button(Weight::Second, &href("retire"), "Give it up")) }
        } }
    }
}

/// Runs that tried it, newest first.
async fn trials(hub: &Hub, at: &At, key: &ReleaseKey) -> Result<Vec<Run>, Fault> {
    let mut found = Vec::new();
    // Of all jobs: files of any may go through a format or a connector.
    for job in hub.ledger().jobs(at.scope()).await? {
        let filter = RunFilter { job: Some(job.name), state: None, before: None };
        let runs = hub.ledger().runs(at.scope(), &filter, RUNS_LOOKED_AT).await?.items;
        found.extend(runs.into_iter().filter(|run| run.enqueued.dry_run && run.enqueued.release == Some(key.digest)));
    }
    found.truncate(TRIALS_SHOWN);
    Ok(found)
}

fn trial_table(at: &At, trials: &[Run]) -> Markup {
    let mut table = Table::new("Trials on what ran before", ["Run that delivered", "Trial", "What came of it", "When"].map(Column::words));
    for run in trials {
        let came = match run.state {
            RunState::Closed => html! { "The same, byte by byte" },
            RunState::Held => html! { a href=(at.href(format_args!("trials/{}", run.id))) { "Something else: see the differences" } },
            _ => html! { (words::run_tag(run)) },
        };
        let link = |id: &dyn std::fmt::Display| html! { a class="plain mono" href=(at.href(format_args!("runs/{id}"))) { (short(id)) } };
        let origin = run.trigger().origin();
        table.push([
            html! { @if let Some(origin) = origin { (run.job()) " " (link(&origin)) } @else { (run.job()) } },
            link(&run.id),
            came,
            words::short_moment(run.enqueued_at_ms),
        ]);
    }
    html! { h2 { "Trials" } (table.caption_read_out().empty("It has not been tried yet. A trial does runs again with this release, delivers nothing, and compares.")) }
}

/// The beginning of a run's number, as it is shown.
pub(super) fn short(id: &dyn std::fmt::Display) -> String {
    id.to_string().chars().take(13).collect()
}
