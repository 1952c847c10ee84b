//! Commands about places outside: connections, and their credentials.

mod connection;
mod secret;

pub(super) use connection::{Command as ConnectionCommand, answer as connection};
pub(super) use secret::{Command as SecretCommand, answer as secret};

use super::{Answer, DataOption, open, paint};
