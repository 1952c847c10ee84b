//! `plugin.toml` as it is written: keys and types only. What they mean is judged elsewhere.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Written {
    pub name: Spanned<String>,
    pub version: Spanned<String>,
    pub kind: KindWord,
    pub contract: Spanned<String>,
    pub title: Spanned<String>,
    #[serde(default)]
    pub about: String,
    #[serde(default)]
    pub wants: Wants,
    #[serde(default)]
    pub limits: Pairs<Spanned<u64>>,
    pub settings: Option<Settings>,
    pub rows: Option<Spanned<Rows>>,
    #[serde(default)]
    pub inputs: Vec<Spanned<Port>>,
    #[serde(default)]
    pub outputs: Vec<Spanned<Port>>,
    #[serde(default)]
    pub balance: Vec<Balance>,
    pub case: Option<Spanned<Case>>,
    pub decision: Option<Spanned<Decision>>,
    pub ways: Option<Spanned<Vec<Spanned<WayWord>>>>,
    pub columns: Option<Spanned<Vec<Spanned<Column>>>>,
    pub requests: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum KindWord {
    Adapter,
    RuleSet,
    Format,
    Connector,
}

impl KindWord {
    /// The version of the contract in which the world of the kind stands.
    pub(super) const fn contract(self) -> &'static str {
        match self {
            Self::Adapter | Self::RuleSet => "0.1.0",
            Self::Format | Self::Connector => "0.2.0",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WayWord {
    Write,
    Read,
    Pull,
    Push,
}

impl WayWord {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Pull => "pull",
            Self::Push => "push",
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wants {
    pub log: bool,
    pub clock: bool,
    pub random: bool,
    pub state: bool,
    pub http: bool,
    pub lookup: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub schema: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rows {
    pub independent: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Port {
    pub name: Spanned<String>,
    #[serde(default)]
    pub about: String,
    pub optional: Option<Spanned<bool>>,
    #[serde(default)]
    pub unique: Vec<Spanned<Vec<Spanned<String>>>>,
    pub aggregate_by: Option<Spanned<Vec<Spanned<String>>>>,
    pub columns: Vec<Spanned<Column>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Column {
    pub name: Spanned<String>,
    pub r#type: TypeWord,
    pub scale: Option<Spanned<u64>>,
    pub length_max: Option<Spanned<u64>>,
    pub required: Option<bool>,
    #[serde(default)]
    pub personal: bool,
    #[serde(default)]
    pub about: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TypeWord {
    Integer,
    Decimal,
    Money,
    Date,
    Text,
    Boolean,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Balance {
    pub name: Spanned<String>,
    pub holds: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub schema: Spanned<String>,
    pub reference: Spanned<String>,
    #[serde(default)]
    pub amounts: Pairs<Spanned<String>>,
    #[serde(default)]
    pub personal: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    pub outcomes: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub figures: Vec<Spanned<String>>,
}

/// A table of TOML in the order in which it is written.
pub(crate) struct Pairs<T>(pub(crate) Vec<(Spanned<String>, T)>);

impl<T> Default for Pairs<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

struct PairsVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PairsVisitor<T> {
    type Value = Pairs<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        // The reader of TOML hands keys over by name.
        pairs.sort_by_key(|(name, _): &(Spanned<String>, T)| name.span().start);
        Ok(Pairs(pairs))
    }
}
