//! Cases of a connector, played in the sandbox: the provider is what the case says that it answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::rehearse::{CaseOutcome, Rehearsal, Stage, plugin_failure};
use crate::model::http::{HttpError, HttpRequest, HttpResponse};
use crate::model::limits::Usage;
use crate::registry::cases::{self, CaseExchange, ConnectorCase, ConnectorHappened, ConnectorWay};
use crate::run::failure::RunError;
use crate::sandbox::{HttpBounds, HttpLine, Setup, Worker};

/// Bytes that are sent at once, as in a run.
const SEND_BYTES: usize = 64 << 10;

impl Stage {
    pub(super) fn connector_cases(&self, worker: &Worker, cases: &[ConnectorCase]) -> Result<Rehearsal, RunError> {
        let mut rehearsal = Rehearsal::default();
        for case in cases {
            self.in_time()?;
            let script = Arc::new(Script { exchanges: case.exchanges.clone(), played: Mutex::default() });
            let mut setup = self.setup((case.today, &case.settings), &[], (Vec::new(), Vec::new()));
            setup.http = Some(Arc::clone(&script) as Arc<dyn HttpLine>);
            let mut happened = ConnectorHappened::default();
            let done = match case.way {
                ConnectorWay::Pull => pull(worker, (&Arc::new(setup), case), (&mut happened, &mut rehearsal.usage)),
                ConnectorWay::Push => push(worker, (&Arc::new(setup), case), (&mut happened, &mut rehearsal.usage)),
            };
            happened.unscripted = script.differs();
            if let Err(error) = done
                && happened.unscripted.is_none()
            {
                happened.failure = Some(plugin_failure(error)?);
            }
            rehearsal.cases.push(CaseOutcome { name: case.name.clone(), differences: cases::compare_connector(case, &happened) });
        }
        Ok(rehearsal)
    }
}

type Told<'a> = (&'a mut ConnectorHappened, &'a mut Usage);

fn pull(worker: &Worker, (setup, case): (&Arc<Setup>, &ConnectorCase), (happened, usage): Told<'_>) -> Result<(), RunError> {
    let mut fetching = worker.open_fetching(setup, &case.file, case.cursor.as_deref()).map_err(|failed| failed.error)?;
    loop {
        let page = fetching.next_page()?;
        happened.content.extend(page.content);
        happened.cursor = page.cursor.or(happened.cursor.take());
        if page.done {
            break;
        }
    }
    fetching.close().usage.iter().for_each(|(limit, amount)| usage.raise(limit, amount));
    Ok(())
}

fn push(worker: &Worker, (setup, case): (&Arc<Setup>, &ConnectorCase), (happened, usage): Told<'_>) -> Result<(), RunError> {
    let mut sending = worker.open_sending(setup, &case.file, &case.key).map_err(|failed| failed.error)?;
    for content in case.content.as_deref().unwrap_or_default().chunks(SEND_BYTES) {
        sending.write(content)?;
    }
    happened.sent = Some(sending.finish()?);
    sending.close().usage.iter().for_each(|(limit, amount)| usage.raise(limit, amount));
    Ok(())
}

/// A provider that answers what the case says, in its order.
#[derive(Debug)]
struct Script {
    exchanges: Vec<CaseExchange>,
    played: Mutex<Played>,
}

/// How far a script has come, and the first thing that was not as it says.
#[derive(Debug, Default)]
struct Played {
    next: usize,
    differs: Option<String>,
}

impl Script {
    /// What was asked otherwise than the case says, or not at all.
    fn differs(&self) -> Option<String> {
        let told = self.played.lock().expect("nobody panics while holding a script");
        let left = || match self.exchanges.get(told.next)? {
            CaseExchange::Request(request) => Some(format!("it does not ask {}", request.line)),
            CaseExchange::Wait(seconds) => Some(format!("it does not wait {seconds} s")),
        };
        told.differs.clone().or_else(left)
    }

    fn next<T>(&self, take: impl FnOnce(Option<&CaseExchange>) -> Result<T, String>) -> Result<T, String> {
        let mut told = self.played.lock().expect("nobody panics while holding a script");
        let taken = take(self.exchanges.get(told.next));
        told.next += 1;
        if let Err(why) = &taken {
            told.differs.get_or_insert_with(|| why.clone());
        }
        taken
    }
}

impl HttpLine for Script {
    fn exchange(&self, request: &HttpRequest, _: HttpBounds) -> Result<Result<HttpResponse, HttpError>, String> {
        self.next(|exchange| match exchange {
            Some(exchange) => exchange.answer(request),
            None => Err(format!("it asks {} {}, and the case has no more exchanges", request.method, request.target)),
        })
    }

    fn wait(&self, time: Duration) -> Result<(), String> {
        self.next(|exchange| match exchange {
            Some(CaseExchange::Wait(seconds)) if time.as_secs() == u64::from(*seconds) => Ok(()),
            Some(CaseExchange::Wait(seconds)) => Err(format!("it waits {} s, and should wait {seconds} s", time.as_secs())),
            Some(CaseExchange::Request(request)) => Err(format!("it waits {} s, and should ask {}", time.as_secs(), request.line)),
            None => Err(format!("it waits {} s, and the case has no more exchanges", time.as_secs())),
        })
    }
}
