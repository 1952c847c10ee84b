//! The rows of a query, as they are declared.

use std::path::PathBuf;

use crate::model::job::{PostgresServer, Query, SqlDatabase, SqlPlace};

use super::{Entry, plain_path, span};

/// Rows that are taken, where the connection does not say, and at most.
const ROWS: (u64, std::ops::Range<u64>) = (1_000_000, 1..100_000_000);

/// How long a query may take in seconds, where the connection does not say, and at most.
const SECONDS: (u64, std::ops::Range<u64>) = (60, 1..3_600);

impl Entry<'_> {
    pub(super) fn postgres(&mut self) -> Option<SqlPlace> {
        let of = self.written;
        let host = self.text(of.host.as_ref(), "host = \"db.example.org\"");
        let (user, database) =
            (self.text(of.user.as_ref(), "user = \"…\""), self.text(of.database.as_ref(), "database = \"…\", its name on the server"));
        let password = self.secret(of.password_secret.as_ref());
        let port = self.amount(of.port.as_ref(), "port", (5_432, 1..65_535));
        // A socket is a file of this machine: nobody listens in between.
        let socket = host.as_ref().is_some_and(|host| host.starts_with('/'));
        let encrypted = of.encrypted.as_ref().map_or(!socket, |encrypted| *encrypted.get_ref());
        if let (Some(at), false) = (span(of.ca_file.as_ref()), encrypted) {
            self.wrong(at, "nothing is encrypted, so that no certificate is looked at", "take ca-file out, or encrypted = false");
        }
        let ca_file: Option<PathBuf> = of.ca_file.as_ref().map(|path| plain_path(&self.folder.join(path.get_ref())));
        let server = || {
            Some(PostgresServer {
                host: host?,
                port: u16::try_from(port).unwrap_or(5_432),
                database: database?,
                user: user?,
                password,
                encrypted,
                ca_file,
            })
        };
        let server = server();
        self.rows_of(server.map(SqlDatabase::Postgres))
    }

    pub(super) fn sqlite(&mut self) -> Option<SqlPlace> {
        let path = self.needed(self.written.path.as_ref(), "path = \"…\"").map(|path| plain_path(&self.folder.join(path)));
        self.rows_of(path.map(SqlDatabase::Sqlite))
    }

    fn rows_of(&mut self, database: Option<SqlDatabase>) -> Option<SqlPlace> {
        let of = self.written;
        let query = self.query();
        let cursor = of.cursor_column.as_ref().map(|column| column.get_ref().clone());
        if let Some(query) = query.as_ref().filter(|query| query.goes_on() != cursor.is_some()) {
            let at = span(of.cursor_column.as_ref()).or_else(|| span(of.query.as_ref())).unwrap_or_default();
            let to_do = if query.goes_on() {
                "name the column whose last value is put for {since} with cursor-column = \"…\""
            } else {
                "write {since} into the query, such as WHERE {since} IS NULL OR changed > CAST({since} AS date)"
            };
            self.wrong(at, "a column that goes on and a place for its last value belong together", to_do);
        }
        Some(SqlPlace {
            rows_max: self.amount(of.rows_max.as_ref(), "rows-max", ROWS),
            seconds_max: self.amount(of.seconds_max.as_ref(), "seconds-max", SECONDS),
            file_bytes_max: self.file_bytes(),
            database: database?,
            query: query?,
            cursor,
        })
    }

    fn query(&mut self) -> Option<Query> {
        let written = self.written.query.as_ref();
        let text = self.needed(written, "query = \"SELECT …\"")?;
        match Query::new(text) {
            Ok(query) => Some(query),
            Err(why) => {
                let at = span(written).unwrap_or_default();
                self.wrong(at, format!("this is no query that only reads: {why}"), "write one SELECT, with or without WITH");
                None
            }
        }
    }
}
