//! Lists in pages: how far a caller wants to read, and where the list goes on.
//!
//! A cursor is opaque: it is what the hub needs to go on, wrapped so that nobody builds on what is in it.

use std::fmt::Display;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Code, Problem};
use crate::ledger::{self, PAGE_ITEMS_MAX};

/// Items of a page where the caller does not say.
pub(in crate::api) const PAGE_ITEMS: u32 = 100;

/// Longest cursor that is looked at, in characters.
const CURSOR_CHARS_MAX: usize = 400;

/// Some items of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct Page<T> {
    items: Vec<T>,
    /// What to send as `cursor` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Where a caller wants to go on, and how many items at most.
#[derive(Debug, Clone)]
pub(in crate::api) struct Wanted {
    after: Option<String>,
    pub(in crate::api) limit: u32,
}

impl Wanted {
    /// From what stands in an address.
    pub(in crate::api) fn new(cursor: Option<&str>, limit: Option<u32>) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(PAGE_ITEMS);
        if !(1..=PAGE_ITEMS_MAX).contains(&limit) {
            return Err(Problem::new(Code::BadRequest, format!("a page has 1 to {PAGE_ITEMS_MAX} items: limit is {limit}")));
        }
        let after = cursor.map(|cursor| {
            let bytes = if cursor.len() > CURSOR_CHARS_MAX { None } else { URL_SAFE_NO_PAD.decode(cursor).ok() };
            bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(no_cursor)
        });
        Ok(Self { after: after.transpose()?, limit })
    }

    /// What the list goes on after, as the list knows it.
    pub(in crate::api) fn after<T: FromStr>(&self) -> Result<Option<T>, Problem> {
        self.after.as_ref().map(|after| after.parse().map_err(|_| no_cursor())).transpose()
    }
}

impl<T> Page<T> {
    /// A page as the ledger cut it.
    pub(in crate::api) fn of<S, C: Display>(page: &ledger::Page<S, C>, told: impl FnMut(&S) -> T) -> Self {
        Self { items: page.items.iter().map(told).collect(), next: page.next.as_ref().map(wrapped) }
    }

    /// Items that stand for a page of the ledger's.
    pub(in crate::api) fn with<C: Display>(items: Vec<T>, next: Option<&C>) -> Self {
        Self { items, next: next.map(wrapped) }
    }

    /// The items, for whoever says more of each.
    pub(in crate::api) fn items(&self) -> &[T] {
        &self.items
    }

    /// The same page, each item told in other words.
    pub(in crate::api) fn map<S>(self, told: impl FnMut(&T) -> S) -> Page<S> {
        Page { items: self.items.iter().map(told).collect(), next: self.next }
    }

    /// The same page, with other words for its items.
    pub(in crate::api) fn told<S>(self, items: Vec<S>) -> Page<S> {
        Page { items, next: self.next }
    }

    /// A page of a list that is at hand whole, by a key that tells its items apart.
    pub(in crate::api) fn cut<K: Ord + FromStr + Display>(
        mut all: Vec<T>,
        wanted: &Wanted,
        key: impl Fn(&T) -> K,
    ) -> Result<Self, Problem> {
        all.sort_by_key(&key);
        if let Some(after) = wanted.after::<K>()? {
            all.retain(|item| key(item) > after);
        }
        let more = all.len() > wanted.limit as usize;
        all.truncate(wanted.limit as usize);
        let next = if more { all.last().map(|last| wrapped(&key(last))) } else { None };
        Ok(Self { items: all, next })
    }
}

fn wrapped(cursor: &impl Display) -> String {
    URL_SAFE_NO_PAD.encode(cursor.to_string())
}

fn no_cursor() -> Problem {
    Problem::new(Code::BadRequest, "this cursor is none that the hub gave: send `next` of the page before, or none to begin")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_through_page_by_page_once_each() {
        let all: Vec<String> = ["c", "a", "e", "b", "d"].map(ToOwned::to_owned).to_vec();
        let (mut cursor, mut read) = (None::<String>, Vec::new());
        loop {
            let wanted = Wanted::new(cursor.as_deref(), Some(2)).unwrap();
            let page = Page::cut(all.clone(), &wanted, Clone::clone).unwrap();
            assert!(page.items.len() <= 2);
            read.extend(page.items);
            match page.next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(read, ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn what_is_no_cursor_or_no_length_is_refused() {
        for (cursor, limit) in [(Some("!"), None), (Some("_w"), None), (None, Some(0)), (None, Some(1_001))] {
            assert!(Wanted::new(cursor, limit).is_err(), "{cursor:?} {limit:?}");
        }
        let long = "A".repeat(CURSOR_CHARS_MAX + 4);
        assert!(Wanted::new(Some(&long), None).is_err());
        let wanted = Wanted::new(Some(&URL_SAFE_NO_PAD.encode("x")), None).unwrap();
        assert!(wanted.after::<u64>().is_err());
    }
}
