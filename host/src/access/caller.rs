//! Somebody who acts at one partner, whether signed in to the console or calling with a token.

use std::collections::BTreeSet;

use super::action::Action;
use super::session::Door;
use crate::ledger::{Actor, By, HubId, LedgerError, Scope};
use crate::model::ids::{Digest, PartnerName};
use crate::model::personal::Sight;

/// Who acts, at which partner, and what that allows. Every route has one before it does anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    partner: PartnerName,
    actor: Actor,
    from: Option<String>,
    allowed: BTreeSet<Action>,
}

/// An act that a caller may not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{actor} may not {action} at {partner}")]
pub struct Denied {
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// Where.
    pub partner: PartnerName,
}

/// Why a token names no caller.
#[derive(Debug, thiserror::Error)]
pub enum TokenRefused {
    /// The caller asks for another token.
    #[error("this token is not known, was revoked, or has expired")]
    Unknown,
    /// The ledger could not be asked.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Caller {
    /// Somebody at a partner, with what they are allowed.
    #[must_use]
    pub const fn new(partner: PartnerName, actor: Actor, allowed: BTreeSet<Action>) -> Self {
        Self { partner, actor, from: None, allowed }
    }

    /// The same, coming from an address, which the audit trail names beside whatever they do.
    #[must_use]
    pub fn coming_from(mut self, address: impl Into<String>) -> Self {
        self.from = Some(address.into());
        self
    }

    /// The caller that a token names, and notes that it was used; or that one was tried which may no longer be used.
    ///
    /// # Errors
    /// [`TokenRefused`].
    pub async fn of_token(door: &Door<'_>, text: &str) -> Result<Self, TokenRefused> {
        let Door { ledger, hub, now_ms } = *door;
        let token = ledger.token(Digest::of(text.trim().as_bytes())).await?.ok_or(TokenRefused::Unknown)?;
        if !token.is_valid(now_ms) {
            ledger.refuse_token(&token, hub, now_ms).await?;
            return Err(TokenRefused::Unknown);
        }
        ledger.touch_token(&token, now_ms).await?;
        // A scope that this version does not know allows nothing.
        let allowed = token.scopes.iter().filter_map(|scope| scope.parse().ok()).collect();
        Ok(Self { actor: Actor::token(&token.partner, &token.name), partner: token.partner, from: None, allowed })
    }

    /// Refuses what is not allowed.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn may(&self, action: Action) -> Result<(), Denied> {
        if self.can(action) {
            return Ok(());
        }
        Err(Denied { actor: self.actor.clone(), action, partner: self.partner.clone() })
    }

    /// Refuses what none of some actions allows.
    ///
    /// # Errors
    /// [`Denied`], which names the first of them.
    pub fn may_any(&self, actions: &[Action]) -> Result<(), Denied> {
        match actions {
            [first, others @ ..] if !others.iter().any(|action| self.can(*action)) => self.may(*first),
            _ => Ok(()),
        }
    }

    /// Whether it is allowed, for what is only shown to those who may.
    #[must_use]
    pub fn can(&self, action: Action) -> bool {
        self.allowed.contains(&action)
    }

    /// How they see rows of people: masked, unless they ask for personal values and may see them. Whatever shows rows takes this to
    /// `Hub::view`.
    ///
    /// # Errors
    /// [`Denied`] if they ask and may not.
    pub fn sight(&self, personal: bool) -> Result<Sight, Denied> {
        if !personal {
            return Ok(Sight::Masked);
        }
        self.may(Action::SeePersonal).map(|()| Sight::Full)
    }

    /// The partner at which they act.
    #[must_use]
    pub const fn partner(&self) -> &PartnerName {
        &self.partner
    }

    /// Who they are.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What every query of theirs is held to.
    #[must_use]
    pub const fn scope(&self) -> Scope<'_> {
        Scope::Partner(&self.partner)
    }

    /// By whom something is done now.
    #[must_use]
    pub fn by(&self, hub: &HubId, now_ms: i64) -> By {
        By { actor: self.actor.clone(), hub: hub.clone(), from: self.from.clone(), now_ms, as_of: None }
    }
}
