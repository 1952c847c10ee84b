//! A JSON Schema read as fields of a form: what each is called, what helps to fill it in, and how it is filled in.
//!
//! A part of a schema that no field stands for is filled in as JSON. It must not know HTML, or what was filled in.

use serde_json::Value;

use crate::model::manifest::RuleSetShape;

/// Most references that are followed from one place; a schema in which they lead in a circle is refused at upload.
const REFERENCES_MAX: usize = 16;

/// Values of a choice that are shown side by side; more are a list to pick from.
const SIDE_BY_SIDE: usize = 4;

/// A place in a case, and how it is filled in.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    /// Its JSON Pointer, which is the field's name.
    pub(super) pointer: String,
    /// What it is called.
    pub(super) title: String,
    /// What helps to fill it in.
    pub(super) hint: Option<String>,
    /// Whether a case must have it.
    pub(super) required: bool,
    /// How it is filled in.
    pub(super) kind: Kind<'a>,
}

/// How a place is filled in.
#[derive(Debug, Clone)]
pub(super) enum Kind<'a> {
    /// Fields of its own.
    Group(&'a Value),
    /// Any number of entries, each as the schema says.
    List { each: &'a Value, most: usize },
    /// Any of a few words.
    Several(Vec<&'a str>),
    /// One of a few words. `few` are shown side by side.
    One { words: Vec<&'a str>, few: bool },
    /// Yes or no.
    YesNo,
    /// A day.
    Day,
    /// A whole number.
    Whole,
    /// A line of text. `short` for codes, numbers and money.
    Line { short: bool, most: Option<u32> },
    /// Anything else.
    Json,
}

/// A schema from which fields are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    whole: &'a Value,
    order: &'a [Vec<String>],
}

impl<'a> Fields<'a> {
    /// Of a rule set's cases.
    pub(super) const fn of(shape: &'a RuleSetShape) -> Self {
        Self::new(&shape.case_schema, shape.case_order.as_slice())
    }

    /// Of any schema, with the names of its groups in order.
    pub(super) const fn new(whole: &'a Value, order: &'a [Vec<String>]) -> Self {
        Self { whole, order }
    }

    /// The fields of a group, in its author's order.
    pub(super) fn places(&self, group: &'a Value, pointer: &str) -> Vec<Place<'a>> {
        let group = self.resolved(group);
        let Some(properties) = group.get("properties").and_then(Value::as_object) else { return Vec::new() };
        let required: Vec<&str> = group.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut named: Vec<(&'a String, &'a Value)> = properties.iter().collect();
        // Lists of the same names are of the same group, or of groups that are alike.
        let order = self.order.iter().find(|order| order.len() == named.len() && order.iter().all(|name| properties.contains_key(name)));
        named.sort_by_key(|(name, _)| order.and_then(|order| order.iter().position(|listed| listed == *name)));
        let place = |(name, schema): (&'a String, &'a Value)| {
            let step = name.replace('~', "~0").replace('/', "~1");
            self.place(schema, format!("{pointer}/{step}"), (name, required.contains(&name.as_str())))
        };
        named.into_iter().map(place).collect()
    }

    /// The fields of the whole.
    pub(super) fn all(&self) -> Vec<Place<'a>> {
        self.places(self.whole, "")
    }

    /// An entry of a list.
    pub(super) fn entry(&self, each: &'a Value, pointer: &str, number: usize) -> Place<'a> {
        let mut place = self.place(each, format!("{pointer}/{number}"), ("", true));
        if place.title.is_empty() {
            place.title = format!("Entry {}", number + 1);
        } else {
            place.title = format!("{} {}", place.title, number + 1);
        }
        place
    }

    /// What the place of a pointer is called, from the outermost group on; the pointer itself where nothing names it.
    pub(super) fn title(&self, pointer: &str) -> String {
        let mut at = self.resolved(self.whole);
        let mut titles: Vec<String> = Vec::new();
        for step in pointer.split('/').skip(1) {
            let name = step.replace("~1", "/").replace("~0", "~");
            let inside = at.get("properties").and_then(|properties| properties.get(&name));
            let Some(next) = inside.or_else(|| at.get("items")) else { return pointer.to_owned() };
            titles.push(match (inside, step.parse::<usize>()) {
                (None, Ok(number)) => (number + 1).to_string(),
                _ => title(next, self.resolved(next), &name),
            });
            at = self.resolved(next);
        }
        titles.join(", ")
    }

    fn place(&self, written: &'a Value, pointer: String, (name, required): (&str, bool)) -> Place<'a> {
        let schema = self.resolved(written);
        let text = |key: &str| written.get(key).or_else(|| schema.get(key)).and_then(Value::as_str);
        // What a place says of itself, and how what it borrows is written.
        let said = [written.get("description"), schema.get("description")].into_iter().flatten().filter_map(Value::as_str);
        let mut hints: Vec<&str> = said.collect();
        hints.dedup();
        let kind = self.kind(schema, text("format"));
        // People write days in their own way, and are told so by the field.
        if matches!(kind, Kind::Day) {
            hints.truncate(1);
        }
        let hint = (!hints.is_empty()).then(|| hints.join(" "));
        Place { pointer, title: title(written, schema, name), hint, required, kind }
    }

    fn kind(&self, schema: &'a Value, format: Option<&str>) -> Kind<'a> {
        if let Some(words) = words(schema) {
            return Kind::One { few: words.len() <= SIDE_BY_SIDE, words };
        }
        let is = |kind: &str| schema.get("type").and_then(Value::as_str) == Some(kind);
        let number = |key: &str| schema.get(key).and_then(Value::as_u64);
        if is("object") && schema.get("properties").is_some() {
            return Kind::Group(schema);
        }
        if is("array")
            && let Some(each) = schema.get("items").filter(|each| each.is_object())
        {
            if let Some(words) = words(self.resolved(each)).filter(|_| schema.get("uniqueItems") == Some(&Value::Bool(true))) {
                return Kind::Several(words);
            }
            return Kind::List { each, most: number("maxItems").and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX) };
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => Kind::YesNo,
            Some("integer") => Kind::Whole,
            Some("string") if format == Some("date") => Kind::Day,
            Some("string") => {
                let most = number("maxLength").and_then(|most| u32::try_from(most).ok());
                Kind::Line { short: schema.get("pattern").is_some() || most.is_some_and(|most| most <= 20), most }
            }
            _ => Kind::Json,
        }
    }

    /// What a place borrows, if it borrows.
    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let mut at = schema;
        for _ in 0..REFERENCES_MAX {
            let to = at.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'));
            match to.and_then(|to| self.whole.pointer(to)) {
                Some(next) => at = next,
                None => return at,
            }
        }
        at
    }
}

/// The words that a place may hold, if it is one of some.
fn words(schema: &Value) -> Option<Vec<&str>> {
    let list = schema.get("enum")?.as_array()?;
    let words: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
    (words.len() == list.len() && !words.is_empty()).then_some(words)
}

fn title(written: &Value, schema: &Value, name: &str) -> String {
    let title = written.get("title").or_else(|| schema.get("title")).and_then(Value::as_str);
    title.map_or_else(|| crate::console::look::words::spaced(name), ToOwned::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_kind_of_field_is_told_by_its_schema() {
        let schema = json!({
            "type": "object",
            "required": ["loss"],
            "properties": {
                "class": {"enum": ["a", "b", "c", "d", "e"]},
                "side": {"enum": ["left", "right"]},
                "mixed": {"enum": ["1", 1]},
                "loss": {"title": "Loss", "description": "In pounds.", "$ref": "#/$defs/money"},
                "day": {"type": "string", "format": "date"},
                "count": {"type": "integer"},
                "child": {"type": "boolean"},
                "name": {"type": "string", "maxLength": 200},
                "who": {"type": "array", "uniqueItems": true, "items": {"enum": ["x", "y"]}},
                "lines": {"type": "array", "maxItems": 3, "items": {"type": "string"}},
                "vat": {"type": "object", "properties": {"a/b": {"type": "boolean", "title": "Registered"}}},
                "free": {},
            },
            "$defs": {"money": {"type": "string", "pattern": "^[0-9]+$", "description": "Like 12."}},
        });
        let order = ["class", "side", "mixed", "vat", "day", "count", "child", "name", "who", "lines", "loss", "free"];
        let order = [vec!["b".to_owned()], order.map(ToOwned::to_owned).to_vec()];
        let fields = Fields::new(&schema, &order);
        let places = fields.all();
        let pointers: Vec<&str> = places.iter().map(|place| &place.pointer[1..]).collect();
        assert_eq!(pointers, order[1], "they come as their author lists them");
        let loss = &places[10];
        assert_eq!((loss.title.as_str(), loss.hint.as_deref(), loss.required), ("Loss", Some("In pounds. Like 12."), true));
        let kind = |name: &str| places.iter().find(|place| place.pointer == format!("/{name}")).unwrap().kind.clone();
        assert!(matches!(kind("class"), Kind::One { few: false, .. }) && matches!(kind("side"), Kind::One { few: true, .. }));
        assert!(
            matches!(kind("loss"), Kind::Line { short: true, .. }) && matches!(kind("name"), Kind::Line { short: false, most: Some(200) })
        );
        assert!(matches!(kind("day"), Kind::Day) && matches!(kind("count"), Kind::Whole) && matches!(kind("child"), Kind::YesNo));
        assert!(matches!(kind("who"), Kind::Several(_)) && matches!(kind("lines"), Kind::List { most: 3, .. }));
        assert!(matches!(kind("free"), Kind::Json) && matches!(kind("mixed"), Kind::Json));
        let Kind::Group(group) = kind("vat") else { panic!("a group") };
        assert_eq!(fields.places(group, "/vat")[0].pointer, "/vat/a~1b");
        assert_eq!(fields.title("/vat/a~1b"), "VAT, Registered");
        assert_eq!(fields.title("/lines/1"), "Lines, 2");
        assert_eq!(fields.title("/nowhere"), "/nowhere");
    }
}
