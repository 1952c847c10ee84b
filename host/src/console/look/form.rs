//! Forms: fields with labels, hints and faults, the list of faults above, buttons, and the page on which answers are checked.
//!
//! Every form that changes something posts, and carries the token that shows it came from the hub's own page.
//! It must not know any page.

use maud::{Markup, Render, html};

use super::day::DAY_HINT;
use super::parts::{Summary, warning};

/// The name of the field that shows a form came from the hub's own page.
pub(crate) const CSRF_FIELD: &str = "csrf";

/// What is wrong with what was filled in, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    items: Vec<(String, String)>,
}

impl Faults {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// One fault alone.
    pub(crate) fn one(field: impl Into<String>, sentence: impl Into<String>) -> Self {
        let mut faults = Self::new();
        faults.add(field, sentence);
        faults
    }

    /// Notes a fault.
    pub(crate) fn add(&mut self, field: impl Into<String>, sentence: impl Into<String>) {
        self.items.push((field.into(), sentence.into()));
    }

    /// What is wrong with a field.
    pub(crate) fn of(&self, field: &str) -> Option<&str> {
        self.items.iter().find(|(name, _)| name == field).map(|(_, sentence)| sentence.as_str())
    }

    /// Whether nothing is wrong.
    pub(crate) const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Each field with its fault.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.items.iter().map(|(field, sentence)| (field.as_str(), sentence.as_str()))
    }

    /// Above the page, each leading to its field.
    pub(crate) fn summary(&self) -> Markup {
        html! {
            @if !self.is_empty() {
                div class="told errors" role="alert" tabindex="-1" aria-labelledby="faults-title" {
                    h2 id="faults-title" { "There is a problem" }
                    ul { @for (field, sentence) in &self.items { li { a href=(format!("#{field}")) { (sentence) } } } }
                }
            }
        }
    }
}

/// A field of a form. Its name is its id too.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    name: &'a str,
    label: &'a str,
    hint: Option<&'a str>,
    value: &'a str,
    fault: Option<&'a str>,
    class: Option<&'static str>,
    complete: Option<&'static str>,
    limit: Option<u32>,
    checked_live: bool,
}

impl<'a> Field<'a> {
    pub(crate) const fn new(name: &'a str, label: &'a str) -> Self {
        Self { name, label, hint: None, value: "", fault: None, class: None, complete: None, limit: None, checked_live: false }
    }

    /// What helps to fill it in.
    #[must_use]
    pub(crate) const fn hint(mut self, hint: &'a str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// What stands in it.
    #[must_use]
    pub(crate) const fn value(mut self, value: &'a str) -> Self {
        self.value = value;
        self
    }

    /// What is wrong with it, if anything.
    #[must_use]
    pub(crate) fn faults(mut self, faults: &'a Faults) -> Self {
        self.fault = faults.of(self.name);
        self
    }

    /// Its width: `short`, `day` or `middle`.
    #[must_use]
    pub(crate) const fn class(mut self, class: &'static str) -> Self {
        self.class = Some(class);
        self
    }

    /// What a browser may fill in: `username`, `current-password`, `off`…
    #[must_use]
    pub(crate) const fn complete(mut self, complete: &'static str) -> Self {
        self.complete = Some(complete);
        self
    }

    /// Most characters.
    #[must_use]
    pub(crate) const fn limit(mut self, characters: u32) -> Self {
        self.limit = Some(characters);
        self
    }

    /// Where the script puts what the hub says of it while it is filled in.
    #[must_use]
    pub(crate) const fn checked_live(mut self) -> Self {
        self.checked_live = true;
        self
    }

    /// A line of text.
    pub(crate) fn text(&self) -> Markup {
        self.input("text")
    }

    /// A line for a day, with what helps to fill it in.
    pub(crate) fn day(self) -> Markup {
        let field = if self.hint.is_none() { self.hint(DAY_HINT) } else { self };
        field.class("day").complete("off").text()
    }

    /// A line of another kind: `password`, `email`, `file`, `number`, `search`.
    pub(crate) fn input(&self, kind: &str) -> Markup {
        let value = (!matches!(kind, "password" | "file")).then_some(self.value);
        self.around(&html! {
            input type=(kind) id=(self.name) name=(self.name) value=[value] class=[self.class] autocomplete=[self.complete]
                maxlength=[self.limit] aria-describedby=[self.described()] aria-invalid=[self.fault.map(|_| "true")];
        })
    }

    /// Several lines of text.
    pub(crate) fn area(&self, rows: u8) -> Markup {
        self.around(&html! {
            textarea id=(self.name) name=(self.name) rows=(rows) class=[self.class] maxlength=[self.limit]
                aria-describedby=[self.described()] aria-invalid=[self.fault.map(|_| "true")] { (self.value) }
        })
    }

    /// One of a list: each a value and its words.
    pub(crate) fn select<V: AsRef<str>, W: AsRef<str>>(&self, options: &[(V, W)]) -> Markup {
        self.around(&html! {
            select id=(self.name) name=(self.name) aria-describedby=[self.described()] aria-invalid=[self.fault.map(|_| "true")] {
                @for (value, words) in options {
                    option value=(value.as_ref()) selected[value.as_ref() == self.value] { (words.as_ref()) }
                }
            }
        })
    }

    /// One of a few: each a value, its words, and perhaps a hint.
    pub(crate) fn radios(&self, options: &[(&str, &str, Option<&str>)]) -> Markup {
        self.choices("radio", options, &|value| value == self.value)
    }

    /// Any of a few. `chosen` says which are.
    pub(crate) fn checkboxes(&self, options: &[(&str, &str, Option<&str>)], chosen: &[&str]) -> Markup {
        self.choices("checkbox", options, &|value| chosen.contains(&value))
    }

    fn choices(&self, kind: &str, options: &[(&str, &str, Option<&str>)], chosen: &dyn Fn(&str) -> bool) -> Markup {
        html! {
            div class=(self.outer_class()) {
                fieldset aria-describedby=[self.described()] {
                    legend { (self.label) }
                    (self.told())
                    @for (place, (value, words, hint)) in options.iter().enumerate() {
                        // The first has the field's own id, where a fault leads.
                        @let id = if place == 0 { self.name.to_owned() } else { format!("{}-{place}", self.name) };
                        div class="choice" {
                            input type=(kind) id=(id) name=(self.name) value=(value) checked[chosen(value)];
                            div {
                                label for=(id) { (words) }
                                @if let Some(hint) = hint { span class="hint" { (hint) } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn outer_class(&self) -> &'static str {
        if self.fault.is_some() { "field wrong" } else { "field" }
    }

    fn around(&self, control: &Markup) -> Markup {
        html! {
            div class=(self.outer_class()) data-field=[self.checked_live.then_some(self.name)] {
                label for=(self.name) { (self.label) }
                (self.told())
                (control)
            }
        }
    }

    fn told(&self) -> Markup {
        html! {
            @if let Some(hint) = self.hint { span class="hint" id=(format!("{}-hint", self.name)) { (hint) } }
            @if let Some(fault) = self.fault {
                span class="fault" id=(format!("{}-fault", self.name)) data-fault[self.checked_live] role=[self.live_role()] {
                    @if !self.checked_live { span class="hidden" { "Error: " } }
                    (fault)
                }
            } @else if self.checked_live {
                span class="fault" id=(format!("{}-fault", self.name)) data-fault role="status" hidden {}
            }
        }
    }

    fn live_role(&self) -> Option<&'static str> {
        self.checked_live.then_some("status")
    }

    fn described(&self) -> Option<String> {
        let hint = self.hint.map(|_| format!("{}-hint", self.name));
        let fault = (self.fault.is_some() || self.checked_live).then(|| format!("{}-fault", self.name));
        let all: Vec<String> = hint.into_iter().chain(fault).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }
}

/// The name of the field in which a person says why.
pub(crate) const REASON_FIELD: &str = "reason";

/// Longest reason, in characters.
pub(crate) const REASON_CHARS_MAX: u32 = 1_000;

/// Where a person says why they do something.
pub(crate) fn reason_field(label: &str, value: &str, faults: &Faults) -> Markup {
    let hint = "It is kept in the audit trail, with your name.";
    Field::new(REASON_FIELD, label).hint(hint).value(value).faults(faults).limit(REASON_CHARS_MAX).area(3)
}

/// A form that changes something.
pub(crate) fn form(action: &str, csrf: &str, content: impl Render) -> Markup {
    html! {
        form method="post" action=(action) novalidate {
            (hidden(CSRF_FIELD, csrf))
            (content)
        }
    }
}

/// The same with files in it.
pub(crate) fn upload_form(action: &str, csrf: &str, content: impl Render) -> Markup {
    html! {
        form method="post" action=(action) enctype="multipart/form-data" novalidate {
            (hidden(CSRF_FIELD, csrf))
            (content)
        }
    }
}

/// A form that only asks.
pub(crate) fn filter(action: &str, label: &str, content: impl Render) -> Markup {
    html! {
        form method="get" action=(action) class="filter" role="search" aria-label=(label) {
            (content)
            button class="button second" { "Filter" }
        }
    }
}

/// A value that nobody fills in.
pub(crate) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// What a button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// What the page is for.
    First,
    /// Something else.
    Second,
    /// What is not easily undone.
    Danger,
}

impl Weight {
    const fn class(self) -> &'static str {
        match self {
            Self::First => "button",
            Self::Second => "button second",
            Self::Danger => "button danger",
        }
    }
}

/// A button of a form.
pub(crate) fn button(weight: Weight, words: &str) -> Markup {
    html! { button class=(weight.class()) { (words) } }
}

/// A link that looks like a button, to a page on which something is done.
pub(crate) fn link_button(weight: Weight, href: &str, words: &str) -> Markup {
    html! { a class=(weight.class()) href=(href) { (words) } }
}

/// The page on which a person checks what is about to be done. Posted again with `confirmed`, it is done.
pub(crate) struct Check<'a> {
    /// Where it is posted.
    pub(crate) action: &'a str,
    /// The token of the session.
    pub(crate) csrf: &'a str,
    /// What was filled in, and what it is done to.
    pub(crate) answers: Summary,
    /// What must be known before.
    pub(crate) warning: Option<&'a str>,
    /// What was filled in, for the form.
    pub(crate) fields: &'a [(&'a str, &'a str)],
    /// The button's words: what is done.
    pub(crate) button: (Weight, &'a str),
    /// Where it is called off.
    pub(crate) back: &'a str,
}

/// The name of the field that says a person has checked their answers.
pub(crate) const CONFIRMED_FIELD: &str = "confirmed";

impl Render for Check<'_> {
    fn render(&self) -> Markup {
        html! {
            (self.answers)
            @if let Some(text) = self.warning { (warning(text)) }
            (form(self.action, self.csrf, html! {
                @for (name, value) in self.fields { (hidden(name, value)) }
                (hidden(CONFIRMED_FIELD, "yes"))
                div class="buttons" {
                    (button(self.button.0, self.button.1))
                    a class="plain" href=(self.back) { "Cancel" }
                }
            }))
        }
    }
}
