//! Who looks at a page, at which partner, and what they posted.
//!
//! ```text
//! Visit     somebody signed in, at a page that needs somebody; whoever is not is led to the sign-in
//! At        a visit at the partner of the address, with what is allowed there; at any other partner there is no page
//! Posted    what a form brings, once its token shows that it came from a page of the hub's own
//! ```
//!
//! It must not know any page, or how people sign in.

mod fault;
mod posted;
mod refused;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

pub(crate) use fault::{Fault, panicked};
pub(crate) use posted::{Answers, Posted};
pub(crate) use refused::noted;

use super::look::{Frame, Page, Section};
use crate::access::{Action, Caller, SignedIn};
use crate::ledger::{By, Scope};
use crate::model::ids::PartnerName;
use crate::run::Hub;

/// The console's sections at a partner, and what it takes to see each.
const SECTIONS: &[(Section, Action)] = &[
    (Section { path: "", name: "Overview" }, Action::Read),
    (Section { path: "jobs", name: "Jobs" }, Action::Read),
    (Section { path: "runs", name: "Runs" }, Action::Read),
    (Section { path: "rejects", name: "Rejects" }, Action::Read),
    (Section { path: "plugins", name: "Plugins" }, Action::Read),
    (Section { path: "rules", name: "Try a rule" }, Action::Decide),
    (Section { path: "connections", name: "Connections" }, Action::Read),
    (Section { path: "people", name: "People" }, Action::ManagePeople),
    (Section { path: "tokens", name: "Tokens" }, Action::ManagePeople),
    (Section { path: "audit", name: "Audit" }, Action::ReadAudit),
];

/// Somebody signed in looks at a page.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    signed_in: SignedIn,
    hub: String,
}

/// Somebody signed in looks at a page of a partner, where they may do something.
#[derive(Debug, Clone)]
pub(crate) struct At {
    visit: Visit,
    pub(crate) caller: Caller,
    /// The partner's title.
    pub(crate) title: String,
}

impl Visit {
    /// A page that belongs to no partner.
    pub(crate) fn page(&self, title: impl Into<String>) -> Page {
        Page::new(self.frame(), title)
    }

    /// The token that forms of this session carry.
    pub(crate) fn csrf(&self) -> &str {
        self.signed_in.csrf()
    }

    /// Who is signed in, for what is no partner's.
    pub(crate) const fn signed_in(&self) -> &SignedIn {
        &self.signed_in
    }

    /// The partners that they may turn to, by name.
    pub(crate) fn partners(&self) -> Vec<PartnerName> {
        self.signed_in.partners().keys().cloned().collect()
    }

    fn frame(&self) -> Frame {
        Frame {
            hub: self.hub.clone(),
            who: Some((self.signed_in.display_name().to_owned(), self.csrf().to_owned())),
            partner: None,
            many: self.signed_in.partners().len() > 1,
            keeps_hub: self.signed_in.is_hub_operator(),
        }
    }
}

impl At {
    /// A page of this partner.
    pub(crate) fn page(&self, title: impl Into<String>) -> Page {
        let sections = SECTIONS.iter().filter(|(_, action)| self.caller.can(*action)).map(|(section, _)| *section).collect();
        let partner = Some((self.caller.partner().clone(), self.title.clone(), sections));
        Page::new(Frame { partner, ..self.visit.frame() }, title)
    }

    /// The address of a page of this partner: `path` begins without a stroke.
    pub(crate) fn href(&self, path: impl std::fmt::Display) -> String {
        format!("/p/{}/{path}", self.caller.partner())
    }

    /// The token that forms of this session carry.
    pub(crate) fn csrf(&self) -> &str {
        self.visit.csrf()
    }

    /// Who is signed in, wherever they are.
    pub(crate) const fn visit(&self) -> &Visit {
        &self.visit
    }

    /// Refuses what is not allowed.
    pub(crate) fn may(&self, action: Action) -> Result<(), Fault> {
        Ok(self.caller.may(action)?)
    }

    /// What every query is held to.
    pub(crate) const fn scope(&self) -> Scope<'_> {
        self.caller.scope()
    }

    /// By whom something is done now.
    pub(crate) fn by(&self, hub: &Hub) -> By {
        self.caller.by(hub.id(), hub.clock().now_ms())
    }
}

impl FromRequestParts<Hub> for Visit {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Fault> {
        let signed_in = SignedIn::from_request_parts(parts, hub).await.map_err(|led| Fault::SignIn(Box::new(led)))?;
        Ok(Self { signed_in, hub: hub.id().to_string() })
    }
}

impl FromRequestParts<Hub> for At {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Fault> {
        let visit = Visit::from_request_parts(parts, hub).await?;
        let params = RawPathParams::from_request_parts(parts, hub).await.map_err(|_| Fault::NotFound)?;
        let named = params.iter().find(|(name, _)| *name == "partner").ok_or(Fault::NotFound)?.1;
        let partner: PartnerName = named.parse().map_err(|_| Fault::NotFound)?;
        // What one may not see is not there: its name is told to nobody.
        let caller = visit.signed_in.at(&partner).map_err(|_| Fault::NotFound)?;
        let stored = hub.ledger().partners(caller.scope()).await?.into_iter().next().ok_or(Fault::NotFound)?;
        Ok(Self { visit, caller, title: stored.title })
    }
}
