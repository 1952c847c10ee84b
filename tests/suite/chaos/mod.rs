//! What happens when everything around the hub breaks: each test is a fault, tried some times at moments that a seed chooses, and each
//! ends with the same question: is every row in exactly one delivered file, list of rejects or held run, and was every delivery made
//! once or marked uncertain?
//!
//! ```text
//! kills      the hub killed at every event, at random, and over the same run again and again
//! database   PostgreSQL restarted, its connections killed, all of them taken
//! disk       no room, in the hub's folder and in the receiver's
//! clocks     jumps both ways, days on which clocks change, six hours of a schedule
//! senders    files half written, and files sent twice
//! receivers  SFTP cut off in the middle, HTTP 500 after the effect
//!
//! world      where rows are numbered, and what was put there      books   where each row is in the end
//! trial      how often, by which seed, and what it came to
//! ```
//!
//! `cargo xtask chaos` runs the long form and writes the table; in the suite each fault is tried a few times.

mod books;
mod clocks;
mod database;
mod disk;
mod kills;
mod receivers;
mod senders;
mod trial;
mod world;

pub(crate) use books::Books;
pub(crate) use world::{Ends, World, ask, to_rest};
