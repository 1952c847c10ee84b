//! Connections written again as connections.toml, as they are kept with the runs that went by them.

use std::path::Path;

use serde::Serialize;

use crate::model::ids::SecretName;
use crate::model::job::{ApiPlace, Connection, Place, S3Place, SendMethod, SignIn, SmtpPlace, SqlDatabase};

/// Connections as connections.toml, with absolute paths and every option written out.
#[must_use]
pub fn text(connections: &[&Connection]) -> String {
    let entry = |connection: &&Connection| Entry {
        partner: connection.partner.to_string(),
        name: connection.name.to_string(),
        runs_at_once: connection.runs_at_once,
        ..of(&connection.place)
    };
    toml::to_string(&File { connection: connections.iter().map(entry).collect() }).expect("names, texts and numbers are TOML")
}

#[derive(Serialize)]
struct File {
    connection: Vec<Entry>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Entry {
    partner: String,
    name: String,
    kind: &'static str,
    path: Option<String>,
    settle_ms: Option<u64>,
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    host_key: Option<Vec<String>>,
    folder: Option<String>,
    password_secret: Option<String>,
    key_secret: Option<String>,
    key_passphrase_secret: Option<String>,
    url: Option<String>,
    token_secret: Option<String>,
    ca_file: Option<String>,
    client_certificate: Option<String>,
    client_key_secret: Option<String>,
    method: Option<&'static str>,
    content_type: Option<String>,
    idempotent: Option<bool>,
    cursor_header: Option<String>,
    region: Option<String>,
    bucket: Option<String>,
    prefix: Option<String>,
    path_style: Option<bool>,
    access_key: Option<String>,
    database: Option<String>,
    encrypted: Option<bool>,
    query: Option<String>,
    cursor_column: Option<String>,
    from: Option<String>,
    tls: Option<&'static str>,
    rows_max: Option<u64>,
    seconds_max: Option<u64>,
    silence_seconds_max: Option<u64>,
    file_bytes_max: Option<u64>,
    requests: Option<Vec<String>>,
    redirects: Option<Vec<String>>,
    allow_private: Option<bool>,
    api_key_header: Option<String>,
    api_key_secret: Option<String>,
    oauth_url: Option<String>,
    oauth_client: Option<String>,
    oauth_secret: Option<String>,
    oauth_scope: Option<String>,
    answer_bytes_max: Option<u64>,
    runs_at_once: Option<u32>,
}

fn of(place: &Place) -> Entry {
    let secret = |name: &Option<SecretName>| name.as_ref().map(ToString::to_string);
    match place {
        Place::Folder { path: folder, settle_ms } => {
            Entry { kind: "folder", path: Some(path_text(folder)), settle_ms: Some(*settle_ms), ..Entry::default() }
        }
        Place::Sftp(sftp) => Entry {
            kind: "sftp",
            host: Some(sftp.host.clone()),
            port: Some(sftp.port),
            user: Some(sftp.user.clone()),
            host_key: Some(sftp.host_keys.clone()),
            folder: Some(sftp.folder.clone()),
            password_secret: secret(&sftp.password),
            key_secret: secret(&sftp.key),
            key_passphrase_secret: secret(&sftp.key_passphrase),
            settle_ms: Some(sftp.settle_ms),
            silence_seconds_max: Some(sftp.silence_seconds_max),
            file_bytes_max: Some(sftp.file_bytes_max),
            ..Entry::default()
        },
        Place::Https(https) => Entry {
            kind: "https",
            url: Some(https.url.clone()),
            user: https.user.clone(),
            password_secret: secret(&https.password),
            token_secret: secret(&https.token),
            ca_file: https.ca_file.as_deref().map(path_text),
            client_certificate: https.client_certificate.as_deref().map(path_text),
            client_key_secret: secret(&https.client_key),
            method: Some(match https.method {
                SendMethod::Post => "post",
                SendMethod::Put => "put",
            }),
            content_type: Some(https.content_type.clone()),
            idempotent: Some(https.idempotent),
            cursor_header: https.cursor_header.clone(),
            silence_seconds_max: Some(https.silence_seconds_max),
            file_bytes_max: Some(https.file_bytes_max),
            ..Entry::default()
        },
        Place::Api(api) => api_entry(api),
        Place::S3(place) => s3(place),
        Place::Sql(sql) => Entry {
            query: Some(sql.query.as_str().to_owned()),
            cursor_column: sql.cursor.clone(),
            rows_max: Some(sql.rows_max),
            seconds_max: Some(sql.seconds_max),
            file_bytes_max: Some(sql.file_bytes_max),
            ..database(&sql.database)
        },
        Place::Smtp(place) => smtp(place),
    }
}

fn api_entry(api: &ApiPlace) -> Entry {
    let name = |name: &SecretName| Some(name.to_string());
    let entry = Entry {
        kind: "api",
        url: Some(api.url.clone()),
        ca_file: api.ca_file.as_deref().map(path_text),
        client_certificate: api.client_certificate.as_deref().map(path_text),
        client_key_secret: api.client_key.as_ref().map(ToString::to_string),
        requests: Some(api.requests.iter().map(ToString::to_string).collect()),
        redirects: (!api.redirects.is_empty()).then(|| api.redirects.iter().map(ToString::to_string).collect()),
        allow_private: Some(api.allow_private),
        idempotent: Some(api.idempotent),
        answer_bytes_max: Some(api.answer_bytes_max),
        ..Entry::default()
    };
    match &api.sign_in {
        SignIn::Not => entry,
        SignIn::Basic { user, password } => Entry { user: Some(user.clone()), password_secret: name(password), ..entry },
        SignIn::Bearer { token } => Entry { token_secret: name(token), ..entry },
        SignIn::ApiKey { header, key } => Entry { api_key_header: Some(header.clone()), api_key_secret: name(key), ..entry },
        SignIn::OAuth { url, client, secret, scope } => Entry {
            oauth_url: Some(url.clone()),
            oauth_client: Some(client.clone()),
            oauth_secret: name(secret),
            oauth_scope: scope.clone(),
            ..entry
        },
    }
}

fn database(database: &SqlDatabase) -> Entry {
    match database {
        SqlDatabase::Sqlite(file) => Entry { kind: "sqlite", path: Some(path_text(file)), ..Entry::default() },
        SqlDatabase::Postgres(server) => Entry {
            kind: "postgres",
            host: Some(server.host.clone()),
            port: Some(server.port),
            database: Some(server.database.clone()),
            user: Some(server.user.clone()),
            password_secret: server.password.as_ref().map(ToString::to_string),
            encrypted: Some(server.encrypted),
            ca_file: server.ca_file.as_deref().map(path_text),
            ..Entry::default()
        },
    }
}

fn s3(s3: &S3Place) -> Entry {
    Entry {
        kind: "s3",
        url: Some(s3.url.clone()),
        region: Some(s3.region.clone()),
        bucket: Some(s3.bucket.clone()),
        prefix: Some(s3.prefix.clone()),
        path_style: Some(s3.path_style),
        access_key: Some(s3.access_key.clone()),
        key_secret: Some(s3.key.to_string()),
        ca_file: s3.ca_file.as_deref().map(path_text),
        silence_seconds_max: Some(s3.silence_seconds_max),
        file_bytes_max: Some(s3.file_bytes_max),
        ..Entry::default()
    }
}

fn smtp(smtp: &SmtpPlace) -> Entry {
    Entry {
        kind: "smtp",
        host: Some(smtp.host.clone()),
        port: Some(smtp.port),
        tls: Some(if smtp.tls_first { "at-once" } else { "starttls" }),
        user: smtp.user.clone(),
        password_secret: smtp.password.as_ref().map(ToString::to_string),
        from: Some(smtp.from.clone()),
        ca_file: smtp.ca_file.as_deref().map(path_text),
        silence_seconds_max: Some(smtp.silence_seconds_max),
        ..Entry::default()
    }
}

fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
