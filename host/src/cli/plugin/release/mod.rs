//! Releases by hand: signed, published, handed in, looked at, approved, activated, rolled back; and the keys that count.

mod candidate;
mod key;
mod registry;
mod show;
mod sign;
mod steer;
mod trial;

pub(super) use candidate::{CanaryOptions, EndOptions, ExplainOptions, TrialsOptions, canary, end, explain, parallel, trials};
pub(super) use registry::{PublishOptions, PullOptions, publish, pull};
pub(super) use show::{ListOptions, ReviewOptions, list, review};
pub(super) use sign::{SignOptions, sign};
pub(super) use steer::{
    ActivateOptions, ApproveOptions, JudgeOptions, OneOptions, PushOptions, RollBackOptions, activate, approve, push, refuse, retire,
    roll_back,
};

pub(super) use trial::{DifferencesOptions, TryOptions, differences, try_out};

pub(in crate::cli) use key::{Command as KeyCommand, answer as key};

use secrecy::SecretString;

use crate::cli::Answer;

/// Where the passphrase of a secret key is given to a program that nobody types for.
const PASSPHRASE: &str = "BAILIWICK_KEY_PASSPHRASE";

/// The passphrase in the environment; none where the variable is not set, or empty.
fn passphrase() -> Option<SecretString> {
    std::env::var(PASSPHRASE).ok().filter(|text| !text.is_empty()).map(SecretString::from)
}

fn read(path: &std::path::Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}

fn read_text(path: &std::path::Path) -> Result<String, String> {
    String::from_utf8(read(path)?).map_err(|_| format!("{} is no text", path.display()))
}
