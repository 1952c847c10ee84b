//! Servers that tests start on this machine, at ports of their own, and stop.

mod sshd;
mod wire;

pub(crate) use sshd::{PasswordServer, Sshd};
pub(crate) use wire::{Cut, Wire};
