//! A SQLite file, opened to be read only. SQLite keeps no decimals: numbers are whole or floats, and floats are refused by name.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Executor as _, Row as _, SqlSafeStr as _, Statement as _, TypeInfo as _, ValueRef as _,
};

use super::{Sheet, distinct, name, refused, too_long};
use crate::connection::error::{ConnectionError, Step};
use crate::model::job::SqlPlace;

/// How a value for `{since}` is bound.
const SINCE: &str = "?1";

/// How long another program that writes is waited for.
const BUSY: Duration = Duration::from_secs(10);

/// Steps of the database between two looks at the time.
const STEPS: i32 = 10_000;

/// The result of a query that was stopped, and of one that would write.
const INTERRUPTED: &str = "9";
const READ_ONLY: &str = "8";

type File<'a> = (&'a SqlPlace, &'a Path);

/// Opens the file, which must be there.
pub(super) async fn open((place, path): File<'_>) -> Result<SqliteConnection, ConnectionError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .create_if_missing(false)
        .busy_timeout(BUSY)
        .pragma("query_only", "ON")
        .pragma("trusted_schema", "OFF");
    options.connect().await.map_err(|error| failed(place, Step::Connect, &error))
}

/// The columns that the query gives, if they can be told apart.
pub(super) async fn columns((place, _): File<'_>, connection: &mut SqliteConnection) -> Result<Vec<String>, ConnectionError> {
    let query = place.query.with_placeholder(SINCE);
    let prepared = connection.prepare(AssertSqlSafe(query).into_sql_str()).await;
    let prepared = prepared.map_err(|error| failed(place, Step::Read, &error))?;
    let columns: Vec<String> = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
    distinct(place, &columns)?;
    Ok(columns)
}

/// Writes every row of the query.
pub(super) async fn read((place, path): File<'_>, since: Option<&str>, sheet: &mut Sheet<'_>) -> Result<(), ConnectionError> {
    let failed = |error: sqlx::Error| failed(place, Step::Read, &error);
    let mut connection = open((place, path)).await?;
    let columns = columns((place, path), &mut connection).await?;
    let cursor = place.cursor.as_ref().and_then(|cursor| columns.iter().position(|column| column == cursor));
    let until = Instant::now() + Duration::from_secs(place.seconds_max);
    connection.lock_handle().await.map_err(failed)?.set_progress_handler(STEPS, move || Instant::now() < until);
    let query = place.query.with_placeholder(SINCE);
    let mut asked = sqlx::query(AssertSqlSafe(query));
    if place.query.goes_on() {
        asked = asked.bind(since);
    }
    let mut rows = asked.fetch(&mut connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let mut json = String::from("{");
        let mut mark = None;
        for (at, column) in columns.iter().enumerate() {
            let value = value(place, (&row, at), (column, sheet.rows + 1))?;
            if cursor == Some(at) {
                mark = value.clone().map(|value| value.text);
            }
            json.push_str(if at == 0 { "" } else { "," });
            json.push_str(&quoted(column));
            json.push(':');
            match value {
                None => json.push_str("null"),
                Some(Value { text, number: true }) => json.push_str(&text),
                Some(Value { text, number: false }) => json.push_str(&quoted(&text)),
            }
        }
        json.push('}');
        sheet.row(&json, mark)?;
    }
    Ok(())
}

/// A value that is there.
#[derive(Clone)]
struct Value {
    text: String,
    number: bool,
}

fn value(place: &SqlPlace, (row, at): (&SqliteRow, usize), (column, number): (&str, u64)) -> Result<Option<Value>, ConnectionError> {
    let failed = |error: sqlx::Error| failed(place, Step::Read, &error);
    let raw = row.try_get_raw(at).map_err(failed)?;
    if raw.is_null() {
        return Ok(None);
    }
    let kind = raw.type_info().name().to_owned();
    match kind.as_str() {
        "INTEGER" => {
            let whole: i64 = row.try_get_unchecked(at).map_err(failed)?;
            Ok(Some(Value { text: whole.to_string(), number: true }))
        }
        "TEXT" => Ok(Some(Value { text: row.try_get_unchecked(at).map_err(failed)?, number: false })),
        kind => {
            let why = format!(
                "column {column:?} has {kind} in row {number}, and the hub takes whole numbers and texts: for an amount, write printf('%.2f', …) or \
                 keep pence in the query"
            );
            Err(refused(place, Step::Read, why))
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

fn failed(place: &SqlPlace, step: Step, error: &sqlx::Error) -> ConnectionError {
    match error {
        sqlx::Error::Database(failure) => match failure.code().as_deref() {
            Some(INTERRUPTED) => too_long(place),
            Some(READ_ONLY) => {
                refused(place, Step::Read, format!("the query would change something, and the hub only reads: {}", failure.message()))
            }
            // Busy and locked, with what else is said of them.
            Some(code) if code.parse::<i32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 10)) => {
                ConnectionError::Unreachable { place: name(place), step, why: failure.message().to_owned() }
            }
            _ => refused(place, step, failure.message()),
        },
        other => ConnectionError::Unreachable { place: name(place), step, why: other.to_string() },
    }
}
