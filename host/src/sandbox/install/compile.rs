//! What the compiler child does: snapshot the started guest, then compile it.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::snapshot;
use crate::model::limits::{Limit, MESSAGE_BYTES_MAX};
use crate::sandbox::contract::text::clean;
use crate::sandbox::error::SandboxError;
use crate::sandbox::runtime;

/// How the hub tells the child what it may use.
pub(super) const BYTES_VARIABLE: &str = "BAILIWICK_COMPILE_BYTES";
pub(super) const MS_VARIABLE: &str = "BAILIWICK_COMPILE_MS";

const INITIALISED: &str = "initialised";
const NOT_INITIALISED: &str = "not initialised: ";

/// How the child tells the hub what it made, on its standard error, as its last line.
pub(super) struct Answer;

impl Answer {
    fn write(not_initialised_because: Option<&str>) -> String {
        not_initialised_because.map_or_else(|| INITIALISED.to_owned(), |reason| format!("{NOT_INITIALISED}{reason}"))
    }

    /// Why there is no snapshot, none inside if there is one; none outside if this is no answer.
    pub(super) fn read(words: &str) -> Option<Option<String>> {
        let last = words.lines().last()?;
        if last == INITIALISED { Some(None) } else { last.strip_prefix(NOT_INITIALISED).map(|reason| Some(reason.to_owned())) }
    }
}

/// Compiles the component in one file to machine code in another, as the hub's child: `bailiwick compile-component IN OUT`.
///
/// It first takes from itself what memory and time the hub does not allow it, as the variables
/// `BAILIWICK_COMPILE_BYTES` and `BAILIWICK_COMPILE_MS` say.
///
/// # Errors
/// [`SandboxError::CompileFailed`], for the caller to print on standard error before it exits with a failure.
pub fn compile_component(input: &Path, output: &Path) -> Result<(), SandboxError> {
    let failed = |detail: String| SandboxError::CompileFailed { detail };
    restrain_self().map_err(|error| failed(format!("the limits cannot be set: {error}")))?;
    let wasm = fs::read(input).map_err(|error| failed(format!("{}: {error}", input.display())))?;
    let (wasm, not_initialised_because) = match snapshot::of_started(&wasm) {
        Ok(started) => (started, None),
        Err(reason) => (wasm, Some(clean(reason, MESSAGE_BYTES_MAX, &mut 0))),
    };
    let code = runtime::compiler().and_then(|engine| engine.precompile_component(&wasm)).map_err(|error| failed(format!("{error:#}")))?;
    fs::write(output, code).map_err(|error| failed(format!("{}: {error}", output.display())))?;
    writeln!(std::io::stderr(), "{}", Answer::write(not_initialised_because.as_deref())).map_err(|error| failed(error.to_string()))
}

fn restrain_self() -> std::io::Result<()> {
    let variable =
        |name: &str, limit: Limit| -> u64 { std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(limit.fact().default) };
    let bytes = variable(BYTES_VARIABLE, Limit::CompileBytes);
    // The hub watches the clock on the wall; this one holds a child that outlives its hub. Several threads compile.
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let cpu_seconds = variable(MS_VARIABLE, Limit::CompileMs).div_ceil(1000).saturating_mul(threads) + 1;
    for (resource, most) in [(Resource::As, bytes), (Resource::Cpu, cpu_seconds), (Resource::Core, 0)] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}
