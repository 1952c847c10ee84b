//! Into a registry: the component and its signature first, the tag last, so that nobody finds half of it.

use ureq::http::{Method, StatusCode};

use super::client::{Asked, Client};
use super::manifest::{self, Descriptor, EMPTY, MANIFEST, Manifest, signature_tag};
use super::{Access, OciError, Reference, Which};
use crate::model::ids::Digest;
use crate::model::limits::{Limit, Limits};

/// How bytes of which nothing is said are sent.
const BYTES: &str = "application/octet-stream";

/// What is to be published.
#[derive(Debug)]
pub struct Publication<'a> {
    /// The component.
    pub component: &'a [u8],
    /// What it imports.
    pub imports: &'a [String],
    /// What it exports.
    pub exports: &'a [String],
    /// The text of its signature.
    pub signature: Option<&'a str>,
    /// The name of its file, for tools that make files of layers.
    pub file: &'a str,
    /// Whether the tag may be taken from another component.
    pub replace: bool,
}

/// Publishes a component under a tag. The same component always has the same digest, so that this may be repeated.
///
/// # Errors
/// [`OciError`]. Then the tag is what it was.
pub fn publish(reference: &Reference, access: &Access, publication: &Publication<'_>) -> Result<Reference, OciError> {
    let (what, allowed) = (reference.to_string(), Limits::default().get(Limit::ComponentBytes));
    let Which::Tag(_) = &reference.which else {
        return Err(OciError::Address { why: "what is published gets its digest by itself, so a tag is named" });
    };
    let bytes = publication.component.len() as u64;
    if bytes > allowed {
        return Err(OciError::TooLarge { what: "the component".to_owned(), bytes, allowed });
    }
    let client = Client::new(reference, access, true)?;
    let component = Descriptor::of(manifest::COMPONENT, publication.component).titled(publication.file.to_owned());
    let config = manifest::config(component.digest(&what)?, publication.imports, publication.exports);
    let of = Manifest::of_component(Descriptor::of(manifest::CONFIG, &config), component).bytes();
    let digest = Digest::of(&of);
    let there = match client.manifest(reference) {
        // Something else than a component has the tag.
        Err(OciError::NotAComponent { .. }) if publication.replace => None,
        found => found?.map(|(digest, _)| digest),
    };
    if let Some(there) = there.filter(|there| *there != digest && !publication.replace) {
        return Err(OciError::TagTaken { what, digest: there });
    }
    send_blob(&client, publication.component)?;
    send_blob(&client, &config)?;
    let pinned = reference.pinned(digest);
    send_manifest(&client, &pinned, &of)?;
    if let Some(signature) = publication.signature {
        let layer = Descriptor::of(manifest::SIGNATURE, signature.as_bytes()).titled(format!("{}.minisig", publication.file));
        send_blob(&client, signature.as_bytes())?;
        send_blob(&client, EMPTY.1)?;
        let beside = Manifest::of_signature(Descriptor::of(MANIFEST, &of), layer).bytes();
        send_manifest(&client, &reference.tagged(signature_tag(digest)), &beside)?;
    }
    send_manifest(&client, reference, &of)?;
    Ok(pinned)
}

/// Sends what is not there yet.
fn send_blob(client: &Client<'_>, bytes: &[u8]) -> Result<(), OciError> {
    let digest = Digest::of(bytes);
    let url = client.url(&format!("blobs/sha256:{digest}"));
    if client.ask(&Asked { method: Method::HEAD, url, accept: None, body: None })?.status() == StatusCode::OK {
        return Ok(());
    }
    let begin = client.url("blobs/uploads/");
    let answer = client.ask(&Asked { method: Method::POST, url: begin.clone(), accept: None, body: Some((BYTES, &[])) })?;
    client.accepted(&answer)?;
    let to = client.upload_location(&begin, &answer)?;
    let url = format!("{to}{}digest=sha256:{digest}", if to.contains('?') { '&' } else { '?' });
    client.accepted(&client.ask(&Asked { method: Method::PUT, url, accept: None, body: Some((BYTES, bytes)) })?)
}

fn send_manifest(client: &Client<'_>, to: &Reference, bytes: &[u8]) -> Result<(), OciError> {
    let url = client.url(&format!("manifests/{}", to.which));
    client.accepted(&client.ask(&Asked { method: Method::PUT, url, accept: None, body: Some((MANIFEST, bytes)) })?)
}
