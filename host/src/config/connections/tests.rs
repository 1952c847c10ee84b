//! Connections on servers: read, written again, and every way in which one can be wrong.
#![allow(clippy::unwrap_used)]

use crate::config::tests::{PARTNERS, files, refused_of, write};
use crate::config::{connections_text, load, reload};
use crate::model::job::{Connection, Place, SqlDatabase, Told};

/// One connection of each kind that is on a server, with every option.
const SERVERS: &str = r#"[[connection]]
partner = "staffordshire-police"
name = "fund-sftp"
kind = "sftp"
host = "sftp.fund.example"
port = 2222
user = "police-sftp"
host-key = ["SHA256:ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og"]
password-secret = "fund-password"
key-secret = "fund-key"
key-passphrase-secret = "fund-passphrase"
folder = "incoming/police"
settle-ms = 5000
silence-seconds-max = 60
file-bytes-max = 1000000
runs-at-once = 2
[[connection]]
partner = "staffordshire-police"
name = "claims-api"
kind = "https"
url = "https://api.claims.example/v1"
user = "police"
password-secret = "claims-password"
ca-file = "ca/claims.pem"
client-certificate = "ca/police.pem"
client-key-secret = "claims-client-key"
method = "put"
content-type = "application/jsonl"
idempotent = false
cursor-header = "x-next"
silence-seconds-max = 10
file-bytes-max = 2000000
[[connection]]
partner = "staffordshire-police"
name = "provider"
kind = "api"
url = "https://api.provider.example:8443/v2/"
oauth-url = "https://tokens.provider.example/token"
oauth-client = "police"
oauth-secret = "provider-secret"
oauth-scope = "payments"
ca-file = "ca/provider.pem"
client-certificate = "ca/police.pem"
client-key-secret = "claims-client-key"
requests = ["GET /payments", "GET /payments/*", "POST /payments"]
redirects = ["files.provider.example/exports/**"]
allow-private = true
idempotent = true
answer-bytes-max = 1000000
[[connection]]
partner = "staffordshire-police"
name = "archive"
kind = "s3"
url = "https://s3.eu-west-2.amazonaws.com/"
region = "eu-west-2"
bucket = "police-archive"
prefix = "incoming/police"
access-key = "AKIAEXAMPLE"
key-secret = "archive-key"
silence-seconds-max = 20
[[connection]]
partner = "staffordshire-police"
name = "hr"
kind = "postgres"
host = "db.hr.example"
database = "hr"
user = "reader"
password-secret = "hr-password"
ca-file = "ca/hr.pem"
query = "SELECT id, changed FROM staff WHERE {since} IS NULL OR changed > {since}::date ORDER BY changed"
cursor-column = "changed"
rows-max = 5000
seconds-max = 9
[[connection]]
partner = "staffordshire-police"
name = "fleet"
kind = "sqlite"
path = "data/fleet.db"
query = "SELECT plate FROM vehicles"
[[connection]]
partner = "staffordshire-police"
name = "mail"
kind = "smtp"
host = "smtp.police.example"
user = "hub"
password-secret = "mail-password"
from = "hub@police.example"
tls = "at-once"
"#;

fn with_servers() -> Vec<(&'static str, String)> {
    let mut all = files();
    // At the top, so that the first of a text is theirs.
    all.iter_mut().find(|(name, _)| *name == "connections.toml").unwrap().1.insert_str(0, SERVERS);
    all
}

#[test]
fn servers_are_read_and_written_again_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &with_servers());
    let read = load(folder.path()).unwrap();
    let connections: Vec<&Connection> = read.connections.iter().filter(|one| one.partner.as_str() == "staffordshire-police").collect();
    let Place::Sftp(sftp) = &connections[0].place else { panic!("sftp") };
    assert_eq!(
        (sftp.host.as_str(), sftp.port, sftp.settle_ms, sftp.folder.as_str()),
        ("sftp.fund.example", 2_222, 5_000, "incoming/police")
    );
    let Place::Https(https) = &connections[1].place else { panic!("https") };
    assert_eq!((https.url.as_str(), https.idempotent), ("https://api.claims.example/v1", false));
    assert_eq!(https.ca_file, Some(folder.path().join("ca/claims.pem")));
    assert_eq!(connections[1].place.secrets().len(), 2);
    let Place::S3(s3) = &connections[3].place else { panic!("s3") };
    assert_eq!((s3.prefix.as_str(), s3.path_style, s3.key.as_str()), ("incoming/police/", false, "archive-key"));
    let Place::Sql(sql) = &connections[4].place else { panic!("sql") };
    assert_eq!((sql.rows_max, sql.seconds_max, sql.cursor.as_deref()), (5_000, 9, Some("changed")));
    let SqlDatabase::Postgres(server) = &sql.database else { panic!("postgres") };
    assert_eq!((server.port, server.encrypted, server.host.as_str()), (5_432, true, "db.hr.example"));
    let Place::Sql(sql) = &connections[5].place else { panic!("sql") };
    assert_eq!(sql.database, SqlDatabase::Sqlite(folder.path().join("data/fleet.db")));
    let Place::Smtp(smtp) = &connections[6].place else { panic!("smtp") };
    assert_eq!((smtp.port, smtp.tls_first, smtp.from.as_str()), (465, true, "hub@police.example"));
    assert_eq!((connections[0].runs_at_once, connections[1].runs_at_once), (Some(2), None));
    let Place::Api(api) = &connections[2].place else { panic!("api") };
    assert_eq!((api.url.as_str(), api.allow_private, api.requests.len()), ("https://api.provider.example:8443/v2", true, 3));
    assert_eq!((api.redirects[0].to_string(), connections[2].place.secrets().len()), ("files.provider.example/exports/**".to_owned(), 2));
    let text = connections_text(&connections);
    assert!(text.contains("kind = \"folder\"\npath = ") && !text.contains("None"), "{text}");
    let texts = [("partners.toml", PARTNERS), ("connections.toml", text.as_str())].map(|(name, text)| (name.to_owned(), text.to_owned()));
    let again = reload(&texts.into()).unwrap();
    assert_eq!(again.connections.iter().collect::<Vec<_>>(), connections);
}

#[test]
fn wrong_servers_are_refused_with_their_line() {
    for (from, to, at, told) in [
        ("port = 2222", "prot = 2222", "prot", "unknown field"),
        ("port = 2222", "port = 70000", "port = 70000", "port is 70000"),
        ("host = \"sftp.fund.example\"\n", "", "kind = \"sftp\"", "needs host"),
        ("host-key = [\"SHA256:ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og\"]\n", "", "kind = \"sftp\"", "which key the server has"),
        ("[\"SHA256:ohD8VZEXGWo6Ez8GSEJQ9WpafgLFsOfLOtGGQCQo6Og\"]", "\"SHA256:short\"", "SHA256:short", "neither a SHA256 fingerprint"),
        ("password-secret = \"fund-password\"\nkey-secret = \"fund-key\"\n", "", "kind = \"sftp\"", "how the hub signs in"),
        ("\"fund-password\"", "\"Hunter 2!\"", "Hunter 2!", "is not a name"),
        ("folder = \"incoming/police\"", "path = \"incoming\"", "path = \"incoming\"", "path does not belong"),
        ("settle-ms = 5000", "settle-ms = 600001", "settle-ms", "settle-ms is 600001"),
        ("https://api.claims.example/v1", "http://api.claims.example/v1", "http://", "begins with https://"),
        ("https://api.claims.example/v1", "https://police:hunter2@api.claims.example/", "hunter2", "begins with https://"),
        ("password-secret = \"claims-password\"\n", "", "user = \"police\"", "belong together"),
        ("client-certificate = \"ca/police.pem\"\n", "", "client-key-secret", "belong together"),
        ("ca-file = \"ca/claims.pem\"", "token-secret = \"t\"", "token-secret", "not both"),
        ("method = \"put\"", "method = \"patch\"", "patch", "unknown variant"),
        ("content-type = \"application/jsonl\"", "content-type = \"é\"", "é", "cannot stand in a header"),
        ("idempotent = false", "idempotent = \"no\"", "\"no\"", "invalid type"),
        ("https://api.provider.example:8443/v2/", "https://api.provider.example:99999/", "99999", "no plain address"),
        ("https://api.provider.example:8443/v2/", "https://api.provider.example/v2/../v1", "/../", "no plain address"),
        ("https://tokens.provider.example/token", "http://tokens.provider.example/token", "http://tokens", "begins with https://"),
        ("oauth-client = \"police\"\n", "", "oauth-url", "belong together"),
        (
            "oauth-url = \"https://tokens.provider.example/token\"\noauth-client = \"police\"\noauth-secret = \"provider-secret\"\n",
            "",
            "oauth-scope",
            "belongs to oauth-url",
        ),
        ("oauth-scope = \"payments\"", "token-secret = \"t\"", "oauth-url", "in one way"),
        ("oauth-scope = \"payments\"", "method = \"post\"", "method = \"post\"", "method does not belong"),
        (
            "requests = [\"GET /payments\", \"GET /payments/*\", \"POST /payments\"]\n",
            "",
            "kind = \"api\"",
            "nothing says what may be asked",
        ),
        ("\"GET /payments/*\"", "\"GET payments\"", "GET payments", "no rule for requests"),
        ("\"GET /payments/*\"", "\"GET /../admin\"", "/../admin", "no rule for requests"),
        ("files.provider.example/exports/**", "https://files.provider.example/exports", "https://files", "redirected to"),
        ("allow-private = true", "allow-private = 1", "allow-private = 1", "invalid type"),
        ("idempotent = true\nanswer-bytes-max = 1000000", "api-key-header = \"host\"\napi-key-secret = \"k\"", "oauth-url", "in one way"),
        ("answer-bytes-max = 1000000", "answer-bytes-max = 0", "answer-bytes-max", "answer-bytes-max is 0"),
        ("SELECT plate FROM vehicles", "DELETE FROM vehicles", "DELETE", "only SELECT and WITH"),
        ("SELECT plate FROM vehicles", "SELECT 1; SELECT 2", "SELECT 1", "more than one statement"),
        ("cursor-column = \"changed\"\n", "", "SELECT id", "belong together"),
        ("query = \"SELECT plate FROM vehicles\"", "query = \"SELECT 1\"\ncursor-column = \"x\"", "\"x\"", "belong together"),
        ("path = \"data/fleet.db\"", "host = \"x\"", "host = \"x\"", "host does not belong"),
        ("ca-file = \"ca/hr.pem\"", "encrypted = false\nca-file = \"ca/hr.pem\"", "ca/hr.pem", "nothing is encrypted"),
        ("hub@police.example", "hub at police", "hub at police", "no address"),
        ("from = \"hub@police.example\"\n", "", "kind = \"smtp\"", "needs from"),
        ("tls = \"at-once\"", "tls = \"never\"", "never", "unknown variant"),
        ("password-secret = \"mail-password\"\n", "", "user = \"hub\"", "belong together"),
        ("\"police-archive\"", "\"Police\"", "Police", "no name of a bucket"),
        ("incoming/police\"\naccess", "in/../out\"\naccess", "in/../out", "no beginning of keys"),
        ("key-secret = \"archive-key\"\n", "", "kind = \"s3\"", "how the hub signs requests"),
        ("region = \"eu-west-2\"\n", "", "kind = \"s3\"", "needs region"),
        ("https://s3.eu-west-2", "http://s3.eu-west-2", "http://", "begins with https://"),
    ] {
        refused_of(&with_servers(), "connections.toml", ((from, to), at), told);
    }
}

#[test]
fn people_are_told_by_a_mail_server_and_files_do_not_go_there() {
    const NOTIFY: &str = "[notify]\nconnection = \"mail\"\nto = [\"payroll@police.example\"]\non = [\"held\", \"delivered\"]\n[[input]]";
    let mut files = with_servers();
    let job = files.iter_mut().find(|(name, _)| name.starts_with("jobs/")).unwrap();
    let name = job.0;
    job.1 = job.1.replacen("[[input]]", NOTIFY, 1);
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files);
    let notify = load(folder.path()).unwrap().jobs[0].notify.clone().unwrap();
    assert_eq!(
        (notify.to.as_slice(), notify.on.as_slice()),
        (&["payroll@police.example".to_owned()][..], &[Told::Held, Told::Delivered][..])
    );
    for (from, to, at, told) in [
        ("\"mail\"", "\"archive\"", "\"archive\"", "nobody is told anything"),
        ("\"mail\"", "\"post\"", "\"post\"", "has no connection"),
        ("\"payroll@police.example\"", "", "\"mail\"", "0 addresses"),
        ("payroll@police.example", "payroll@police.example\\nBcc: x@y.example", "Bcc", "no address of a mailbox"),
        ("\"delivered\"", "\"done\"", "\"done\"", "nothing that people are told"),
        ("\"delivered\"", "\"held\"", "\"held\", \"held\"", "stands here twice"),
        ("connection = \"payroll-drop\"", "connection = \"mail\" # in", "# in", "nothing is taken from"),
        ("connection = \"pension-fund\"", "connection = \"mail\" # out", "# out", "nothing is delivered to"),
        ("connection = \"pension-fund\"", "connection = \"hr\" # out", "# out", "nothing is delivered to"),
    ] {
        refused_of(&files, name, ((from, to), at), told);
    }
}
