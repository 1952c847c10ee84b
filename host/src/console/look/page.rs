//! The layout around every page: title, landmarks, who is signed in, where one is, what is told; one h1 a page.
//!
//! It must not know what any page shows.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, Render, html};

use super::form::{CSRF_FIELD, Faults, hidden};
use crate::console::assets;
use crate::model::ids::PartnerName;

/// Where on the hub a page stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame {
    /// The hub's name.
    pub(crate) hub: String,
    /// Who is signed in, and the token of their session.
    pub(crate) who: Option<(String, String)>,
    /// The partner, its title, and what of it this person may see, in order.
    pub(crate) partner: Option<(PartnerName, String, Vec<Section>)>,
    /// Whether there is more than the one partner to choose from.
    pub(crate) many: bool,
    /// Whether they keep the hub itself.
    pub(crate) keeps_hub: bool,
}

/// A part of the console at a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    /// After the partner's address: `jobs`; empty for the overview.
    pub(crate) path: &'static str,
    /// Its words.
    pub(crate) name: &'static str,
}

/// A page.
pub(crate) struct Page {
    frame: Frame,
    title: String,
    caption: Option<String>,
    section: &'static str,
    crumbs: Vec<(String, String)>,
    done: Option<String>,
    faults: Faults,
    aside: Option<Markup>,
    status: StatusCode,
}

impl Page {
    pub(crate) fn new(frame: Frame, title: impl Into<String>) -> Self {
        Self {
            frame,
            title: title.into(),
            caption: None,
            section: "-",
            crumbs: Vec::new(),
            done: None,
            faults: Faults::new(),
            aside: None,
            status: StatusCode::OK,
        }
    }

    /// The words above the title: what kind of thing it is.
    #[must_use]
    pub(crate) fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }

    /// The section it belongs to, by its path.
    #[must_use]
    pub(crate) const fn section(mut self, path: &'static str) -> Self {
        self.section = path;
        self
    }

    /// A page above this one: its address and its words. From the top down.
    #[must_use]
    pub(crate) fn crumb(mut self, href: impl Into<String>, words: impl Into<String>) -> Self {
        self.crumbs.push((href.into(), words.into()));
        self
    }

    /// That something is done.
    #[must_use]
    pub(crate) fn done(mut self, sentence: Option<impl Into<String>>) -> Self {
        self.done = sentence.map(Into::into);
        self
    }

    /// What is wrong with what was filled in. The answer then has the status 422.
    #[must_use]
    pub(crate) fn faults(mut self, faults: &Faults) -> Self {
        if !faults.is_empty() {
            self.faults = faults.clone();
            self.status = StatusCode::UNPROCESSABLE_ENTITY;
        }
        self
    }

    /// What stands beside the title: how it is, or what can be done.
    #[must_use]
    pub(crate) fn aside(mut self, content: impl Render) -> Self {
        self.aside = Some(content.render());
        self
    }

    /// The status of the answer.
    #[must_use]
    pub(crate) const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The page with its content.
    pub(crate) fn body(self, content: impl Render) -> Response {
        let status = self.status;
        (status, Html(self.whole(&content.render()).into_string())).into_response()
    }

    fn whole(&self, content: &Markup) -> Markup {
        let place = self.frame.partner.as_ref().map(|(_, title, _)| title.as_str());
        let title: Vec<&str> =
            [Some(self.title.as_str()), self.caption.as_deref(), place, Some("Bailiwick")].into_iter().flatten().collect();
        html! {
            (DOCTYPE)
            html lang="en-GB" {
                head {
                    meta charset="utf-8";
                    title { @if !self.faults.is_empty() { "Error: " } (title.join(" – ")) }
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="theme-color" content="#11384a";
                    link rel="icon" type="image/svg+xml" href=(assets::MARK.address);
                    link rel="stylesheet" href=(assets::STYLE.address);
                    script src=(assets::SCRIPT.address) defer {}
                }
                body {
                    a class="skip" href="#main" { "Skip to main content" }
                    (self.top())
                    (self.sections())
                    div class="across" {
                        (self.phase())
                        (self.breadcrumbs())
                        main id="main" tabindex="-1" {
                            (self.told())
                            (self.heading())
                            (content)
                        }
                    }
                    (self.bottom())
                }
            }
        }
    }

    fn top(&self) -> Markup {
        html! {
            header class="top" {
                div class="across" {
                    a class="mark" href="/" {
                        svg viewBox="0 0 32 32" aria-hidden="true" focusable="false" {
                            path d="M3 4h12v11H3zM17 4h12v11H17zM3 17h12v11H3z" fill="#ffffff" {}
                            path d="M17 17h12v11H17z" fill="#3db3a4" {}
                        }
                        "Bailiwick"
                    }
                    @if let Some((name, csrf)) = &self.frame.who {
                        div class="who" {
                            span { span class="hidden" { "Signed in as " } (name) }
                            @if self.frame.many { a href="/" { "All partners" } }
                            @if self.frame.keeps_hub { a href="/hub" { "The hub" } }
                            form method="post" action="/sign-out" {
                                (hidden(CSRF_FIELD, csrf))
                                button class="as-link" { "Sign out" }
                            }
                        }
                    }
                }
            }
        }
    }

    fn sections(&self) -> Markup {
        html! {
            @if let Some((partner, title, sections)) = &self.frame.partner {
                nav class="sections" aria-label="Sections" {
                    div class="across" {
                        span class="where" { a href=(format!("/p/{partner}")) { (title) } }
                        ul {
                            @for section in sections {
                                @let href = if section.path.is_empty() { format!("/p/{partner}") } else { format!("/p/{partner}/{}", section.path) };
                                li { a href=(href) aria-current=[(section.path == self.section).then_some("true")] { (section.name) } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn phase(&self) -> Markup {
        html! {
            @if !self.frame.hub.is_empty() {
                aside class="phase" aria-label="This hub" {
                    p { span class="tag busy" { "Hub " (self.frame.hub) } span { "Times are UK local time. Money is in pounds sterling." } }
                }
            }
        }
    }

    fn breadcrumbs(&self) -> Markup {
        html! {
            @if !self.crumbs.is_empty() {
                nav class="crumbs" aria-label="Breadcrumb" {
                    ol { @for (href, words) in &self.crumbs { li { a href=(href) { (words) } } } }
                }
            }
        }
    }

    fn told(&self) -> Markup {
        html! {
            (self.faults.summary())
            @if let Some(sentence) = &self.done {
                div class="told success" role="status" tabindex="-1" aria-labelledby="told-title" {
                    h2 id="told-title" { "Done" }
                    p { (sentence) }
                }
            }
        }
    }

    fn heading(&self) -> Markup {
        html! {
            div class="heading" {
                h1 {
                    @if let Some(caption) = &self.caption { span class="caption" { (caption) } }
                    (self.title)
                }
                @if let Some(aside) = &self.aside { div class="beside" { (aside) } }
            }
        }
    }

    fn bottom(&self) -> Markup {
        html! {
            footer class="bottom" {
                div class="across" {
                    p { "Bailiwick " (env!("CARGO_PKG_VERSION")) }
                    p { "Every row and every pound is accounted for in the hub’s ledger." }
                }
            }
        }
    }
}
