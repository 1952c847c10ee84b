//! Certificates: whom the hub trusts, and its own. For every place that is reached by TLS.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::connection::error::ConnectionError;
use crate::connection::outside::Credentials;
use crate::model::ids::SecretName;

/// Largest file of certificates.
const PEM_BYTES_MAX: u64 = 4 << 20;

/// Whom a place trusts, and who the hub is to it.
#[derive(Debug, Clone, Copy)]
pub(in crate::connection) struct Trust<'a> {
    pub(in crate::connection) ca_file: Option<&'a Path>,
    pub(in crate::connection) client_certificate: Option<&'a Path>,
    pub(in crate::connection) client_key: Option<&'a SecretName>,
}

/// How connections to a place are secured.
pub(in crate::connection) fn config(place: &Trust<'_>, credentials: Credentials<'_>) -> Result<TlsConfig, ConnectionError> {
    let roots = match place.ca_file {
        Some(file) => RootCerts::new_with_certs(&certificates(file)?),
        None => RootCerts::WebPki,
    };
    let own = match (place.client_certificate, credentials.get(place.client_key)?) {
        (Some(file), Some(key)) => Some(ClientCert::new_with_certs(&certificates(file)?, private_key(place, key)?)),
        _ => None,
    };
    Ok(TlsConfig::builder().root_certs(roots).client_cert(own).build())
}

fn private_key(place: &Trust<'_>, key: &SecretString) -> Result<PrivateKey<'static>, ConnectionError> {
    // What the reader says could repeat what it read.
    PrivateKey::from_pem(key.expose_secret().as_bytes()).map_err(|_| ConnectionError::Credential {
        name: place.client_key.cloned().expect("a key was given"),
        why: "is no private key in PEM".to_owned(),
    })
}

fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>, ConnectionError> {
    let unusable = |why: String| ConnectionError::FileUnusable { path: file.to_owned(), why };
    let size = std::fs::metadata(file).map_err(|error| unusable(error.to_string()))?.len();
    if size > PEM_BYTES_MAX {
        return Err(unusable(format!("it has {size} bytes and may have {PEM_BYTES_MAX}")));
    }
    let pem = std::fs::read(file).map_err(|error| unusable(error.to_string()))?;
    let mut found = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| unusable(error.to_string()))? {
            found.push(certificate);
        }
    }
    if found.is_empty() { Err(unusable("it has no certificate in PEM".to_owned())) } else { Ok(found) }
}
