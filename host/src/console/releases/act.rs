//! What is done to a release: approved, refused, given up, tried, set beside the one in use, explained, put in use. Each is checked on a
//! page of its own first.
//!
//! It must not know who may do what beyond the action: the ledger refuses what four eyes forbid.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use super::review::{REVIEW, Seen, TRIALS, found, own};
use super::{beside, grant};
use crate::access::Action;
use crate::console::look::form::REASON_CHARS_MAX;
use crate::console::look::{Check, Faults, Field, Summary, Weight, button, form, hidden, inset};
use crate::console::visit::{Answers, At, Fault, Posted};
use crate::ledger::{CandidateWay, ProofState};
use crate::run::{Approval, Hub, Review, Reviewed};

/// Runs that a trial does again, unless another number is written.
const TRIED_RUNS: u32 = 3;

/// What can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Approve,
    Refuse,
    Retire,
    Activate,
    Try,
    Parallel,
    Canary,
    End,
    Explain,
}

/// What is done, to which release, and what is known of that.
struct Asked {
    act: Act,
    review: Review,
    proof: ProofState,
    /// Why this person leaves it to others.
    own: Option<String>,
}

impl Act {
    const ALL: [Self; 9] =
        [Self::Approve, Self::Refuse, Self::Retire, Self::Activate, Self::Try, Self::Parallel, Self::Canary, Self::End, Self::Explain];

    fn named(name: &str) -> Result<Self, Fault> {
        Self::ALL.into_iter().find(|act| act.words().0 == name).ok_or(Fault::NotFound)
    }

    /// Its word in addresses, its heading, its button, and what is told once it is done.
    const fn words(self) -> (&'static str, &'static str, (Weight, &'static str), &'static str) {
        match self {
            Self::Approve => ("approve", "Approve this release", (Weight::First, "Approve"), "approved"),
            Self::Refuse => ("refuse", "Refuse this release", (Weight::Danger, "Refuse"), "refused"),
            Self::Retire => ("retire", "Give this release up", (Weight::Danger, "Give up"), "retired"),
            Self::Activate => ("activate", "Put this release in use", (Weight::First, "Put in use"), "activated"),
            Self::Try => ("try", "Try this release on what ran", (Weight::First, "Try it"), "tried"),
            Self::Parallel => ("parallel", "Run this release beside the one in use", (Weight::First, "Run beside"), "parallel"),
            Self::Canary => ("canary", "Do a share of the runs with this release", (Weight::First, "Begin"), "canary"),
            Self::End => ("end", "Run it beside the one in use no longer", (Weight::Danger, "End"), "ended"),
            Self::Explain => ("explain", "Explain a difference", (Weight::First, "Explain"), "explained"),
        }
    }

    /// What lets somebody do it: any of these. What delivers nothing, or takes something back, is no approver's alone.
    const fn takes(self) -> &'static [Action] {
        match self {
            Self::Approve | Self::Refuse | Self::Retire | Self::Activate | Self::Canary | Self::Explain => &[Action::Approve],
            Self::Try | Self::Parallel | Self::End => &[Action::Run, Action::Approve],
        }
    }

    const fn asks_why(self) -> bool {
        matches!(self, Self::Approve | Self::Refuse | Self::Retire | Self::End | Self::Explain)
    }

    /// Whether there is something to be filled in before it is checked.
    const fn has_form(self) -> bool {
        !matches!(self, Self::Activate | Self::Parallel)
    }

    /// Whether a form says what the person had before them who sent it: the review, and of what rests on trials, those too.
    fn names_what_was_seen(self, answers: &Answers) -> bool {
        let trials = matches!(self, Self::Activate | Self::Canary | Self::Explain);
        !answers.text(REVIEW).is_empty() && (!trials || !answers.text(TRIALS).is_empty())
    }

    /// Whether whoever handed the release in leaves it to others.
    const fn takes_another(self) -> bool {
        matches!(self, Self::Approve | Self::Explain)
    }
}

pub(super) async fn ask(
    State(hub): State<Hub>,
    at: At,
    Path((_, release, act)): Path<(String, String, String)>,
    Query(told): Query<beside::Told>,
    Query(seen): Query<Seen>,
) -> Result<Response, Fault> {
    let asked = asked(&hub, &at, (&release, &act)).await?;
    // What is decided holds for what stood on the page that led here, and for nothing else.
    let mut blank = seen.or(&asked.review, &asked.proof).fields().to_vec();
    if !asked.act.has_form() {
        return Ok(asked.check_page(&at, &Answers::new(blank)));
    }
    match asked.act {
        Act::Approve => blank.extend(grant::blank(&asked.review)),
        Act::Try => blank.push(("runs".to_owned(), TRIED_RUNS.to_string())),
        Act::Canary => blank.extend(beside::blank()),
        Act::Explain => blank.push((beside::DIFFERENCE.to_owned(), told.difference)),
        Act::Refuse | Act::Retire | Act::End | Act::Activate | Act::Parallel => {}
    }
    Ok(asked.form_page(&at, &Answers::new(blank), &Faults::new()))
}

pub(super) async fn done(
    State(hub): State<Hub>,
    at: At,
    Path((_, release, act)): Path<(String, String, String)>,
    Posted(answers): Posted,
) -> Result<Response, Fault> {
    let asked = asked(&hub, &at, (&release, &act)).await?;
    let faults = asked.faults(&hub, &answers).await?;
    if !faults.is_empty() {
        return Ok(asked.form_page(&at, &answers, &faults));
    }
    if !answers.confirmed() || !asked.act.names_what_was_seen(&answers) {
        return Ok(asked.check_page(&at, &answers));
    }
    asked.carry_out(&hub, &at, &answers).await?;
    let to = format!("releases/{}?done={}", asked.review.release.release.key.digest, asked.act.words().3);
    Ok(Redirect::to(&at.href(to)).into_response())
}

async fn asked(hub: &Hub, at: &At, (release, act): (&str, &str)) -> Result<Asked, Fault> {
    let act = Act::named(act)?;
    at.caller.may_any(act.takes())?;
    let key = found(hub, at, release).await?.release.key;
    let review = hub.review_release(&key).await?;
    let own = if act.takes_another() { own(hub, at, &review).await? } else { None };
    Ok(Asked { act, proof: hub.proof(&key).await?, review, own })
}

/// How many runs are tried; none if that is no number of them.
fn runs(answers: &Answers) -> Option<u32> {
    let text = answers.text("runs");
    let runs = if text.is_empty() { Some(TRIED_RUNS) } else { text.parse().ok() };
    runs.filter(|runs| (1..=crate::run::TRIALS_MAX).contains(runs))
}

impl Asked {
    /// What is wrong with what was filled in.
    async fn faults(&self, hub: &Hub, answers: &Answers) -> Result<Faults, Fault> {
        let mut faults = match self.act {
            Act::Approve => match grant::read(&self.review, answers) {
                Ok(grant) => match hub.could_grant(&self.review, &grant).await {
                    Ok(()) => Faults::new(),
                    Err(error) => grant::refused(error)?,
                },
                Err(faults) => faults,
            },
            Act::Try if runs(answers).is_none() => Faults::one("runs", format!("Write a number from 1 to {}.", crate::run::TRIALS_MAX)),
            Act::Canary => beside::bounds(answers).err().unwrap_or_default(),
            Act::Explain => beside::difference(&self.proof, answers).err().unwrap_or_default(),
            _ => Faults::new(),
        };
        let why = answers.text("why");
        if self.act.asks_why() && why.is_empty() {
            faults.add("why", "Give a reason: it stands in the audit trail.");
        } else if why.chars().count() > REASON_CHARS_MAX as usize {
            faults.add("why", format!("The reason must have {REASON_CHARS_MAX} characters or fewer."));
        }
        Ok(faults)
    }

    async fn carry_out(&self, hub: &Hub, at: &At, answers: &Answers) -> Result<(), Fault> {
        let (key, by, why) = (&self.review.release.release.key, at.by(hub), answers.text("why"));
        let read = Reviewed { key, review: Some(answers.text(REVIEW)), trials: None };
        let seen = Reviewed { trials: Some(answers.text(TRIALS)), ..read };
        match self.act {
            Act::Approve => {
                let grant = grant::read(&self.review, answers).unwrap_or_default();
                let approval = Approval { key, review: answers.text(REVIEW), grant, why };
                hub.approve_release(&approval, &by).await?;
            }
            Act::Refuse => drop(hub.refuse_release(read, why, &by).await?),
            Act::Retire => drop(hub.retire_release(read, why, &by).await?),
            Act::Activate => drop(hub.activate_release(seen, &by).await?),
            Act::Try => drop(hub.try_release(key, (None, runs(answers).unwrap_or(TRIED_RUNS)), &by).await?),
            Act::Parallel => hub.begin_candidate(read, CandidateWay::Parallel, &by).await?,
            Act::Canary => {
                let bounds = beside::bounds(answers).map_err(|_| Fault::Stale)?;
                hub.begin_candidate(seen, CandidateWay::Canary(bounds), &by).await?;
            }
            Act::End => {
                beside::standing(hub, at, key).await?.ok_or_else(|| Fault::conflict("This release stands beside no other."))?;
                drop(hub.end_candidate((&key.partner, &key.plugin), (Some(key.digest), why), &by).await?);
            }
            Act::Explain => {
                let difference = beside::difference(&self.proof, answers).map_err(|_| Fault::Stale)?;
                hub.explain_difference(Reviewed { review: None, ..seen }, (difference, why), &by).await?;
            }
        }
        Ok(())
    }

    fn home(&self, at: &At) -> String {
        at.href(format_args!("releases/{}", self.review.release.release.key.digest))
    }

    fn form_page(&self, at: &At, answers: &Answers, faults: &Faults) -> Response {
        let (address, heading, ..) = self.act.words();
        let home = self.home(at);
        self.page(at, heading).faults(faults).body(html! {
            @if let Some(why) = &self.own {
                (inset(html! { p { (why) } }))
                p { a href=(home) { "Back to the release" } }
            } @else {
                (form(&format!("{home}/{address}"), at.csrf(), html! {
                    (hidden(REVIEW, answers.text(REVIEW)))
                    (hidden(TRIALS, answers.text(TRIALS)))
                    (self.fields(answers, faults))
                    @if self.act.asks_why() {
                        (Field::new("why", "Reason").hint("It stands in the audit trail, and whoever looks at the release reads it.").limit(REASON_CHARS_MAX).value(answers.text("why")).faults(faults).area(3))
                    }
                    div class="buttons" { (button(Weight::First, "Continue")) a class="plain" href=(home) { "Cancel" } }
                }))
            }
        })
    }

    /// What only this is asked for.
    fn fields(&self, answers: &Answers, faults: &Faults) -> Markup {
        match self.act {
            Act::Approve => grant::fields(&self.review, answers, faults),
            Act::Try => Field::new("runs", "How many of the last runs of each job")
                .hint("Each is done again with this release. Nothing is delivered.")
                .class("short")
                .value(answers.text("runs"))
                .faults(faults)
                .text(),
            Act::Canary => beside::canary_fields(answers, faults),
            Act::Explain => beside::difference_field(&self.proof, answers, faults),
            Act::Refuse | Act::Retire | Act::End | Act::Activate | Act::Parallel => Markup::default(),
        }
    }

    fn check_page(&self, at: &At, answers: &Answers) -> Response {
        let (address, heading, told_button, _) = self.act.words();
        let (new, home) = (&self.review.release.release, self.home(at));
        let mut summary = Summary::new()
            .row("Plugin", new.key.plugin.to_string())
            .row("Version", &new.version)
            .row("Digest", html! { code { (new.key.digest) } });
        let seen = Seen::in_form(answers).or(&self.review, &self.proof).fields();
        let mut filled: Vec<(&str, &str)> = ["why", "runs"].map(|name| (name, answers.text(name))).into();
        filled.extend(seen.iter().map(|(name, code)| (name.as_str(), code.as_str())));
        match self.act {
            Act::Approve => {
                summary = grant::told(&self.review, &grant::read(&self.review, answers).unwrap_or_default(), summary);
                filled.extend(grant::filled(answers));
            }
            Act::Try => summary = summary.row("Runs of each job", answers.text("runs")),
            Act::Canary | Act::Explain => {
                summary = beside::told(answers, summary);
                filled.extend(beside::filled(answers));
            }
            _ => {}
        }
        let why = Some(answers.text("why")).filter(|why| !why.is_empty());
        self.page(at, heading).body(Check {
            action: &format!("{home}/{address}"),
            csrf: at.csrf(),
            answers: summary.maybe("Reason", why),
            warning: self.warning(),
            fields: &filled,
            button: told_button,
            back: &home,
        })
    }

    const fn warning(&self) -> Option<&'static str> {
        match self.act {
            Act::Activate => Some("Every run of this plugin’s jobs uses it from the next one on. Rolling back takes one step."),
            Act::Refuse if self.review.release.active_since_ms.is_some() => Some("Runs still use it until another release is put in use."),
            Act::Retire => Some("No run begins with it any more, and it cannot be put in use again."),
            Act::Parallel => {
                Some("Every run that delivers is done a second time. If another release stands beside the one in use, it no longer does.")
            }
            Act::Canary => Some("These runs deliver. If one does badly, the canary is taken back by itself."),
            Act::Explain => Some("Trials that were held for this difference alone go on to their end."),
            _ => None,
        }
    }

    fn page(&self, at: &At, heading: &str) -> crate::console::look::Page {
        let new = &self.review.release.release;
        let words = format!("{} {}", new.key.plugin, new.version);
        at.page(heading).section("plugins").crumb(at.href("plugins"), "Plugins and releases").crumb(self.home(at), words)
    }
}
