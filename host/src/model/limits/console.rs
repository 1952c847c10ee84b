//! Limits of the console: how many browsers watch, for how long, and how much a page shows.

/// Browsers that watch runs at one time: each asks the ledger twice a second.
pub const STREAMS_MAX: usize = 64;

/// A stream ends after so long, so that a session that has ended does not go on being told, and a hub that stops is not kept waiting.
pub const STREAM_SECONDS_MAX: u64 = 60;

/// Rows of a file that are shown.
pub const PREVIEW_ROWS: usize = 50;

/// Rejected rows that are corrected in one form.
pub const CORRECT_ROWS_MAX: usize = 25;

/// Largest form, in bytes: the corrected rows of one, at their longest values that people type.
pub const FORM_BYTES_MAX: usize = 1 << 20;
