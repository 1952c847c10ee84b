//! A file on its way through a connector: from a provider, or to it.

use wasmtime::Store;
use wasmtime::component::ResourceAny;

use crate::model::limits::{CURSOR_BYTES_MAX, MESSAGE_BYTES_MAX};
use crate::model::outcome::{FetchedPage, PluginFailure, Sent, misleads};
use crate::sandbox::contract::text::clean;
use crate::sandbox::contract::v0_2::connector::exports::bailiwick::plugin0_2_0::connectors as wire;
use crate::sandbox::contract::v0_2::connector::{Connector, ConnectorPre};
use crate::sandbox::contract::{CallFault, lift};
use crate::sandbox::worker::{InstanceState, Setup};

/// A file that is being fetched, inside its instance.
pub(in crate::sandbox) struct OpenFetching {
    exports: Connector,
    fetching: ResourceAny,
}

impl OpenFetching {
    /// Makes the instance and begins. The cursor is what the run before left.
    pub(in crate::sandbox) fn open(
        linked: &ConnectorPre<InstanceState>,
        store: &mut Store<InstanceState>,
        setup: &Setup,
        (file, cursor): (&str, Option<&str>),
    ) -> Result<Self, CallFault> {
        let exports = linked.instantiate(&mut *store)?;
        let answer = exports.bailiwick_plugin0_2_0_connectors().fetching().call_open(&mut *store, context(setup, file), cursor)?;
        let fetching = answer.map_err(|error| failure(error, store))?;
        Ok(Self { exports, fetching })
    }

    /// Asks for the next page.
    pub(in crate::sandbox) fn next(&self, store: &mut Store<InstanceState>) -> Result<FetchedPage, CallFault> {
        let answer = self.exports.bailiwick_plugin0_2_0_connectors().fetching().call_next(&mut *store, self.fetching)?;
        let page = answer.map_err(|error| failure(error, store))?;
        if let Some(cursor) = &page.cursor
            && (cursor.len() > CURSOR_BYTES_MAX || cursor.contains(misleads))
        {
            let what = format!("a cursor of {} bytes: it is one line of at most {CURSOR_BYTES_MAX} bytes", cursor.len());
            return Err(lift::unsound(what));
        }
        Ok(FetchedPage { content: page.content, cursor: page.cursor, done: page.done })
    }
}

/// A file that is being sent, inside its instance.
pub(in crate::sandbox) struct OpenSending {
    exports: Connector,
    sending: ResourceAny,
}

impl OpenSending {
    /// Makes the instance and begins. The key is the same for every attempt.
    pub(in crate::sandbox) fn open(
        linked: &ConnectorPre<InstanceState>,
        store: &mut Store<InstanceState>,
        setup: &Setup,
        (file, key): (&str, &str),
    ) -> Result<Self, CallFault> {
        let exports = linked.instantiate(&mut *store)?;
        let answer = exports.bailiwick_plugin0_2_0_connectors().sending().call_open(&mut *store, context(setup, file), key)?;
        let sending = answer.map_err(|error| failure(error, store))?;
        Ok(Self { exports, sending })
    }

    /// Gives it the next bytes.
    pub(in crate::sandbox) fn write(&self, store: &mut Store<InstanceState>, content: &[u8]) -> Result<(), CallFault> {
        let answer = self.exports.bailiwick_plugin0_2_0_connectors().sending().call_write(&mut *store, self.sending, content)?;
        answer.map_err(|error| failure(error, store))
    }

    /// Says that the file is complete, and asks what the provider made of it.
    pub(in crate::sandbox) fn finish(&self, store: &mut Store<InstanceState>) -> Result<Sent, CallFault> {
        let answer = self.exports.bailiwick_plugin0_2_0_connectors().sending().call_finish(&mut *store, self.sending)?;
        let sent = answer.map_err(|error| failure(error, store))?;
        let mut said = |text| clean(text, MESSAGE_BYTES_MAX, &mut store.data_mut().stripped);
        Ok(match sent {
            wire::Sent::Taken(text) => Sent::Taken(said(text)),
            wire::Sent::HadBefore(text) => Sent::HadBefore(said(text)),
            wire::Sent::Uncertain(text) => Sent::Uncertain(said(text)),
        })
    }
}

fn context<'a>(setup: &'a Setup, file: &'a str) -> wire::Context<'a> {
    wire::Context { partner: setup.partner.as_str(), job: setup.job.as_str(), file }
}

fn failure(error: wire::ConnectorFailure, store: &mut Store<InstanceState>) -> CallFault {
    let stripped = &mut store.data_mut().stripped;
    CallFault::Failed(match error {
        wire::ConnectorFailure::Failed(failure) => lift::failure(failure, stripped),
        wire::ConnectorFailure::Refused(problem) => {
            let (code, message) = lift::problem(problem, stripped);
            PluginFailure::Refused { code, message }
        }
        wire::ConnectorFailure::TryLater(pause) => {
            let (code, message) = lift::problem(pause.problem, stripped);
            PluginFailure::TryLater { code, message, seconds: pause.seconds }
        }
    })
}
