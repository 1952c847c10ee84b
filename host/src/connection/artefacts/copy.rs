//! Bytes from one place to another, with their digest. Of a long file one core copies and another hashes.

use std::io::{self, Read, Seek, Write};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use sha2::{Digest as _, Sha256};

use super::Stored;
use crate::model::ids::Digest;

/// Copied at a time.
pub(in crate::connection) const COPY_BYTES: usize = 256 << 10;

/// After so many bytes a file is long: a thread costs little beside them.
const LONG_BYTES: u64 = 2 << 20;

/// Blocks of a long file at one time: read, hashed, written.
const BLOCKS: usize = 3;

/// Which side of a copy failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::connection) enum Side {
    Source,
    Sink,
}

/// Copies to the end, and hashes what was copied. Answers how many bytes that was.
pub(in crate::connection) fn copy(source: &mut impl Read, sink: &mut impl Write, hasher: &mut Sha256) -> Result<u64, (Side, io::Error)> {
    let begun = in_turns((&mut *source, &mut *sink), hasher, LONG_BYTES)?;
    if begun < LONG_BYTES {
        return Ok(begun);
    }
    let rest = match thread::available_parallelism().map_or(1, usize::from) {
        1 => in_turns((source, sink), hasher, u64::MAX)?,
        _ => side_by_side(source, sink, hasher)?,
    };
    Ok(begun + rest)
}

/// The digest and size of a file from its beginning.
pub(in crate::connection) fn digest_of(file: &mut (impl Read + Seek)) -> io::Result<Stored> {
    file.rewind()?;
    let mut hasher = Sha256::new();
    let size = copy(file, &mut io::sink(), &mut hasher).map_err(|(_, error)| error)?;
    Ok(Stored { digest: Digest::new(hasher.finalize().into()), size })
}

/// Copies to the end, or until so many bytes are reached.
fn in_turns((source, sink): (&mut impl Read, &mut impl Write), hasher: &mut Sha256, enough_bytes: u64) -> Result<u64, (Side, io::Error)> {
    let mut block = vec![0; COPY_BYTES];
    let mut copied = 0;
    while copied < enough_bytes {
        let read = next(source, &mut block)?;
        if read == 0 {
            break;
        }
        hasher.update(&block[..read]);
        sink.write_all(&block[..read]).map_err(|error| (Side::Sink, error))?;
        copied += read as u64;
    }
    Ok(copied)
}

fn side_by_side(source: &mut impl Read, sink: &mut impl Write, hasher: &mut Sha256) -> Result<u64, (Side, io::Error)> {
    let (hash, to_hash) = sync_channel::<Arc<Block>>(BLOCKS);
    let (free, freed) = sync_channel(BLOCKS);
    thread::scope(move |scope| {
        let hashed = free.clone();
        scope.spawn(move || {
            for block in to_hash {
                hasher.update(block.filled());
                give_back(block, &hashed);
            }
        });
        let mut copied = 0;
        for number in 0.. {
            let mut bytes = if number < BLOCKS { vec![0; COPY_BYTES] } else { freed.recv().expect("this end of it is held here") };
            let read = next(source, &mut bytes)?;
            if read == 0 {
                break;
            }
            let block = Arc::new(Block { bytes, read });
            hash.send(Arc::clone(&block)).expect("hashing ends after copying");
            sink.write_all(block.filled()).map_err(|error| (Side::Sink, error))?;
            copied += read as u64;
            give_back(block, &free);
        }
        Ok(copied)
    })
}

struct Block {
    bytes: Vec<u8>,
    read: usize,
}

impl Block {
    fn filled(&self) -> &[u8] {
        &self.bytes[..self.read]
    }
}

/// The last that is done with a block gives its room back.
fn give_back(block: Arc<Block>, free: &SyncSender<Vec<u8>>) {
    if let Some(block) = Arc::into_inner(block) {
        // There is room for every block; and where copying has ended, nobody wants it.
        let _ = free.send(block.bytes);
    }
}

fn next(source: &mut impl Read, block: &mut [u8]) -> Result<usize, (Side, io::Error)> {
    loop {
        match source.read(block) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read.map_err(|error| (Side::Source, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes in pieces of many sizes, and then fails if it is told to.
    struct Source<'b> {
        bytes: &'b [u8],
        piece: usize,
        fails: bool,
    }

    impl Read for Source<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.piece = (self.piece * 7 + 13) % 300_000 + 1;
            let length = self.piece.min(self.bytes.len()).min(to.len());
            let (piece, rest) = self.bytes.split_at(length);
            to[..length].copy_from_slice(piece);
            self.bytes = rest;
            if length == 0 && self.fails { Err(io::Error::other("the disk is gone")) } else { Ok(length) }
        }
    }

    /// Has room for so many bytes.
    struct Full(usize, Vec<u8>);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1.extend_from_slice(bytes);
            if self.1.len() > self.0 { Err(io::Error::other("the disk is full")) } else { Ok(bytes.len()) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn short_and_long_files_are_copied_and_hashed() {
        let bytes: Vec<u8> = (0..9_000_017_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for length in [0, 1, COPY_BYTES, 2 << 20, (2 << 20) + 1, bytes.len()] {
            let (mut copy_of, mut hasher) = (Full(usize::MAX, Vec::new()), Sha256::new());
            let copied =
                copy(&mut Source { bytes: &bytes[..length], piece: 1, fails: false }, &mut copy_of, &mut hasher).expect("it copies");
            assert!(copied == length as u64 && copy_of.1 == bytes[..length], "{length}");
            assert_eq!(Digest::new(hasher.finalize().into()), Digest::of(&bytes[..length]), "{length}");
        }
    }

    #[test]
    fn whichever_side_fails_is_told() {
        let bytes = vec![7; 5_000_000];
        for (room, expected) in [(1_000, Side::Sink), (4_000_000, Side::Sink), (usize::MAX, Side::Source)] {
            let mut source = Source { bytes: &bytes, piece: 1, fails: true };
            let failed = copy(&mut source, &mut Full(room, Vec::new()), &mut Sha256::new()).expect_err("one of them fails");
            assert_eq!(failed.0, expected, "{room}: {}", failed.1);
        }
    }
}
