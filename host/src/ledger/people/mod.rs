//! People: who they are, what they are at each partner, that they are signed in, and how often somebody failed to sign in.
//!
//! ```text
//! person     a person, and what changes of them
//! roles      what they are at a partner
//! sessions   who is signed in
//! elsewhere  signing in at a provider of identities, from leaving to coming back
//! failures   who fails to sign in, and how long they wait
//! ```
//!
//! It must not know what a role allows, what a password is, or how a session is carried. It keeps hashes and words.

mod elsewhere;
mod failures;
mod person;
mod roles;
mod sessions;

pub use elsewhere::NewSignIn;
pub use failures::{Counted, Guess};
pub use person::{NewPerson, PasswordKept, Person};
pub use roles::NewRole;
pub use sessions::{LiveSession, NewSession, StoredSession};

use super::error::LedgerError;
use super::store::{Transaction, query};
use crate::model::ids::PersonName;

fn subject(person: &PersonName) -> String {
    format!("person:{person}")
}

/// Ends every session of a person, and lets none begin on what they had shown before.
async fn end_sessions(transaction: &mut Transaction, person: &PersonName) -> Result<(), LedgerError> {
    query("UPDATE people SET stamp = stamp + 1 WHERE person = $1").bind(person.as_str()).execute(transaction).await?;
    query("DELETE FROM sessions WHERE person = $1").bind(person.as_str()).execute(transaction).await?;
    Ok(())
}

fn nobody(person: &PersonName) -> LedgerError {
    LedgerError::NotFound { what: "person", name: person.to_string() }
}
