//! Counts what an instance takes of memory, tables and instances, and refuses what its limits do not allow.
//!
//! A refusal is remembered: the guest learns of it as a failed `memory.grow` and usually dies of it in its allocator,
//! by an `unreachable` that says nothing.

use wasmtime::ResourceLimiter;

use crate::model::limits::{Limit, Limits};

/// Memories of one component: it needs one, and those that tools generate have two.
const MEMORIES_MAX: usize = 4;

/// The counts of one instance.
#[derive(Debug)]
pub(in crate::sandbox) struct Meter {
    pub(in crate::sandbox) memory_bytes: Count,
    pub(in crate::sandbox) table_entries: Count,
    instances_max: u64,
    /// The limit that last refused something, and the amount that was wanted.
    pub(in crate::sandbox) refused: Option<(Limit, u64)>,
}

/// An amount that grows.
#[derive(Debug)]
pub(in crate::sandbox) struct Count {
    limit: Limit,
    /// What is held, which is also the most that was held: neither memory nor tables shrink.
    pub(in crate::sandbox) now: u64,
    allowed: u64,
    last_growth: u64,
}

impl Meter {
    /// Counts that start at nothing.
    pub(in crate::sandbox) fn new(limits: &Limits) -> Self {
        let count = |limit| Count { limit, now: 0, allowed: limits.get(limit), last_growth: 0 };
        Self {
            memory_bytes: count(Limit::MemoryBytes),
            table_entries: count(Limit::TableEntries),
            instances_max: limits.get(Limit::Instances),
            refused: None,
        }
    }
}

impl Count {
    fn grow(&mut self, current: usize, desired: usize) -> Result<(), (Limit, u64)> {
        let growth = desired.saturating_sub(current) as u64;
        let wanted = self.now.saturating_add(growth);
        if wanted > self.allowed {
            return Err((self.limit, wanted));
        }
        (self.now, self.last_growth) = (wanted, growth);
        Ok(())
    }

    fn take_back(&mut self) {
        self.now -= std::mem::take(&mut self.last_growth);
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let grown = self.memory_bytes.grow(current, desired);
        self.refused = grown.err().or(self.refused);
        Ok(grown.is_ok())
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory_bytes.take_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let grown = self.table_entries.grow(current, desired);
        self.refused = grown.err().or(self.refused);
        Ok(grown.is_ok())
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.table_entries.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        usize::try_from(self.instances_max).unwrap_or(usize::MAX)
    }

    fn tables(&self) -> usize {
        self.instances().saturating_mul(2)
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn refuses_the_sum_and_remembers() {
        let mut limits = Limits::default();
        limits.set(Limit::MemoryBytes, 100).unwrap();
        let mut meter = Meter::new(&limits);
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(0, 40, None).unwrap());
        assert!(!meter.memory_growing(40, 41, None).unwrap());
        assert_eq!((meter.memory_bytes.now, meter.refused), (100, Some((Limit::MemoryBytes, 101))));
    }

    #[test]
    fn a_growth_that_the_system_refuses_is_taken_back_once() {
        let mut meter = Meter::new(&Limits::default());
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(60, 100, None).unwrap());
        meter.memory_grow_failed(wasmtime::Error::msg("no memory")).unwrap();
        assert_eq!(meter.memory_bytes.now, 60);
        meter.memory_grow_failed(wasmtime::Error::msg("a growth that was refused")).unwrap();
        assert_eq!(meter.memory_bytes.now, 60);
    }
}
