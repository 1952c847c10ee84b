//! Why the server does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the server does not start, or keeps the certificate that it has.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The operator names another address, or stops whoever has it.
    #[error("the hub cannot listen at {address}: {why}")]
    CannotListen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        why: String,
    },
    /// The operator gives a certificate, or says that a proxy has one.
    #[error(
        "the hub does not listen at {address} without TLS, as tokens would cross the network in the open: give --tls-cert and --tls-key, or \
         --plain-http if a proxy on the way does TLS"
    )]
    Open {
        /// Where.
        address: SocketAddr,
    },
    /// The operator mends the file.
    #[error("{path} cannot be used for TLS: {why}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}
