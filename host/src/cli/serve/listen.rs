//! Where and how the hub listens, as a person says it.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use crate::model::limits::serving::{ADDRESS_REQUESTS_PER_SECOND_DEFAULT, CONNECTIONS_DEFAULT, TOKEN_REQUESTS_PER_SECOND_DEFAULT};
use crate::server::{self, RequestRates, TlsFiles};

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Where it listens")]
pub(super) struct ListenOptions {
    /// Where the API and the console listen. Beyond this machine's own addresses that needs --tls-cert, or --plain-http.
    #[arg(long, env = "BAILIWICK_LISTEN", default_value = "127.0.0.1:8470", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where Prometheus finds the figures (/metrics) and whoever restarts the hub its health; nowhere unless this says.
    #[arg(long, env = "BAILIWICK_METRICS_LISTEN", value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,
    /// The certificate, in PEM, with those that lead to its authority. It is read again when it changes, and on SIGHUP.
    #[arg(long, env = "BAILIWICK_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM.
    #[arg(long, env = "BAILIWICK_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A proxy does TLS and says in X-Forwarded-For whom it speaks for: listen without.
    #[arg(long, env = "BAILIWICK_PLAIN_HTTP", conflicts_with = "tls_cert")]
    plain_http: bool,
    /// Connections at one time.
    #[arg(long, value_name = "NUMBER", default_value_t = CONNECTIONS_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    connections: u32,
    /// Requests a second of one token or session; ten seconds' worth may be saved up.
    #[arg(long, value_name = "NUMBER", default_value_t = TOKEN_REQUESTS_PER_SECOND_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    token_requests: u32,
    /// Requests a second of one address by whoever is not known yet; ten seconds' worth may be saved up.
    #[arg(long, value_name = "NUMBER", default_value_t = ADDRESS_REQUESTS_PER_SECOND_DEFAULT, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    address_requests: u32,
}

impl From<ListenOptions> for server::Options {
    fn from(said: ListenOptions) -> Self {
        let rate = |per_second| NonZeroU32::new(per_second).expect("the command line takes one at least");
        Self {
            metrics: said.metrics_listen,
            tls: said.tls_cert.zip(said.tls_key).map(|(certificate, key)| TlsFiles { certificate, key }),
            behind_proxy: said.plain_http,
            connections_max: said.connections,
            rates: RequestRates { of_token: rate(said.token_requests), of_address: rate(said.address_requests) },
            ..Self::at(said.listen)
        }
    }
}
