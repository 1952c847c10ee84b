//! Commands about places outside: the credentials of connections.

mod secret;

pub(super) use secret::{Command as SecretCommand, answer as secret};

use super::{Answer, DataOption, open, paint};
