//! Components in a registry of the OCI distribution specification, laid out as other tools for WebAssembly lay them out.
//!
//! ```text
//! place     oci://HOST/NAME:TAG           client    requests: TLS, redirects, bounds
//! manifest  what lies in a registry       sign_in   Basic, or a token that a challenge leads to
//! pull      from a registry               publish   to a registry
//! ```
//!
//! A signature is a manifest of its own, whose `subject` is the component's, under the tag `sha256-DIGEST.minisig`: readers of components
//! take no manifest with a second layer, and a tag is found in registries that cannot list what refers to a manifest.
//! Spoken with ureq, as every other server is: the crates for registries bring reqwest, a second client with a second TLS, for eight requests.
//! It must not know what a component is, nor whose signatures count.

mod client;
mod error;
mod manifest;
mod place;
mod publish;
mod pull;
mod sign_in;

use std::path::PathBuf;

use secrecy::SecretString;

pub use error::OciError;
pub use place::{Reference, Which};
pub use publish::{Publication, publish};
pub use pull::{Pulled, pull};

/// How the address of something in a registry begins.
pub const SCHEME: &str = "oci://";

/// How a registry is reached, and who asks.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// `USER:PASSWORD`; none where the registry is asked as anybody may. `Debug` does not show it.
    pub credentials: Option<SecretString>,
    /// The authority that vouches for the registry; none for those of the web.
    pub ca_file: Option<PathBuf>,
    /// Without TLS, also to another machine.
    pub plain_http: bool,
}
