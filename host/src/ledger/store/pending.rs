//! Rows that wait to be inserted until something else is asked of their transaction, or it ends: many in one statement.
//!
//! A statement costs its way to the database and back, whatever is in it; a hundred runs that are taken up at once are two hundred
//! rows, and need not be two hundred statements.
//!
//! Must not know what the tables mean.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Mutex};

use super::query::{Places, Value, insert_now};
use super::{Connection, Transaction};

/// Most rows of one statement, and a power of two: there are few such numbers, as each makes a statement of its own to the database.
/// With more, what is won is less than the time that the database takes to read the statement for the first time.
const ROWS_MAX: usize = 64;

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

    /// What waits, in as few statements as may be; and nothing waits any more.
    fn take(&mut self) -> Vec<(&'static Insert, Vec<Vec<Value>>)> {
        let mut statements = Vec::new();
        for Waiting { insert, rows, .. } in std::mem::take(&mut self.0) {
            let mut rows = rows.into_iter();
            while rows.len() > 0 {
                let most = ROWS_MAX.min(1 << rows.len().ilog2());
                statements.push((insert, rows.by_ref().take(most).collect()));
            }
        }
        statements
    }
}

/// The texts of inserts, by what comes before their values, their rows, and how their places are written: each is written once.
static TEXTS: LazyLock<Mutex<HashMap<TextOf, Arc<str>>>> = LazyLock::new(Mutex::default);

type TextOf = (&'static str, usize, Places);

impl Insert {
    fn text(&'static self, rows: &[Vec<Value>], places: Places) -> Arc<str> {
        let columns = rows.first().map_or(0, Vec::len);
        let mut texts = TEXTS.lock().expect("nobody panics while holding the texts");
        let text = texts.entry((self.head, rows.len(), places));
        Arc::clone(text.or_insert_with(|| self.written(rows.len(), columns, places).into()))
    }

    fn written(&self, rows: usize, columns: usize, places: Places) -> String {
        let mut text = format!("{} VALUES ", self.head);
        for place in 0..rows * columns {
            text.push_str(match (place, place % columns) {
                (0, _) => "(",
                (_, 0) => "), (",
                _ => ", ",
            });
            match places {
                Places::InOrder => text.push('?'),
                Places::Numbered => write!(text, "${}", place + 1).expect("a text takes whatever is written to it"),
            }
        }
        text.push(')');
        text.push_str(self.tail);
        text
    }
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
        let places = match self.connection {
            Connection::SqliteWriter(_) | Connection::SqliteReader(_) => Places::InOrder,
            Connection::Postgres(_) => Places::Numbered,
        };
        for (insert, rows) in self.pending.take() {
            insert_now(self, insert.text(&rows, places), rows.into_iter().flatten()).await?;
        }
        Ok(())
    }
}
