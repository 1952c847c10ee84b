//! Connections written again as connections.toml, as they are kept with the runs that went by them.

use std::path::Path;

use serde::Serialize;

use crate::model::ids::SecretName;
use crate::model::job::{ApiPlace, Connection, Place, SendMethod, SignIn};

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
    let path = |path: &Path| path.to_string_lossy().into_owned();
    match place {
        Place::Folder { path: folder, settle_ms } => {
            Entry { kind: "folder", path: Some(path(folder)), settle_ms: Some(*settle_ms), ..Entry::default() }
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
            ca_file: https.ca_file.as_deref().map(path),
            client_certificate: https.client_certificate.as_deref().map(path),
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
    }
}

fn api_entry(api: &ApiPlace) -> Entry {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let name = |name: &SecretName| Some(name.to_string());
    let entry = Entry {
        kind: "api",
        url: Some(api.url.clone()),
        ca_file: api.ca_file.as_deref().map(path),
        client_certificate: api.client_certificate.as_deref().map(path),
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
