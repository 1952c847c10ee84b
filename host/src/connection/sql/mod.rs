//! The rows that one declared query gives, as JSON lines: numbers with every digit, dates and times as ISO texts, never a float.
//!
//! Three things keep the database as it is: the query must be one SELECT (`model::job::Query`), the session may only read, and a user that may
//! only read is what the README asks for. A value for `{since}` is bound, never written into the query.

mod postgres;
mod sqlite;

use std::io::Write as _;
use std::time::Duration;

use super::artefacts::{Artefacts, StagedWriter};
use super::error::{ConnectionError, Step};
use super::listing::{Fetched, FoundFile, Listing, Looking, Seen};
use super::outside::Credentials;
use crate::model::job::{SqlDatabase, SqlPlace};

/// Longest value of a cursor column that is kept, in bytes.
const MARK_BYTES_MAX: usize = 1_024;

/// The one file of the name; what is in it, the query says when it is pulled.
pub(super) fn list(looking: &Looking<'_>) -> Listing {
    let file = FoundFile {
        name: looking.pattern.to_owned(),
        size: 0,
        modified_ms: looking.now_ms,
        seen: Seen { device: 0, inode: 0, size: 0, modified: (0, 0) },
        mark: looking.mark.map(str::to_owned),
    };
    Listing { files: vec![file], left: Vec::new() }
}

/// Runs the query. None if it gives no rows.
pub(super) async fn pull(
    place: &SqlPlace,
    credentials: Credentials<'_>,
    file: &FoundFile,
    artefacts: &Artefacts,
) -> Result<Option<Fetched>, ConnectionError> {
    let since = file.mark.as_deref().filter(|_| place.cursor.is_some());
    let mut sheet = Sheet { place, writer: artefacts.writer()?, rows: 0, mark: None };
    let work = async {
        match &place.database {
            SqlDatabase::Postgres(server) => postgres::read((place, server), credentials, since, &mut sheet).await,
            SqlDatabase::Sqlite(path) => sqlite::read((place, path), since, &mut sheet).await,
        }
    };
    // The databases end the query themselves a little earlier; this is for one that does not answer any more.
    let limit = Duration::from_secs(place.seconds_max + GRACE_SECONDS);
    tokio::time::timeout(limit, work).await.map_err(|_| too_long(place))??;
    if sheet.rows == 0 {
        return Ok(None);
    }
    // Where it goes on is kept even if the last row has no value: from where it went on before.
    let mark = sheet.mark.or_else(|| since.map(str::to_owned)).filter(|_| place.cursor.is_some());
    Ok(Some(Fetched { stored: sheet.writer.commit()?, mark }))
}

/// Signs in and has the query looked at, and does not run it.
pub(super) async fn check(
    place: &SqlPlace,
    credentials: Credentials<'_>,
    done: &mut dyn FnMut(Step, String),
) -> Result<(), ConnectionError> {
    let columns = match &place.database {
        SqlDatabase::Postgres(server) => {
            let mut connection = postgres::open((place, server), credentials).await?;
            let encrypted = [Step::Certificate].into_iter().filter(|_| server.encrypted);
            for step in [Step::Resolve, Step::Connect].into_iter().chain(encrypted).chain([Step::SignIn]) {
                done(step, String::new());
            }
            postgres::columns((place, server), &mut connection).await?
        }
        SqlDatabase::Sqlite(path) => {
            let mut connection = sqlite::open((place, path)).await?;
            done(Step::Connect, String::new());
            sqlite::columns((place, path), &mut connection).await?
        }
    };
    done(Step::Read, format!("the query gives {}", columns.join(", ")));
    Ok(())
}

/// How long a database that should have ended a query is waited for.
const GRACE_SECONDS: u64 = 5;

/// How a database is called in errors.
pub(super) fn name(place: &SqlPlace) -> String {
    match &place.database {
        SqlDatabase::Postgres(server) => format!("postgres://{}@{}:{}/{}", server.user, server.host, server.port, server.database),
        SqlDatabase::Sqlite(path) => path.display().to_string(),
    }
}

fn refused(place: &SqlPlace, step: Step, why: impl Into<String>) -> ConnectionError {
    ConnectionError::Refused { place: name(place), step, why: why.into() }
}

fn too_long(place: &SqlPlace) -> ConnectionError {
    let why = format!("the query took more than {} s: see seconds-max in connections.toml", place.seconds_max);
    refused(place, Step::Read, why)
}

/// Sees that every column can be told from the others, and that the one that goes on is among them.
fn distinct(place: &SqlPlace, columns: &[String]) -> Result<(), ConnectionError> {
    let wrong = |why: String| Err(refused(place, Step::Read, why));
    for (at, column) in columns.iter().enumerate() {
        if columns[..at].contains(column) {
            return wrong(format!("the query gives two columns {column:?}: name one of them otherwise with AS"));
        }
    }
    match &place.cursor {
        Some(cursor) if !columns.contains(cursor) => {
            wrong(format!("the query gives no column {cursor:?}, which cursor-column names; it gives {}", columns.join(", ")))
        }
        _ => Ok(()),
    }
}

/// What the query gave so far.
struct Sheet<'a> {
    place: &'a SqlPlace,
    writer: StagedWriter,
    rows: u64,
    /// The last value of the cursor column.
    mark: Option<String>,
}

impl Sheet<'_> {
    /// Adds a row: a JSON object, and the value of the cursor column.
    fn row(&mut self, json: &str, mark: Option<String>) -> Result<(), ConnectionError> {
        self.rows += 1;
        let (rows_max, bytes_max) = (self.place.rows_max, self.place.file_bytes_max);
        if self.rows > rows_max {
            let why = format!("the query gives more than {rows_max} rows: see rows-max in connections.toml");
            return Err(refused(self.place, Step::Read, why));
        }
        if self.writer.size() + json.len() as u64 + 1 > bytes_max {
            let why = format!("the query gives more than {bytes_max} bytes: see file-bytes-max in connections.toml");
            return Err(refused(self.place, Step::Read, why));
        }
        let written = self.writer.write_all(json.as_bytes()).and_then(|()| self.writer.write_all(b"\n"));
        written.map_err(|error| ConnectionError::store(std::path::Path::new("staging"), error))?;
        if let Some(mark) = mark {
            if mark.len() > MARK_BYTES_MAX {
                let why = format!("a value of cursor-column has {} bytes, and {MARK_BYTES_MAX} are kept", mark.len());
                return Err(refused(self.place, Step::Read, why));
            }
            self.mark = Some(mark);
        }
        Ok(())
    }
}
