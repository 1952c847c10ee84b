//! Documents in a registry: the manifest of a component as the CNCF's TAG Runtime lays it out, and that of its signature.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::OciError;
use super::place::digest_of;
use crate::model::ids::Digest;

/// A manifest's media type.
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What is asked for: an index too, so that somebody who names one is told that it is one.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";

/// What lies before a component: what it imports and exports.
pub(super) const CONFIG: &str = "application/vnd.wasm.config.v0+json";

/// The component itself.
pub(super) const COMPONENT: &str = "application/wasm";

/// A signature, as minisign writes it.
pub(super) const SIGNATURE: &str = "application/vnd.bailiwick.minisign.v1";

/// What lies before something of which nothing is to be said.
pub(super) const EMPTY: (&str, &[u8]) = ("application/vnd.oci.empty.v1+json", b"{}");

/// The name of a layer's file, for tools that write layers as files.
const TITLE: &str = "org.opencontainers.image.title";

/// What is said of a blob, or of another manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    digest: String,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

/// A manifest. Whatever else stands in one is passed over.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<Descriptor>,
}

/// What stands before a component. The moment is always the same, so that the same component always has the same digest.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    created: &'static str,
    architecture: &'static str,
    os: &'static str,
    layer_digests: [String; 1],
    component: World<'a>,
}

#[derive(Serialize)]
struct World<'a> {
    exports: &'a [String],
    imports: &'a [String],
}

impl Descriptor {
    pub(super) fn of(media_type: &str, bytes: &[u8]) -> Self {
        let digest = format!("sha256:{}", Digest::of(bytes));
        Self { media_type: media_type.to_owned(), digest, size: bytes.len() as u64, annotations: BTreeMap::new() }
    }

    pub(super) fn titled(mut self, file: String) -> Self {
        self.annotations.insert(TITLE.to_owned(), file);
        self
    }

    /// What names the bytes.
    pub(super) fn digest(&self, what: &str) -> Result<Digest, OciError> {
        digest_of(&self.digest).ok_or_else(|| OciError::NotAComponent {
            what: what.to_owned(),
            why: "a digest in its manifest is not sha256: and 64 digits".to_owned(),
        })
    }
}

impl Manifest {
    /// That of a component.
    pub(super) fn of_component(config: Descriptor, component: Descriptor) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            artifact_type: None,
            config,
            layers: vec![component],
            subject: None,
        }
    }

    /// That of a signature under what another manifest holds.
    pub(super) fn of_signature(subject: Descriptor, signature: Descriptor) -> Self {
        let config = Descriptor::of(EMPTY.0, EMPTY.1);
        Self { artifact_type: Some(SIGNATURE.to_owned()), subject: Some(subject), ..Self::of_component(config, signature) }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers are always JSON")
    }

    /// Reads one that anybody may have written.
    pub(super) fn read(what: &str, bytes: &[u8]) -> Result<Self, OciError> {
        let not = |why: &str| OciError::NotAComponent { what: what.to_owned(), why: why.to_owned() };
        let read: Self =
            serde_json::from_slice(bytes).map_err(|_| not("what lies there is an index of several things, or no manifest at all"))?;
        if read.schema_version != 2 || read.media_type.as_ref().is_some_and(|kind| kind != MANIFEST) {
            return Err(not("its manifest is of another kind"));
        }
        Ok(read)
    }

    /// The one layer of a kind.
    pub(super) fn only(&self, media_type: &str, what: &str) -> Result<&Descriptor, OciError> {
        match self.layers.as_slice() {
            [layer] if layer.media_type == media_type => Ok(layer),
            layers => Err(OciError::NotAComponent {
                what: what.to_owned(),
                why: format!("it has {} layers, and one of the type {media_type} was looked for", layers.len()),
            }),
        }
    }
}

/// What stands before a component in a registry.
pub(super) fn config(component: Digest, imports: &[String], exports: &[String]) -> Vec<u8> {
    let config = Config {
        created: "1970-01-01T00:00:00Z",
        architecture: "wasm",
        os: "wasip2",
        layer_digests: [format!("sha256:{component}")],
        component: World { exports, imports },
    };
    serde_json::to_vec(&config).expect("texts are always JSON")
}

/// The tag under which the signature of a manifest's component lies.
pub(super) fn signature_tag(manifest: Digest) -> String {
    format!("sha256-{manifest}.minisig")
}
