//! The compiler as a child process. Compiling is outside the runtime's promises, so it happens where it can be held to
//! memory and time and where its death is nobody else's.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::{NamedTempFile, TempPath};

use super::cache::Cache;
use super::compile::{Answer, BYTES_VARIABLE, MS_VARIABLE};
use crate::model::limits::{Limit, Limits, MESSAGE_BYTES_MAX};
use crate::sandbox::contract::text::clean;
use crate::sandbox::error::SandboxError;

const POLL: Duration = Duration::from_millis(5);
const SAID_BYTES_MAX: u64 = 8 << 10;

/// What the program's allocator reserves of addresses at a time. By itself it takes a gibibyte as it starts, which would be more than the
/// child may have, and would be there to be used whatever the child may have.
const RESERVED_VARIABLE: &str = "MIMALLOC_ARENA_RESERVE";
const RESERVED_KIB: &str = "32768";

const SIGABRT: i32 = 6;
const SIGXCPU: i32 = 24;

/// Code that the child has just made, in a file that goes away unless it is kept.
pub(super) struct Made {
    pub(super) code: NamedTempFile,
    /// Why there is no snapshot; none if there is one.
    pub(super) not_initialised_because: Option<String>,
}

/// Compiles a component within the limits of compiling.
pub(super) fn compile(compiler: &Path, cache: &Cache, wasm: &[u8], limits: &Limits) -> Result<Made, SandboxError> {
    let failed = |error: std::io::Error| SandboxError::Cache { path: cache.dir().to_owned(), detail: error.to_string() };
    let temporary = || NamedTempFile::new_in(cache.dir()).map_err(failed);
    let (mut component, code, said) = (temporary()?, temporary()?, temporary()?);
    component.write_all(wasm).map_err(failed)?;
    let component: TempPath = component.into_temp_path();
    let allowed_ms = limits.get(Limit::CompileMs);
    let child = Command::new(compiler)
        .arg("compile-component")
        .args([&*component, code.path()])
        .env_clear()
        .env(BYTES_VARIABLE, limits.get(Limit::CompileBytes).to_string())
        .env(MS_VARIABLE, allowed_ms.to_string())
        .env(RESERVED_VARIABLE, RESERVED_KIB)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(said.reopen().map_err(failed)?)
        .spawn()
        .map_err(|source| SandboxError::CompilerMissing { program: compiler.to_owned(), source })?;
    let ended = wait(child, Duration::from_millis(allowed_ms)).map_err(failed)?;
    let mut words = Vec::new();
    said.reopen().and_then(|said: File| said.take(SAID_BYTES_MAX).read_to_end(&mut words)).map_err(failed)?;
    let words = String::from_utf8_lossy(&words);
    judge(ended, &words, limits)?;
    let not_initialised_because = Answer::read(&words).ok_or_else(|| SandboxError::CompileFailed {
        detail: format!("{} does not answer as the compiler does: {words}", compiler.display()),
    })?;
    if fs::metadata(code.path()).map_err(failed)?.len() == 0 {
        return Err(SandboxError::CompileFailed { detail: "the compiler left no code".to_owned() });
    }
    Ok(Made { code, not_initialised_because })
}

/// How the child ended; none if it had to be killed for taking too long.
fn wait(mut child: Child, allowed: Duration) -> std::io::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if begun.elapsed() >= allowed {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

fn judge(ended: Option<ExitStatus>, words: &str, limits: &Limits) -> Result<(), SandboxError> {
    let stopped = |limit| SandboxError::CompileLimit { limit, allowed: limits.get(limit) };
    let Some(status) = ended else { return Err(stopped(Limit::CompileMs)) };
    if status.success() {
        return Ok(());
    }
    if status.signal() == Some(SIGXCPU) {
        return Err(stopped(Limit::CompileMs));
    }
    // Rust aborts where memory fails it; the runtime reports what the system said.
    // The last is said of a thread, for whose stack there is no room.
    let no_memory = ["memory allocation", "Cannot allocate memory", "out of memory", "Out of memory", "Resource temporarily unavailable"];
    if no_memory.iter().any(|sign| words.contains(sign)) {
        return Err(stopped(Limit::CompileBytes));
    }
    let how = match status.signal() {
        Some(SIGABRT) => "the compiler aborted".to_owned(),
        Some(signal) => format!("the compiler died of signal {signal}"),
        None => String::new(),
    };
    // The child says it as its caller does; once is enough.
    let words = words.trim().rsplit("the component cannot be compiled: ").next().unwrap_or_default();
    let detail = [how.as_str(), words].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(": ");
    Err(SandboxError::CompileFailed { detail: clean(detail, MESSAGE_BYTES_MAX, &mut 0) })
}
