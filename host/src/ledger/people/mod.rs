//! People: who they are, what they are at each partner, that they are signed in, and how often somebody failed to sign in.
//!
//! ```text
//! person     a person, and what changes of them
//! roles      what they are at a partner
//! sessions   who is signed in
//! elsewhere  signing in at a provider of identities, from leaving to coming back
//! failures   who fails to sign in, and how long they wait
//! refusals   who asks for what they may not, and how often
//! ```
//!
//! It must not know what a role allows, what a password is, or how a session is carried. It keeps hashes and words.

mod elsewhere;
mod failures;
mod person;
mod refusals;
mod roles;
mod sessions;

pub use elsewhere::NewSignIn;
pub use failures::{Counted, Guess};
pub use person::{NewPerson, PasswordKept, Person};
pub(super) use refusals::Refusals;
pub use refusals::Refused;
pub use roles::NewRole;
pub use sessions::{LiveSession, NewSession, StoredSession};

use super::audit::{Covered, CoveredKind};
use super::error::LedgerError;
use super::store::{Transaction, query, query_scalar};
use crate::model::ids::PersonName;

fn subject(person: &PersonName) -> String {
    format!("person:{person}")
}

/// Ends every session of a person, and lets none begin on what they had shown before. Answers the sessions, of which the act says that
/// they are no more: one that is put back is found.
async fn end_sessions(transaction: &mut Transaction, person: &PersonName) -> Result<Vec<Covered>, LedgerError> {
    let raised = query("UPDATE people SET stamp = stamp + 1 WHERE person = $1").bind(person.as_str()).execute(&mut *transaction).await?;
    if raised == 0 {
        return Err(nobody(person));
    }
    let ended: Vec<String> = query_scalar("SELECT hash FROM sessions WHERE person = $1 ORDER BY hash")
        .bind(person.as_str())
        .fetch_all(&mut *transaction)
        .await?;
    query("DELETE FROM sessions WHERE person = $1").bind(person.as_str()).execute(transaction).await?;
    Ok(ended.into_iter().map(|hash| Covered::of_hub(CoveredKind::Session, hash)).collect())
}

/// A person and their roles as an act finds them, and keeps them from others until its end.
async fn found(transaction: &mut Transaction, person: &PersonName) -> Result<Covered, LedgerError> {
    let _: Option<i64> =
        query_scalar("SELECT stamp FROM people WHERE person = $1").bind(person.as_str()).locked().fetch_optional(&mut *transaction).await?;
    Covered::of_hub(CoveredKind::Person, person.as_str()).found_before(transaction).await
}

fn nobody(person: &PersonName) -> LedgerError {
    LedgerError::NotFound { what: "person", name: person.to_string() }
}
