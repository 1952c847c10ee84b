//! What entries say of runs, put into the order of the runs however many there are: so much is held and sorted, the rest lies sorted in
//! a file without a name, and all is read side by side.
//!
//! Must not know what is compared with it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;

use crate::ledger::audit::covers::CoveredKind;
use crate::model::ids::{Digest, RunId};

/// Things said that are held before they go to the disk: some megabytes.
const HELD_MAX: usize = 32_768;

/// Things said that are read back at once of each piece of the file.
const READ_BACK: usize = 64;

/// Bytes of one thing said, as it lies in the file.
const BYTES: usize = 16 + 1 + 8 + 3 + 8 + 32 + 32;

/// Something that an entry says of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SaidOfRun {
    pub(super) run: RunId,
    pub(super) kind: CoveredKind,
    /// The entry.
    pub(super) seq: i64,
    pub(super) through: Option<u64>,
    /// None in an entry that is older than digests of rows.
    pub(super) digest: Option<Digest>,
    /// What the act found.
    pub(super) was: Option<Digest>,
}

/// In which order they are read: by run and kind, and then as they were said.
type Order = (u128, CoveredKind, i64);

/// Things said, as they come.
#[derive(Debug)]
pub(super) struct Spill {
    held: Vec<SaidOfRun>,
    held_max: usize,
    file: Option<BufWriter<File>>,
    /// How many lie in each sorted piece of the file.
    pieces: Vec<u64>,
    failed: Option<io::Error>,
}

impl Default for Spill {
    fn default() -> Self {
        Self { held: Vec::new(), held_max: HELD_MAX, file: None, pieces: Vec::new(), failed: None }
    }
}

impl Spill {
    /// Takes one in. Where the disk fails, that is told when they are read.
    pub(super) fn push(&mut self, said: SaidOfRun) {
        if self.failed.is_some() {
            return;
        }
        self.held.push(said);
        if self.held.len() >= self.held_max {
            self.failed = self.put().err();
        }
    }

    fn put(&mut self) -> io::Result<()> {
        self.held.sort_by_key(SaidOfRun::order);
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        for said in &self.held {
            file.write_all(&said.bytes())?;
        }
        self.pieces.push(self.held.len() as u64);
        self.held.clear();
        Ok(())
    }

    /// All of them, in order.
    ///
    /// # Errors
    /// What the disk failed of.
    pub(super) fn sorted(mut self) -> io::Result<Sorted> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.held.sort_by_key(SaidOfRun::order);
        let file = self.file.map(|file| file.into_inner().map_err(io::IntoInnerError::into_error)).transpose()?;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut at = 0;
        for many in self.pieces {
            let until = at + many * BYTES as u64;
            pieces.push(Piece { at, until, read: Vec::new() });
            at = until;
        }
        // What is held came last, so it is the last piece.
        self.held.reverse();
        pieces.push(Piece { at: 0, until: 0, read: self.held });
        let mut sorted = Sorted { file, pieces, first: BinaryHeap::new() };
        for piece in 0..sorted.pieces.len() {
            sorted.refill(piece)?;
        }
        Ok(sorted)
    }
}

/// Things said, in the order of their runs.
#[derive(Debug)]
pub(super) struct Sorted {
    file: Option<File>,
    pieces: Vec<Piece>,
    /// Of each piece that is not at its end, where its next one comes in the order of all.
    first: BinaryHeap<Reverse<(Order, usize)>>,
}

/// A sorted piece.
#[derive(Debug)]
struct Piece {
    at: u64,
    until: u64,
    /// What was read back, the next one last.
    read: Vec<SaidOfRun>,
}

impl Sorted {
    /// All that is said of one kind of thing of the next run, if that is not beyond the last one wanted; where none is wanted, of any.
    ///
    /// # Errors
    /// What the disk failed of.
    pub(super) fn next(&mut self, last: Option<RunId>) -> io::Result<Option<Vec<SaidOfRun>>> {
        let mut all: Vec<SaidOfRun> = Vec::new();
        while let Some(Reverse(((run, kind, _), piece))) = self.first.peek().copied() {
            let beyond = last.is_some_and(|last| run > number(last));
            let other = all.first().is_some_and(|first| (number(first.run), first.kind) != (run, kind));
            if beyond || other {
                break;
            }
            self.first.pop();
            all.extend(self.pieces[piece].read.pop());
            self.refill(piece)?;
        }
        Ok((!all.is_empty()).then_some(all))
    }

    /// Says where the next one of a piece comes, which is read back if need be.
    fn refill(&mut self, number: usize) -> io::Result<()> {
        let piece = &mut self.pieces[number];
        if let Some(file) = self.file.as_ref().filter(|_| piece.read.is_empty() && piece.at < piece.until) {
            let bytes = usize::try_from(piece.until - piece.at).unwrap_or(usize::MAX).min(READ_BACK * BYTES);
            let mut read = vec![0; bytes];
            file.read_exact_at(&mut read, piece.at)?;
            piece.at += bytes as u64;
            piece.read = read.chunks_exact(BYTES).rev().filter_map(SaidOfRun::read).collect();
        }
        if let Some(next) = piece.read.last() {
            self.first.push(Reverse((next.order(), number)));
        }
        Ok(())
    }
}

/// The run that something said is of, if it is of one.
pub(super) fn run_of(kind: CoveredKind, key: &str) -> Option<RunId> {
    an_id(key).filter(|_| kind.is_of_run())
}

/// A run's id, where it stands as the hub writes it.
pub(super) fn an_id(text: &str) -> Option<RunId> {
    text.parse::<RunId>().ok().filter(|run| run.to_string() == text)
}

/// A run's id as it sorts.
fn number(run: RunId) -> u128 {
    u128::from_str_radix(&run.to_string(), 16).expect("an id has hexadecimal digits")
}

impl SaidOfRun {
    fn order(&self) -> Order {
        (number(self.run), self.kind, self.seq)
    }

    fn bytes(&self) -> [u8; BYTES] {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(&number(self.run).to_be_bytes());
        bytes.push(self.kind.place());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        bytes.extend([self.through.is_some(), self.digest.is_some(), self.was.is_some()].map(u8::from));
        bytes.extend_from_slice(&self.through.unwrap_or_default().to_be_bytes());
        for digest in [self.digest, self.was] {
            bytes.extend_from_slice(digest.unwrap_or(Digest::new([0; 32])).bytes());
        }
        bytes.try_into().expect("each field has its length")
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (run, rest) = bytes.split_first_chunk::<16>()?;
        let ([kind], rest) = rest.split_first_chunk::<1>()?;
        let (seq, rest) = rest.split_first_chunk::<8>()?;
        let ([through_is, digest_is, was_is], rest) = rest.split_first_chunk::<3>()?;
        let (through, rest) = rest.split_first_chunk::<8>()?;
        let (digest, rest) = rest.split_first_chunk::<32>()?;
        let (was, _) = rest.split_first_chunk::<32>()?;
        Some(Self {
            run: format!("{:032x}", u128::from_be_bytes(*run)).parse().ok()?,
            kind: *CoveredKind::ALL.get(usize::from(*kind))?,
            seq: i64::from_be_bytes(*seq),
            through: (*through_is == 1).then(|| u64::from_be_bytes(*through)),
            digest: (*digest_is == 1).then(|| Digest::new(*digest)),
            was: (*was_is == 1).then(|| Digest::new(*was)),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that fails says where by itself")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said(run: u64, kind: usize, seq: i64) -> SaidOfRun {
        let digest = |what: &str| (seq % 3 > 0).then(|| Digest::of(format!("{what} {seq}").as_bytes()));
        SaidOfRun {
            run: format!("{:032x}", u128::from(run) << 64 | 7).parse().unwrap(),
            kind: CoveredKind::ALL[kind % CoveredKind::ALL.len()],
            seq,
            through: (seq % 2 == 0).then_some(seq.unsigned_abs()),
            digest: digest("is"),
            was: digest("was"),
        }
    }

    proptest! {
        /// However little is held, and however far runs are read at a time, all comes back once, by run and kind, and then as it was said.
        #[test]
        fn what_was_said_comes_back_in_order(
            all in proptest::collection::vec((0_u64..30, 0_usize..40), 0..300),
            held_max in 1_usize..50,
            step in 1_u64..9,
        ) {
            let mut spill = Spill { held_max, ..Spill::default() };
            let all: Vec<SaidOfRun> = all.into_iter().zip(1..).map(|((run, kind), seq)| said(run, kind, seq)).collect();
            all.iter().for_each(|said| spill.push(*said));
            prop_assert!(spill.held.len() < held_max && spill.held.capacity() < 2 * held_max + 8);
            let mut expected = all;
            expected.sort_by_key(SaidOfRun::order);
            let mut sorted = spill.sorted().unwrap();
            let mut found = Vec::new();
            for last in (0..30).step_by(usize::try_from(step).unwrap()) {
                let last = said(last, 0, 1).run;
                while let Some(some) = sorted.next(Some(last)).unwrap() {
                    prop_assert!(some.iter().all(|one| (one.run, one.kind) == (some[0].run, some[0].kind) && number(one.run) <= number(last)));
                    found.extend(some);
                }
                prop_assert!(expected[found.len()..].iter().all(|left| number(left.run) > number(last)));
            }
            while let Some(some) = sorted.next(None).unwrap() {
                found.extend(some);
            }
            prop_assert_eq!(found, expected);
        }
    }
}
