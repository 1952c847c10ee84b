//! Connections: so many at a time, secured if there is a certificate, and none held open by whoever sends or reads too slowly.
//!
//! It must not know what is asked for.

use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::model::limits::serving::{HANDSHAKE_MS_MAX, REQUEST_HEAD_BYTES_MAX, REQUEST_HEAD_MS_MAX, UNREAD_MS_MAX};

/// How long nothing is accepted after the system had no room for another connection.
const NO_ROOM: Duration = Duration::from_millis(100);

/// Whose connection a request came by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// An address at which the hub listens.
pub(super) struct Door {
    pub(super) listener: TcpListener,
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) router: Router,
    pub(super) connections_max: usize,
    /// Whether the hub stops.
    pub(super) stopping: watch::Receiver<bool>,
}

impl Door {
    /// Takes connections until the hub stops, and answers when the last of them has ended.
    pub(super) async fn keep(mut self) {
        let places = Arc::new(Semaphore::new(self.connections_max));
        let mut open = JoinSet::new();
        loop {
            while open.try_join_next().is_some() {}
            let accepted = tokio::select! {
                accepted = accept(&places, &self.listener) => accepted,
                _ = self.stopping.changed() => break,
            };
            let Some((place, stream, peer)) = accepted else {
                tokio::time::sleep(NO_ROOM).await;
                continue;
            };
            let (acceptor, router, stopping) = (self.acceptor.clone(), self.router.clone(), self.stopping.clone());
            open.spawn(async move {
                // Whatever goes wrong with a connection is the other side's affair, unless somebody wants to see it.
                if let Err(error) = connection((stream, peer), acceptor, router, stopping).await {
                    tracing::debug!(%peer, %error, "a connection ended");
                }
                drop(place);
            });
        }
        drop(self.listener);
        while open.join_next().await.is_some() {}
    }
}

/// The next connection that there is a place for; none if the system has no room.
async fn accept(places: &Arc<Semaphore>, listener: &TcpListener) -> Option<(tokio::sync::OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let place = Arc::clone(places).acquire_owned().await.expect("the places are never closed");
    match listener.accept().await {
        Ok((stream, peer)) => Some((place, stream, peer)),
        Err(error) => {
            tracing::warn!(%error, "no connection could be accepted");
            None
        }
    }
}

type Ended = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn connection(
    (stream, peer): (TcpStream, SocketAddr),
    acceptor: Option<TlsAcceptor>,
    router: Router,
    stopping: watch::Receiver<bool>,
) -> Ended {
    stream.set_nodelay(true)?;
    let stream = Wire::new(stream);
    match acceptor {
        None => answer((stream, peer), router, stopping).await,
        Some(acceptor) => {
            let handshake = tokio::time::timeout(Duration::from_millis(HANDSHAKE_MS_MAX), acceptor.accept(stream));
            answer((handshake.await??, peer), router, stopping).await
        }
    }
}

/// Answers the requests of one connection. When the hub stops, the one under way is the last.
async fn answer<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    (stream, peer): (S, SocketAddr),
    router: Router,
    mut stopping: watch::Receiver<bool>,
) -> Ended {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(REQUEST_HEAD_MS_MAX))
        .max_buf_size(REQUEST_HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = pin!(serving);
    tokio::select! {
        ended = serving.as_mut() => return Ok(ended?),
        () = stopped(&mut stopping) => serving.as_mut().graceful_shutdown(),
    }
    Ok(serving.await?)
}

/// Answers when the hub stops: whoever says so has said it, or has gone.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stopping| *stopping).await);
}

/// A connection whose other side reads what it is sent: one that leaves it unread for too long is cut off.
struct Wire {
    stream: TcpStream,
    unread: Option<Pin<Box<Sleep>>>,
}

impl Wire {
    const fn new(stream: TcpStream) -> Self {
        Self { stream, unread: None }
    }

    /// Passes on how writing went, unless it has waited for too long.
    fn patiently<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.unread = None;
            return written;
        }
        let patience = || Box::pin(tokio::time::sleep(Duration::from_millis(UNREAD_MS_MAX)));
        ready!(self.unread.get_or_insert_with(patience).as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read what it is sent")))
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.patiently(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.patiently(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.stream).poll_shutdown(context);
        self.patiently(context, ended)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, parts: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.patiently(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
