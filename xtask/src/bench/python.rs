//! The peers in Python: an environment of their own under the target folder, with what `requirements.txt` pins.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::prerequisites;
use crate::tools::{command, output, root, succeed, target};

const FOLDER: &str = "tests/bench/peers/python";

/// The interpreter of the environment, which is made where it is missing or was made from other requirements.
pub(super) fn interpreter() -> Result<PathBuf> {
    prerequisites::debian(&[("python3", "python3")])?;
    prerequisites::python_venv()?;
    let (folder, requirements) = (target().join("bench/python"), root().join(FOLDER).join("requirements.txt"));
    let (interpreter, stamp) = (folder.join("bin/python"), folder.join("made-from"));
    let wanted = fs::read_to_string(&requirements)? + &output(command("python3", &["--version"]))?;
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) {
        return Ok(interpreter);
    }
    let mut make = command("python3", &["-m", "venv", "--clear"]);
    make.arg(&folder);
    succeed(make)?;
    let mut install =
        command(&interpreter, &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
    install.arg(&requirements);
    succeed(install)?;
    fs::write(stamp, wanted)?;
    Ok(interpreter)
}

/// One of the peers' programs.
pub(super) fn program(name: &str) -> PathBuf {
    root().join(FOLDER).join(name)
}

/// The version of a package that `requirements.txt` pins.
pub(super) fn pinned(package: &str) -> String {
    let requirements = fs::read_to_string(root().join(FOLDER).join("requirements.txt")).unwrap_or_default();
    let pinned = requirements.lines().find_map(|line| line.strip_prefix(package)?.strip_prefix("=="));
    pinned.unwrap_or("unknown").trim().to_owned()
}
