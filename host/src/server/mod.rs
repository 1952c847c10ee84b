//! The server: the API and the console at one address, and how that starts and stops.
//!
//! ```text
//! door     connections: so many at a time, by TLS if there is a certificate, none held open by whoever is slow
//! tls      the hub's certificate, read again when its files change
//! call     what every call goes through: its number, its rate, the pace of its body, the headers of its answer
//! rates    how often each token, session and address may ask
//! health   whether the hub lives, and whether it is ready, and if not, why
//! metrics  the figures, at an address of their own
//! ```
//!
//! It must not know what a route does.

mod call;
mod door;
mod error;
mod health;
mod metrics;
mod rates;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::middleware;
use axum::{Extension, Router};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use error::ServerError;
pub use rates::RequestRates;
pub use tls::TlsFiles;

use crate::access::Provider;
use crate::model::limits::serving::CONNECTIONS_DEFAULT;
use crate::run::Hub;
use crate::{api, console};
use call::Front;
use door::Door;
use rates::Rates;
use tls::Tls;

/// Connections of whoever watches the hub.
const WATCHERS_MAX: u32 = 32;

/// Where and how the hub listens.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where; port 0 for any that is free.
    pub address: SocketAddr,
    /// Where the figures are, if anywhere; at the same certificate. They are of all partners, so that no partner's token may open them:
    /// an address of its own is kept from others by the network.
    pub metrics: Option<SocketAddr>,
    /// Its certificate; none for HTTP without TLS.
    pub tls: Option<TlsFiles>,
    /// Whether a proxy does TLS on the way: then it may listen without, and the proxy says whom it speaks for.
    pub behind_proxy: bool,
    /// Connections at one time.
    pub connections_max: u32,
    /// How often one caller may ask.
    pub rates: RequestRates,
    /// Where people sign in, besides here.
    pub provider: Option<Arc<Provider>>,
}

impl Options {
    /// An address on the hub's own machine, without TLS.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            metrics: None,
            tls: None,
            behind_proxy: false,
            connections_max: CONNECTIONS_DEFAULT,
            rates: RequestRates::default(),
            provider: None,
        }
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct Listening {
    /// Where.
    pub address: SocketAddr,
    /// Where the figures are, if they are anywhere.
    pub metrics: Option<SocketAddr>,
    tls: Option<Tls>,
    stop: watch::Sender<bool>,
    ended: JoinHandle<()>,
}

impl Listening {
    /// The address as a person opens it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
    }

    /// Takes no further calls; those under way are answered.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until the calls under way are answered, if they are in time.
    pub async fn ended(mut self, within: Duration) {
        if tokio::time::timeout(within, &mut self.ended).await.is_err() {
            tracing::info!("calls under way are cut off");
            self.ended.abort();
        }
    }

    /// Reads the certificate again.
    pub fn read_certificate_again(&self) {
        match &self.tls {
            Some(tls) => tls.read_again(),
            None => tracing::info!("the hub has no certificate that it could read again"),
        }
    }
}

/// Listens at an address, and at another for whoever watches the hub.
///
/// # Errors
/// [`ServerError`].
pub async fn listen(hub: Hub, options: Options) -> Result<Listening, ServerError> {
    let tls = options.tls.clone().map(Tls::read).transpose()?;
    let (stop, stopping) = watch::channel(false);
    let open = async |address: SocketAddr, router: Router, connections_max: u32| {
        if tls.is_none() && !options.behind_proxy && !address.ip().to_canonical().is_loopback() {
            return Err(ServerError::Open { address });
        }
        let cannot = |error: std::io::Error| ServerError::CannotListen { address, why: error.to_string() };
        let listener = TcpListener::bind(address).await.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let connections_max = usize::try_from(connections_max).unwrap_or(usize::MAX);
        let acceptor = tls.as_ref().map(Tls::acceptor);
        Ok((address, Door { listener, acceptor, router, connections_max, stopping: stopping.clone() }))
    };
    let front = Front {
        rates: Rates::new(options.rates),
        figures: Arc::clone(hub.figures()),
        secure: tls.is_some(),
        behind_proxy: options.behind_proxy,
    };
    let watched = match options.metrics {
        Some(address) => Some(open(address, metrics::router(hub.clone()).merge(health::router(hub.clone())), WATCHERS_MAX).await?),
        None => None,
    };
    let mut router = fronted(hub, front);
    if let Some(provider) = options.provider {
        router = router.layer(Extension(provider));
    }
    let (address, door) = open(options.address, router, options.connections_max).await?;
    let (metrics, watched) = watched.unzip();
    let certificate = tls.clone();
    // Ends when it is told to stop.
    let ended = tokio::spawn(async move {
        let watched = async {
            if let Some(watched) = watched {
                watched.keep().await;
            }
        };
        tokio::select! {
            _ = async { tokio::join!(door.keep(), watched) } => {}
            () = watch(certificate) => {}
        }
    });
    Ok(Listening { address, metrics, tls, stop, ended })
}

async fn watch(certificate: Option<Tls>) {
    match certificate {
        Some(tls) => tls.watch().await,
        None => std::future::pending().await,
    }
}

/// Everything at one address, for a test without a socket.
pub fn router(hub: Hub) -> Router {
    let figures = Arc::clone(hub.figures());
    fronted(hub, Front { rates: Rates::new(RequestRates::default()), figures, secure: false, behind_proxy: false })
}

/// The routes, with what every call goes through before them.
fn fronted(hub: Hub, front: Front) -> Router {
    console::router(hub.clone())
        .merge(health::router(hub.clone()))
        .merge(api::router(hub))
        .layer(middleware::from_fn_with_state(Arc::new(front), call::call))
}
