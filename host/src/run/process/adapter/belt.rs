//! A belt between two threads: it holds few things and few bytes, and whoever has more to put on it waits.
//!
//! What was taken off counts until the next is taken, so that of things too large for the belt one is at work and one waits
//! to be put on, however slow the other end is. An end that is dropped tells the other.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Where things are put on.
pub(super) struct Loader<T>(Arc<Belt<T>>);

/// Where things are taken off.
pub(super) struct Unloader<T>(Arc<Belt<T>>);

/// How much a belt holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Things that wait.
    pub(super) things: usize,
    /// Bytes of things that wait or are at work.
    pub(super) bytes: usize,
}

/// The other end is gone.
#[derive(Debug)]
pub(super) struct Gone;

struct Belt<T> {
    room: Room,
    held: Mutex<Held<T>>,
    moved: Condvar,
}

struct Held<T> {
    waiting: VecDeque<(T, usize)>,
    bytes_waiting: usize,
    bytes_at_work: usize,
    /// Whether no more will be put on, and whether no more will be taken off.
    ended: (bool, bool),
}

/// A belt with nothing on it.
pub(super) fn belt<T>(room: Room) -> (Loader<T>, Unloader<T>) {
    let held = Held { waiting: VecDeque::with_capacity(room.things), bytes_waiting: 0, bytes_at_work: 0, ended: (false, false) };
    let belt = Arc::new(Belt { room, held: Mutex::new(held), moved: Condvar::new() });
    (Loader(Arc::clone(&belt)), Unloader(belt))
}

impl<T> Loader<T> {
    /// Puts a thing on, once there is room for it. Alone it has room however many bytes it has.
    ///
    /// # Errors
    /// [`Gone`] if nobody will take it.
    pub(super) fn put(&self, thing: T, bytes: usize) -> Result<(), Gone> {
        let mut held = self.0.held();
        while !held.ended.1 && !held.has_room(self.0.room, bytes) {
            held = self.0.moved.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        if held.ended.1 {
            return Err(Gone);
        }
        held.waiting.push_back((thing, bytes));
        held.bytes_waiting += bytes;
        self.0.moved.notify_all();
        Ok(())
    }
}

impl<T> Unloader<T> {
    /// Takes the next thing, and is done with the one before; none when all were taken and no more will come.
    pub(super) fn take(&self) -> Option<T> {
        let mut held = self.0.held();
        held.bytes_at_work = 0;
        self.0.moved.notify_all();
        loop {
            if let Some((thing, bytes)) = held.waiting.pop_front() {
                held.bytes_waiting -= bytes;
                held.bytes_at_work = bytes;
                self.0.moved.notify_all();
                return Some(thing);
            }
            if held.ended.0 {
                return None;
            }
            held = self.0.moved.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<T> Belt<T> {
    fn held(&self) -> MutexGuard<'_, Held<T>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Held<T> {
    fn has_room(&self, room: Room, bytes: usize) -> bool {
        let held = self.bytes_waiting + self.bytes_at_work;
        self.waiting.len() < room.things && (held == 0 || held + bytes <= room.bytes)
    }
}

impl<T> Drop for Loader<T> {
    fn drop(&mut self) {
        self.0.held().ended.0 = true;
        self.0.moved.notify_all();
    }
}

impl<T> Drop for Unloader<T> {
    fn drop(&mut self) {
        let mut held = self.0.held();
        held.ended.1 = true;
        held.waiting.clear();
        drop(held);
        self.0.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    const ROOM: Room = Room { things: 2, bytes: 100 };

    #[test]
    fn everything_arrives_in_order() {
        let (loader, unloader) = belt(ROOM);
        thread::scope(|scope| {
            scope.spawn(move || (0..1_000_usize).for_each(|thing| loader.put(thing, thing % 150).expect("it is taken")));
            assert_eq!(std::iter::from_fn(|| unloader.take()).collect::<Vec<_>>(), (0..1_000).collect::<Vec<_>>());
        });
    }

    #[test]
    fn whoever_waits_learns_that_the_other_end_is_gone() {
        let (loader, unloader) = belt(ROOM);
        thread::scope(|scope| {
            let waiting = scope.spawn(move || (0..4).map(|thing| loader.put(thing, 0).is_ok()).filter(|put| *put).count());
            assert_eq!(unloader.take(), Some(0));
            thread::sleep(Duration::from_millis(20));
            drop(unloader);
            assert_eq!(waiting.join().expect("it does not panic"), 3);
        });
        let (loader, unloader) = belt::<u8>(ROOM);
        thread::scope(|scope| {
            let waiting = scope.spawn(move || unloader.take());
            drop(loader);
            assert_eq!(waiting.join().expect("it does not panic"), None);
        });
    }

    /// What is on the belt and at work never has more bytes than the belt holds, but for a thing that is alone.
    #[test]
    fn a_slow_end_holds_the_other_back() {
        let (loader, unloader) = belt(ROOM);
        let (put, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            let put = &put;
            scope.spawn(move || {
                for bytes in [40, 40, 40, 1_000, 1_000, 10, 10, 10, 10] {
                    loader.put(bytes, bytes).expect("it is taken");
                    put.fetch_add(bytes, Ordering::SeqCst);
                }
            });
            while let Some(bytes) = unloader.take() {
                thread::sleep(Duration::from_millis(5));
                let ahead = put.load(Ordering::SeqCst) - done.load(Ordering::SeqCst);
                assert!(ahead <= ROOM.bytes.max(bytes), "{ahead} bytes at once");
                done.fetch_add(bytes, Ordering::SeqCst);
            }
        });
        assert_eq!(done.into_inner(), 2_160);
    }
}
