//! Connections on servers: read, written again, and every way in which one can be wrong.
#![allow(clippy::unwrap_used)]

use crate::config::tests::{PARTNERS, files, refused_of, write};
use crate::config::{connections_text, load, reload};
use crate::model::job::{Connection, Place};

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
        ("oauth-scope = \"payments\"", "method = \"put\"", "method", "method does not belong"),
        (
            "requests = [\"GET /payments\", \"GET /payments/*\", \"POST /payments\"]\n",
            "",
            "kind = \"api\"",
            "nothing says what may be asked",
        ),
        ("\"GET /payments/*\"", "\"GET payments\"", "GET payments", "no rule for requests"),
        ("\"GET /payments/*\"", "\"GET /../admin\"", "/../admin", "no rule for requests"),
        ("files.provider.example/exports/**", "https://files.provider.example/exports", "https://files", "redirected to"),
        ("allow-private = true", "allow-private = 1", "1", "invalid type"),
        (
            "idempotent = true\nanswer-bytes-max = 1000000",
            "api-key-header = \"host\"\napi-key-secret = \"k\"",
            "api-key-header",
            "in one way",
        ),
        ("answer-bytes-max = 1000000", "answer-bytes-max = 0", "answer-bytes-max", "answer-bytes-max is 0"),
    ] {
        refused_of(&with_servers(), "connections.toml", ((from, to), at), told);
    }
}
