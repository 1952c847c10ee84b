//! An S3 server with TLS on this machine, which checks signatures and keeps objects as files; a test may meddle with its answers.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bailiwick::model::job::S3Place;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;

use super::authority::Authority;

/// What a test makes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meddling {
    No,
    /// It is answered so, and nothing is done.
    Before(u16),
    /// It is done, and answered so.
    After(u16),
    /// It is done, and the connection is lost.
    Lost,
    /// The connection is lost, and nothing is done.
    Gone,
}

type Does = dyn Fn(&str, usize) -> Meddling + Send + Sync;

/// The server, with one bucket. It ends with the test.
pub(crate) struct S3 {
    pub(crate) port: u16,
    folder: TempDir,
    runtime: Option<tokio::runtime::Runtime>,
}

impl S3 {
    /// The one bucket.
    pub(crate) const BUCKET: &'static str = "police-archive";

    /// The one key.
    pub(crate) const SECRET: &'static str = "hunter2hunter2hunter2hunter2hunter2hunte";

    /// Starts it.
    pub(crate) fn start() -> Self {
        Self::meddled(|_, _| Meddling::No)
    }

    /// The same; `does` is told each request's method, path and query, and how many were meddled with before.
    pub(crate) fn meddled(does: impl Fn(&str, usize) -> Meddling + Send + Sync + 'static) -> Self {
        let authority = Authority::new();
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir_all(folder.path().join("objects").join(Self::BUCKET)).expect("a folder");
        fs::write(folder.path().join("ca.pem"), authority.pem()).expect("it is written");
        let files = s3s_fs::FileSystem::new(folder.path().join("objects")).expect("a folder");
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single("AKIAPOLICE", Self::SECRET));
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        socket.set_nonblocking(true).expect("a socket");
        let port = socket.local_addr().expect("an address").port();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(authority.server("127.0.0.1")));
        let accepting = accept(socket, acceptor, (builder.build(), Arc::new(does)));
        drop(runtime.spawn(accepting));
        Self { port, folder, runtime: Some(runtime) }
    }

    /// The bucket as a place; its key is the credential `archive-key`.
    pub(crate) fn place(&self) -> S3Place {
        S3Place {
            url: format!("https://127.0.0.1:{}/", self.port),
            region: "eu-west-2".to_owned(),
            bucket: Self::BUCKET.to_owned(),
            prefix: "incoming/".to_owned(),
            path_style: true,
            access_key: "AKIAPOLICE".to_owned(),
            key: "archive-key".parse().expect("a name"),
            ca_file: Some(self.ca_file()),
            silence_seconds_max: 20,
            file_bytes_max: 1 << 30,
        }
    }

    /// Who vouches for it.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Where an object lies.
    pub(crate) fn object(&self, key: &str) -> PathBuf {
        self.folder.path().join("objects").join(Self::BUCKET).join(key)
    }

    /// Puts an object there, as its sender does.
    pub(crate) fn write(&self, key: &str, bytes: &[u8]) {
        let path = self.object(key);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("it is written");
    }

    /// The keys of all objects, and of everything else that the server keeps.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        let mut folders = vec![self.object("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
                if entry.file_type().expect("a kind").is_dir() {
                    folders.push(entry.path());
                } else {
                    let path = entry.path();
                    let key = path.strip_prefix(self.object("")).expect("it is below");
                    keys.push(key.to_str().expect("text").to_owned());
                }
            }
        }
        keys.sort();
        keys
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(socket: TcpListener, acceptor: tokio_rustls::TlsAcceptor, (service, does): (S3Service, Arc<Does>)) {
    let socket = tokio::net::TcpListener::from_std(socket).expect("a socket");
    let meddled = Arc::new(AtomicUsize::new(0));
    while let Ok((stream, _)) = socket.accept().await {
        let (acceptor, service, does, meddled) = (acceptor.clone(), service.clone(), Arc::clone(&does), Arc::clone(&meddled));
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let answer = service_fn(move |request: Request<Incoming>| {
                let (service, does, meddled) = (service.clone(), Arc::clone(&does), Arc::clone(&meddled));
                async move { answer(request, &service, (&*does, &meddled)).await }
            });
            // How it ends is for the client to say.
            drop(hyper::server::conn::http1::Builder::new().serve_connection(hyper_util::rt::TokioIo::new(stream), answer).await);
        });
    }
}

/// Answers, or breaks the connection off.
async fn answer(
    request: Request<Incoming>,
    service: &S3Service,
    (does, meddled): (&Does, &AtomicUsize),
) -> Result<Response<s3s::Body>, &'static str> {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    let conditional = if request.headers().contains_key("if-none-match") { " if-none-match" } else { "" };
    let meddling = does(&format!("{} {path}{conditional}", request.method()), meddled.load(Ordering::SeqCst));
    if meddling != Meddling::No {
        meddled.fetch_add(1, Ordering::SeqCst);
    }
    let status = |status: u16| Response::builder().status(status).body(s3s::Body::empty()).expect("a response");
    match meddling {
        Meddling::Before(code) => Ok(status(code)),
        Meddling::No => service.call(request.map(s3s::Body::from)).await.map_err(|_| "the server failed"),
        Meddling::After(code) => {
            drop(service.call(request.map(s3s::Body::from)).await.map_err(|_| "the server failed")?);
            Ok(status(code))
        }
        Meddling::Gone => {
            // Heard to its end, and then nothing.
            drop(s3s::Body::from(request.into_body()).store_all_limited(64 << 20).await);
            Err("gone")
        }
        Meddling::Lost => {
            drop(service.call(request.map(s3s::Body::from)).await.map_err(|_| "the server failed")?);
            Err("lost")
        }
    }
}
