//! A web server with TLS on this machine, whose certificates are made for the test, and which does as the test says.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use bailiwick::model::job::{ApiPlace, HttpsPlace, SendMethod, SignIn};
use rcgen::ExtendedKeyUsagePurpose;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;

use super::authority::Authority;

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    /// A header's text; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("it is text"))
    }
}

/// What the server answers: a status, headers, a body.
pub(crate) type Answered = (u16, Vec<(&'static str, String)>, Vec<u8>);

type Does = Box<dyn Fn(&Asked, usize) -> Answered + Send + Sync>;

struct Shared {
    asked: Mutex<Vec<Asked>>,
    does: Does,
}

/// The server. It ends with the test.
pub(crate) struct Web {
    pub(crate) port: u16,
    folder: TempDir,
    client_key: String,
    shared: Arc<Shared>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Web {
    /// Starts it on the runtime that is entered. `does` is told each request and how many came before it.
    pub(crate) fn start(does: impl Fn(&Asked, usize) -> Answered + Send + Sync + 'static) -> Self {
        Self::begin(&Authority::new(), false, Box::new(does))
    }

    /// The same, vouched for by an authority that vouches for others too.
    pub(crate) fn start_under(authority: &Authority, does: impl Fn(&Asked, usize) -> Answered + Send + Sync + 'static) -> Self {
        Self::begin(authority, false, Box::new(does))
    }

    /// The same, wanting a certificate of the client.
    pub(crate) fn with_client_certificates(does: impl Fn(&Asked, usize) -> Answered + Send + Sync + 'static) -> Self {
        Self::begin(&Authority::new(), true, Box::new(does))
    }

    fn begin(authority: &Authority, wants_certificate: bool, does: Does) -> Self {
        let (server, server_key) = authority.issue("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
        let (client, client_key) = authority.issue("police", ExtendedKeyUsagePurpose::ClientAuth);
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("it is written");
        std::fs::write(folder.path().join("client.pem"), client.pem()).expect("it is written");
        let builder = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("the provider has them");
        let builder = if wants_certificate {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(authority.der()).expect("it is a certificate");
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.expect("a verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(server_key.serialize_der()));
        let config = builder.with_single_cert(vec![server.der().clone()], key).expect("they belong together");
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        socket.set_nonblocking(true).expect("a socket");
        let port = socket.local_addr().expect("an address").port();
        let shared = Arc::new(Shared { asked: Mutex::default(), does });
        let accepting = tokio::spawn(accept(
            tokio::net::TcpListener::from_std(socket).expect("a socket"),
            tokio_rustls::TlsAcceptor::from(Arc::new(config)),
            axum::Router::new().fallback(answer).with_state(Arc::clone(&shared)),
        ));
        Self { port, folder, client_key: client_key.serialize_pem(), shared, accepting }
    }

    /// The server as a place, trusted by its own authority.
    pub(crate) fn place(&self) -> HttpsPlace {
        HttpsPlace {
            url: format!("https://127.0.0.1:{}/api/", self.port),
            user: None,
            password: None,
            token: None,
            ca_file: Some(self.folder.path().join("ca.pem")),
            client_certificate: None,
            client_key: None,
            method: SendMethod::Post,
            content_type: "text/csv".to_owned(),
            idempotent: true,
            cursor_header: None,
            silence_seconds_max: 20,
            file_bytes_max: 1 << 30,
        }
    }

    /// The server as a provider's API below `/api`, which allows what most tests ask.
    pub(crate) fn api(&self) -> ApiPlace {
        ApiPlace {
            url: format!("https://127.0.0.1:{}/api", self.port),
            sign_in: SignIn::Not,
            ca_file: self.place().ca_file,
            client_certificate: None,
            client_key: None,
            requests: ["GET /**", "POST /**"].map(|rule| rule.parse().expect("a rule")).to_vec(),
            redirects: Vec::new(),
            allow_private: true,
            idempotent: true,
            answer_bytes_max: 1 << 20,
        }
    }

    /// The server as a receiver of what happens: an entry of webhooks.toml, signed by the secret `webhook-key`.
    pub(crate) fn webhook(&self, partner: &str, name: &str, events: &str) -> String {
        format!(
            "[[webhook]]\npartner = \"{partner}\"\nname = \"{name}\"\nurl = \"https://127.0.0.1:{}/{name}\"\nevents = {events}\n\
             signing-secret = \"webhook-key\"\nallow-private = true\nca-file = {:?}\n\n",
            self.port,
            self.folder.path().join("ca.pem")
        )
    }

    /// The same with the client's certificate; its key is the credential `client-key`.
    pub(crate) fn place_with_certificate(&self) -> HttpsPlace {
        HttpsPlace {
            client_certificate: Some(self.folder.path().join("client.pem")),
            client_key: Some("client-key".parse().expect("a name")),
            ..self.place()
        }
    }

    pub(crate) fn client_key(&self) -> &str {
        &self.client_key
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().expect("nobody panics").clone()
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(socket: tokio::net::TcpListener, tls: tokio_rustls::TlsAcceptor, router: axum::Router) {
    while let Ok((stream, _)) = socket.accept().await {
        let (tls, router) = (tls.clone(), router.clone());
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = hyper_util::service::TowerToHyperService::new(router);
            // How it ends is for the client to say.
            drop(hyper::server::conn::http1::Builder::new().serve_connection(hyper_util::rt::TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(State(shared): State<Arc<Shared>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let path = uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
    let asked = Asked { method, path, headers, body };
    let before = {
        let mut all = shared.asked.lock().expect("nobody panics");
        all.push(asked.clone());
        all.len() - 1
    };
    let (status, headers, body) = (shared.does)(&asked, before);
    if status == 0 {
        // No answer, as long as any test waits.
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let mut response = Response::builder().status(StatusCode::from_u16(status.max(200)).expect("a status"));
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).expect("a response")
}
