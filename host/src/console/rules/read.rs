//! What was filled in, as a case: a JSON value in which nothing stands for what was left empty.
//!
//! It must not know HTML, or whether the case fits its schema.

use serde_json::{Map, Value};

use super::schema::{Fields, Kind, Place};
use crate::console::look::day_of;
use crate::console::visit::Answers;

/// Most entries of a list that are read, whatever a form holds.
const ENTRIES_MAX: usize = 200;

/// The button that adds an entry to a list; its value is the list's pointer.
pub(super) const ADD: &str = "add";

/// The button that takes an entry away; its value is the entry's pointer.
pub(super) const REMOVE: &str = "remove";

/// The case that was filled in.
pub(super) fn case(fields: Fields<'_>, answers: &Answers) -> Value {
    group(fields, fields.all(), answers)
}

/// Where an entry was added or taken away, by the button that was pressed; none if another was.
pub(super) fn rearrange(case: &mut Value, answers: &Answers) -> Option<String> {
    let (added, removed) = (answers.text(ADD), answers.text(REMOVE));
    if !added.is_empty() {
        let list = made(case, added)?;
        list.push(Value::Null);
        return Some(format!("{added}/{}", list.len() - 1));
    }
    let (list, number) = removed.rsplit_once('/')?;
    let (entries, number) = (case.pointer_mut(list)?.as_array_mut()?, number.parse::<usize>().ok()?);
    if number < entries.len() {
        entries.remove(number);
    }
    Some(list.to_owned())
}

/// The list at a pointer, made with what leads to it if it is not there.
fn made<'v>(value: &'v mut Value, pointer: &str) -> Option<&'v mut Vec<Value>> {
    let mut at = value;
    for step in pointer.split('/').skip(1) {
        let name = step.replace("~1", "/").replace("~0", "~");
        at = match at {
            Value::Array(entries) => entries.get_mut(step.parse::<usize>().ok()?)?,
            Value::Object(object) => object.entry(name).or_insert(Value::Null),
            Value::Null => {
                *at = Value::Object(Map::new());
                at.as_object_mut()?.entry(name).or_insert(Value::Null)
            }
            _ => return None,
        };
    }
    if at.is_null() {
        *at = Value::Array(Vec::new());
    }
    at.as_array_mut()
}

fn group(fields: Fields<'_>, places: Vec<Place<'_>>, answers: &Answers) -> Value {
    let mut object = Map::new();
    for place in places {
        let name = place.pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        let read = read(fields, &place, answers);
        // A group that must be there says itself what it lacks.
        let read = read.or_else(|| (place.required && matches!(place.kind, Kind::Group(_))).then(|| Value::Object(Map::new())));
        if let Some(value) = read {
            object.insert(name, value);
        }
    }
    Value::Object(object)
}

/// What was filled in at a place; none if nothing was.
fn read(fields: Fields<'_>, place: &Place<'_>, answers: &Answers) -> Option<Value> {
    let text = answers.text(&place.pointer);
    match &place.kind {
        Kind::Group(schema) => {
            let read = group(fields, fields.places(schema, &place.pointer), answers);
            has_something(&read).then_some(read)
        }
        Kind::List { each, .. } => {
            let entries = (0..entries(answers, &place.pointer)).filter_map(|number| {
                let entry = fields.entry(each, &place.pointer, number);
                read(fields, &entry, answers)
            });
            let entries: Vec<Value> = entries.collect();
            (!entries.is_empty()).then_some(Value::Array(entries))
        }
        Kind::Several(words) => {
            let chosen = answers.all(&place.pointer);
            let chosen: Vec<Value> = words.iter().filter(|word| chosen.contains(*word)).map(|word| Value::from(*word)).collect();
            (!chosen.is_empty()).then_some(Value::Array(chosen))
        }
        Kind::YesNo => match text {
            "yes" => Some(Value::Bool(true)),
            "no" => Some(Value::Bool(false)),
            _ => None,
        },
        // What is no number stays a text, so that the schema says so and the field keeps it.
        Kind::Whole => (!text.is_empty()).then(|| text.parse::<i64>().map_or_else(|_| text.into(), Value::from)),
        Kind::Json => (!text.is_empty()).then(|| serde_json::from_str(text).unwrap_or_else(|_| text.into())),
        // A schema asks for days as the contract has them, and people write them otherwise.
        Kind::Day => (!text.is_empty()).then(|| day_of(text).map_or_else(|| text.into(), |day| day.to_string().into())),
        Kind::One { .. } | Kind::Line { .. } => (!text.is_empty()).then(|| text.into()),
    }
}

/// How many entries of a list a form holds.
fn entries(answers: &Answers, pointer: &str) -> usize {
    let within = format!("{pointer}/");
    let number = |name: &str| name.strip_prefix(&within)?.split('/').next()?.parse::<usize>().ok();
    answers.iter().filter_map(|(name, _)| number(name)).max().map_or(0, |last| last.min(ENTRIES_MAX - 1) + 1)
}

fn has_something(value: &Value) -> bool {
    match value {
        Value::Object(object) => object.values().any(has_something),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answers(fields: &[(&str, &str)]) -> Answers {
        Answers::new(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn what_is_empty_is_not_there_and_what_is_no_number_stays_as_it_was_typed() {
        let schema = json!({"type": "object", "required": ["vat"], "properties": {
            "a": {"type": "string"}, "b": {"type": "integer"}, "c": {"type": "integer"}, "d": {"type": "boolean"},
            "vat": {"type": "object", "properties": {"n": {"type": "string"}}},
            "injury": {"type": "object", "properties": {"n": {"type": "string"}}},
            "who": {"type": "array", "uniqueItems": true, "items": {"enum": ["x", "y", "z"]}},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"t": {"type": "string"}}}}}});
        let filled = answers(&[
            ("/a", " "),
            ("/b", "12"),
            ("/c", "twelve"),
            ("/d", "no"),
            ("/injury/n", ""),
            ("/who", "z"),
            ("/who", "x"),
            ("/who", "nobody"),
            ("/lines/0/t", "one"),
            ("/lines/1/t", ""),
            ("/lines/2/t", "three"),
        ]);
        let mut case = case(Fields::new(&schema, &[]), &filled);
        let wanted = json!({"b": 12, "c": "twelve", "d": false, "vat": {}, "who": ["x", "z"], "lines": [{"t": "one"}, {"t": "three"}]});
        assert_eq!(case, wanted);
        assert_eq!(rearrange(&mut case, &answers(&[(ADD, "/lines")])).as_deref(), Some("/lines/2"));
        assert_eq!(rearrange(&mut case, &answers(&[(REMOVE, "/lines/0")])).as_deref(), Some("/lines"));
        assert_eq!(case["lines"], json!([{"t": "three"}, null]));
        assert_eq!(rearrange(&mut case, &answers(&[(ADD, "/new/list")])).as_deref(), Some("/new/list/0"));
        assert_eq!(rearrange(&mut case, &answers(&[(REMOVE, "/lines/99")])).as_deref(), Some("/lines"));
        assert_eq!(rearrange(&mut case, &answers(&[(ADD, "/b/list")])), None, "a number has no entries");
        assert_eq!(rearrange(&mut case, &answers(&[])), None);
    }
}
