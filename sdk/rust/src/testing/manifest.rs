//! The parts of `plugin.toml` that running cases natively needs. `bailiwick plugin build` judges it in full.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::hub::Wants;
use crate::wire;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Manifest {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "version")]
    _version: String,
    #[serde(rename = "kind")]
    pub(super) kind: String,
    #[serde(rename = "contract")]
    _contract: String,
    #[serde(rename = "title")]
    _title: String,
    #[serde(default, rename = "about")]
    _about: String,
    #[serde(default)]
    wants: Wanted,
    #[serde(default, rename = "limits")]
    _limits: BTreeMap<String, u64>,
    #[serde(rename = "settings")]
    _settings: Option<toml::Table>,
    #[serde(rename = "rows")]
    _rows: Option<toml::Table>,
    #[serde(default)]
    pub(super) inputs: Vec<Port>,
    #[serde(default)]
    pub(super) outputs: Vec<Port>,
    #[serde(default, rename = "balance")]
    _balance: Vec<toml::Table>,
    /// Of a format.
    #[serde(default)]
    pub(super) ways: Vec<Way>,
    /// Of a format.
    #[serde(default)]
    pub(super) columns: Vec<Column>,
    /// Of a connector.
    #[serde(default, rename = "requests")]
    _requests: Vec<String>,
    #[serde(rename = "case")]
    _case: Option<toml::Table>,
    pub(super) decision: Option<Decided>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    log: bool,
    clock: bool,
    random: bool,
    state: bool,
    http: bool,
    lookup: Vec<String>,
}

/// A way that a format or a connector goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Way {
    Write,
    Read,
    Pull,
    Push,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decided {
    pub(super) outcomes: Vec<String>,
    #[serde(default)]
    pub(super) figures: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Port {
    pub(super) name: String,
    #[serde(default, rename = "about")]
    _about: String,
    #[serde(default)]
    pub(super) optional: bool,
    #[serde(default, rename = "unique")]
    _unique: Vec<Vec<String>>,
    pub(super) aggregate_by: Option<Vec<String>>,
    pub(super) columns: Vec<Column>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) r#type: Type,
    scale: Option<u8>,
    pub(super) length_max: Option<usize>,
    #[serde(default = "yes")]
    pub(super) required: bool,
    #[serde(default, rename = "personal")]
    _personal: bool,
    #[serde(default, rename = "about")]
    _about: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Type {
    Integer,
    Decimal,
    Money,
    Date,
    Text,
    Boolean,
}

const fn yes() -> bool {
    true
}

impl Manifest {
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join("plugin.toml");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(super) fn wants(&self) -> Wants {
        let Wanted { log, clock, random, state, http, lookup } = &self.wants;
        Wants { log: *log, clock: *clock, random: *random, state: *state, http: *http, lookup: lookup.clone() }
    }

    /// The context of a run that has the named inputs.
    pub(super) fn context(&self, has: impl Fn(&str) -> bool) -> wire::Context {
        let port = |port: &Port, present: bool| wire::Port {
            name: port.name.clone(),
            present,
            columns: port.columns.iter().map(Column::shape).collect(),
        };
        wire::Context {
            partner: "partner".to_owned(),
            job: "case".to_owned(),
            inputs: self.inputs.iter().map(|input| port(input, has(&input.name))).collect(),
            outputs: self.outputs.iter().map(|output| port(output, true)).collect(),
        }
    }
}

impl Manifest {
    /// The columns of a format as the only port of a run.
    pub(super) fn rows(&self) -> Port {
        Port {
            name: "rows".to_owned(),
            _about: String::new(),
            optional: false,
            _unique: Vec::new(),
            aggregate_by: None,
            columns: self.columns.clone(),
        }
    }

    /// The columns of a format as the only output of a run: what the SDK's writers of rows work on.
    pub(super) fn rows_port(&self) -> wire::Port {
        wire::Port { name: "rows".to_owned(), present: true, columns: self.columns.iter().map(Column::shape).collect() }
    }

    /// The context of a file of a format, with every column present.
    pub(super) fn file_context(&self) -> wire::format::Context {
        let shape = |column: &Column| wire::format::ColumnShape {
            name: column.name.clone(),
            kind: column.r#type.of_format(),
            scale: column.scale(),
            present: true,
        };
        wire::format::Context { partner: "partner".to_owned(), job: "case".to_owned(), columns: self.columns.iter().map(shape).collect() }
    }
}

impl Type {
    const fn of_format(self) -> wire::format::ColumnType {
        match self {
            Self::Integer => wire::format::ColumnType::Integer,
            Self::Decimal | Self::Money => wire::format::ColumnType::Decimal,
            Self::Date => wire::format::ColumnType::Date,
            Self::Text => wire::format::ColumnType::Text,
            Self::Boolean => wire::format::ColumnType::Boolean,
        }
    }
}

impl Port {
    /// The places of columns by name.
    pub(super) fn places(&self, names: &[String]) -> Result<Vec<usize>, String> {
        let place = |name: &String| self.columns.iter().position(|column| column.name == *name);
        let places: Option<Vec<usize>> = names.iter().map(place).collect();
        places.ok_or_else(|| format!("plugin.toml: port {} does not declare all of {}", self.name, names.join(", ")))
    }
}

impl Column {
    pub(super) fn scale(&self) -> u8 {
        match self.r#type {
            Type::Money => self.scale.unwrap_or(2),
            Type::Decimal => self.scale.unwrap_or(0),
            Type::Integer | Type::Date | Type::Text | Type::Boolean => 0,
        }
    }

    fn shape(&self) -> wire::ColumnShape {
        let kind = match self.r#type {
            Type::Integer => wire::ColumnType::Integer,
            Type::Decimal | Type::Money => wire::ColumnType::Decimal,
            Type::Date => wire::ColumnType::Date,
            Type::Text => wire::ColumnType::Text,
            Type::Boolean => wire::ColumnType::Boolean,
        };
        wire::ColumnShape { name: self.name.clone(), kind, scale: self.scale() }
    }
}
