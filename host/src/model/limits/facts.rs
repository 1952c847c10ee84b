//! The table of limits: default, ceiling and reason of each. What becomes of them is not known here.

use super::{Limit, LimitFact};

const MIB: u64 = 1 << 20;

/// Every limit, in the order in which people read them.
pub const LIMITS: &[LimitFact] = &[
    LimitFact {
        limit: Limit::MemoryBytes,
        name: "memory-bytes",
        default: 64 * MIB,
        ceiling: 1024 * MIB,
        why: "a plugin that keeps what it reads must not take the hub's memory; reference plugins stay below 4 MiB",
    },
    LimitFact {
        limit: Limit::TableEntries,
        name: "table-entries",
        default: 20_000,
        ceiling: 200_000,
        why: "tables of function pointers cost the hub memory outside linear memory",
    },
    LimitFact {
        limit: Limit::Instances,
        name: "instances",
        default: 8,
        ceiling: 64,
        why: "each core instance takes a slot of the pool; Rust plugins have 4, Python plugins about 40",
    },
    LimitFact {
        limit: Limit::CpuMs,
        name: "cpu-ms",
        default: 1_000,
        ceiling: 60_000,
        why: "a loop that does not end must end; 1,024 rows take about 1 ms",
    },
    LimitFact {
        limit: Limit::WallMs,
        name: "wall-ms",
        default: 600_000,
        ceiling: 86_400_000,
        why: "a run must end even when its time goes into host calls",
    },
    LimitFact {
        limit: Limit::StackBytes,
        name: "stack-bytes",
        default: 512 << 10,
        ceiling: 512 << 10,
        why: "deep recursion must trap, not reach the hub's own stack",
    },
    LimitFact {
        limit: Limit::HostCallBytes,
        name: "host-call-bytes",
        default: 16 * MIB,
        ceiling: 256 * MIB,
        why: "a guest must not make the hub allocate by the lists that it passes; a batch of 1,024 rows is below 1 MiB",
    },
    LimitFact {
        limit: Limit::RetainedBytes,
        name: "retained-bytes",
        default: 16 * MIB,
        ceiling: 256 * MIB,
        why: "host-call fuel refills with each call, so what stays is counted apart",
    },
    LimitFact { limit: Limit::LogLines, name: "log-lines", default: 1_000, ceiling: 100_000, why: "a log is read by people" },
    LimitFact { limit: Limit::LogBytes, name: "log-bytes", default: 256 << 10, ceiling: 16 * MIB, why: "a log must not fill the disk" },
    LimitFact { limit: Limit::Handles, name: "handles", default: 64, ceiling: 1_000, why: "open tables take memory of the hub" },
    LimitFact {
        limit: Limit::OutputRows,
        name: "output-rows",
        default: 50_000_000,
        ceiling: 1_000_000_000,
        why: "an output must not grow without end",
    },
    LimitFact {
        limit: Limit::OutputBytes,
        name: "output-bytes",
        default: 8 << 30,
        ceiling: 1 << 40,
        why: "an output must not fill the disk",
    },
    LimitFact { limit: Limit::RandomBytes, name: "random-bytes", default: MIB, ceiling: 64 * MIB, why: "random numbers cost the hub time" },
    LimitFact {
        limit: Limit::StateBytes,
        name: "state-bytes",
        default: 64 << 10,
        ceiling: MIB,
        why: "state is for a few values, not a database",
    },
    LimitFact {
        limit: Limit::HttpRequests,
        name: "http-requests",
        default: 1_000,
        ceiling: 100_000,
        why: "a connector that asks without end would have the provider shut the partner out",
    },
    LimitFact {
        limit: Limit::HttpSentBytes,
        name: "http-sent-bytes",
        default: 64 * MIB,
        ceiling: 4096 * MIB,
        why: "what is sent leaves the hub for good",
    },
    LimitFact {
        limit: Limit::HttpReceivedBytes,
        name: "http-received-bytes",
        default: 256 * MIB,
        ceiling: 16_384 * MIB,
        why: "every answer is kept with the run, so it must not fill the disk",
    },
    LimitFact {
        limit: Limit::HttpRequestMs,
        name: "http-request-ms",
        default: 30_000,
        ceiling: 600_000,
        why: "a provider that answers a byte a minute must not hold a run",
    },
    LimitFact {
        limit: Limit::ComponentBytes,
        name: "component-bytes",
        default: 32 * MIB,
        ceiling: 128 * MIB,
        why: "a component is read whole before it is judged",
    },
    LimitFact {
        limit: Limit::CompileMs,
        name: "compile-ms",
        default: 60_000,
        ceiling: 600_000,
        why: "compiling is outside the runtime's promises, so a child process does it, and is stopped",
    },
    LimitFact {
        limit: Limit::CompileBytes,
        name: "compile-bytes",
        default: 2048 * MIB,
        ceiling: 8192 * MIB,
        why: "a component can be made to cost the compiler any amount of memory",
    },
];
