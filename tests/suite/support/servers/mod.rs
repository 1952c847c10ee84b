//! Servers that tests start on this machine, at ports of their own, and stop.

mod authority;
mod registry;
mod s3;
mod smtp;
mod sshd;
mod web;
mod wire;

pub(crate) use authority::Authority;
pub(crate) use registry::{REGISTRY_PASSWORD, Registry, RegistryOptions};
pub(crate) use s3::{Meddling, S3};
pub(crate) use smtp::Smtp;
pub(crate) use sshd::{PasswordServer, Sshd};
pub(crate) use web::{Asked, Web};
pub(crate) use wire::{Cut, Wire};
