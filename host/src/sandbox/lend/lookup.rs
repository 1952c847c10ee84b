//! Reference tables: the version in force on a date, with every version that was opened remembered.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::super::contract::lent::lookup::{Host, HostTable, LookupError};
use super::super::contract::lent::types::TableVersion as WireVersion;
use super::super::worker::{InstanceState, Stop};
use crate::model::limits::{LOOKUP_ROWS_MAX, Limit};
use crate::model::rows::{date_of_days, days_of_date};
use crate::model::table::{Table, TableVersion};

/// What a plugin's handle stands for.
#[allow(unreachable_pub, reason = "bindgen re-exports it")]
pub struct OpenTable;

/// The tables that an instance has open, and those that it ever opened.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct OpenTables {
    slots: Vec<Option<Arc<Table>>>,
    open: u64,
    /// The most that were open at one time.
    pub(in crate::sandbox) open_most: u64,
    opened: Vec<Arc<Table>>,
}

impl OpenTables {
    /// Bytes that the hub holds for the handles. The tables themselves are the operator's and shared.
    pub(in crate::sandbox) fn bytes(&self) -> u64 {
        (self.slots.len() + self.opened.len()) as u64 * size_of::<Option<Arc<Table>>>() as u64
    }

    /// The versions that were opened, each once, in the order of first use.
    pub(in crate::sandbox) fn versions(&self) -> Vec<TableVersion> {
        self.opened.iter().map(|table| table.version.clone()).collect()
    }

    fn put(&mut self, table: &Arc<Table>) -> u32 {
        if !self.opened.iter().any(|known| Arc::ptr_eq(known, table)) {
            self.opened.push(Arc::clone(table));
        }
        self.open += 1;
        self.open_most = self.open_most.max(self.open);
        let place = self.slots.iter().position(Option::is_none).unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[place] = Some(Arc::clone(table));
        u32::try_from(place).expect("the limit of handles is far below 2^32")
    }
}

impl InstanceState {
    fn table(&mut self, handle: &Resource<OpenTable>) -> wasmtime::Result<Arc<Table>> {
        self.enter_host_call()?;
        match self.tables.slots.get(handle.rep() as usize) {
            Some(Some(table)) => Ok(Arc::clone(table)),
            _ => Err(self.stop(Stop::Fault("a handle of a table leads nowhere".to_owned()))),
        }
    }
}

impl Host for InstanceState {
    fn open(&mut self, name: String, on: i32) -> wasmtime::Result<Result<Resource<OpenTable>, LookupError>> {
        self.enter_host_call()?;
        if !self.setup.lent.lookup.contains(&name) {
            return Ok(Err(LookupError::NotGranted));
        }
        let Some(table) = date_of_days(on).and_then(|on| self.setup.tables.in_force(&name, on)).cloned() else {
            return Ok(Err(LookupError::NoVersionInForce));
        };
        let allowed = self.setup.limits.get(Limit::Handles);
        if self.tables.open >= allowed {
            return Err(self.stop(Stop::Limit { limit: Limit::Handles, allowed, used: Some(self.tables.open + 1) }));
        }
        let place = self.tables.put(&table);
        self.check_retained()?;
        Ok(Ok(Resource::new_own(place)))
    }
}

impl HostTable for InstanceState {
    fn version(&mut self, table: Resource<OpenTable>) -> wasmtime::Result<WireVersion> {
        let table = self.table(&table)?;
        let version = &table.version;
        Ok(WireVersion {
            table: version.table.clone(),
            version: version.version.clone(),
            effective_from: days_of_date(version.effective_from),
            effective_to: version.effective_to.map(days_of_date),
            published: version.published.map(days_of_date),
        })
    }

    fn columns(&mut self, table: Resource<OpenTable>) -> wasmtime::Result<Vec<String>> {
        Ok(self.table(&table)?.columns.clone())
    }

    fn size(&mut self, table: Resource<OpenTable>) -> wasmtime::Result<u32> {
        Ok(u32::try_from(self.table(&table)?.rows.len()).unwrap_or(u32::MAX))
    }

    fn read(&mut self, table: Resource<OpenTable>, start: u32, count: u32) -> wasmtime::Result<Vec<Vec<String>>> {
        let table = self.table(&table)?;
        let count = (count as usize).min(LOOKUP_ROWS_MAX);
        Ok(table.rows.iter().skip(start as usize).take(count).cloned().collect())
    }

    fn find(
        &mut self,
        table: Resource<OpenTable>,
        column: String,
        value: String,
    ) -> wasmtime::Result<Result<Vec<Vec<String>>, LookupError>> {
        let table = self.table(&table)?;
        Ok(place_of(&table, column).and_then(|column| rows(table.find(column, &value))))
    }

    fn find_word(
        &mut self,
        table: Resource<OpenTable>,
        column: String,
        word: String,
    ) -> wasmtime::Result<Result<Vec<Vec<String>>, LookupError>> {
        let table = self.table(&table)?;
        Ok(place_of(&table, column).and_then(|column| rows(table.find_word(column, &word))))
    }

    fn drop(&mut self, table: Resource<OpenTable>) -> wasmtime::Result<()> {
        if let Some(slot) = self.tables.slots.get_mut(table.rep() as usize) {
            self.tables.open -= u64::from(slot.take().is_some());
        }
        Ok(())
    }
}

fn place_of(table: &Table, column: String) -> Result<usize, LookupError> {
    table.columns.iter().position(|name| *name == column).ok_or(LookupError::NoSuchColumn(column))
}

fn rows<'a>(found: impl ExactSizeIterator<Item = &'a [String]>) -> Result<Vec<Vec<String>>, LookupError> {
    if found.len() > LOOKUP_ROWS_MAX {
        return Err(LookupError::TooManyRows(u32::try_from(found.len()).unwrap_or(u32::MAX)));
    }
    Ok(found.map(<[String]>::to_vec).collect())
}
