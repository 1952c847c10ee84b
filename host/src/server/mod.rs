//! The server: the API and the console at one address, and how that starts and stops.
//!
//! It must not know what a route does.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::run::Hub;
use crate::{api, console};

/// A server that listens.
#[derive(Debug)]
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    stop: Arc<Notify>,
}

impl Listening {
    /// Takes no further calls; those under way are answered.
    pub fn stop(&self) {
        self.stop.notify_one();
    }
}

/// Listens at an address; port 0 for any that is free.
///
/// # Errors
/// What the system says if it cannot listen there.
pub async fn listen(hub: Hub, address: SocketAddr) -> std::io::Result<Listening> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| std::io::Error::new(error.kind(), format!("the hub cannot listen at {address}: {error}")))?;
    let address = listener.local_addr()?;
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    // Ends when it is told to stop.
    tokio::spawn(async move {
        let serving = axum::serve(listener, router(hub)).with_graceful_shutdown(async move { stopped.notified().await });
        if let Err(error) = serving.await {
            tracing::error!(%error, "the server ended");
        }
    });
    Ok(Listening { address, stop })
}

/// Everything at one address, for a server or a test without a socket.
pub fn router(hub: Hub) -> Router {
    console::router(hub.clone()).merge(api::router(hub))
}
