//! One session, out or in: what stands between the contract's calls and the plugin's methods.

use std::fmt;

use super::{Connector, Fetching, FileSession, Page, Sending, Sent, Trouble};
use crate::adapter::{Done, read_settings};
use crate::hub::Hub;
use crate::wire;

/// A file on its way from the provider.
pub(crate) struct FetchRun<C: Connector>(C::Fetching);

impl<C: Connector> FetchRun<C> {
    pub(crate) fn open(
        context: wire::connector::Context,
        cursor: Option<&str>,
        settings: impl FnOnce() -> String,
        hub: &Hub,
    ) -> Result<Self, Trouble> {
        let session = FileSession::new(context);
        C::fetching(&session, read_settings(settings)?, cursor, hub).map(Self)
    }

    pub(crate) fn next(&mut self) -> Result<wire::connector::Page, Trouble> {
        let mut page = Page::default();
        let done = self.0.next(&mut page)?;
        Ok(wire::connector::Page { content: page.content, cursor: page.cursor, done: done == Done::Yes })
    }
}

/// A file on its way to the provider.
pub(crate) struct SendRun<C: Connector>(C::Sending);

impl<C: Connector> SendRun<C> {
    pub(crate) fn open(
        context: wire::connector::Context,
        key: &str,
        settings: impl FnOnce() -> String,
        hub: &Hub,
    ) -> Result<Self, Trouble> {
        let session = FileSession::new(context);
        C::sending(&session, read_settings(settings)?, key, hub).map(Self)
    }

    pub(crate) fn write(&mut self, content: &[u8]) -> Result<(), Trouble> {
        self.0.write(content)
    }

    pub(crate) fn finish(&mut self) -> Result<Sent, Trouble> {
        self.0.finish()
    }
}

impl<C: Connector> fmt::Debug for FetchRun<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchRun").finish_non_exhaustive()
    }
}

impl<C: Connector> fmt::Debug for SendRun<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendRun").finish_non_exhaustive()
    }
}
