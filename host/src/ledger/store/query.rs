//! A query: one text that both databases read, with the values that belong to it.
//!
//! Must not know what the tables mean, and takes no text that was not written in this program.

use std::borrow::Cow;
use std::sync::Arc;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe};

use super::postgres::patiently;
use super::{Connection, Store, Transaction};

/// From how many values on their places in the text lose their numbers: SQLite looks through all of them for each.
const MANY_VALUES: usize = 64;

/// A text and its values, `$1`, `$2`, … in the order in which they are bound.
pub(in crate::ledger) struct Query {
    sql: Cow<'static, str>,
    values: Vec<Value>,
    locks: Option<&'static str>,
}

/// What a query's first column holds, where it has only one that matters.
pub(in crate::ledger) struct Scalar(Query);

/// A value of one of the three types that the tables have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::ledger) enum Value {
    Text(Option<String>),
    Number(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

/// How the places of values stand in a text: by number for PostgreSQL; for SQLite, which looks through all of them for a number, in
/// their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Places {
    Numbered,
    InOrder,
}

/// What is read of a row, from either database.
pub(in crate::ledger) trait Readable:
    for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Readable for T where T: for<'r> sqlx::FromRow<'r, SqliteRow> + for<'r> sqlx::FromRow<'r, PgRow> + Send + Unpin {}

/// What a query is asked of: the database as it stands, or a transaction.
pub(in crate::ledger) enum On<'a> {
    Store(&'a Store),
    Transaction(&'a mut Transaction),
}

impl<'a> From<&'a Store> for On<'a> {
    fn from(store: &'a Store) -> Self {
        Self::Store(store)
    }
}

impl<'a> From<&'a mut Transaction> for On<'a> {
    fn from(transaction: &'a mut Transaction) -> Self {
        Self::Transaction(transaction)
    }
}

/// A query of a text.
pub(in crate::ledger) const fn query(sql: &'static str) -> Query {
    Query { sql: Cow::Borrowed(sql), values: Vec::new(), locks: None }
}

/// A query of a text whose first column is all that is asked for.
pub(in crate::ledger) const fn query_scalar(sql: &'static str) -> Scalar {
    Scalar(query(sql))
}

impl Query {
    /// The next value.
    pub(in crate::ledger) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds a fixed piece to the text.
    pub(in crate::ledger) fn push(&mut self, piece: &'static str) -> &mut Self {
        self.sql.to_mut().push_str(piece);
        self
    }

    /// Adds a value, and its place to the text.
    pub(in crate::ledger) fn push_bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        let place = format!("${}", self.values.len());
        self.sql.to_mut().push_str(&place);
        self
    }

    /// Adds `VALUES` with a row of values for each item.
    pub(in crate::ledger) fn push_rows<I, const N: usize>(&mut self, items: &[I], row: impl Fn(&I) -> [Value; N]) -> &mut Self {
        self.push(" VALUES ");
        for (place, item) in items.iter().enumerate() {
            self.push(if place == 0 { "(" } else { ", (" });
            for (place, value) in row(item).into_iter().enumerate() {
                self.push(if place == 0 { "" } else { ", " });
                self.push_bind(value);
            }
            self.push(")");
        }
        self
    }

    /// Keeps what is read from being changed by others until the transaction ends. SQLite has one writer and needs no word for it.
    pub(in crate::ledger) const fn locked(mut self) -> Self {
        self.locks = Some(" FOR UPDATE");
        self
    }

    /// Keeps what is read as it is until the transaction ends, and lets others read it in the same way.
    pub(in crate::ledger) const fn locked_with_others(mut self) -> Self {
        self.locks = Some(" FOR SHARE");
        self
    }

    /// Keeps what is read as it is, as above, and passes over what others are changing.
    pub(in crate::ledger) const fn locked_with_others_unless_taken(mut self) -> Self {
        self.locks = Some(" FOR SHARE SKIP LOCKED");
        self
    }

    /// Keeps the runs that are read from others, and passes over those that others keep.
    pub(in crate::ledger) const fn locked_unless_taken(mut self) -> Self {
        self.locks = Some(" FOR UPDATE OF runs SKIP LOCKED");
        self
    }

    /// Does it, and answers how many rows it concerned.
    pub(in crate::ledger) async fn execute(&self, on: &mut Transaction) -> Result<u64, sqlx::Error> {
        on.catch_up().await?;
        match &mut on.connection {
            Connection::SqliteWriter(writer) => Ok(self.sqlite()?.execute(writer.connection()?).await?.rows_affected()),
            Connection::SqliteReader(reader) => Ok(self.sqlite()?.execute(&mut **reader).await?.rows_affected()),
            Connection::Postgres(open) => Ok(self.postgres()?.execute(&mut *open.transaction).await?.rows_affected()),
        }
    }

    /// Every row.
    pub(in crate::ledger) async fn fetch_all<T: Readable>(&self, on: impl Into<On<'_>>) -> Result<Vec<T>, sqlx::Error> {
        match on.into() {
            On::Store(Store::Sqlite(sqlite)) => read_all(self.sqlite()?.fetch_all(&sqlite.readers).await?.iter()),
            On::Store(Store::Postgres(postgres)) => {
                let rows = patiently(|| async { self.postgres()?.fetch_all(postgres.pool()).await }).await?;
                read_all(rows.iter())
            }
            On::Transaction(transaction) => {
                transaction.catch_up().await?;
                self.fetch_now(transaction).await
            }
        }
    }

    /// Every row of something that this transaction does not change: asked of the database once, however often it is asked here.
    pub(in crate::ledger) async fn fetch_known<T: Readable + Clone + Sync + 'static>(
        &self,
        on: &mut Transaction,
    ) -> Result<Vec<T>, sqlx::Error> {
        let asked = (self.sql.clone(), self.values.clone());
        if let Some(rows) = on.known.get(&asked).and_then(|rows| rows.downcast_ref::<Vec<T>>()) {
            return Ok(rows.clone());
        }
        let rows: Vec<T> = self.fetch_now(on).await?;
        on.known.insert(asked, Box::new(rows.clone()));
        Ok(rows)
    }

    async fn fetch_now<T: Readable>(&self, on: &mut Transaction) -> Result<Vec<T>, sqlx::Error> {
        match &mut on.connection {
            Connection::SqliteWriter(writer) => read_all(self.sqlite()?.fetch_all(writer.connection()?).await?.iter()),
            Connection::SqliteReader(reader) => read_all(self.sqlite()?.fetch_all(&mut **reader).await?.iter()),
            Connection::Postgres(open) => read_all(self.postgres()?.fetch_all(&mut *open.transaction).await?.iter()),
        }
    }

    /// The first row, if there is one.
    pub(in crate::ledger) async fn fetch_optional<T: Readable>(&self, on: impl Into<On<'_>>) -> Result<Option<T>, sqlx::Error> {
        Ok(self.fetch_all(on).await?.into_iter().next())
    }

    /// The first row.
    pub(in crate::ledger) async fn fetch_one<T: Readable>(&self, on: impl Into<On<'_>>) -> Result<T, sqlx::Error> {
        self.fetch_optional(on).await?.ok_or(sqlx::Error::RowNotFound)
    }

    fn sqlite(&self) -> Result<sqlx::query::Query<'_, sqlx::Sqlite, SqliteArguments>, sqlx::Error> {
        let arguments = sqlite_arguments(self.values.iter().cloned())?;
        let unnamed = (self.values.len() >= MANY_VALUES).then(|| without_numbers(&self.sql)).flatten();
        Ok(sqlx::query_with(AssertSqlSafe(unnamed.map_or_else(|| self.sql.clone(), Cow::Owned)), arguments))
    }

    fn postgres(&self) -> Result<sqlx::query::Query<'_, sqlx::Postgres, PgArguments>, sqlx::Error> {
        let arguments = postgres_arguments(self.values.iter().cloned())?;
        let sql = match self.locks {
            None => self.sql.clone(),
            Some(locks) => Cow::Owned(format!("{}{locks}", self.sql)),
        };
        Ok(sqlx::query_with(AssertSqlSafe(sql), arguments))
    }
}

/// Inserts rows by a text that has a place for each of their values.
pub(super) async fn insert_now(on: &mut Transaction, text: Arc<str>, values: impl Iterator<Item = Value>) -> Result<(), sqlx::Error> {
    let text = AssertSqlSafe(text);
    match &mut on.connection {
        Connection::SqliteWriter(writer) => {
            sqlx::query_with(text, sqlite_arguments(values)?).execute(writer.connection()?).await?;
        }
        Connection::SqliteReader(reader) => {
            sqlx::query_with(text, sqlite_arguments(values)?).execute(&mut **reader).await?;
        }
        Connection::Postgres(open) => {
            sqlx::query_with(text, postgres_arguments(values)?).execute(&mut *open.transaction).await?;
        }
    }
    Ok(())
}

fn sqlite_arguments(values: impl Iterator<Item = Value>) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        let added = match value {
            Value::Text(text) => arguments.add(text),
            Value::Number(number) => arguments.add(number),
            Value::Bytes(bytes) => arguments.add(bytes),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn postgres_arguments(values: impl Iterator<Item = Value>) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for value in values {
        let added = match value {
            Value::Text(text) => arguments.add(text),
            Value::Number(number) => arguments.add(number),
            Value::Bytes(bytes) => arguments.add(bytes),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// A text in which each value has its place once, in order, with `?` for the places; none if it is not such a text.
fn without_numbers(sql: &str) -> Option<String> {
    let mut unnamed = String::with_capacity(sql.len());
    let mut pieces = sql.split('$');
    unnamed.push_str(pieces.next()?);
    for (place, piece) in (1_usize..).zip(pieces) {
        let text = piece.strip_prefix(place.to_string().as_str()).filter(|text| !text.starts_with(|next: char| next.is_ascii_digit()))?;
        unnamed.push('?');
        unnamed.push_str(text);
    }
    Some(unnamed)
}

fn read_all<'r, R: sqlx::Row, T: sqlx::FromRow<'r, R>>(rows: impl Iterator<Item = &'r R>) -> Result<Vec<T>, sqlx::Error> {
    rows.map(T::from_row).collect()
}

impl Scalar {
    /// The next value.
    pub(in crate::ledger) fn bind(self, value: impl Into<Value>) -> Self {
        Self(self.0.bind(value))
    }

    /// Keeps what is read from being changed by others until the transaction ends.
    pub(in crate::ledger) fn locked(self) -> Self {
        Self(self.0.locked())
    }

    /// That column of every row.
    pub(in crate::ledger) async fn fetch_all<T>(&self, on: impl Into<On<'_>>) -> Result<Vec<T>, sqlx::Error>
    where
        (T,): Readable,
    {
        Ok(self.0.fetch_all::<(T,)>(on).await?.into_iter().map(|(value,)| value).collect())
    }

    /// That column of the first row, if there is one.
    pub(in crate::ledger) async fn fetch_optional<T>(&self, on: impl Into<On<'_>>) -> Result<Option<T>, sqlx::Error>
    where
        (T,): Readable,
    {
        Ok(self.0.fetch_optional::<(T,)>(on).await?.map(|(value,)| value))
    }

    /// That column of the first row.
    pub(in crate::ledger) async fn fetch_one<T>(&self, on: impl Into<On<'_>>) -> Result<T, sqlx::Error>
    where
        (T,): Readable,
    {
        self.0.fetch_one::<(T,)>(on).await.map(|(value,)| value)
    }
}

macro_rules! values {
    ($($variant:ident: $($from:ty => $make:expr),+;)+) => {$($(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(Some($make(value)))
            }
        }

        impl From<Option<$from>> for Value {
            fn from(value: Option<$from>) -> Self {
                Self::$variant(value.map($make))
            }
        }
    )+)+};
}

values! {
    Text: &str => str::to_owned, String => std::convert::identity;
    Number: i64 => std::convert::identity;
    Bytes: &[u8] => <[u8]>::to_vec;
}

#[cfg(test)]
mod tests {
    use super::without_numbers;

    #[test]
    fn numbers_go_only_where_each_stands_once_and_in_order() {
        let cases = [
            ("VALUES ($1, $2), ($3, $4)", Some("VALUES (?, ?), (?, ?)")),
            ("VALUES ($1) ON CONFLICT DO NOTHING", Some("VALUES (?) ON CONFLICT DO NOTHING")),
            ("SELECT 1", Some("SELECT 1")),
            ("$1 = '' OR partner = $1", None),
            ("$2, $1", None),
            ("$10", None),
            ("costs $ 5", None),
        ];
        for (text, unnamed) in cases {
            assert_eq!(without_numbers(text).as_deref(), unnamed, "{text}");
        }
    }
}
