//! The kinds of place outside, and what each says of itself.

use std::path::PathBuf;

use super::query::Query;
use crate::model::http::RequestRule;
use crate::model::ids::SecretName;

/// The kinds of place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder on the hub's machine.
    Folder {
        /// Absolute, or made absolute against the folder of the configuration.
        path: PathBuf,
        /// How long a file must have been left alone before it is taken.
        settle_ms: u64,
    },
    /// A folder on a server that is reached by SFTP.
    Sftp(SftpPlace),
    /// Resources of a web server.
    Https(HttpsPlace),
    /// A provider's API, which a connector speaks.
    Api(ApiPlace),
    /// Objects of an S3-compatible store.
    S3(S3Place),
    /// The rows of a query.
    Sql(SqlPlace),
    /// A mail server, for notices.
    Smtp(SmtpPlace),
}

impl Place {
    /// Whether a delivery that is made again does nothing the second time.
    #[must_use]
    pub const fn recognises_repeats(&self) -> bool {
        match self {
            Self::Folder { .. } | Self::Sftp(_) | Self::S3(_) | Self::Sql(_) | Self::Smtp(_) => true,
            Self::Https(place) => place.idempotent,
            Self::Api(place) => place.idempotent,
        }
    }

    /// Whether what is delivered is a file that nobody sees until it is given its name.
    #[must_use]
    pub const fn gives_names(&self) -> bool {
        matches!(self, Self::Folder { .. } | Self::Sftp(_) | Self::S3(_))
    }

    /// The credentials that it uses.
    #[must_use]
    pub fn secrets(&self) -> Vec<&SecretName> {
        match self {
            Self::Folder { .. } => Vec::new(),
            Self::Sftp(place) => [&place.password, &place.key, &place.key_passphrase].into_iter().flatten().collect(),
            Self::Https(place) => [&place.password, &place.token, &place.client_key].into_iter().flatten().collect(),
            Self::Api(place) => place.sign_in.secret().into_iter().chain(place.client_key.as_ref()).collect(),
            Self::S3(place) => vec![&place.key],
            Self::Sql(SqlPlace { database: SqlDatabase::Postgres(server), .. }) => server.password.iter().collect(),
            Self::Sql(SqlPlace { database: SqlDatabase::Sqlite(_), .. }) => Vec::new(),
            Self::Smtp(place) => place.password.iter().collect(),
        }
    }

    /// Whether a job can deliver to it.
    #[must_use]
    pub const fn takes_files(&self) -> bool {
        !matches!(self, Self::Sql(_) | Self::Smtp(_))
    }

    /// Whether a job can take something from it.
    #[must_use]
    pub const fn gives_files(&self) -> bool {
        !matches!(self, Self::Smtp(_))
    }

    /// Whether people are told by it.
    #[must_use]
    pub const fn tells_people(&self) -> bool {
        matches!(self, Self::Smtp(_))
    }
}

/// A folder on a server that is reached by SFTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SftpPlace {
    /// The server: a name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whom the hub signs in as.
    pub user: String,
    /// Keys that the server may show, of which it must show one: `SHA256:` fingerprints, or whole public keys.
    pub host_keys: Vec<String>,
    /// The credential that is the user's password.
    pub password: Option<SecretName>,
    /// The credential that is the user's private key.
    pub key: Option<SecretName>,
    /// The credential that opens the private key.
    pub key_passphrase: Option<SecretName>,
    /// The folder on the server.
    pub folder: String,
    /// How long a file must stay as it is, from one look to the next, before it is taken. The server's clock is not trusted.
    pub settle_ms: u64,
    /// Longest silence of the server in any step, in seconds.
    pub silence_seconds_max: u64,
    /// Largest file that is taken, in bytes.
    pub file_bytes_max: u64,
}

/// Resources of a web server, below one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpsPlace {
    /// The address, `https://host/path`; a resource is below it.
    pub url: String,
    /// With a password: whom the hub signs in as.
    pub user: Option<String>,
    /// The credential that is the user's password.
    pub password: Option<SecretName>,
    /// The credential that is sent as a bearer token.
    pub token: Option<SecretName>,
    /// PEM file of the authorities that may vouch for the server, in place of those of the web.
    pub ca_file: Option<PathBuf>,
    /// PEM file of the hub's own certificates, where the server wants one.
    pub client_certificate: Option<PathBuf>,
    /// The credential that is their private key, in PEM.
    pub client_key: Option<SecretName>,
    /// How a file is sent.
    pub method: SendMethod,
    /// What the sent files are.
    pub content_type: String,
    /// Whether the server promises to act once on one Idempotency-Key, however often it sees it.
    pub idempotent: bool,
    /// Header of an answer in which the server says where the next pull goes on; it is put for `{since}` in the file's name.
    pub cursor_header: Option<String>,
    /// Longest silence of the server in any step, in seconds.
    pub silence_seconds_max: u64,
    /// Largest answer that is taken, in bytes.
    pub file_bytes_max: u64,
}

/// How a file is sent to a web server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendMethod {
    /// To the connection's address itself.
    Post,
    /// To the file's name below the address.
    Put,
}

/// Objects of an S3-compatible store whose keys begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Place {
    /// The store's address, `https://host`.
    pub url: String,
    /// The region that requests are signed for.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// What the keys begin with: empty, or ending with `/`.
    pub prefix: String,
    /// Whether the bucket stands in the address's path; else it stands before its host.
    pub path_style: bool,
    /// The access key's id, which is no secret.
    pub access_key: String,
    /// The credential that is the secret access key.
    pub key: SecretName,
    /// PEM file of the authorities that may vouch for the server, in place of those of the web.
    pub ca_file: Option<PathBuf>,
    /// Longest silence of the server in any step, in seconds.
    pub silence_seconds_max: u64,
    /// Largest object that is taken, in bytes.
    pub file_bytes_max: u64,
}

/// The rows of one declared query, as JSON lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlPlace {
    /// Where the query is asked.
    pub database: SqlDatabase,
    /// The query.
    pub query: Query,
    /// The column whose last value is put for `{since}` the next time.
    pub cursor: Option<String>,
    /// Rows that are taken at most.
    pub rows_max: u64,
    /// How long the query may take, in seconds.
    pub seconds_max: u64,
    /// Bytes that are taken at most.
    pub file_bytes_max: u64,
}

/// A database that can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SqlDatabase {
    /// A PostgreSQL server's.
    Postgres(PostgresServer),
    /// A file of SQLite's, by its absolute path.
    Sqlite(PathBuf),
}

/// A PostgreSQL server, and who asks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresServer {
    /// A name, an address, or the folder of its socket.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database on it.
    pub database: String,
    /// Whom the hub signs in as: best a user that may only read.
    pub user: String,
    /// The credential that is the user's password.
    pub password: Option<SecretName>,
    /// Whether it is spoken to by TLS, and must show a certificate for its name.
    pub encrypted: bool,
    /// PEM file of the authorities that may vouch for it, in place of those of the web.
    pub ca_file: Option<PathBuf>,
}

/// A mail server that messages are handed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpPlace {
    /// The server: the name that its certificate is for.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether it is spoken to by TLS from the first byte; else by STARTTLS.
    pub tls_first: bool,
    /// With a password: whom the hub signs in as.
    pub user: Option<String>,
    /// The credential that is the user's password.
    pub password: Option<SecretName>,
    /// The address that messages are from.
    pub from: String,
    /// PEM file of the authority that may vouch for the server, in place of those of the web.
    pub ca_file: Option<PathBuf>,
    /// Longest silence of the server in any step, in seconds.
    pub silence_seconds_max: u64,
}

/// A provider's API below one address. What is asked there is a connector's to say, within what stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiPlace {
    /// The address, `https://host/path`, without a slash at its end.
    pub url: String,
    /// How the hub signs in. A connector sees nothing of it.
    pub sign_in: SignIn,
    /// PEM file of the authorities that may vouch for the server, in place of those of the web.
    pub ca_file: Option<PathBuf>,
    /// PEM file of the hub's own certificates, where the server wants one.
    pub client_certificate: Option<PathBuf>,
    /// The credential that is their private key, in PEM.
    pub client_key: Option<SecretName>,
    /// The requests that it allows; paths are below the address.
    pub requests: Vec<RequestRule>,
    /// Where else an answer may redirect to, without credentials.
    pub redirects: Vec<RedirectRule>,
    /// Whether its address may be one of a private network, or of the hub's own machine.
    pub allow_private: bool,
    /// Whether the provider promises to act once on one key, however often it sees it.
    pub idempotent: bool,
    /// Largest answer that is taken, in bytes.
    pub answer_bytes_max: u64,
}

/// How the hub signs in to a provider's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignIn {
    /// It does not.
    Not,
    /// With a name and a password.
    Basic {
        /// The name.
        user: String,
        /// The credential that is the password.
        password: SecretName,
    },
    /// With a token that does not run out.
    Bearer {
        /// The credential that is the token.
        token: SecretName,
    },
    /// With a key in a header of its own.
    ApiKey {
        /// The header, in lower case.
        header: String,
        /// The credential that is the key.
        key: SecretName,
    },
    /// With tokens that it fetches, and fetches anew when they run out (OAuth 2.0, client credentials).
    OAuth {
        /// Where tokens are given out.
        url: String,
        /// The hub's name there.
        client: String,
        /// The credential that is its secret there.
        secret: SecretName,
        /// What the tokens are to be good for.
        scope: Option<String>,
    },
}

impl SignIn {
    /// The credential that it uses.
    #[must_use]
    pub const fn secret(&self) -> Option<&SecretName> {
        match self {
            Self::Not => None,
            Self::Basic { password: secret, .. }
            | Self::Bearer { token: secret }
            | Self::ApiKey { key: secret, .. }
            | Self::OAuth { secret, .. } => Some(secret),
        }
    }
}

/// Another host that a provider may redirect to, and the paths there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectRule {
    /// Its name, in lower case, with the port where it is not 443.
    pub host: String,
    /// The paths.
    pub paths: RequestRule,
}

impl std::fmt::Display for RedirectRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.host, self.paths.path())
    }
}
