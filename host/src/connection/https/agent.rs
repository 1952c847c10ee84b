//! What every client of a web server has: how long it waits, and what it means that no answer came.

use std::io;
use std::time::Duration;

use ureq::Agent;
use ureq::config::ConfigBuilder;
use ureq::tls::TlsConfig;
use ureq::typestate::AgentScope;

use crate::connection::error::{ConnectionError, Step};
use crate::connection::outside::TRANSFER_TIME_MAX;

/// A client that speaks HTTPS only, follows nothing by itself, and answers every status.
pub(in crate::connection) fn agent(silence_seconds: u64, tls: TlsConfig) -> Agent {
    settings(silence_seconds, tls).build().new_agent()
}

/// What such a client is made of.
pub(in crate::connection) fn settings(silence_seconds: u64, tls: TlsConfig) -> ConfigBuilder<AgentScope> {
    let silence = Some(Duration::from_secs(silence_seconds));
    Agent::config_builder()
        .https_only(true)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("bailiwick/", env!("CARGO_PKG_VERSION")))
        // The digest is of the bytes as the server has them.
        .accept_encoding("identity")
        .timeout_global(Some(TRANSFER_TIME_MAX))
        .timeout_resolve(silence)
        .timeout_connect(silence)
        .timeout_recv_response(silence)
        .timeout_per_read(silence)
        .timeout_per_write(silence)
        .tls_config(tls)
}

/// What a request that got no answer means.
pub(in crate::connection) fn unanswered(place: String, silence_seconds: u64, step: Step, error: &ureq::Error) -> ConnectionError {
    match error {
        ureq::Error::HostNotFound => ConnectionError::Unreachable { place, step: Step::Resolve, why: "the name has no address".to_owned() },
        ureq::Error::Timeout(which) => {
            let step = match which {
                ureq::Timeout::Resolve => Step::Resolve,
                ureq::Timeout::Connect => Step::Connect,
                _ => step,
            };
            ConnectionError::Unreachable { place, step, why: format!("no answer within {silence_seconds} s") }
        }
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => tls_failed(place, &error.to_string()),
        ureq::Error::Rustls(error) => tls_failed(place, &error.to_string()),
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            ConnectionError::Unreachable { place, step: Step::Connect, why: error.to_string() }
        }
        // How a connection without an orderly end shows itself, in the words of the library that meets it.
        ureq::Error::Io(error) if is_cut_off(error.kind()) => {
            ConnectionError::Unreachable { place, step, why: "the connection was cut off".to_owned() }
        }
        ureq::Error::ConnectionFailed => {
            ConnectionError::Unreachable { place, step: Step::Connect, why: "the server does not answer".to_owned() }
        }
        other => ConnectionError::Unreachable { place, step, why: other.to_string() },
    }
}

const fn is_cut_off(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe)
}

fn tls_failed(place: String, why: &str) -> ConnectionError {
    if why.contains("received fatal alert") {
        return ConnectionError::SignIn {
            place,
            why: format!("the server does not accept the hub's certificate, or its lack of one ({why})"),
        };
    }
    let why = format!("{why}. If the server has a certificate of its own authority, name that in ca-file");
    ConnectionError::Refused { place, step: Step::Certificate, why }
}
