//! Plugins ready to run: releases read from the hub's folder, verified, compiled and kept at hand by digest.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::failure::RunError;
use crate::connection::Artefacts;
use crate::ledger::{Ledger, Release, StoredTable};
use crate::model::ids::{Digest, PartnerName, PluginName};
use crate::model::manifest::{Kind, Manifest};
use crate::model::table::{Table, TableSet};
use crate::registry::package;
use crate::registry::schema::Schema;
use crate::registry::source::Source;
use crate::registry::tables::parse_csv;
use crate::sandbox::{self, Sandbox};

/// A release with everything that a run or a decision needs of it.
#[derive(Debug)]
pub(crate) struct Plugin {
    pub(crate) release: sandbox::Release,
    pub(crate) manifest: Arc<Manifest>,
    /// The tables that it was tested with.
    pub(crate) tables: Vec<Arc<Table>>,
    /// Whether it brings cases by which it was judged when it was handed in.
    pub(crate) has_cases: bool,
    /// Of a rule set: what a case must be like.
    pub(crate) case_schema: Option<Arc<Schema>>,
}

impl Plugin {
    /// Reads a component, checks it against its own manifest and has it compiled, which takes a while the first time.
    pub(crate) fn install(component: &[u8], sandbox: &Sandbox) -> Result<Self, RunError> {
        let section = sandbox::read_section(component)?.ok_or_else(|| RunError::NoManifest)?;
        let package = package::unpack(&section)?;
        let release = sandbox.install(component, &package.manifest)?;
        let case_schema = match &package.manifest.kind {
            Kind::RuleSet(shape) => {
                Some(Arc::new(Schema::compile(&shape.case_schema).map_err(|error| RunError::BadSchema { why: error.to_string() })?))
            }
            Kind::Adapter(_) | Kind::Format(_) | Kind::Connector(_) => None,
        };
        let manifest = Arc::clone(&release.manifest);
        Ok(Self {
            release,
            manifest,
            has_cases: !package.cases.is_empty(),
            tables: package.tables.into_iter().map(Arc::new).collect(),
            case_schema,
        })
    }
}

/// What a run may look things up in: which partner, which release, which versions of the partner's own tables.
type TablesKey = (PartnerName, Digest, u64);

/// Plugins and tables at hand.
pub(crate) struct Shelf {
    releases: PathBuf,
    sandbox: Sandbox,
    /// Where hubs with other folders find components too.
    shared: Option<Artefacts>,
    plugins: Mutex<HashMap<Digest, Arc<Plugin>>>,
    tables: Mutex<HashMap<TablesKey, Arc<TableSet>>>,
}

impl Shelf {
    /// An empty one over the folder in which components lie.
    pub(crate) fn new(releases: &Path, sandbox: Sandbox, shared: Option<Artefacts>) -> Self {
        Self { releases: releases.to_owned(), sandbox, shared, plugins: Mutex::default(), tables: Mutex::default() }
    }

    /// Keeps a component in the folder, and where other hubs find it, and takes it up. The digest of its bytes names it.
    pub(crate) fn add(&self, component: &[u8]) -> Result<Arc<Plugin>, RunError> {
        let plugin = Arc::new(Plugin::install(component, &self.sandbox)?);
        if let Some(shared) = &self.shared {
            shared.put(component)?;
        }
        self.keep(plugin.release.digest, component)?;
        self.plugins.lock().expect("nobody panics while holding the shelf").insert(plugin.release.digest, Arc::clone(&plugin));
        Ok(plugin)
    }

    /// The plugin of a release.
    pub(crate) fn plugin(&self, digest: Digest) -> Result<Arc<Plugin>, RunError> {
        let at_hand = self.plugins.lock().expect("nobody panics while holding the shelf").get(&digest).cloned();
        if let Some(plugin) = at_hand {
            return Ok(plugin);
        }
        let component = self.component(digest)?;
        let found = Digest::of(&component);
        if found != digest {
            return Err(RunError::ReleaseDamaged { digest });
        }
        let plugin = Arc::new(Plugin::install(&component, &self.sandbox)?);
        self.plugins.lock().expect("nobody panics while holding the shelf").insert(digest, Arc::clone(&plugin));
        Ok(plugin)
    }

    /// The bytes of a release: from the folder, else from where other hubs put them.
    fn component(&self, digest: Digest) -> Result<Vec<u8>, RunError> {
        match (std::fs::read(self.releases.join(file_name(digest))), &self.shared) {
            (Err(error), Some(shared)) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut component = Vec::new();
                shared.read(&digest)?.read_to_end(&mut component)?;
                self.keep(digest, &component)?;
                Ok(component)
            }
            (read, _) => Ok(read?),
        }
    }

    /// Writes a component into the folder, whole or not at all.
    fn keep(&self, digest: Digest, component: &[u8]) -> Result<(), RunError> {
        std::fs::create_dir_all(&self.releases)?;
        let file = self.releases.join(file_name(digest));
        if !file.exists() {
            let mut written = tempfile::NamedTempFile::new_in(&self.releases)?;
            written.write_all(component)?;
            written.as_file().sync_all()?;
            written.persist(&file).map_err(|error| error.error)?;
        }
        Ok(())
    }

    /// The tables that a run sees: the plugin's own, and over them the partner's up to the number that the run is pinned to.
    pub(crate) async fn tables(
        &self,
        ledger: &Ledger,
        partner: &PartnerName,
        plugin: &Plugin,
        through: u64,
    ) -> Result<Arc<TableSet>, RunError> {
        let key = (partner.clone(), plugin.release.digest, through);
        let at_hand = self.tables.lock().expect("nobody panics while holding the shelf").get(&key).cloned();
        if let Some(tables) = at_hand {
            return Ok(tables);
        }
        let mut set = TableSet::default();
        for table in &plugin.tables {
            set.add(Arc::clone(table));
        }
        for stored in ledger.tables(partner, Some(through)).await? {
            set.add(Arc::new(read_table(stored)?));
        }
        let set = Arc::new(set);
        let mut kept = self.tables.lock().expect("nobody panics while holding the shelf");
        // An earlier set of the same partner and release is of use only to runs that were begun under it.
        kept.retain(|(of, release, number), _| of != partner || *release != key.1 || number.abs_diff(through) <= 8);
        kept.insert(key, Arc::clone(&set));
        Ok(set)
    }
}

/// The active release of a partner's plugin.
pub(crate) async fn active(ledger: &Ledger, partner: &PartnerName, plugin: &PluginName) -> Result<Release, RunError> {
    let missing = || RunError::NoRelease { partner: partner.clone(), plugin: plugin.clone() };
    ledger.active_release(partner, plugin).await?.ok_or_else(missing)
}

pub(crate) fn file_name(digest: Digest) -> String {
    format!("{digest}.wasm")
}

fn read_table(stored: StoredTable) -> Result<Table, RunError> {
    let name = format!("{} {}", stored.table.version.table, stored.table.version.version);
    let (columns, rows) = parse_csv(&Source::new(name.clone(), stored.table.content))
        .map_err(|problem| RunError::TableDamaged { table: name, why: problem.what().to_owned() })?;
    Ok(Table::new(stored.table.version, stored.table.source, stored.digest, columns, rows))
}
