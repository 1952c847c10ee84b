//! Who may do what: actions, the roles and scopes that allow them, people who sign in, and a caller at one partner.
//!
//! ```text
//! action     what can be done, and what each role and scope of a token allows
//! caller     somebody who acts at one partner, by a session or a token
//! session    signing in and out, and what a session is worth
//! provider   signing in at a provider of identities
//! token      what other systems call with, shown once
//! refused    what is noted of who was refused what
//! password   hashed, and compared, away from the threads that answer
//! ```
//!
//! It must not know HTTP, pages, or how anything is done.

mod action;
mod caller;
mod password;
mod provider;
mod refused;
mod session;
mod token;

pub use action::{Action, Role};
pub use caller::{Caller, Denied, TokenRefused};
pub use password::{PasswordRefused, hashed};
pub use provider::{Arrived, BadSettings, Provider, ProviderRefused, ProviderSettings, SentBack};
pub use refused::{Asked, Asker, TurnedAway};
pub use session::{Door, NotAMember, SignInRefused, SignedIn, form_key};
pub use token::{SCOPES_OF_TOKEN, TokenAsk, make_token};
