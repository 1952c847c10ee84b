//! `bailiwick plugin publish` and `pull`: components in a registry, each with its signature; and what `push` takes out of one.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use secrecy::SecretString;
use tempfile::NamedTempFile;

use super::{Answer, read, read_text};
use crate::cli::paint::say;
use crate::connection::oci::{self, Access, OciError, Publication, Pulled, Reference};
use crate::registry::package;
use crate::registry::signature::{SIGNATURE_FILE_END, Signature};
use crate::sandbox;

#[derive(Debug, clap::Args)]
pub(super) struct RegistryOptions {
    /// A file with one line, USER:PASSWORD, for the registry.
    #[arg(long, value_name = "FILE", conflicts_with = "credentials_env")]
    credentials: Option<PathBuf>,
    /// The name of a variable in the environment that holds USER:PASSWORD.
    #[arg(long, value_name = "NAME")]
    credentials_env: Option<String>,
    /// The authority that vouches for the registry, in PEM. Without it, those of the web do.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Ask a registry on another machine without TLS: whoever is between reads the credentials. One on this machine is asked so unless --ca-file is given.
    #[arg(long, conflicts_with = "ca_file")]
    plain_http: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PublishOptions {
    /// The component. Its signature lies beside it as FILE.minisig.
    component: PathBuf,
    /// Where to: oci://HOST[:PORT]/NAME:TAG.
    to: String,
    /// Move the tag if another component has it.
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    registry: RegistryOptions,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PullOptions {
    /// Where from: oci://HOST[:PORT]/NAME:TAG, or @sha256:DIGEST.
    from: String,
    /// The component's file. Its signature comes beside it as FILE.minisig. Neither may be there.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    registry: RegistryOptions,
}

/// A component out of a registry, in memory.
pub(super) struct Taken {
    pub(super) component: Vec<u8>,
    pub(super) pulled: Pulled,
}

pub(in crate::cli::plugin) async fn publish(options: PublishOptions) -> Answer {
    let to: Reference = options.to.parse()?;
    let component = read(&options.component)?;
    let found = sandbox::inspect(&component)?;
    let section = found.manifest.ok_or("the component has no manifest in it: build it with `bailiwick plugin build`")?;
    let manifest = package::unpack(&section)?.manifest;
    let beside = beside(&options.component);
    let signature = if beside.exists() { Some(read_text(&beside)?) } else { None };
    let key = signature.as_deref().map(Signature::read).transpose()?.map(|signature| signature.key_id());
    let (access, replace, file) = (options.registry.access()?, options.replace, format!("{}.wasm", manifest.name));
    let published = waiting(move || {
        let (imports, exports) = (&found.imports, &found.exports);
        let publication = Publication { component: &component, imports, exports, signature: signature.as_deref(), file: &file, replace };
        oci::publish(&to, &access, &publication)
    });
    let pinned = published.await?;
    let signed = key.map_or_else(|| "not signed".to_owned(), |key| format!("signed by key {key}"));
    say(format!("{} {}: published, {signed}", manifest.name, manifest.version));
    say(format!("{pinned} is this component for ever"));
    Ok(ExitCode::SUCCESS)
}

pub(in crate::cli::plugin) async fn pull(options: PullOptions) -> Answer {
    let from: Reference = options.from.parse()?;
    let (out, beside) = (options.out.clone(), beside(&options.out));
    for path in [&out, &beside] {
        if path.symlink_metadata().is_ok() {
            return Err(format!("{} is there already, and is not overwritten: move it away, or name another --out", path.display()).into());
        }
    }
    let access = options.registry.access()?;
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
    // Under a name of its own until it is whole; gone if it never is.
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(&folder)
        .map_err(|error| format!("{} cannot be written: {error}", folder.display()))?;
    let (file, pulled) = waiting(move || oci::pull(&from, &access, &mut file).map(|pulled| (file, pulled))).await?;
    checked(&read(file.path())?)?;
    let signature = pulled.signature.as_deref().map(|text| -> Result<_, Box<dyn std::error::Error>> {
        Signature::read(text)?;
        let file = tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(&folder)?;
        std::fs::write(file.path(), text)?;
        Ok(file)
    });
    let signature = signature.transpose()?;
    let signed = signature.is_some();
    keep(file, &out)?;
    if let Some(signature) = signature
        && let Err(error) = keep(signature, &beside)
    {
        // The component alone would look as if nobody had signed it.
        std::fs::remove_file(&out)?;
        return Err(error);
    }
    say(format!("{}  {} bytes  SHA-256 {}", out.display(), pulled.bytes, pulled.component));
    say(format!("from {}", pulled.from));
    say(if signed {
        format!("its signature is {}: `minisign -Vm {} -p KEY.pub` checks it", beside.display(), out.display())
    } else {
        "no signature lies beside it".to_owned()
    });
    Ok(ExitCode::SUCCESS)
}

/// Takes a component out of a registry for a hub, which looks at it as at any other.
pub(super) async fn take(from: &str, options: &RegistryOptions) -> Result<Taken, Box<dyn std::error::Error>> {
    let (from, access): (Reference, Access) = (from.parse()?, options.access()?);
    let taken = waiting(move || {
        let mut component = Vec::new();
        let pulled = oci::pull(&from, &access, &mut component)?;
        Ok(Taken { component, pulled })
    });
    Ok(taken.await?)
}

/// The file of a component's signature.
pub(super) fn beside(component: &Path) -> PathBuf {
    let mut beside = component.to_owned().into_os_string();
    beside.push(SIGNATURE_FILE_END);
    PathBuf::from(beside)
}

impl RegistryOptions {
    fn access(&self) -> Result<Access, String> {
        let credentials = match (&self.credentials, &self.credentials_env) {
            (Some(file), _) => Some(read_text(file)?),
            (None, Some(name)) => Some(std::env::var(name).map_err(|_| format!("the variable {name} is not set, or is no text"))?),
            (None, None) => None,
        };
        let credentials = credentials.map(|text| SecretString::from(text.trim_end_matches(['\n', '\r']).to_owned()));
        Ok(Access { credentials, ca_file: self.ca_file.clone(), plain_http: self.plain_http })
    }
}

/// Whether bytes are a component that says what it is. Whether a hub takes it, the hub finds out.
fn checked(component: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    let found = sandbox::inspect(component)?;
    found.manifest.ok_or("the component has no manifest in it, so it is no plugin: its author builds it with `bailiwick plugin build`")?;
    Ok(())
}

fn keep(file: NamedTempFile, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| format!("{} cannot be written: {}", path.display(), error.error))?;
    Ok(())
}

async fn waiting<T: Send + 'static>(work: impl FnOnce() -> Result<T, OciError> + Send + 'static) -> Result<T, OciError> {
    tokio::task::spawn_blocking(work).await.expect("asking does not panic")
}
