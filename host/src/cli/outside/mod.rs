//! Commands about places outside: connections, their credentials, and the bucket that hubs share.

mod artefacts;
mod connection;
mod secret;
mod webhook;

pub(super) use artefacts::artefacts;
pub(super) use connection::{Command as ConnectionCommand, answer as connection};
pub(super) use secret::{Command as SecretCommand, answer as secret};

pub(super) use webhook::{Command as WebhookCommand, answer as webhook};

use super::{Answer, DataOption, open, paint};
