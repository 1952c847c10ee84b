//! The releases that a worker has mapped and linked, the least recently used of which give way.

use std::collections::HashMap;
use std::rc::Rc;

use wasmtime::component::Linker;

use super::super::contract::Linked;
use super::super::inspect::World;
use super::super::install::Release;
use super::instance::InstanceState;
use crate::model::ids::Digest;
use crate::model::limits::RELEASES_LINKED_MAX;

/// What a worker has at hand. A release's digest names its code and its kind, so it is all that the key needs.
#[derive(Default)]
pub(super) struct LinkedReleases {
    releases: HashMap<Digest, (Rc<Linked>, u64)>,
    uses: u64,
}

impl LinkedReleases {
    pub(super) fn get_or_link(&mut self, linker: &Linker<InstanceState>, release: &Release) -> wasmtime::Result<Rc<Linked>> {
        self.uses += 1;
        if let Some((linked, last_use)) = self.releases.get_mut(&release.digest) {
            *last_use = self.uses;
            return Ok(Rc::clone(linked));
        }
        let component = release.compiled.map(linker.engine())?;
        let linked = Rc::new(Linked::new(linker, &component, World::of(&release.manifest))?);
        if self.releases.len() >= RELEASES_LINKED_MAX {
            let oldest = self.releases.iter().min_by_key(|(_, (_, last_use))| *last_use).map(|(digest, _)| *digest);
            oldest.map(|digest| self.releases.remove(&digest));
        }
        self.releases.insert(release.digest, (Rc::clone(&linked), self.uses));
        Ok(linked)
    }
}
