//! Small parts of pages: tags, summary and task lists, figures, warnings, insets, details, links to further pages.
//!
//! It must not know any page.

use std::fmt::Display;

use maud::{Markup, Render, html};

/// What a word asks of its reader. The word says it too: colour is never alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing.
    Quiet,
    /// It is well.
    Good,
    /// Look at it.
    Attention,
    /// Something is wrong.
    Bad,
    /// It is under way.
    Busy,
    /// It stands apart.
    Special,
}

impl Tone {
    /// The stylesheet's word for it.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Quiet => "quiet-tone",
            Self::Good => "good",
            Self::Attention => "attention",
            Self::Bad => "bad",
            Self::Busy => "busy",
            Self::Special => "special",
        }
    }
}

/// A word with a colour.
pub(crate) fn tag(tone: Tone, word: impl Display) -> Markup {
    let class = format!("tag {}", tone.class());
    let word = word.to_string();
    html! { span class=(class) { (word) } }
}

/// A list of what something is: a name, what it comes to, and perhaps what can be done about it.
#[derive(Default)]
pub(crate) struct Summary {
    rows: Vec<(String, Markup, Option<Markup>)>,
}

impl Summary {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A name and its value.
    #[must_use]
    pub(crate) fn row(mut self, name: impl Into<String>, value: impl Render) -> Self {
        self.rows.push((name.into(), value.render(), None));
        self
    }

    /// The same where there is a value.
    #[must_use]
    pub(crate) fn maybe(self, name: impl Into<String>, value: Option<impl Render>) -> Self {
        match value {
            Some(value) => self.row(name, value),
            None => self,
        }
    }

    /// A name, its value, and a link. `what` is read out after the link's word: Change<span> the address</span>.
    #[must_use]
    pub(crate) fn row_with(mut self, name: impl Into<String>, value: impl Render, (href, word, what): (&str, &str, &str)) -> Self {
        let act = html! { a class="plain" href=(href) { (word) span class="hidden" { " " (what) } } };
        self.rows.push((name.into(), value.render(), Some(act)));
        self
    }
}

impl Render for Summary {
    fn render(&self) -> Markup {
        html! {
            dl class="summary" {
                @for (name, value, act) in &self.rows {
                    div class=[act.as_ref().map(|_| "acts")] {
                        dt { (name) }
                        dd { (value) }
                        @if let Some(act) = act { dd class="act" { (act) } }
                    }
                }
            }
        }
    }
}

/// Things to be done or looked at, each with how it stands.
#[derive(Default)]
pub(crate) struct Tasks {
    items: Vec<(String, String, Option<Markup>, Markup)>,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// What is to be done, where, perhaps a hint, and how it stands.
    #[must_use]
    pub(crate) fn item(mut self, (href, what): (impl Into<String>, impl Into<String>), hint: Option<Markup>, status: impl Render) -> Self {
        self.items.push((href.into(), what.into(), hint, status.render()));
        self
    }

    /// Whether there is nothing.
    pub(crate) const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl Render for Tasks {
    fn render(&self) -> Markup {
        html! {
            ul class="tasks" {
                @for (href, what, hint, status) in &self.items {
                    li {
                        span class="what" {
                            a class="plain" href=(href) { (what) }
                            @if let Some(hint) = hint { span class="hint" { (hint) } }
                        }
                        span class="status" { (status) }
                    }
                }
            }
        }
    }
}

/// Numbers that matter, large, each with what it counts.
#[derive(Default)]
pub(crate) struct Figures {
    items: Vec<(Tone, String, Markup)>,
}

impl Figures {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A number and what it counts.
    #[must_use]
    pub(crate) fn figure(mut self, tone: Tone, number: impl Into<String>, what: impl Render) -> Self {
        self.items.push((tone, number.into(), what.render()));
        self
    }
}

impl Render for Figures {
    fn render(&self) -> Markup {
        html! {
            dl class="figures" {
                @for (tone, number, what) in &self.items {
                    div class=(tone.class()) { dt { (what) } dd { (number) } }
                }
            }
        }
    }
}

/// What must be known before going on.
pub(crate) fn warning(text: impl Render) -> Markup {
    html! {
        div class="warning" {
            span class="sign" aria-hidden="true" { "!" }
            p { span class="hidden" { "Warning: " } (text) }
        }
    }
}

/// A text set apart.
pub(crate) fn inset(content: impl Render) -> Markup {
    html! { div class="inset" { (content) } }
}

/// The same about something that is wrong.
pub(crate) fn bad_inset(content: impl Render) -> Markup {
    html! { div class="inset bad-edge" { (content) } }
}

/// What only some want to read.
pub(crate) fn details(summary: &str, content: impl Render) -> Markup {
    html! { details { summary { (summary) } div { (content) } } }
}

/// Links to the first page and the next one, of a list that is read by a cursor.
pub(crate) fn pages(of: &str, first: Option<String>, next: Option<String>) -> Markup {
    html! {
        @if first.is_some() || next.is_some() {
            nav class="pages" aria-label=(format!("Pages of {of}")) {
                @if let Some(first) = first { a href=(first) rel="first" { "Back to the first page" } }
                @if let Some(next) = next { a href=(next) rel="next" { "Next page" span class="hidden" { " of " (of) } } }
            }
        }
    }
}

/// A digest by its beginning, all of it for who asks.
pub(crate) fn digest(digest: &crate::model::ids::Digest) -> Markup {
    html! { code title=(digest) { (digest.short()) } span class="hidden" { " (beginning of its SHA-256)" } }
}

/// A bar of how much of a limit was used, with the share in words beside it.
pub(crate) fn share_bar(used: u64, allowed: u64) -> Markup {
    let thousandths = if allowed == 0 { 0 } else { (u128::from(used) * 1_000 / u128::from(allowed)).min(1_000) };
    let class = match thousandths {
        900.. => "fill-bad",
        700.. => "fill-attention",
        _ => "fill-bar",
    };
    let words = if thousandths == 0 && used > 0 { "under 0.1%".to_owned() } else { format!("{}.{}%", thousandths / 10, thousandths % 10) };
    html! {
        svg class="bar" viewBox="0 0 1000 50" preserveAspectRatio="none" aria-hidden="true" focusable="false" {
            rect class="track" width="1000" height="50" {}
            rect class=(class) width=(thousandths.max(u128::from(used > 0) * 4)) height="50" {}
        }
        span class="small" { (words) }
    }
}
