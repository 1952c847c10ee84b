//! The exports of a connector.

use std::cell::RefCell;
use std::marker::PhantomData;

use super::{grow, settings};
use crate::bindings::connector::Guest as ConnectorWorld;
use crate::bindings::connector::exports::bailiwick::plugin0_2_0::connectors;
use crate::connector::{Connector, FetchRun, SendRun, Sent};
use crate::hub::Hub;

/// What a page takes of memory, more or less.
const PAGE_BYTES: usize = 1 << 20;

/// The exports of a connector.
#[derive(Debug)]
pub struct ConnectorGuest<C>(PhantomData<C>);

impl<C: Connector> ConnectorWorld for ConnectorGuest<C> {
    fn initialize() {
        grow(PAGE_BYTES);
    }
}

impl<C: Connector> connectors::Guest for ConnectorGuest<C> {
    type Fetching = Fetch<C>;
    type Sending = Send<C>;
}

/// A file that is being fetched, which the hub holds by a handle.
#[derive(Debug)]
pub struct Fetch<C: Connector>(RefCell<FetchRun<C>>);

impl<C: Connector> connectors::GuestFetching for Fetch<C> {
    fn open(context: connectors::Context, cursor: Option<String>) -> Result<connectors::Fetching, connectors::ConnectorFailure> {
        let run = FetchRun::<C>::open(context, cursor.as_deref(), settings::get, &Hub::of_guest())?;
        Ok(connectors::Fetching::new(Self(RefCell::new(run))))
    }

    fn next(&self) -> Result<connectors::Page, connectors::ConnectorFailure> {
        Ok(self.0.borrow_mut().next()?)
    }
}

/// A file that is being sent, which the hub holds by a handle.
#[derive(Debug)]
pub struct Send<C: Connector>(RefCell<SendRun<C>>);

impl<C: Connector> connectors::GuestSending for Send<C> {
    fn open(context: connectors::Context, key: String) -> Result<connectors::Sending, connectors::ConnectorFailure> {
        let run = SendRun::<C>::open(context, &key, settings::get, &Hub::of_guest())?;
        Ok(connectors::Sending::new(Self(RefCell::new(run))))
    }

    fn write(&self, content: Vec<u8>) -> Result<(), connectors::ConnectorFailure> {
        Ok(self.0.borrow_mut().write(&content)?)
    }

    fn finish(&self) -> Result<connectors::Sent, connectors::ConnectorFailure> {
        Ok(match self.0.borrow_mut().finish()? {
            Sent::Taken(said) => connectors::Sent::Taken(said),
            Sent::HadBefore(said) => connectors::Sent::HadBefore(said),
            Sent::Uncertain(why) => connectors::Sent::Uncertain(why),
        })
    }
}
