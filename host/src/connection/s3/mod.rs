//! Objects of an S3-compatible store: those whose keys begin with the place's prefix and have no `/` after it are its files.
//!
//! An object is there whole or not at all, so nothing has to settle. A listed object that has become another since is left for later.

mod bucket;
mod deliver;
mod shared;

use std::io::{Read as _, Write as _};

use jiff::Timestamp;
use ureq::http::header::{CONTENT_LENGTH, ETAG};

use super::artefacts::{Artefacts, COPY_BYTES, Stored};
use super::check::{PROBE_PREFIX, counted};
use super::error::{ConnectionError, Step};
use super::listing::{FoundFile, LeftAlone, Listing, Seen, WhyLeft, is_unfinished, matcher};
use super::outside::Opened;
use crate::model::ids::Digest;
use crate::model::job::S3Place;
use bucket::{Bucket, Made, Whole};

pub(super) use deliver::{check_target, deliver};
pub use shared::{Moment, Shared};

/// Most objects below a prefix. More are no folder to take files from, and would fill memory.
const OBJECTS_MAX: usize = 100_000;

/// Opens the bucket of a place.
fn open(place: &S3Place, opened: Opened<'_>) -> Result<Bucket, ConnectionError> {
    let key = opened.credentials.get(Some(&place.key))?.expect("a name was given");
    Bucket::open(place, key, opened.now_ms)
}

/// Lists the objects of the place.
pub(super) fn list(place: &S3Place, opened: Opened<'_>, pattern: &str) -> Result<Listing, ConnectionError> {
    let matcher = matcher(pattern)?;
    let bucket = open(place, opened)?;
    let (mut listing, mut token, mut objects) = (Listing::default(), None, 0);
    loop {
        let page = bucket.page(&place.prefix, token)?;
        objects += page.contents.len();
        if objects > OBJECTS_MAX {
            let why = format!("there are more than {OBJECTS_MAX} objects below {:?}", place.prefix);
            return Err(bucket.refused(Step::List, why));
        }
        for object in page.contents {
            // What stands for the folder itself has the prefix as its key.
            let Some(name) = object.key.strip_prefix(&place.prefix).filter(|name| !name.is_empty() && !name.contains('/')) else {
                continue;
            };
            if !matcher.is_match(name) || is_unfinished(name) {
                continue;
            }
            let left = match object.size.unwrap_or(0) {
                0 => Some(WhyLeft::Empty),
                size if size > place.file_bytes_max => Some(WhyLeft::TooLarge),
                _ => None,
            };
            match left {
                Some(why) => listing.left.push(LeftAlone { name: name.to_owned(), why }),
                None => listing.files.push(found(name, object.size.unwrap_or(0), (object.last_modified, object.etag))),
            }
        }
        match page.next_continuation_token {
            Some(next) => token = Some(next),
            None => return Ok(listing.sorted()),
        }
    }
}

fn found(name: &str, size: u64, (modified, etag): (Option<String>, Option<String>)) -> FoundFile {
    let modified_ms = modified.and_then(|text| text.parse::<Timestamp>().ok()).map_or(0, Timestamp::as_millisecond);
    let seen = Seen { device: 0, inode: 0, size, modified: (modified_ms, 0) };
    FoundFile { name: name.to_owned(), size, modified_ms, seen, mark: etag.map(|etag| plain(&etag)) }
}

/// A name of content without its quotation marks, which some servers leave out in listings.
fn plain(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

/// Copies a listed object, if it is still the one that was listed.
pub(super) fn pull(place: &S3Place, opened: Opened<'_>, file: &FoundFile, artefacts: &Artefacts) -> Result<Stored, ConnectionError> {
    let bucket = open(place, opened)?;
    let changed = || ConnectionError::StillBeingWritten { name: file.name.clone() };
    let mut answer = bucket.get(&format!("{}{}", place.prefix, file.name))?.ok_or_else(changed)?;
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    let another = header(ETAG).zip(file.mark.as_deref()).is_some_and(|(is, was)| plain(is) != was);
    if another || header(CONTENT_LENGTH).is_some_and(|size| size != file.size.to_string()) {
        return Err(changed());
    }
    let mut writer = artefacts.writer()?;
    let mut body = answer.body_mut().with_config().limit(u64::MAX).reader();
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let read = body.read(&mut buffer).map_err(|error| bucket.broken(Step::Read, error))?;
        if read == 0 {
            break;
        }
        if writer.size() + read as u64 > file.size {
            return Err(changed());
        }
        writer.write_all(&buffer[..read]).map_err(|error| ConnectionError::store(std::path::Path::new("staging"), error))?;
    }
    if writer.size() == file.size { writer.commit() } else { Err(bucket.unreachable(Step::Read, "the object was cut off".to_owned())) }
}

/// Tries the bucket step by step; `done` hears of each that succeeded.
pub(super) fn check(place: &S3Place, opened: Opened<'_>, writes: bool, done: &mut dyn FnMut(Step, String)) -> Result<(), ConnectionError> {
    let listed = list(place, opened, "*");
    let reached = match &listed {
        Ok(_) => 4,
        Err(ConnectionError::Refused { step: Step::List, .. } | ConnectionError::SignIn { .. }) => 3,
        Err(_) => 0,
    };
    for step in [Step::Resolve, Step::Connect, Step::Certificate, Step::SignIn].into_iter().take(reached) {
        done(step, String::new());
    }
    done(Step::List, counted(listed?.files.len()));
    if writes {
        let bucket = open(place, opened)?;
        let (probe, text) = (format!("{}{PROBE_PREFIX}{}.tmp", place.prefix, deliver::chance()), b"bailiwick connection check\n");
        let whole = Whole { key: &probe, size: text.len() as u64, digest: Digest::of(text), only_new: true };
        let (made, found) = match bucket.put(whole, &text[..])? {
            Made::CannotTell => {
                let found = "the server does not keep others from taking a name in the same moment";
                (bucket.put(Whole { only_new: false, ..whole }, &text[..])?, found)
            }
            made => (made, ""),
        };
        match made {
            Made::Done => done(Step::Write, found.to_owned()),
            Made::Not(error) => return Err(error),
            Made::Taken | Made::CannotTell => return Err(bucket.refused(Step::Write, "a new name could not be taken".to_owned())),
        }
        bucket.delete(&probe)?;
        done(Step::Remove, String::new());
    }
    Ok(())
}
