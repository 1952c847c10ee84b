//! The hub as the rule sees it: tables that the host lends, or that lie in the plugin.

use std::cell::RefCell;
use std::rc::Rc;
use std::str::FromStr;

use real::{Date, Decimal, Failure, Money};

use crate::tables::{self, Find, Open, Opened, Version, Which};

/// What is lent.
#[derive(Debug)]
pub struct Hub {
    today: Date,
    tables: Tables,
    opened: RefCell<Vec<Which>>,
}

/// Where tables are.
#[derive(Debug)]
pub enum Tables {
    /// With the host.
    Lent,
    /// In the plugin.
    Own(Rc<[Version]>),
}

/// An open version of a table.
#[derive(Debug)]
pub struct Table {
    number: usize,
    columns: Rc<[String]>,
    own: Option<Rc<[Version]>>,
}

/// A row of a table.
#[derive(Debug)]
pub struct TableRow {
    columns: Rc<[String]>,
    values: Vec<String>,
}

impl Hub {
    pub fn new(today: Date, tables: Tables) -> Self {
        Self { today, tables, opened: RefCell::default() }
    }

    pub fn today(&self) -> Date {
        self.today
    }

    pub fn table(&self, name: &str, on: Date) -> Result<Table, Failure> {
        let missing = || Failure::TableMissing { table: name.to_owned(), on };
        let (table, which) = match &self.tables {
            Tables::Lent => {
                let opened = lent::open(Open { table: name.to_owned(), on }).ok_or_else(missing)?;
                (Table { number: opened.number, columns: opened.columns.into(), own: None }, opened.which)
            }
            Tables::Own(versions) => {
                let number = tables::in_force(versions, name, on).ok_or_else(missing)?;
                let version = &versions[number];
                let table = Table { number, columns: version.columns.clone().into(), own: Some(Rc::clone(versions)) };
                (table, version.which.clone())
            }
        };
        let mut opened = self.opened.borrow_mut();
        if !opened.contains(&which) {
            opened.push(which);
        }
        Ok(table)
    }

    /// The versions that were opened.
    pub fn take_opened(&self) -> Vec<Which> {
        self.opened.take()
    }
}

impl Table {
    pub fn find(&self, column: &str, value: &str) -> Result<Vec<TableRow>, Failure> {
        if !self.columns.iter().any(|name| name == column) {
            return Err(Failure::defect("table-column-missing", format!("There is no column {column}.")));
        }
        Ok(self.rows(Some((column, value))))
    }

    pub fn read_all(&self) -> Vec<TableRow> {
        self.rows(None)
    }

    fn rows(&self, holds: Option<(&str, &str)>) -> Vec<TableRow> {
        let rows = match &self.own {
            Some(versions) => versions[self.number].find(holds),
            None => lent::find(Find { number: self.number, holds: holds.map(|(column, value)| (column.to_owned(), value.to_owned())) }),
        };
        rows.into_iter().map(|values| TableRow { columns: Rc::clone(&self.columns), values }).collect()
    }
}

impl TableRow {
    pub fn get(&self, column: &str) -> Option<&str> {
        let place = self.columns.iter().position(|name| name == column)?;
        self.values.get(place).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn text(&self, column: &str) -> Result<&str, Failure> {
        let place = self.columns.iter().position(|name| name == column);
        let value = place.and_then(|place| self.values.get(place));
        value.map(String::as_str).ok_or_else(|| Failure::defect("table-column-missing", format!("There is no column {column}.")))
    }

    pub fn money(&self, column: &str) -> Result<Money, Failure> {
        self.parsed(column)
    }

    pub fn decimal(&self, column: &str) -> Result<Decimal, Failure> {
        self.parsed(column)
    }

    pub fn date(&self, column: &str) -> Result<Date, Failure> {
        self.parsed(column)
    }

    pub fn integer(&self, column: &str) -> Result<i64, Failure> {
        self.parsed(column)
    }

    pub fn boolean(&self, column: &str) -> Result<bool, Failure> {
        self.parsed(column)
    }

    fn parsed<T: FromStr>(&self, column: &str) -> Result<T, Failure> {
        let value = self.text(column)?;
        value.parse().map_err(|_| Failure::defect("table-value-unusable", format!("Column {column} holds {value:?}.")))
    }
}

/// Extism's host functions.
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod lent {
    use extism_pdk::{Json, host_fn};

    use super::{Find, Open, Opened};

    #[host_fn]
    extern "ExtismHost" {
        fn table_open(question: Json<Open>) -> Json<Option<Opened>>;
        fn table_find(question: Json<Find>) -> Json<Vec<Vec<String>>>;
    }

    pub(super) fn open(question: Open) -> Option<Opened> {
        // SAFETY: the host that the peer is run by lends it.
        unsafe { table_open(Json(question)) }.expect("the host answers").0
    }

    pub(super) fn find(question: Find) -> Vec<Vec<String>> {
        // SAFETY: as above.
        unsafe { table_find(Json(question)) }.expect("the host answers").0
    }
}

/// Natively this crate is only the host's, which lends and does not ask; under WASI nobody lends.
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
mod lent {
    use super::{Find, Open, Opened};

    pub(super) fn open(_: Open) -> Option<Opened> {
        None
    }

    pub(super) fn find(_: Find) -> Vec<Vec<String>> {
        Vec::new()
    }
}
