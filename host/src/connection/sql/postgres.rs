//! PostgreSQL, in a transaction that reads only. The server writes each row as JSON itself, so that no number passes through a float.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use secrecy::ExposeSecret as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{
    AssertSqlSafe, Column as _, ConnectOptions as _, Connection as _, Executor as _, SqlSafeStr as _, Statement as _, TypeInfo as _,
};

use super::{Sheet, distinct, name, refused, too_long};
use crate::connection::error::{ConnectionError, Step};
use crate::connection::outside::{Credentials, within};
use crate::model::job::{PostgresServer, SqlPlace};

/// How a value for `{since}` is bound: as text, which the query casts.
const SINCE: &str = "$1::text";

/// Longest time that connecting and signing in takes.
const SIGN_IN: Duration = Duration::from_secs(20);

type Server<'a> = (&'a SqlPlace, &'a PostgresServer);

/// Connects, with a session that may only read.
pub(super) async fn open((place, server): Server<'_>, credentials: Credentials<'_>) -> Result<PgConnection, ConnectionError> {
    let mut options = PgConnectOptions::new_without_pgpass()
        .host(&server.host)
        .port(server.port)
        .username(&server.user)
        .database(&server.database)
        .application_name("bailiwick")
        .ssl_mode(if server.encrypted { PgSslMode::VerifyFull } else { PgSslMode::Disable })
        .statement_cache_capacity(0)
        .options([
            ("default_transaction_read_only", "on".to_owned()),
            ("statement_timeout", format!("{}s", place.seconds_max)),
            ("lock_timeout", "20s".to_owned()),
            ("datestyle", "ISO,YMD".to_owned()),
            ("timezone", "UTC".to_owned()),
        ]);
    if let Some(password) = credentials.get(server.password.as_ref())? {
        options = options.password(password.expose_secret().trim_end_matches('\n'));
    }
    if let Some(file) = &server.ca_file {
        let unusable = |error: std::io::Error| ConnectionError::FileUnusable { path: file.clone(), why: error.to_string() };
        options = options.ssl_root_cert_from_pem(std::fs::read(file).map_err(unusable)?);
    }
    let connecting = async { Ok::<_, ConnectionError>(options.connect().await) };
    let connected = within(SIGN_IN, &name(place), Step::Connect, connecting).await??;
    connected.map_err(|error| failed(place, Step::Connect, &error))
}

/// The columns that the query gives, if they can be told apart and none is a float.
pub(super) async fn columns((place, _): Server<'_>, connection: &mut PgConnection) -> Result<Vec<String>, ConnectionError> {
    let query = place.query.with_placeholder(SINCE);
    // One statement: the server refuses to prepare two.
    let prepared = connection.prepare(AssertSqlSafe(query).into_sql_str()).await;
    let prepared = prepared.map_err(|error| failed(place, Step::Read, &error))?;
    for column in prepared.columns() {
        let kind = column.type_info().name();
        if kind.starts_with("FLOAT") || kind.starts_with("MONEY") {
            let why = format!("column {:?} is {kind}, which does not keep every penny: cast it to numeric in the query", column.name());
            return Err(refused(place, Step::Read, why));
        }
    }
    let columns: Vec<String> = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
    distinct(place, &columns)?;
    Ok(columns)
}

/// Writes every row of the query.
pub(super) async fn read(
    (place, server): Server<'_>,
    credentials: Credentials<'_>,
    since: Option<&str>,
    sheet: &mut Sheet<'_>,
) -> Result<(), ConnectionError> {
    let failed = |error: sqlx::Error| failed(place, Step::Read, &error);
    let mut connection = open((place, server), credentials).await?;
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(failed)?;
    columns((place, server), &mut transaction).await?;
    let cursor = place.cursor.as_ref().map_or_else(|| "NULL".to_owned(), |column| format!("q.\"{}\"::text", column.replace('"', "\"\"")));
    let query = place.query.with_placeholder(SINCE);
    let wrapped = format!("SELECT row_to_json(q)::text, {cursor} FROM (\n{query}\n) AS q");
    let mut asked = sqlx::query_as::<_, (String, Option<String>)>(AssertSqlSafe(wrapped));
    if place.query.goes_on() {
        asked = asked.bind(since);
    }
    let mut rows = asked.fetch(&mut *transaction);
    while let Some((json, mark)) = rows.try_next().await.map_err(failed)? {
        sheet.row(&json, mark)?;
    }
    drop(rows);
    transaction.rollback().await.map_err(failed)?;
    // All was read: it is dropped without a goodbye, for which some servers with TLS would have to be waited for.
    Ok(())
}

/// What a failure means. A server's words about a value may hold it, so they are not repeated.
fn failed(place: &SqlPlace, step: Step, error: &sqlx::Error) -> ConnectionError {
    let unreachable = |step, why: String| ConnectionError::Unreachable { place: name(place), step, why };
    match error {
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => untrusted(place, &error.to_string()),
        sqlx::Error::Io(error) => unreachable(step, error.to_string()),
        sqlx::Error::Tls(error) => untrusted(place, &error.to_string()),
        sqlx::Error::Database(failure) => {
            let code = failure.code().unwrap_or_default().into_owned();
            let why = format!("the server says {:?} ({code})", failure.message());
            match (code.get(..2).unwrap_or_default(), code.as_str()) {
                (_, "57014") => too_long(place),
                (_, "25006") => refused(place, Step::Read, format!("the query would change something, and the hub only reads: {why}")),
                (_, "3D000") => refused(place, Step::SignIn, why),
                ("28", _) => ConnectionError::SignIn { place: name(place), why },
                ("22", _) => refused(place, Step::Read, format!("a value does not fit what the query makes of it ({code})")),
                ("08" | "40" | "53" | "57", _) => unreachable(step, why),
                _ => refused(place, step, why),
            }
        }
        other => unreachable(step, other.to_string()),
    }
}

fn untrusted(place: &SqlPlace, why: &str) -> ConnectionError {
    let why = format!("{why}. If the server has a certificate of its own authority, name that in ca-file");
    refused(place, Step::Certificate, why)
}
