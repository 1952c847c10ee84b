//! The form of a case: a field for every place of the schema, filled in with a case as far as there is one.
//!
//! It must not know what is decided.

use maud::{Markup, html};
use serde_json::Value;

use super::read::{ADD, REMOVE};
use super::schema::{Fields, Kind, Place};
use crate::console::look::{DAY_HINT, Faults, Field, day_shown, words};

/// A case on a form.
pub(super) struct Form<'a> {
    pub(super) fields: Fields<'a>,
    pub(super) case: &'a Value,
    pub(super) faults: &'a Faults,
    /// Where the form is posted.
    pub(super) action: &'a str,
}

/// The words that stand for no answer in a list to pick from.
const NO_ANSWER: (&str, &str) = ("", "Not said");

impl<'a> Form<'a> {
    /// All fields.
    pub(super) fn markup(&self) -> Markup {
        html! { @for place in self.fields.all() { (self.place(&place)) } }
    }

    fn place(&self, place: &Place<'a>) -> Markup {
        match &place.kind {
            Kind::Group(schema) => self.group(place, schema),
            Kind::List { each, most } => self.list(place, each, *most),
            _ => self.single(place),
        }
    }

    fn single(&self, place: &Place<'_>) -> Markup {
        let label = labelled(place);
        let mut text = self.text(&place.pointer);
        let mut hint = place.hint.clone();
        if matches!(place.kind, Kind::Day) {
            text = day_shown(&text);
            hint = Some(hint.map_or_else(|| DAY_HINT.to_owned(), |hint| format!("{hint} {DAY_HINT}")));
        }
        let mut field = Field::new(&place.pointer, &label).value(&text).faults(self.faults).complete("off");
        if let Some(hint) = &hint {
            field = field.hint(hint);
        }
        match &place.kind {
            Kind::Several(choices) => {
                let spaced: Vec<(&str, String)> = choices.iter().map(|choice| (*choice, words::spaced(choice))).collect();
                let options: Vec<(&str, &str, Option<&str>)> = spaced.iter().map(|(value, words)| (*value, words.as_str(), None)).collect();
                let chosen = self.case.pointer(&place.pointer).and_then(Value::as_array).into_iter().flatten();
                field.checkboxes(&options, &chosen.filter_map(Value::as_str).collect::<Vec<_>>())
            }
            Kind::One { words: choices, few } => {
                let spaced: Vec<(&str, String)> = choices.iter().map(|choice| (*choice, words::spaced(choice))).collect();
                if *few && place.required {
                    let options: Vec<(&str, &str, Option<&str>)> =
                        spaced.iter().map(|(value, words)| (*value, words.as_str(), None)).collect();
                    return field.radios(&options);
                }
                let none = if place.required { ("", "Choose one") } else { NO_ANSWER };
                let options: Vec<(&str, &str)> =
                    std::iter::once(none).chain(spaced.iter().map(|(value, words)| (*value, words.as_str()))).collect();
                field.select(&options)
            }
            Kind::YesNo => {
                let mut options = vec![("yes", "Yes", None), ("no", "No", None)];
                if !place.required {
                    options.push(("", NO_ANSWER.1, None));
                }
                field.radios(&options)
            }
            Kind::Day => field.day(),
            Kind::Whole => field.class("short").text(),
            Kind::Line { short, most } => {
                if *short {
                    field = field.class("middle");
                }
                match most {
                    Some(most) if *most > 300 => field.area(4),
                    _ => field.text(),
                }
            }
            Kind::Json | Kind::Group(_) | Kind::List { .. } => field.area(6),
        }
    }

    /// Fields of their own, folded where none is filled in or wrong and a case need not have them.
    fn group(&self, place: &Place<'a>, schema: &'a Value) -> Markup {
        let inside = html! {
            fieldset class="card" {
                legend class="big" { (labelled(place)) }
                @if let Some(hint) = &place.hint { p class="hint" { (hint) } }
                @for inner in self.fields_of(schema, &place.pointer) { (inner) }
            }
        };
        let below = format!("{}/", place.pointer);
        let wrong = self.faults.iter().any(|(field, _)| field == place.pointer || field.starts_with(&below));
        if place.required {
            return html! { div id=(place.pointer) { (self.fault(&place.pointer)) (inside) } };
        }
        let open = wrong || self.case.pointer(&place.pointer).is_some_and(|value| !value.is_null());
        html! {
            details id=(place.pointer) open[open] {
                summary { (place.title) }
                div { (self.fault(&place.pointer)) (inside) }
            }
        }
    }

    fn fields_of(&self, schema: &'a Value, pointer: &str) -> Vec<Markup> {
        self.fields.places(schema, pointer).iter().map(|place| self.place(place)).collect()
    }

    fn list(&self, place: &Place<'a>, each: &'a Value, most: usize) -> Markup {
        let entries = self.case.pointer(&place.pointer).and_then(Value::as_array).map_or(0, Vec::len);
        let shown = if entries == 0 && place.required { 1 } else { entries };
        let id = format!("{}-list", place.pointer);
        html! {
            fieldset class="card" id=(place.pointer) aria-labelledby=(id) {
                legend class="big" id=(id) { (labelled(place)) }
                @if let Some(hint) = &place.hint { p class="hint" { (hint) } }
                (self.fault(&place.pointer))
                @if shown == 0 { p class="quiet" { "None yet." } }
                @for number in 0..shown {
                    @let entry = self.fields.entry(each, &place.pointer, number);
                    @match &entry.kind {
                        Kind::Group(schema) => {
                            fieldset id=(entry.pointer) {
                                legend { (entry.title) }
                                @for inner in self.fields_of(schema, &entry.pointer) { (inner) }
                            }
                        }
                        _ => (self.place(&entry)),
                    }
                    @if number < entries {
                        (self.rearranging(REMOVE, &entry.pointer, (&place.pointer, &format!("Remove {}", lower(&entry.title)))))
                    }
                }
                @if shown < most {
                    (self.rearranging(ADD, &place.pointer, (&format!("{}/{entries}", place.pointer), &format!("Add to {}", lower(&place.title)))))
                }
            }
        }
    }

    /// A button that sends what is filled in, and comes back to a place of the form.
    fn rearranging(&self, name: &str, value: &str, (back, words): (&str, &str)) -> Markup {
        let action = format!("{}#{back}", self.action);
        html! { p { button class="button second" name=(name) value=(value) formaction=(action) { (words) } } }
    }

    fn fault(&self, pointer: &str) -> Markup {
        html! {
            @if let Some(fault) = self.faults.of(pointer) {
                p class="fault" { span class="hidden" { "Error: " } (fault) }
            }
        }
    }

    /// What stands at a place, as a field has it.
    fn text(&self, pointer: &str) -> String {
        match self.case.pointer(pointer) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(true)) => "yes".to_owned(),
            Some(Value::Bool(false)) => "no".to_owned(),
            Some(value) => value.to_string(),
        }
    }
}

fn labelled(place: &Place<'_>) -> String {
    if place.required { place.title.clone() } else { format!("{} (optional)", place.title) }
}

fn lower(title: &str) -> String {
    let mut letters = title.chars();
    let second_is_capital = title.chars().nth(1).is_some_and(char::is_uppercase);
    match letters.next() {
        Some(first) if !second_is_capital => first.to_lowercase().chain(letters).collect(),
        _ => title.to_owned(),
    }
}
