//! What lies sealed: read as the hub reads it, and put in its place as no hub does.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use bailiwick::ledger::Scope;
use bailiwick::model::ids::{Digest, PartnerName};
use bailiwick::run::Hub;
use bailiwick::vault::{DataKeys, KeySource, SealingWriter, Vault};

/// The plain bytes of an artefact; none if they cannot be had.
pub(crate) async fn content(hub: &Hub, partner: &PartnerName, digest: Digest) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    hub.artefact(partner, digest).await.ok()?.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A partner's keys, as whoever has the ledger and the master key has them.
pub(crate) async fn keys_of(hub: &Hub, partner: &PartnerName) -> DataKeys {
    let source = KeySource::File { path: hub.data().join("master.key"), own: true };
    let vault = Arc::new(Vault::new(source, hub.data()));
    let stored = hub.ledger().data_keys(Scope::Partner(partner)).await.expect("the ledger answers");
    let sealed: Vec<_> = stored.iter().map(|key| key.sealed.parse().expect("it is sealed")).collect();
    vault.open_data_keys(partner.as_str(), &sealed).expect("they open")
}

/// Puts other bytes in the place of an artefact, sealed as if they were it.
pub(crate) async fn forge(hub: &Hub, partner: &PartnerName, digest: Digest, bytes: &[u8]) {
    let path = hub.artefact_path(partner, digest);
    drop(std::fs::remove_file(&path));
    let file = std::fs::File::create(&path).expect("the folder is there");
    let mut writer = SealingWriter::new(file, &keys_of(hub, partner).await).expect("it is written");
    writer.write_all(bytes).expect("it is written");
    writer.finish(digest.bytes()).expect("it is written");
}
