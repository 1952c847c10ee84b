//! What the server takes of whoever calls it, before anybody knows who that is. `docs/operating.md` lists these, as a test sees to.

/// Connections that are open at one time, unless the operator says. Each costs a few dozen KiB; further ones wait to be accepted.
pub const CONNECTIONS_DEFAULT: u32 = 1_000;

/// How long the first bytes of TLS may take.
pub const HANDSHAKE_MS_MAX: u64 = 10_000;

/// How long the head of a request may take, and how long a connection may be idle: who sends a byte a second holds a place.
pub const REQUEST_HEAD_MS_MAX: u64 = 10_000;

/// Largest head of a request: line and headers.
pub const REQUEST_HEAD_BYTES_MAX: usize = 64 << 10;

/// How long a body is waited for, all its pauses together, beyond the time that its bytes take at the slowest pace.
pub const BODY_WAIT_MS_MAX: u64 = 30_000;

/// The slowest pace of a body that is taken, in bytes a second.
pub const BODY_BYTES_PER_SECOND_MIN: u64 = 4 << 10;

/// How long a client may leave what it is sent unread.
pub const UNREAD_MS_MAX: u64 = 30_000;

/// Requests a second of one token or session, unless the operator says.
pub const TOKEN_REQUESTS_PER_SECOND_DEFAULT: u32 = 1_000;

/// Requests a second of one address by whoever is not known yet, unless the operator says: who guesses tokens or passwords guesses slowly.
pub const ADDRESS_REQUESTS_PER_SECOND_DEFAULT: u32 = 20;

/// Seconds over which requests that were not made may be made up for.
pub const REQUESTS_SAVED_SECONDS: u32 = 10;

/// Tokens and addresses that are counted at one time; beyond that, those with nothing to count are forgotten.
pub const CALLERS_COUNTED_MAX: usize = 50_000;

/// Free room on the disk of the hub's folder below which the hub says that it is not ready.
pub const DISK_FREE_BYTES_MIN: u64 = 256 << 20;

/// How long a hub's duties may be silent before it says that it is not ready. A turn takes a quarter of a second.
pub const DUTIES_SILENT_MS_MAX: u64 = 60_000;

/// How long the database may take to answer before the hub says that it is not ready.
pub const DATABASE_ANSWER_MS_MAX: u64 = 2_000;

/// How long runs under way have to end when the hub is told to stop, unless the operator says.
pub const DRAIN_SECONDS_DEFAULT: u64 = 30;

/// How long calls under way have to be answered once the last run has ended.
pub const LAST_ANSWERS_MS_MAX: u64 = 2_000;
