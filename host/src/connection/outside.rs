//! A place together with what opens it, and how a place that is far away is spoken of.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;

use super::error::{ConnectionError, Step};
use crate::model::ids::SecretName;
use crate::model::job::Place;

/// A place, and the credentials that its connection names.
#[derive(Debug, Clone)]
pub struct Outside {
    /// Where and how.
    pub place: Place,
    /// By name. `Debug` does not show the values.
    pub credentials: BTreeMap<SecretName, SecretString>,
    /// The moment, in milliseconds since 1970: some places want requests to be dated.
    pub now_ms: i64,
}

impl Outside {
    /// A place that needs no credentials.
    #[must_use]
    pub const fn open(place: Place) -> Self {
        Self { place, credentials: BTreeMap::new(), now_ms: 0 }
    }

    pub(super) const fn opened(&self) -> Opened<'_> {
        Opened { credentials: Credentials(&self.credentials), now_ms: self.now_ms }
    }
}

/// What opens a place, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opened<'a> {
    pub(super) credentials: Credentials<'a>,
    pub(super) now_ms: i64,
}

/// The credentials of one place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Credentials<'a>(pub(super) &'a BTreeMap<SecretName, SecretString>);

impl<'a> Credentials<'a> {
    /// The value of a credential; none where none is named.
    pub(super) fn get(self, name: Option<&SecretName>) -> Result<Option<&'a SecretString>, ConnectionError> {
        let Some(name) = name else { return Ok(None) };
        self.0.get(name).map(Some).ok_or_else(|| ConnectionError::Credential { name: name.clone(), why: "was not given".to_owned() })
    }
}

/// How long a whole transfer may take, whatever the server does in between: a working day's night.
pub(super) const TRANSFER_TIME_MAX: Duration = Duration::from_secs(6 * 3_600);

/// Waits for a step of a place that is far away, no longer than it may take.
pub(super) async fn within<T>(limit: Duration, place: &str, step: Step, work: impl Future<Output = T>) -> Result<T, ConnectionError> {
    let silent = |_| ConnectionError::Unreachable { place: place.to_owned(), step, why: format!("no answer within {} s", limit.as_secs()) };
    tokio::time::timeout(limit, work).await.map_err(silent)
}
