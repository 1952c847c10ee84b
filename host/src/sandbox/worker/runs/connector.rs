//! One session of a connector with its provider, in one instance: a file fetched, or a file sent.

use std::sync::Arc;

use wasmtime::Store;

use super::super::instance::InstanceState;
use super::super::report::{Report, Setup};
use super::super::{begin_call, guarded};
use crate::model::outcome::{FetchedPage, Sent};
use crate::sandbox::contract::{CallFault, OpenFetching, OpenSending};
use crate::sandbox::error::CallError;

/// A session. After a call that failed it answers nothing more, and its report tells how far it came.
struct Session<O> {
    setup: Arc<Setup>,
    store: Store<InstanceState>,
    open: O,
    spent: bool,
}

/// A file on its way from a provider.
pub struct Fetching(Session<OpenFetching>);

/// A file on its way to a provider.
pub struct Sending(Session<OpenSending>);

impl Fetching {
    pub(in crate::sandbox::worker) fn new(setup: Arc<Setup>, store: Store<InstanceState>, open: OpenFetching) -> Self {
        Self(Session { setup, store, open, spent: false })
    }

    /// Fetches the next page: to be called until it says that it is done.
    ///
    /// # Errors
    /// Why the session cannot go on.
    pub fn next_page(&mut self) -> Result<FetchedPage, CallError> {
        self.0.call(|open, store| {
            let page = open.next(store)?;
            store.data_mut().count_output(0, page.content.len() as u64)?;
            Ok(page)
        })
    }

    /// Ends the instance and tells what it used and logged, whether its calls succeeded or not.
    #[must_use]
    pub fn close(self) -> Report {
        self.0.store.into_data().into_report()
    }
}

impl Sending {
    pub(in crate::sandbox::worker) fn new(setup: Arc<Setup>, store: Store<InstanceState>, open: OpenSending) -> Self {
        Self(Session { setup, store, open, spent: false })
    }

    /// Gives it the next bytes, at most 65,536.
    ///
    /// # Errors
    /// Why the session cannot go on.
    pub fn write(&mut self, content: &[u8]) -> Result<(), CallError> {
        self.0.call(|open, store| open.write(store, content))
    }

    /// Says that the file is complete, and asks what the provider made of it.
    ///
    /// # Errors
    /// Why the session cannot go on.
    pub fn finish(&mut self) -> Result<Sent, CallError> {
        self.0.call(OpenSending::finish)
    }

    /// Ends the instance and tells what it used and logged, whether its calls succeeded or not.
    #[must_use]
    pub fn close(self) -> Report {
        self.0.store.into_data().into_report()
    }
}

impl<O> Session<O> {
    fn call<R>(&mut self, call: impl FnOnce(&O, &mut Store<InstanceState>) -> Result<R, CallFault>) -> Result<R, CallError> {
        if self.spent {
            return Err(CallError::Spent { plugin: self.setup.release.manifest.name.clone() });
        }
        let Self { store, open, .. } = self;
        let answer = begin_call(store).and_then(|()| guarded(|| call(open, store)));
        answer.map_err(|fault| {
            self.spent = true;
            self.store.data_mut().judge(fault)
        })
    }
}
