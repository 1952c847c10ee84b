//! Servers that tests start on this machine, at ports of their own, and stop.

mod sshd;
mod web;
mod wire;

pub(crate) use sshd::{PasswordServer, Sshd};
pub(crate) use web::{Asked, Web};
pub(crate) use wire::{Cut, Wire};
