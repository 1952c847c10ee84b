//! The program itself, started as a person starts it.

use std::process::{Command, Output};

use super::{Site, compiler_path};

/// What the program said.
pub(crate) struct Said {
    pub(crate) out: String,
    pub(crate) err: String,
    /// Its exit status.
    pub(crate) code: Option<i32>,
}

impl Said {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {:?} {:?}", self.out, self.err))
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it writes UTF-8");
        Self { out: text(output.stdout), err: text(output.stderr), code: output.status.code() }
    }
}

/// The program, ready to be started on a site's hub.
pub(crate) fn bailiwick(site: &Site, arguments: &[&str]) -> Command {
    let mut command = Command::new(compiler_path());
    command.args(arguments).current_dir(site.config()).env("BAILIWICK_DATA", site.data()).env_remove("BAILIWICK_LOG").env("NO_COLOR", "1");
    command
}

/// Starts it and waits for what it says.
pub(crate) fn say(site: &Site, arguments: &[&str]) -> Said {
    bailiwick(site, arguments).output().expect("the program starts").into()
}
