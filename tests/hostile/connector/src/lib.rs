//! A connector that misbehaves as its settings say: `{"misbehave": "request-flood"}`. Otherwise it fetches one page and sends one.

use std::hint::black_box;

#[path = "../../misdeeds.rs"]
mod misdeeds;

wit_bindgen::generate!({
    path: ["../../../wit/0.1.0", "../../../wit/0.2.0"],
    world: "bailiwick:plugin/connector@0.2.0",
    generate_all,
});

use bailiwick::plugin0_1_0::settings;
use bailiwick::plugin0_1_0::types::{Failure, Problem};
use bailiwick::plugin0_2_0::http::{self, Header, HttpError, Request, Response};
use exports::bailiwick::plugin0_2_0::connectors::{
    ConnectorFailure, Context, Fetching, Guest as Connectors, GuestFetching, GuestSending, Page, Pause, Sending, Sent,
};
use misdeeds::{MISLEADING, Speaks};

struct Hostile;

impl Connectors for Hostile {
    type Fetching = Fetch;
    type Sending = Send;
}

struct Fetch(Speaks);

struct Send(Speaks);

fn told() -> Speaks {
    let settings = settings::get();
    let name = settings.split_once("\"misbehave\":").and_then(|(_, rest)| rest.split('"').nth(1)).unwrap_or("");
    Speaks::named(name).expect("a misdeed of the list")
}

fn ask(method: &str, target: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Result<Response, HttpError> {
    let header = |(name, value): &(&str, &str)| Header { name: (*name).to_owned(), value: (*value).to_owned() };
    http::send(&Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: headers.iter().map(header).collect(),
        body,
    })
}

fn get(target: &str) -> Result<Response, HttpError> {
    ask("GET", target, &[], None)
}

fn problem(code: &str, message: String) -> Problem {
    Problem { code: code.to_owned(), message }
}

/// What became of a request, told as a failure.
fn tell(answer: Result<Response, HttpError>) -> ConnectorFailure {
    let text = match answer {
        Ok(response) => format!("answered {}", response.status),
        Err(error) => format!("{error:?}"),
    };
    ConnectorFailure::Failed(Failure::PluginDefect(problem("told", text)))
}

fn page(content: Vec<u8>, done: bool) -> Page {
    Page { content, cursor: None, done }
}

fn forever(mut step: impl FnMut()) -> ! {
    loop {
        step();
    }
}

impl GuestFetching for Fetch {
    fn open(_: Context, _: Option<String>) -> Result<Fetching, ConnectorFailure> {
        Ok(Fetching::new(Self(told())))
    }

    fn next(&self) -> Result<Page, ConnectorFailure> {
        Err(match self.0 {
            Speaks::Nothing | Speaks::SentMisleading => return get("/v2/payments").map(|answer| page(answer.body, true)).map_err(|e| tell(Err(e))),
            Speaks::EndlessLoop => forever(|| { black_box(()); }),
            Speaks::RequestFlood => forever(|| drop(black_box(get("/v2/payments")))),
            Speaks::SentFlood => forever(|| drop(black_box(ask("POST", "/v2/payments", &[], Some(vec![b'x'; 10_000]))))),
            Speaks::ReceivedFlood => forever(|| drop(black_box(get("/v2/large")))),
            Speaks::SlowAnswers => tell(get("/v2/slow")),
            Speaks::WaitForEver => forever(|| http::wait(60)),
            Speaks::WaitTooLong => {
                http::wait(61);
                tell(get("/v2/payments"))
            }
            Speaks::LargeBody => tell(ask("POST", "/v2/payments", &[], Some(vec![b'x'; 48 << 20]))),
            Speaks::NotAskedFor => tell(get("/admin")),
            Speaks::MethodNotAskedFor => tell(ask("DELETE", "/v2/payments", &[], None)),
            Speaks::PathLeadsUp => tell(get("/v2/../admin")),
            Speaks::PathHidden => tell(get("/v2/%2e%2e/admin")),
            Speaks::AnotherHost => tell(get("//elsewhere.example/v2")),
            Speaks::SetsHost => tell(ask("GET", "/v2/payments", &[("host", "elsewhere.example")], None)),
            Speaks::SetsAuthorization => tell(ask("GET", "/v2/payments", &[("authorization", "Bearer mine")], None)),
            Speaks::HeaderSplits => tell(ask("GET", "/v2/payments", &[("accept", "a\r\nauthorization: mine")], None)),
            Speaks::PageFlood => return Ok(page(vec![b'x'; 1 << 20], false)),
            Speaks::NeverDone => return Ok(page(Vec::new(), false)),
            Speaks::CursorEndless => return Ok(Page { cursor: Some("x".repeat(1_025)), ..page(Vec::new(), true) }),
            Speaks::CursorMisleading => return Ok(Page { cursor: Some(MISLEADING.to_owned()), ..page(Vec::new(), true) }),
            Speaks::FailureMisleading => {
                let problem = problem(&format!("busy{MISLEADING}"), format!("Wait{MISLEADING} please."));
                ConnectorFailure::TryLater(Pause { problem, seconds: Some(u32::MAX) })
            }
        })
    }
}

impl GuestSending for Send {
    fn open(_: Context, _: String) -> Result<Sending, ConnectorFailure> {
        Ok(Sending::new(Self(told())))
    }

    fn write(&self, content: Vec<u8>) -> Result<(), ConnectorFailure> {
        ask("POST", "/v2/payments", &[], Some(content)).map(|_| ()).map_err(|error| tell(Err(error)))
    }

    fn finish(&self) -> Result<Sent, ConnectorFailure> {
        Ok(match self.0 {
            Speaks::SentMisleading => Sent::Taken(format!("ref{MISLEADING}{}", "x".repeat(10_000))),
            _ => Sent::HadBefore("ref-1".to_owned()),
        })
    }
}

impl Guest for Hostile {
    fn initialize() {
        drop(black_box(vec![0_u8; 1 << 20]));
    }
}

export!(Hostile);
