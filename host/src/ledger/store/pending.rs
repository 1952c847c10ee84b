//! Rows that wait to be inserted until something else is asked of their transaction, or it ends: many in one statement.
//!
//! A statement costs its way to the database and back, whatever is in it; a hundred runs that are taken up at once are two hundred
//! rows, and need not be two hundred statements.
//!
//! Must not know what the tables mean.

use std::collections::HashMap;

use super::Transaction;
use super::query::{Query, Value, query};

/// Rows of one statement. There are few such numbers, as each makes a statement of its own to the database.
const ROWS: [usize; 5] = [256, 64, 16, 4, 1];

/// An insert of any number of rows: what comes before their values, and after.
#[derive(Debug)]
pub(in crate::ledger) struct Insert {
    /// `INSERT INTO runs (run, …)`.
    pub(in crate::ledger) head: &'static str,
    /// ` ON CONFLICT …`, or nothing.
    pub(in crate::ledger) tail: &'static str,
    /// Whether the first value names the row, and a later one of the same name stands for an earlier.
    pub(in crate::ledger) keyed: bool,
}

/// What waits.
#[derive(Debug, Default)]
pub(super) struct Pending(Vec<Waiting>);

#[derive(Debug)]
struct Waiting {
    insert: &'static Insert,
    rows: Vec<Vec<Value>>,
    /// Where the row of a name is, if rows have names.
    places: HashMap<Value, usize>,
}

impl Pending {
    pub(super) fn push(&mut self, insert: &'static Insert, row: Vec<Value>) {
        let place = self.0.iter().position(|waiting| std::ptr::eq(waiting.insert, insert)).unwrap_or_else(|| {
            self.0.push(Waiting { insert, rows: Vec::new(), places: HashMap::new() });
            self.0.len() - 1
        });
        let waiting = &mut self.0[place];
        if let Some(name) = row.first().filter(|_| insert.keyed) {
            if let Some(earlier) = waiting.places.get(name) {
                waiting.rows[*earlier] = row;
                return;
            }
            waiting.places.insert(name.clone(), waiting.rows.len());
        }
        waiting.rows.push(row);
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The statements that insert what waits, and nothing waits any more.
    pub(super) fn take(&mut self) -> Vec<Query> {
        let mut statements = Vec::new();
        for Waiting { insert, rows, .. } in std::mem::take(&mut self.0) {
            let mut rows = rows.into_iter();
            while let Some(most) = ROWS.into_iter().find(|most| *most <= rows.len()) {
                statements.push(statement(insert, rows.by_ref().take(most)));
            }
        }
        statements
    }
}

fn statement(insert: &'static Insert, rows: impl Iterator<Item = Vec<Value>>) -> Query {
    let mut statement = query(insert.head);
    statement.push(" VALUES ");
    for (place, row) in rows.enumerate() {
        statement.push(if place == 0 { "(" } else { ", (" });
        for (place, value) in row.into_iter().enumerate() {
            statement.push(if place == 0 { "" } else { ", " });
            statement.push_bind(value);
        }
        statement.push(")");
    }
    statement.push(insert.tail);
    statement
}

impl Transaction {
    /// Inserts a row before anything else is asked of this transaction, or it ends; with others like it in one statement.
    pub(in crate::ledger) fn insert(&mut self, insert: &'static Insert, row: Vec<Value>) {
        self.pending.push(insert, row);
    }

    /// Inserts what waits to be.
    pub(super) async fn catch_up(&mut self) -> Result<(), sqlx::Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        for statement in self.pending.take() {
            statement.execute_now(self).await?;
        }
        Ok(())
    }
}
