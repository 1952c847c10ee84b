//! Out of a registry: the component and its signature, each compared with its digest.

use std::io::Write;

use super::client::Client;
use super::manifest::{self, signature_tag};
use super::{Access, OciError, Reference};
use crate::model::ids::Digest;
use crate::model::limits::{Limit, Limits};

/// Longest signature: what is longer is none.
const SIGNATURE_BYTES_MAX: u64 = 8 << 10;

/// What was pulled.
#[derive(Debug)]
pub struct Pulled {
    /// Where it lies for ever.
    pub from: Reference,
    /// SHA-256 of the component.
    pub component: Digest,
    /// Its size.
    pub bytes: u64,
    /// The text of its signature, if one lies beside it. Nobody has checked it.
    pub signature: Option<String>,
}

/// Writes a component out as it comes. What was written is of use only if this ends well.
///
/// # Errors
/// [`OciError`]. Nothing is to be kept of what was written.
pub fn pull(reference: &Reference, access: &Access, out: &mut dyn Write) -> Result<Pulled, OciError> {
    let client = Client::new(reference, access, false)?;
    let what = reference.to_string();
    let found = client.manifest(reference)?;
    let (digest, manifest) = found.ok_or_else(|| OciError::NotThere { what: what.clone() })?;
    let component = manifest.only(manifest::COMPONENT, &what)?;
    // First, as it is small: what has no readable signature need not be waited for.
    let signature = signature(&client, reference, digest)?;
    client.blob((&what, component), Limits::default().get(Limit::ComponentBytes), out)?;
    Ok(Pulled { from: reference.pinned(digest), component: component.digest(&what)?, bytes: component.size, signature })
}

/// The signature that lies beside a manifest.
fn signature(client: &Client<'_>, reference: &Reference, of: Digest) -> Result<Option<String>, OciError> {
    let beside = reference.tagged(signature_tag(of));
    let what = format!("the signature {beside}");
    let Some((_, manifest)) = client.manifest(&beside)? else { return Ok(None) };
    let not = |why: &str| OciError::Damaged { what: what.clone(), why: why.to_owned() };
    if manifest.subject.as_ref().and_then(|subject| subject.digest(&what).ok()) != Some(of) {
        return Err(not("it is of another manifest"));
    }
    let layer = manifest.only(manifest::SIGNATURE, &what).map_err(|_| not("it is no signature"))?;
    let mut text = Vec::new();
    client.blob((&what, layer), SIGNATURE_BYTES_MAX, &mut text)?;
    String::from_utf8(text).map(Some).map_err(|_| not("it is no text"))
}
