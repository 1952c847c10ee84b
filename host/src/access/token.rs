//! Tokens with which other systems call: made here, shown once, known by their hash.

use std::collections::BTreeSet;

use secrecy::SecretString;

use super::action::Action;
use crate::ledger::{By, Ledger, LedgerError, NewToken};
use crate::model::ids::{Digest, PartnerName};

/// What a token may be used for where nobody says: all that a system needs to run jobs and put them right, no more.
pub const SCOPES_OF_TOKEN: [Action; 4] = [Action::Read, Action::Run, Action::Decide, Action::Correct];

/// Chance in a token, in bytes.
const TOKEN_BYTES: usize = 32;

/// A token that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAsk<'a> {
    /// Whose.
    pub partner: &'a PartnerName,
    /// What people call it.
    pub name: &'a str,
    /// What it may be used for.
    pub scopes: BTreeSet<Action>,
    /// From when on it is refused.
    pub expires_at_ms: Option<i64>,
}

/// Makes a token. Only its hash is kept, so this is the one time that it can be shown.
///
/// # Errors
/// [`LedgerError::AlreadyThere`] if the partner has, or had, a token of that name; [`LedgerError::NotFound`] if there is no such partner.
pub async fn make_token(ledger: &Ledger, ask: &TokenAsk<'_>, by: &By) -> Result<SecretString, LedgerError> {
    let mut chance = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut chance).expect("the system gives random numbers");
    let token = format!("bwk_{}", Digest::new(chance));
    let new = NewToken {
        partner: ask.partner.clone(),
        name: ask.name.to_owned(),
        hash: Digest::of(token.as_bytes()),
        scopes: ask.scopes.iter().map(|scope| scope.name().to_owned()).collect(),
        expires_at_ms: ask.expires_at_ms,
    };
    ledger.create_token(&new, by).await?;
    Ok(SecretString::from(token))
}
