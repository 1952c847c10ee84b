//! The hub's own certificate: read from two files, and read again when they change or when it is asked to.
//!
//! A certificate that cannot be used never takes the place of one that can.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use super::ServerError;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Where the hub's certificate is, and the key that belongs to it, both in PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, followed by those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The certificate in force. Clones are the same one.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    files: Arc<TlsFiles>,
    current: Arc<Current>,
}

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// By which it is seen that a file is another one, or was written to.
type Stamp = Option<(SystemTime, u64)>;

impl Tls {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// [`ServerError::Certificate`].
    pub(super) fn read(files: TlsFiles) -> Result<Self, ServerError> {
        let current = Arc::new(Current(RwLock::new(Arc::new(certified(&files)?))));
        Ok(Self { files: Arc::new(files), current })
    }

    /// What makes connections secure.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let provider = Arc::new(ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has what TLS 1.2 and 1.3 need");
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&self.current) as _;
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// Reads the files again; what is wrong with them is said, and the certificate in force stays.
    pub(super) fn read_again(&self) {
        match certified(&self.files) {
            Ok(new) => {
                let mut current = self.current.0.write().unwrap_or_else(PoisonError::into_inner);
                if current.cert != new.cert {
                    tracing::info!(certificate = %self.files.certificate.display(), "a new certificate is in force");
                }
                *current = Arc::new(new);
            }
            Err(error) => tracing::error!(%error, "the certificate in force stays, as the new one cannot be used"),
        }
    }

    /// Reads the files again whenever they have changed, for as long as this is waited for. It never answers.
    pub(super) async fn watch(&self) {
        let mut known = self.stamps();
        let mut seen = known;
        loop {
            tokio::time::sleep(LOOK).await;
            let now = self.stamps();
            // The two are written one after the other: they are read when both have been left alone for a while.
            if now == seen && now != known {
                known = now;
                let tls = self.clone();
                if tokio::task::spawn_blocking(move || tls.read_again()).await.is_err() {
                    tracing::error!("reading the certificate again ended without a word");
                }
            }
            seen = now;
        }
    }

    fn stamps(&self) -> [Stamp; 2] {
        let stamp = |path: &Path| std::fs::metadata(path).ok().and_then(|file| Some((file.modified().ok()?, file.len())));
        [stamp(&self.files.certificate), stamp(&self.files.key)]
    }
}

/// A certificate with its key, if they belong together.
fn certified(files: &TlsFiles) -> Result<CertifiedKey, ServerError> {
    let unusable = |path: &Path, why: String| ServerError::Certificate { path: path.to_owned(), why };
    let of_certificate = |why| unusable(&files.certificate, why);
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| of_certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(of_certificate("there is no certificate in PEM in it".to_owned()));
    }
    // What the reader says could repeat what it read.
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| match error {
        rustls::pki_types::pem::Error::Io(error) => unusable(&files.key, error.to_string()),
        _ => unusable(&files.key, "there is no private key in PEM in it".to_owned()),
    })?;
    let provider = ring::default_provider();
    CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => unusable(&files.key, "it is not the key of the certificate".to_owned()),
        other => of_certificate(other.to_string()),
    })
}
