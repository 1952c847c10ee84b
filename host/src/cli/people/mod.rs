//! Commands about who may do what: people with their roles, passwords and sessions, and tokens of other systems.

mod password;
mod person;
mod token;

pub(super) use person::{Command as PersonCommand, answer as person};
pub(super) use token::{Command as TokenCommand, answer as token};

use super::{Answer, DataOption, open, paint, show};
