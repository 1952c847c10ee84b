//! Commands about places outside: connections, their credentials, and the bucket that hubs share.

mod artefacts;
mod connection;
mod secret;

pub(super) use artefacts::artefacts;
pub(super) use connection::{Command as ConnectionCommand, answer as connection};
pub(super) use secret::{Command as SecretCommand, answer as secret};

use super::{Answer, DataOption, open, paint};
