//! The program `bailiwick`. All of it is in the library.

/// A request for a decision allocates some hundreds of times, on one thread, and gives back on another. The system's allocator takes a fifth of the
/// whole time for it, this one a tenth.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    bailiwick::cli::main()
}
