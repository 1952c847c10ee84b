//! Servers that tests start on this machine, at ports of their own, and stop.

mod authority;
mod registry;
mod s3;
mod smtp;
mod sshd;
mod web;
mod wire;

use std::net::{Ipv4Addr, TcpStream};
use std::process::Child;
use std::time::{Duration, Instant};

pub(crate) use authority::Authority;
pub(crate) use registry::{REGISTRY_PASSWORD, Registry, RegistryOptions};
pub(crate) use s3::{Meddling, S3};
pub(crate) use smtp::Smtp;
pub(crate) use sshd::{PasswordServer, Sshd};
pub(crate) use web::{Asked, Web};
pub(crate) use wire::{Cut, Wire};
/// Waits until it listens; false if it ended.
fn answers(port: u16, child: &mut Child) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until && child.try_wait().expect("it is ours").is_none() {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    // It may have ended already.
    drop(child.kill());
    drop(child.wait());
    false
}
