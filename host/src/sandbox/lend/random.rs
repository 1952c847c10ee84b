//! Random numbers from the run's seed: SHA-256 of the seed and a counter, so that a replay draws the same.

use sha2::{Digest as _, Sha256};

use super::super::contract::lent::random::Host;
use super::super::worker::{InstanceState, Stop};
use crate::model::limits::{Limit, RANDOM_BYTES_PER_CALL_MAX};

/// A stream of bytes that the seed determines.
#[derive(Debug)]
pub(in crate::sandbox) struct RandomStream {
    seed: [u8; 32],
    block: [u8; 32],
    used: usize,
    counter: u64,
    /// Bytes drawn so far.
    pub(in crate::sandbox) drawn: u64,
}

impl RandomStream {
    /// The stream of a seed, from its beginning.
    pub(in crate::sandbox) const fn new(seed: [u8; 32]) -> Self {
        Self { seed, block: [0; 32], used: 32, counter: 0, drawn: 0 }
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes.iter_mut() {
            if self.used == self.block.len() {
                let hash =
                    Sha256::new().chain_update(b"bailiwick random 1").chain_update(self.seed).chain_update(self.counter.to_le_bytes());
                self.block = hash.finalize().into();
                self.counter += 1;
                self.used = 0;
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
        self.drawn += bytes.len() as u64;
    }
}

impl InstanceState {
    fn may_draw(&mut self, count: u64) -> wasmtime::Result<()> {
        self.enter_host_call()?;
        let (allowed, wanted) = (self.setup.limits.get(Limit::RandomBytes), self.random.drawn + count);
        if wanted > allowed {
            return Err(self.stop(Stop::Limit { limit: Limit::RandomBytes, allowed, used: Some(wanted) }));
        }
        Ok(())
    }
}

impl Host for InstanceState {
    fn bytes(&mut self, count: u32) -> wasmtime::Result<Vec<u8>> {
        self.may_draw(u64::from(count))?;
        if count > RANDOM_BYTES_PER_CALL_MAX {
            let message = format!("it asked for {count} random bytes in one call, and may have {RANDOM_BYTES_PER_CALL_MAX}");
            return Err(self.stop(Stop::Trap(message)));
        }
        let mut bytes = vec![0; count as usize];
        self.random.fill(&mut bytes);
        Ok(bytes)
    }

    fn next(&mut self) -> wasmtime::Result<u64> {
        let mut bytes = [0; 8];
        self.may_draw(bytes.len() as u64)?;
        self.random.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_stream() {
        let draw = |seed: u8, parts: &[usize]| -> Vec<u8> {
            let mut stream = RandomStream::new([seed; 32]);
            let mut all = Vec::new();
            for part in parts {
                let mut bytes = vec![0; *part];
                stream.fill(&mut bytes);
                all.extend(bytes);
            }
            assert_eq!(stream.drawn, parts.iter().sum::<usize>() as u64);
            all
        };
        assert_eq!(draw(1, &[100]), draw(1, &[1, 31, 33, 35]));
        assert_ne!(draw(1, &[100]), draw(2, &[100]));
        // Pinned: another stream would change every replay.
        assert_eq!(draw(7, &[8]), [186, 153, 22, 47, 205, 250, 76, 47]);
    }
}
