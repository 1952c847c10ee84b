//! The artefacts of hubs that share a bucket: each under its digest. What is put there is there before anybody is told of it.
//!
//! A bucket that fails is the hub's own store failing, not a partner's place: every failure says so, and may pass.

use std::fmt;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::bucket::{Bucket, Told};
use super::deliver::{Object, Source};
use crate::connection::artefacts::{COPY_BYTES, Stored};
use crate::connection::error::{ConnectionError, Step};
use crate::model::ids::Digest;
use crate::model::job::S3Place;

/// Tells the moment, in milliseconds since 1970: requests are dated.
pub type Moment = Box<dyn Fn() -> i64 + Send + Sync>;

/// A bucket that several hubs keep their artefacts in.
pub struct Shared {
    place: S3Place,
    key: SecretString,
    moment: Moment,
}

/// How recently an object must have been put, so that it is not put again.
const FRESH: Duration = Duration::from_secs(3_600);

/// Whether an object has lain untouched for some time; none if the server does not say.
fn settled(found: Told, now_ms: i64, untouched: Duration) -> Option<bool> {
    let untouched_ms = i64::try_from(untouched.as_millis()).unwrap_or(i64::MAX);
    found.modified_ms.map(|modified_ms| now_ms >= modified_ms.saturating_add(untouched_ms))
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.place.bucket).finish()
    }
}

impl Shared {
    /// A bucket with the secret access key that opens it.
    #[must_use]
    pub const fn new(place: S3Place, key: SecretString, moment: Moment) -> Self {
        Self { place, key, moment }
    }

    /// Sees that it can be used at all.
    pub(in crate::connection) fn look(&self) -> Result<(), ConnectionError> {
        self.bucket().and_then(|bucket| bucket.page(&self.place.prefix, None)).map(drop).map_err(|error| self.failed(&error))
    }

    /// Puts an artefact there by its name, unless it is: these bytes, as they stand in the folder.
    pub(in crate::connection) fn put(&self, (name, stored): (&str, Stored), source: Source<'_>) -> Result<(), ConnectionError> {
        let put = || {
            let (bucket, key) = (self.bucket()?, self.key(name));
            // One of another length is no artefact of ours: it is replaced. One that has lain for a while may be about to be given up by
            // another hub: put again, it has been written a moment ago, and stays.
            let fresh = |found: Told| found.size == stored.size && settled(found, (self.moment)(), FRESH) == Some(false);
            if bucket.look(&key)?.is_some_and(fresh) {
                return Ok(());
            }
            let object = Object { bucket: &bucket, key: &key, digest: stored.digest, size: stored.size, begin: &|_| Ok(()) };
            object.put(source, false).map(drop).map_err(|unfinished| unfinished.error)
        };
        put().map_err(|error| self.failed(&error))
    }

    /// Copies an artefact from there. Its digest is for the caller to compare.
    pub(in crate::connection) fn fetch(&self, (name, digest): (&str, &Digest), to: &mut impl Write) -> Result<(), ConnectionError> {
        let bucket = self.bucket().map_err(|error| self.failed(&error))?;
        let found = bucket.get(&self.key(name)).map_err(|error| self.failed(&error))?;
        let mut answer = found.ok_or(ConnectionError::ArtefactMissing { digest: *digest })?;
        let mut body = answer.body_mut().with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; COPY_BYTES];
        loop {
            let read = body.read(&mut buffer).map_err(|error| self.failed(&bucket.broken(Step::Read, error)))?;
            if read == 0 {
                return Ok(());
            }
            to.write_all(&buffer[..read]).map_err(|error| ConnectionError::store(Path::new("staging"), error))?;
        }
    }

    /// Removes an artefact. That it is not there is no error.
    pub(in crate::connection) fn remove(&self, name: &str) -> Result<(), ConnectionError> {
        self.bucket().and_then(|bucket| bucket.delete(&self.key(name))).map_err(|error| self.failed(&error))
    }

    /// Removes an artefact that has lain untouched for some time. Answers its size, or none if there is no such artefact; the outer
    /// none if it was written meanwhile, and stays.
    pub(in crate::connection) fn remove_settled(&self, name: &str, untouched: Duration) -> Result<Option<Option<u64>>, ConnectionError> {
        let removal = || {
            let (bucket, key) = (self.bucket()?, self.key(name));
            match bucket.look(&key)? {
                None => Ok(Some(None)),
                Some(found) if settled(found, (self.moment)(), untouched) == Some(true) => {
                    bucket.delete(&key).map(|()| Some(Some(found.size)))
                }
                Some(_) => Ok(None),
            }
        };
        removal().map_err(|error| self.failed(&error))
    }

    fn bucket(&self) -> Result<Bucket, ConnectionError> {
        Bucket::open(&self.place, &self.key, (self.moment)())
    }

    /// As in a folder of artefacts, so that one can be copied into a bucket.
    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.place.prefix)
    }

    fn failed(&self, error: &ConnectionError) -> ConnectionError {
        let path = PathBuf::from(format!("s3://{}/{}", self.place.bucket, self.place.prefix));
        ConnectionError::store(&path, std::io::Error::other(error.to_string()))
    }
}
