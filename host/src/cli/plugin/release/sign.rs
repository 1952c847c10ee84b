//! `bailiwick plugin sign`: a signature beside the component, as minisign makes it.

use std::path::PathBuf;
use std::process::ExitCode;

use secrecy::SecretString;

use super::registry::beside;
use super::{Answer, passphrase, read, read_text};
use crate::cli::paint::say;
use crate::model::ids::Digest;
use crate::registry::package;
use crate::registry::signature;
use crate::sandbox;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SignOptions {
    /// The component.
    component: PathBuf,
    /// The file of the secret key. Its passphrase, if it has one, is in BAILIWICK_KEY_PASSPHRASE.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What the approver is to know, in one line; the plugin's name, version and digest go before it.
    #[arg(long, default_value = "", value_name = "TEXT", hide_default_value = true)]
    comment: String,
}

pub(in crate::cli::plugin) fn sign(options: &SignOptions) -> Answer {
    let component = read(&options.component)?;
    let found = sandbox::inspect(&component)?;
    let section = found.manifest.ok_or("the component has no manifest in it: build it with `bailiwick plugin build`")?;
    let manifest = package::unpack(&section)?.manifest;
    if options.comment.contains(char::is_control) {
        return Err("the comment is one line: take the line ends and other control characters out".into());
    }
    let comment = format!("{} {} sha256:{} {}", manifest.name, manifest.version, Digest::of(&component), options.comment);
    let secret = SecretString::from(read_text(&options.key)?);
    let made = signature::sign(&component, &secret, passphrase().as_ref(), comment.trim_end())?;
    let out = beside(&options.component);
    std::fs::write(&out, &made).map_err(|error| format!("{} cannot be written: {error}", out.display()))?;
    say(format!("{}  by key {}  {}", out.display(), signature::Signature::read(&made)?.key_id(), comment.trim_end()));
    Ok(ExitCode::SUCCESS)
}
