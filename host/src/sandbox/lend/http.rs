//! Requests to a provider: counted and bounded here, and made by the line that the session was set up with.
//!
//! This file reaches nobody. What a request may be is judged before any line sees it; where a line leads, and with which
//! credentials, is for whoever set it up.

use std::fmt;
use std::time::{Duration, Instant};

use super::super::contract::lent_http::{Header, Host, HttpError as WireError, Request, Response};
use super::super::contract::text::clean;
use super::super::worker::{InstanceState, Stop, TICK};
use crate::model::http::{HttpError, HttpHeader, HttpRequest, HttpResponse, WAIT_SECONDS_MAX};
use crate::model::limits::{Limit, MESSAGE_BYTES_MAX};
use crate::model::manifest::Kind;

/// What a session's requests go through, one at a time: to the provider, or to a record of what it once answered.
pub trait HttpLine: fmt::Debug + Send + Sync {
    /// Makes a request.
    ///
    /// # Errors
    /// The outer one ends the session, as the hub's fault and not the plugin's; the inner one is for the plugin.
    fn exchange(&self, request: &HttpRequest, bounds: HttpBounds) -> Result<Result<HttpResponse, HttpError>, String>;

    /// Waits, in place of a plugin that was asked to.
    ///
    /// # Errors
    /// What ends the session.
    fn wait(&self, time: Duration) -> Result<(), String>;
}

/// How far one request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpBounds {
    /// Until the last byte of its answer.
    pub time: Duration,
    /// Bytes of the answer's body. A line that meets more answers [`HttpError::TooLarge`] with its own limit or this, whichever is less.
    pub received_bytes_max: u64,
}

/// What an instance used of its line.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct HttpUse {
    pub(in crate::sandbox) requests: u64,
    pub(in crate::sandbox) sent_bytes: u64,
    pub(in crate::sandbox) received_bytes: u64,
    pub(in crate::sandbox) longest_ms: u64,
}

impl InstanceState {
    /// Counts a request before it is made.
    fn count_request(&mut self, request: &HttpRequest) -> wasmtime::Result<()> {
        self.http.requests += 1;
        self.http.sent_bytes = self.http.sent_bytes.saturating_add(request.bytes());
        for (limit, used) in [(Limit::HttpRequests, self.http.requests), (Limit::HttpSentBytes, self.http.sent_bytes)] {
            self.within(limit, used)?;
        }
        Ok(())
    }

    fn within(&mut self, limit: Limit, used: u64) -> wasmtime::Result<()> {
        let allowed = self.setup.limits.get(limit);
        if used > allowed { Err(self.stop(Stop::Limit { limit, allowed, used: Some(used) })) } else { Ok(()) }
    }

    fn bounds(&self) -> HttpBounds {
        let limits = &self.setup.limits;
        HttpBounds {
            time: Duration::from_millis(limits.get(Limit::HttpRequestMs)).min(self.life_left()),
            received_bytes_max: limits.get(Limit::HttpReceivedBytes).saturating_sub(self.http.received_bytes),
        }
    }

    /// How long the hub does something in its place at most: a little longer than it may live, so that it ends with that.
    fn life_left(&self) -> Duration {
        Duration::from_millis(self.wall_ms_left()) + 2 * TICK
    }

    /// Makes a request that may be made.
    fn exchange(&mut self, request: &HttpRequest) -> wasmtime::Result<Result<HttpResponse, HttpError>> {
        let Some(line) = self.setup.http.clone() else {
            return Ok(Err(HttpError::NotAllowed("this session has no connection".to_owned())));
        };
        self.count_request(request)?;
        let (bounds, begun) = (self.bounds(), Instant::now());
        let answer = line.exchange(request, bounds).map_err(|why| self.stop(Stop::Fault(why)))?;
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        // What the line takes to give up is its own, as a tick is.
        let longest = took.min(self.setup.limits.get(Limit::HttpRequestMs));
        self.http.longest_ms = self.http.longest_ms.max(longest);
        self.enter_host_call()?;
        match &answer {
            Ok(response) => {
                self.http.received_bytes = self.http.received_bytes.saturating_add(response.body.len() as u64);
                self.within(Limit::HttpReceivedBytes, self.http.received_bytes)?;
            }
            Err(HttpError::TooLarge(allowed)) if *allowed >= bounds.received_bytes_max => {
                self.within(Limit::HttpReceivedBytes, self.setup.limits.get(Limit::HttpReceivedBytes).saturating_add(1))?;
            }
            Err(_) => {}
        }
        Ok(answer)
    }
}

impl Host for InstanceState {
    fn send(&mut self, request: Request) -> wasmtime::Result<Result<Response, WireError>> {
        self.enter_host_call()?;
        let header = |header: Header| HttpHeader { name: header.name, value: header.value };
        let request = HttpRequest {
            method: request.method,
            target: request.target,
            headers: request.headers.into_iter().map(header).collect(),
            body: request.body,
        };
        let answer = match request.check().and_then(|()| self.asked_for(&request)) {
            Ok(()) => self.exchange(&request)?,
            Err(error) => Err(error),
        };
        let header = |header: HttpHeader| Header { name: header.name, value: header.value };
        Ok(answer
            .map(|response| Response {
                status: response.status,
                headers: response.headers.into_iter().map(header).collect(),
                body: response.body,
            })
            .map_err(lower))
    }

    fn wait(&mut self, seconds: u32) -> wasmtime::Result<()> {
        self.enter_host_call()?;
        if seconds > WAIT_SECONDS_MAX {
            return Err(self.stop(Stop::Trap(format!("it waits {seconds} s in one call, and may wait {WAIT_SECONDS_MAX}"))));
        }
        let Some(line) = self.setup.http.clone() else { return Ok(()) };
        let time = Duration::from_secs(u64::from(seconds)).min(self.life_left());
        line.wait(time).map_err(|why| self.stop(Stop::Fault(why)))?;
        self.enter_host_call()
    }
}

impl InstanceState {
    /// What a person approved is what the manifest asks for, whatever the connection allows.
    fn asked_for(&self, request: &HttpRequest) -> Result<(), HttpError> {
        let rules = match &self.setup.release.manifest.kind {
            Kind::Connector(shape) => shape.requests.as_slice(),
            Kind::Adapter(_) | Kind::RuleSet(_) | Kind::Format(_) => &[],
        };
        if rules.iter().any(|rule| rule.allows(&request.method, request.path())) {
            return Ok(());
        }
        Err(HttpError::NotAllowed(format!("plugin.toml does not ask for {} {}", request.method, request.path())))
    }
}

fn lower(error: HttpError) -> WireError {
    let text = |text: String| clean(text, MESSAGE_BYTES_MAX, &mut 0);
    match error {
        HttpError::NotAllowed(why) => WireError::NotAllowed(text(why)),
        HttpError::ForbiddenHeader(name) => WireError::ForbiddenHeader(text(name)),
        HttpError::Malformed(why) => WireError::Malformed(text(why)),
        HttpError::TooLarge(bytes) => WireError::TooLarge(bytes),
        HttpError::TimedOut => WireError::TimedOut,
        HttpError::Unreachable(why) => WireError::Unreachable(text(why)),
        HttpError::Broken(why) => WireError::Broken(text(why)),
        HttpError::RedirectRefused(why) => WireError::RedirectRefused(text(why)),
        HttpError::NotSignedIn(why) => WireError::NotSignedIn(text(why)),
    }
}
