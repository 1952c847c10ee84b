//! `claim-routing` behind `wasi:http`: a request holds a case as Bailiwick's API takes it, the answer is the decision.
//!
//! Its tables lie in the component. `initialize` is what a snapshot is taken after, so that a fresh instance does not read them.
#![cfg(target_os = "wasi")]

use std::cell::OnceCell;
use std::rc::Rc;

use bailiwick_sdk::tables::{self, Version};
use bailiwick_sdk::{Date, Hub, RuleSet as _, Tables, answer};
use claim_routing::{Claim, ClaimRouting};
use serde::Deserialize;
use wasip2::exports::http::incoming_handler;
use wasip2::http::types::{Fields, IncomingBody, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};
use wasip2::io::streams::StreamError;

mod start {
    wit_bindgen::generate!({
        inline: "package peer:start; world start { export initialize: func(); }",
    });
    export!(Start);

    struct Start;

    impl Guest for Start {
        fn initialize() {
            super::own_tables();
            drop(std::hint::black_box(Vec::<u8>::with_capacity(128 << 10)));
        }
    }
}

thread_local! {
    static OWN: OnceCell<Rc<[Version]>> = const { OnceCell::new() };
}

#[derive(Deserialize)]
struct Question {
    case: Claim,
}

struct Handler;

wasip2::http::proxy::export!(Handler);

impl incoming_handler::Guest for Handler {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let (status, body) = match decided(&read(&request)) {
            Ok(body) => (200, body),
            Err(reason) => (422, reason),
        };
        let headers = Fields::new();
        headers.set("content-type", &[b"application/json".to_vec()]).expect("a header");
        headers.set("content-length", &[body.len().to_string().into_bytes()]).expect("a header");
        let response = OutgoingResponse::new(headers);
        response.set_status_code(status).expect("a status");
        let outgoing = response.body().expect("the first body");
        ResponseOutparam::set(out, Ok(response));
        let stream = outgoing.write().expect("the first stream");
        for part in body.as_bytes().chunks(4096) {
            stream.blocking_write_and_flush(part).expect("it is read");
        }
        drop(stream);
        OutgoingBody::finish(outgoing, None).expect("as long as was said");
    }
}

fn read(request: &IncomingRequest) -> Vec<u8> {
    let body: IncomingBody = request.consume().expect("the first reader");
    let (stream, mut read) = (body.stream().expect("the first stream"), Vec::new());
    loop {
        match stream.blocking_read(64 << 10) {
            Ok(part) => read.extend(part),
            Err(StreamError::Closed) => return read,
            Err(StreamError::LastOperationFailed(error)) => panic!("{}", error.to_debug_string()),
        }
    }
}

fn own_tables() -> Rc<[Version]> {
    OWN.with(|own| Rc::clone(own.get_or_init(|| tables::all().into())))
}

fn decided(body: &[u8]) -> Result<String, String> {
    let question: Question = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let hub = Hub::new(Date::new(2026, 11, 2), Tables::Own(own_tables()));
    let decision = ClaimRouting::decide(&question.case, &(), &hub).map_err(|failure| failure.to_string())?;
    answer::json(&decision, hub.take_opened()).map_err(|error| error.to_string())
}
