//! How a registry fails whoever asks it, by whose move is next.

use std::io;
use std::path::PathBuf;

use crate::connection::error::ConnectionError;
use crate::model::ids::Digest;

/// Why nothing was pulled from a registry, or published to it. No text of it has a credential in it.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// Whoever typed it: this is no address. It is not repeated, as it could hold a password.
    #[error("this is no address in a registry: {why}. It is written oci://HOST[:PORT]/NAME:TAG or oci://HOST[:PORT]/NAME@sha256:DIGEST")]
    Address {
        /// What is wrong with it.
        why: &'static str,
    },
    /// Whoever asks: what was given as credentials is not of their form. Nothing was sent.
    #[error("the credentials for {host} cannot be used: {why}. Give a file with one line, USER:PASSWORD")]
    Credentials {
        /// The registry.
        host: String,
        /// What is wrong with them.
        why: &'static str,
    },
    /// Whoever asks: the file of certificates.
    #[error("{} cannot be used: {why}. Name a file of certificates in PEM with --ca-file", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The registry's keeper, or whoever asks, with other credentials.
    #[error("{host} does not let you in: {why}. Give credentials that it accepts with --credentials, or ask who keeps the registry")]
    SignIn {
        /// The registry.
        host: String,
        /// What it does not accept.
        why: String,
    },
    /// Whoever typed it, or whoever was to publish it.
    #[error("{what} is not there, or you may not see it: look at the name and the tag, or give credentials with --credentials")]
    NotThere {
        /// What was asked for.
        what: String,
    },
    /// Whoever publishes: something else has the tag. Nothing was changed.
    #[error("{what} is something else already, sha256:{digest}: choose another tag, or say --replace to move this one")]
    TagTaken {
        /// The address.
        what: String,
        /// What has the tag.
        digest: Digest,
    },
    /// Whoever typed it: something lies there, and it is no component.
    #[error(
        "{what} is no WebAssembly component: {why}. Name one that `bailiwick plugin publish`, or another tool for Wasm artifacts, put there"
    )]
    NotAComponent {
        /// The address.
        what: String,
        /// What it is instead.
        why: String,
    },
    /// Whoever made it makes it smaller.
    #[error("{what} has {bytes} bytes, and may have {allowed}: nothing of it was kept. Its author makes it smaller")]
    TooLarge {
        /// What.
        what: String,
        /// Its size, or what had come of it when it was given up.
        bytes: u64,
        /// What is accepted.
        allowed: u64,
    },
    /// The registry's keeper: it gives other bytes than it says. None of them was used.
    #[error(
        "{what} is not what its digest says: {why}. Nothing of it was kept. Try again, and if it stays so, tell who keeps the registry"
    )]
    Damaged {
        /// What.
        what: String,
        /// How it differs.
        why: String,
    },
    /// The registry's keeper, or whoever asks: it will say no again.
    #[error("{host} refused: {why}")]
    Refused {
        /// The registry.
        host: String,
        /// What it says, or why nothing was sent.
        why: String,
    },
    /// The network's or the registry's. It may be tried again.
    #[error("{host} failed: {why}. Try again later")]
    Failing {
        /// The registry.
        host: String,
        /// What it says.
        why: String,
    },
    /// The same, where there was no answer at all.
    #[error("{0}. If the address is right, try again later")]
    Unanswered(ConnectionError),
    /// The operator's: the disk.
    #[error("what was pulled cannot be written: {0}")]
    Disk(io::Error),
}
