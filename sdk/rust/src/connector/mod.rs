//! What a connector is: it speaks with one provider's API, fetches files from it and sends files to it.

mod http;
mod run;
mod trouble;

use serde::de::DeserializeOwned;

pub use http::{Http, HttpError, HttpRequest, HttpResponse};
pub(crate) use run::{FetchRun, SendRun};
pub use trouble::Trouble;

use crate::adapter::Done;
use crate::failure::Failure;
use crate::format::OneWay;
use crate::hub::Hub;
use crate::wire;

/// A plugin that speaks with a provider's API, through the connection that the job names.
///
/// It sees neither the address nor the credentials: the hub adds them. A connector with one way takes [`OneWay`] for the other.
pub trait Connector: Sized + 'static {
    /// The settings of this input or output, read from JSON that the hub has validated against the schema in the manifest;
    /// `()` where there are none.
    type Settings: DeserializeOwned + 'static;

    /// A file on its way from the provider.
    type Fetching: Fetching;

    /// A file on its way to the provider.
    type Sending: Sending;

    /// Begins to fetch a file. The cursor is the one that the run before left, if any did. `hub` can be cloned and kept.
    ///
    /// # Errors
    /// [`Trouble`] says who can mend it.
    fn fetching(file: &FileSession, settings: Self::Settings, cursor: Option<&str>, hub: &Hub) -> Result<Self::Fetching, Trouble> {
        let _ = (file, settings, cursor, hub);
        Err(no_such_way("fetch"))
    }

    /// Begins to send a file. The key is the same for every attempt of this delivery, and for no other: give it to the provider.
    ///
    /// # Errors
    /// As [`Connector::fetching`].
    fn sending(file: &FileSession, settings: Self::Settings, key: &str, hub: &Hub) -> Result<Self::Sending, Trouble> {
        let _ = (file, settings, key, hub);
        Err(no_such_way("send"))
    }
}

/// A file that is being fetched.
pub trait Fetching: 'static {
    /// Fetches the next page, and says whether it was the last.
    ///
    /// # Errors
    /// [`Trouble`]; `?` makes one of an [`HttpError`] and of a [`Failure`].
    fn next(&mut self, page: &mut Page) -> Result<Done, Trouble>;
}

/// A file that is being sent.
pub trait Sending: 'static {
    /// Takes the next bytes of the file. They may begin and end within a record: see [`Lines`](crate::Lines).
    ///
    /// # Errors
    /// As [`Fetching::next`]. Of a request whose end is not known the hub itself makes sure that nothing is sent twice.
    fn write(&mut self, content: &[u8]) -> Result<(), Trouble>;

    /// Sends what is left, once the file is complete.
    ///
    /// # Errors
    /// As [`Sending::write`].
    fn finish(&mut self) -> Result<Sent, Trouble>;
}

/// What a provider said of a file that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It has it, and answered this: a number, a reference.
    Taken(String),
    /// It has had it before, under the same key.
    HadBefore(String),
    /// It cannot be told whether it has it: a person must look. The text says why.
    Uncertain(String),
}

/// What a session is about.
#[derive(Debug)]
pub struct FileSession {
    wire: wire::connector::Context,
}

impl FileSession {
    pub(crate) const fn new(wire: wire::connector::Context) -> Self {
        Self { wire }
    }

    /// The partner that owns the job.
    #[must_use]
    pub fn partner(&self) -> &str {
        &self.wire.partner
    }

    /// The job's name.
    #[must_use]
    pub fn job(&self) -> &str {
        &self.wire.job
    }

    /// What the job says of the file in its `file`; of one that is sent, its finished name.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.wire.file
    }
}

/// One stretch of what is fetched.
#[derive(Debug, Default)]
pub struct Page {
    pub(crate) content: Vec<u8>,
    pub(crate) cursor: Option<String>,
}

impl Page {
    /// Bytes that follow those before.
    pub fn put(&mut self, content: &[u8]) {
        self.content.extend_from_slice(content);
    }

    /// A line of JSON, for a job whose format is `json-lines`.
    ///
    /// # Errors
    /// [`Failure::PluginDefect`] if it cannot be written as JSON.
    pub fn put_json_line<T: serde::Serialize>(&mut self, row: &T) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.content, row)
            .map_err(|error| Failure::defect("row-unwritable", format!("A row cannot be written as JSON: {error}.")))?;
        self.content.push(b'\n');
        Ok(())
    }

    /// Where the next run goes on, in the provider's own words. The last one counts, and only if the run takes what was fetched.
    pub fn next_run_from(&mut self, cursor: impl Into<String>) {
        self.cursor = Some(cursor.into());
    }
}

impl Fetching for OneWay {
    fn next(&mut self, _: &mut Page) -> Result<Done, Trouble> {
        match self.0 {}
    }
}

impl Sending for OneWay {
    fn write(&mut self, _: &[u8]) -> Result<(), Trouble> {
        match self.0 {}
    }

    fn finish(&mut self) -> Result<Sent, Trouble> {
        match self.0 {}
    }
}

fn no_such_way(way: &str) -> Trouble {
    Failure::defect("way-unknown", format!("The connector does not {way} files, and plugin.toml says that it does.")).into()
}
