//! Puts an artefact under its key, whole or not at all, and never over another object.
//!
//! ```text
//! look ── note ── put, if the key is new ── receipt                                       small
//! look ── begin ── parts ── note the upload ── complete, if the key is new ── receipt     large
//!                                                   │
//!                  killed here, or without an answer: look again; the object is there, or its upload is still open,
//!                  or neither, and nobody can tell whether its receiver took it away already
//! ```
//!
//! A server that cannot make sure that a key is new has been looked at a moment before, and that is all that can be done.

use std::io::{self, Read, Seek as _, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::Digest as _;

use super::bucket::{Bucket, Made, Whole};
use super::open;
use crate::connection::artefacts::{ArtefactFile, Artefacts, copy};
use crate::connection::deliver::{Delivery, Notes, Receipt, check_file_name};
use crate::connection::error::{ConnectionError, Step};
use crate::connection::outside::Opened;
use crate::model::ids::Digest;
use crate::model::job::S3Place;

/// Largest object that is put at once, in bytes, and the least of a part but the last.
const PART_BYTES: u64 = 16 << 20;

/// What is noted of an object that is put at once, and, before the number of its upload, of one in parts.
const AT_ONCE: &str = "put";
const UPLOAD: &str = "upload ";

/// Parts that an object may have.
const PARTS_MAX: u64 = 10_000;

/// Whether the very bytes are there under the delivery's name; an error if another object has it.
pub(in crate::connection) fn check_target(place: &S3Place, opened: Opened<'_>, delivery: &Delivery<'_>) -> Result<bool, ConnectionError> {
    check_file_name(delivery.name)?;
    already_there(&open(place, opened)?, place, (delivery, None)).map(|receipt| receipt.is_some())
}

/// Delivers to a bucket.
pub(in crate::connection) fn deliver(
    place: &S3Place,
    opened: Opened<'_>,
    (delivery, notes): (&Delivery<'_>, Notes<'_>),
    artefacts: &Artefacts,
) -> Result<Receipt, ConnectionError> {
    check_file_name(delivery.name)?;
    let bucket = open(place, opened)?;
    let size = artefacts.verify(&delivery.digest)?.size;
    if let Some(receipt) = already_there(&bucket, place, (delivery, Some(size)))? {
        return Ok(receipt);
    }
    let key = key(place, delivery);
    if let Some(earlier) = notes.earlier {
        match earlier.strip_prefix(UPLOAD) {
            // If this cannot be done, the bucket's own rules for such leftovers do it.
            Some(upload) if bucket.is_open((&key, upload))? => drop(bucket.abort((&key, upload))),
            _ => {
                let why = "an earlier attempt began to put it there, and it is not there, or not any more".to_owned();
                return Err(ConnectionError::Uncertain { target: target(place, delivery), why });
            }
        }
    }
    let object = Object { bucket: &bucket, key: &key, digest: delivery.digest, size, begin: &|note| (notes.begin)(Some(note)) };
    let put = object.put(&|| artefacts.read(&delivery.digest), true);
    let receipt = Receipt { target: target(place, delivery), size, digest: delivery.digest, already_there: false, said: None };
    match put {
        Ok(true) => Ok(receipt),
        // The key was taken in this moment.
        Ok(false) => already_there(&bucket, place, (delivery, Some(size)))?
            .ok_or_else(|| bucket.unreachable(Step::Write, "another object was being given the name".to_owned())),
        Err(Unfinished { error, whole: false, .. }) => Err(error),
        Err(Unfinished { error, upload, .. }) => {
            if already_there(&bucket, place, (delivery, Some(size)))?.is_some() {
                return Ok(receipt);
            }
            if let Some(upload) = upload
                && bucket.is_open((&key, &upload))?
            {
                // If this cannot be done, the bucket's own rules for such leftovers do it.
                drop(bucket.abort((&key, &upload)));
                return Err(error);
            }
            let why = format!("{error}, after all of it was sent; and it is not there, or not any more");
            Err(ConnectionError::Uncertain { target: receipt.target, why })
        }
    }
}

/// One object to be put, small or large.
pub(super) struct Object<'a> {
    pub(super) bucket: &'a Bucket,
    pub(super) key: &'a str,
    pub(super) digest: Digest,
    pub(super) size: u64,
    /// Told, before anybody could see it, that it may from now on be seen.
    pub(super) begin: &'a dyn Fn(&str) -> Result<(), ConnectionError>,
}

/// Opens what is put, from its start, each time that it is asked.
pub(super) type Source<'a> = &'a dyn Fn() -> Result<ArtefactFile, ConnectionError>;

/// What did not come to its end.
pub(super) struct Unfinished {
    pub(super) error: ConnectionError,
    /// Whether all of it was sent and no answer came: then it may be there.
    whole: bool,
    /// Its parts, which may be waiting to be put together.
    upload: Option<String>,
}

impl From<ConnectionError> for Unfinished {
    fn from(error: ConnectionError) -> Self {
        Self { error, whole: false, upload: None }
    }
}

impl Object<'_> {
    /// Puts it; false if only a new key will do and this one is taken.
    pub(super) fn put(&self, source: Source<'_>, only_new: bool) -> Result<bool, Unfinished> {
        let made = if self.size <= PART_BYTES { self.at_once(source, only_new)? } else { self.in_parts(source, only_new)? };
        match made {
            Made::Done => Ok(true),
            Made::Taken => Ok(false),
            Made::Not(error) => Err(error.into()),
            Made::CannotTell if only_new => self.put(source, false),
            Made::CannotTell => Err(self.bucket.refused(Step::Write, "the server does not know how to store an object".to_owned()).into()),
        }
    }

    fn at_once(&self, source: Source<'_>, only_new: bool) -> Result<Made, Unfinished> {
        let left = Arc::new(AtomicU64::new(self.size));
        let body = Counted { file: source()?, left: Arc::clone(&left) };
        let whole = Whole { key: self.key, size: self.size, digest: self.digest, only_new };
        (self.begin)(AT_ONCE)?;
        self.bucket.put(whole, body).map_err(|error| {
            let whole = heard(&error) && left.load(Ordering::Relaxed) == 0;
            Unfinished { error, whole, upload: None }
        })
    }

    fn in_parts(&self, source: Source<'_>, only_new: bool) -> Result<Made, Unfinished> {
        let upload = self.bucket.begin(self.key)?;
        let at = (self.key, upload.as_str());
        let completed = self.parts(at, source).map_err(Unfinished::from).and_then(|parts| {
            (self.begin)(&format!("{UPLOAD}{upload}"))?;
            let completed = self.bucket.complete(at, &parts, only_new);
            completed.map_err(|error| Unfinished { whole: heard(&error), upload: Some(upload.clone()), error })
        });
        let lost = completed.as_ref().is_err_and(|unfinished| unfinished.whole);
        if !matches!(completed, Ok(Made::Done)) && !lost {
            // If this cannot be done, the bucket's own rules for such leftovers do it.
            drop(self.bucket.abort(at));
        }
        completed
    }

    /// Sends all parts, and sees that together they are the artefact.
    fn parts(&self, at: (&str, &str), source: Source<'_>) -> Result<Vec<String>, ConnectionError> {
        let part_bytes = PART_BYTES.max(self.size.div_ceil(PARTS_MAX));
        let failed = |error| ConnectionError::store(std::path::Path::new(self.key), error);
        let (mut hasher, mut parts, mut sent) = (sha2::Sha256::new(), Vec::new(), 0);
        let mut hashed = source()?;
        while sent < self.size {
            let size = part_bytes.min(self.size - sent);
            copy(&mut Read::take(&mut hashed, size), &mut io::sink(), &mut hasher).map_err(|(_, error)| failed(error))?;
            let mut body = source()?;
            body.seek(SeekFrom::Start(sent)).map_err(failed)?;
            let number = u16::try_from(parts.len() + 1).expect("there are at most ten thousand parts");
            parts.push(self.bucket.part(at, number, (body.take(size), size))?);
            sent += size;
        }
        let found = Digest::new(hasher.finalize().into());
        if found == self.digest { Ok(parts) } else { Err(ConnectionError::ArtefactDamaged { digest: self.digest, found }) }
    }
}

/// Whether the server may have heard what it gave no answer to.
const fn heard(error: &ConnectionError) -> bool {
    matches!(error, ConnectionError::Unreachable { step: Step::Write | Step::Rename, .. })
}

/// Counts what is left to be sent.
struct Counted {
    file: ArtefactFile,
    left: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.left.fetch_sub(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Sixteen digits by chance, so that two checks never write one object.
pub(super) fn chance() -> String {
    format!("{:016x}", getrandom::u64().expect("the system gives random numbers"))
}

fn key(place: &S3Place, delivery: &Delivery<'_>) -> String {
    format!("{}{}", place.prefix, delivery.name)
}

fn target(place: &S3Place, delivery: &Delivery<'_>) -> String {
    format!("s3://{}/{}", place.bucket, key(place, delivery))
}

/// The receipt, if the very bytes are there; nothing, if the key is free.
fn already_there(
    bucket: &Bucket,
    place: &S3Place,
    (delivery, size): (&Delivery<'_>, Option<u64>),
) -> Result<Option<Receipt>, ConnectionError> {
    let key = key(place, delivery);
    let taken = || ConnectionError::TargetTaken { target: target(place, delivery) };
    match bucket.look(&key)? {
        None => return Ok(None),
        Some(found) if size.is_some_and(|size| size != found.size) => return Err(taken()),
        Some(_) => {}
    }
    // Its receiver may take it away in this moment.
    let Some(mut answer) = bucket.get(&key)? else { return Ok(None) };
    let mut hasher = sha2::Sha256::new();
    let mut body = answer.body_mut().with_config().limit(u64::MAX).reader();
    let size = copy(&mut body, &mut io::sink(), &mut hasher).map_err(|(_, error)| bucket.broken(Step::Read, error))?;
    if Digest::new(hasher.finalize().into()) != delivery.digest {
        return Err(taken());
    }
    Ok(Some(Receipt { target: target(place, delivery), size, digest: delivery.digest, already_there: true, said: None }))
}
