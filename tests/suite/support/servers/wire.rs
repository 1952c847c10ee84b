//! A wire between the hub and a server, which counts what passes and can be cut or fall silent after so many bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What happens to the wire, once so many bytes of all its connections together have passed in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    Never,
    /// Towards the server.
    Up(u64),
    /// Towards the hub.
    Down(u64),
    /// Towards the hub nothing more comes, and the connection stays.
    Silence(u64),
    /// Towards the hub it comes byte by byte, twenty in a second.
    Drip(u64),
}

/// A wire to a server on this machine.
pub(crate) struct Wire {
    pub(crate) port: u16,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    cut: Mutex<Cut>,
    up: AtomicU64,
    down: AtomicU64,
    ended: AtomicBool,
}

impl Wire {
    pub(crate) fn to(server: u16, cut: Cut) -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = socket.local_addr().expect("an address").port();
        let shared =
            Arc::new(Shared { cut: Mutex::new(cut), up: AtomicU64::new(0), down: AtomicU64::new(0), ended: AtomicBool::new(false) });
        let held = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || {
            while let Ok((hub, _)) = socket.accept() {
                if held.ended.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)) else { continue };
                let (hub_too, server_too) = (hub.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
                let (upwards, downwards) = (Arc::clone(&held), Arc::clone(&held));
                std::thread::spawn(move || upwards.pass(hub, server, true));
                std::thread::spawn(move || downwards.pass(server_too, hub_too, false));
            }
        });
        Self { port, shared, accepting: Some(accepting) }
    }

    /// Another end for it, counted from now.
    pub(crate) fn cut(&self, cut: Cut) {
        let mut now = self.shared.cut.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.up.store(0, Ordering::SeqCst);
        self.shared.down.store(0, Ordering::SeqCst);
        *now = cut;
    }

    /// Bytes that passed: towards the server, towards the hub.
    pub(crate) fn passed(&self) -> (u64, u64) {
        (self.shared.up.load(Ordering::SeqCst), self.shared.down.load(Ordering::SeqCst))
    }
}

impl Shared {
    fn pass(&self, mut from: TcpStream, mut to: TcpStream, up: bool) {
        let counter = if up { &self.up } else { &self.down };
        from.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket");
        let mut buffer = [0; 16 << 10];
        while !self.ended.load(Ordering::SeqCst) {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read as u64,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(_) => break,
            };
            let (cut, before) = {
                let cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
                (*cut, counter.fetch_add(read, Ordering::SeqCst))
            };
            let left = match (cut, up) {
                (Cut::Up(bytes), true) | (Cut::Down(bytes) | Cut::Silence(bytes), false) => Some(bytes),
                _ => None,
            };
            if let (Cut::Drip(swift), false) = (cut, up)
                && before >= swift
            {
                let dripped = buffer[..usize::try_from(read).expect("it fits")].iter().try_for_each(|byte| {
                    std::thread::sleep(Duration::from_millis(50));
                    to.write_all(&[*byte])
                });
                if dripped.is_err() {
                    break;
                }
                continue;
            }
            let pass = left.map_or(read, |left| left.saturating_sub(before).min(read));
            let all = &buffer[..usize::try_from(pass).expect("it is no longer than the buffer")];
            let passed = to.write_all(all);
            if pass < read && matches!(cut, Cut::Silence(_)) {
                continue;
            }
            if passed.is_err() || pass < read {
                break;
            }
        }
        // Either side may have gone already.
        drop(from.shutdown(Shutdown::Both));
        drop(to.shutdown(Shutdown::Both));
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(accepting) = self.accepting.take() {
            accepting.join().expect("it does not panic");
        }
    }
}
