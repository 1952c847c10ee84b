//! The program `bailiwick`. All of it is in the library.

fn main() -> std::process::ExitCode {
    bailiwick::cli::main()
}
