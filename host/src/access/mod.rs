//! Who may do what: actions, the roles and scopes that allow them, and a caller at one partner.
//!
//! ```text
//! action   what can be done, and what each role and scope of a token allows
//! caller   somebody who acts at one partner, by a session or a token
//! ```
//!
//! It must not know HTTP, pages, or how anything is done.

mod action;
mod caller;

pub use action::{Action, Role};
pub use caller::{Caller, Denied, TokenRefused};
