//! The kinds of place outside, and what each says of itself.

use std::path::PathBuf;

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
}

impl Place {
    /// Whether a delivery that is made again does nothing the second time.
    #[must_use]
    pub const fn recognises_repeats(&self) -> bool {
        match self {
            Self::Folder { .. } | Self::Sftp(_) => true,
            Self::Https(place) => place.idempotent,
        }
    }

    /// Whether what is delivered is a file that nobody sees until it is given its name.
    #[must_use]
    pub const fn gives_names(&self) -> bool {
        matches!(self, Self::Folder { .. } | Self::Sftp(_))
    }

    /// The credentials that it uses.
    #[must_use]
    pub fn secrets(&self) -> Vec<&SecretName> {
        match self {
            Self::Folder { .. } => Vec::new(),
            Self::Sftp(place) => [&place.password, &place.key, &place.key_passphrase].into_iter().flatten().collect(),
            Self::Https(place) => [&place.password, &place.token, &place.client_key].into_iter().flatten().collect(),
        }
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
