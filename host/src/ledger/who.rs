//! Who acts, on whose behalf something is read, and how long lists are cut into pages.
//!
//! Must not know what is done or read.

use std::fmt;

use crate::model::ids::PartnerName;

/// Most items of one page of any list.
pub const PAGE_ITEMS_MAX: u32 = 1_000;

/// A running hub, by a name that stays the same when it is started again.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HubId(String);

impl HubId {
    /// The hub of a name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HubId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Who acted: a person, another system by its token, or the hub of itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor(String);

impl Actor {
    /// A person, by the name under which they sign in.
    #[must_use]
    pub fn person(name: &str) -> Self {
        Self(format!("person:{name}"))
    }

    /// Another system, by its token's partner and name.
    #[must_use]
    pub fn token(partner: &PartnerName, name: &str) -> Self {
        Self(format!("token:{partner}/{name}"))
    }

    /// The hub of itself: its schedule, its conductor.
    #[must_use]
    pub fn hub(hub: &HubId) -> Self {
        Self(format!("hub:{hub}"))
    }

    /// As it is stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a person, who alone may decide what takes two.
    #[must_use]
    pub fn is_person(&self) -> bool {
        self.0.starts_with("person:")
    }

    /// Of a token, its partner and its name.
    pub(super) fn of_token(&self) -> Option<(&str, &str)> {
        self.0.strip_prefix("token:")?.split_once('/')
    }

    /// As it stands in an export of the audit trail.
    #[must_use]
    pub const fn of_record(text: String) -> Self {
        Self(text)
    }

    pub(super) const fn stored(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// By whom, through which hub and when something is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Who acts.
    pub actor: Actor,
    /// The hub that writes it down.
    pub hub: HubId,
    /// From where: a caller's address, or `command line on HOST as USER`; none where a hub acts of itself.
    pub from: Option<String>,
    /// The moment, in milliseconds since 1970.
    pub now_ms: i64,
    /// How far the partner's audit trail reached when somebody looked, where the act is to be done only if it still holds.
    pub as_of: Option<AsOf>,
}

/// How far a partner's audit trail reached when somebody looked, and what must not have been done there since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AsOf {
    /// Since this entry, nothing at all.
    pub anything: Option<u64>,
    /// Since this one, nothing by which releases are judged: what the partner declares, releases, keys, tables, trials, candidates.
    pub judging: Option<u64>,
}

impl By {
    /// The same, to be done only if nothing has been done at the partner since its trail reached so far.
    #[must_use]
    pub fn as_of(self, seq: u64) -> Self {
        let as_of = AsOf { anything: Some(seq), ..self.as_of.unwrap_or_default() };
        Self { as_of: Some(as_of), ..self }
    }

    /// The same, to be done only if nothing by which releases are judged has been done there since: other runs may go on meanwhile.
    #[must_use]
    pub fn judged_as_of(self, seq: u64) -> Self {
        let as_of = AsOf { judging: Some(seq), ..self.as_of.unwrap_or_default() };
        Self { as_of: Some(as_of), ..self }
    }

    /// The hub acting of itself.
    #[must_use]
    pub fn hub(hub: &HubId, now_ms: i64) -> Self {
        Self { actor: Actor::hub(hub), hub: hub.clone(), from: None, now_ms, as_of: None }
    }
}

/// On whose behalf something is read. Every read says it, so that a partner never sees another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// The operator of the hub, and the hub itself: all partners.
    Hub,
    /// A partner: its own.
    Partner(&'a PartnerName),
}

impl Scope<'_> {
    /// Whether something of a partner may be seen.
    #[must_use]
    pub fn covers(&self, partner: &PartnerName) -> bool {
        match self {
            Self::Hub => true,
            Self::Partner(own) => *own == partner,
        }
    }

    /// What queries compare with: the partner, or nothing for all of them. No partner's name is empty.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Hub => "",
            Self::Partner(partner) => partner.as_str(),
        }
    }
}

/// Some items of a list, and where it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The items.
    pub items: Vec<T>,
    /// What to ask for next; none at the end of the list.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// Makes a page of one item more than was asked for, which says whether there is a next one.
    pub(super) fn cut(mut items: Vec<T>, limit: u32, cursor: impl FnOnce(&T) -> C) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor) } else { None };
        Self { items, next }
    }
}

/// A page's length within what is allowed.
pub(super) fn page_items(wanted: u32) -> u32 {
    wanted.clamp(1, PAGE_ITEMS_MAX)
}
