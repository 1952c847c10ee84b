//! A connector: deductions fetched from a benefits provider's API, and what payroll made of them sent back.
//!
//! The provider pages its list and names the next page in `next`; `until` says where the next run goes on. It answers 429 with
//! `Retry-After` when it is busy, and knows a repeat by its Idempotency-Key.

use bailiwick_sdk::{Connector, Done, Failure, Fetching, FileSession, Http, Hub, Level, Lines, Page, Sending, Sent, Trouble, register};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Deductions on a page, where the settings do not say.
const PAGE_SIZE: u32 = 200;

/// Longest line of a file of confirmations.
const LINE_BYTES_MAX: usize = 64 << 10;

/// The connector.
#[derive(Debug)]
pub struct BenefitsProvider;

/// What is asked of the provider.
#[derive(Debug, Deserialize)]
pub struct Settings {
    scheme: Option<String>,
    page_size: Option<u32>,
}

impl Connector for BenefitsProvider {
    type Settings = Settings;
    type Fetching = Deductions;
    type Sending = Confirmations;

    fn fetching(_: &FileSession, settings: Settings, cursor: Option<&str>, hub: &Hub) -> Result<Deductions, Trouble> {
        let place = cursor.map_or(Place::Beginning, |since| Place::Since(since.to_owned()));
        Ok(Deductions { http: hub.http(), settings, place })
    }

    fn sending(_: &FileSession, _: Settings, key: &str, hub: &Hub) -> Result<Confirmations, Trouble> {
        Ok(Confirmations { hub: hub.clone(), key: key.to_owned(), lines: Lines::new(LINE_BYTES_MAX), sent: 0, known: 0 })
    }
}

/// Deductions on their way here.
#[derive(Debug)]
pub struct Deductions {
    http: Http,
    settings: Settings,
    place: Place,
}

/// Where the list goes on.
#[derive(Debug)]
enum Place {
    Beginning,
    /// After what an earlier run took.
    Since(String),
    /// On a page that the provider named.
    Page(String),
}

/// A page as the provider writes it.
#[derive(Deserialize)]
struct Listed {
    items: Vec<Deduction>,
    next: Option<String>,
    until: Option<String>,
}

/// A deduction: of what the provider says, what payroll takes. Amounts are text, as in the job's file.
#[derive(Serialize, Deserialize)]
struct Deduction {
    reference: String,
    employee: String,
    scheme: String,
    amount: String,
    period: String,
}

impl Fetching for Deductions {
    fn next(&mut self, page: &mut Page) -> Result<Done, Trouble> {
        let size = self.settings.page_size.unwrap_or(PAGE_SIZE).to_string();
        let mut request = self.http.get("/deductions").header("accept", "application/json").query("limit", &size);
        if let Some(scheme) = &self.settings.scheme {
            request = request.query("scheme", scheme);
        }
        request = match &self.place {
            Place::Beginning => request,
            Place::Since(since) => request.query("since", since),
            Place::Page(next) => request.query("page", next),
        };
        let listed: Listed = request.patiently()?.json()?;
        for deduction in &listed.items {
            page.put_json_line(deduction)?;
        }
        if let Some(until) = listed.until {
            page.next_run_from(until);
        }
        let Some(next) = listed.next else { return Ok(Done::Yes) };
        if matches!(&self.place, Place::Page(this) if *this == next) {
            return Err(Trouble::refused("page-names-itself", "The provider names a page as the one after itself."));
        }
        self.place = Place::Page(next);
        Ok(Done::No)
    }
}

/// Confirmations on their way to the provider: one request for each line of the file.
#[derive(Debug)]
pub struct Confirmations {
    hub: Hub,
    key: String,
    lines: Lines,
    sent: u64,
    known: u64,
}

impl Confirmations {
    /// Sends a line. Its key is the delivery's and its number, so that the provider knows it again.
    fn line(&mut self, line: &[u8]) -> Result<(), Trouble> {
        if line.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let confirmation: Value = serde_json::from_slice(line)
            .map_err(|error| Failure::settings("not-json-lines", format!("The job's output is not written as json-lines: {error}.")))?;
        self.sent += 1;
        let key = format!("{}-{}", self.key, self.sent);
        let answer = self.hub.http().post("/confirmations").idempotency_key(&key).json(&confirmation).send()?;
        if answer.status() == 409 {
            // It has it, under this key.
            self.known += 1;
            return Ok(());
        }
        answer.accepted().map(|_| ())
    }
}

impl Sending for Confirmations {
    fn write(&mut self, content: &[u8]) -> Result<(), Trouble> {
        self.lines.push(content);
        while let Some(line) = self.lines.next()?.map(|line| line.bytes.to_vec()) {
            self.line(&line)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Sent, Trouble> {
        if let Some(line) = self.lines.rest()?.map(|line| line.bytes.to_vec()) {
            self.line(&line)?;
        }
        self.hub.log(Level::Info, &format!("{} confirmations, of which {} were known", self.sent, self.known));
        let said = format!("{} confirmations", self.sent);
        Ok(if self.sent > 0 && self.known == self.sent { Sent::HadBefore(said) } else { Sent::Taken(said) })
    }
}

register!(connector BenefitsProvider);
