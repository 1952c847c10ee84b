//! The plugins that a job's files go through: which releases a run is pinned to, and what each file's instance is given.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Basis, Pinned, limits};
use crate::ledger::{FormatUsed, Trigger};
use crate::model::grant::Grant;
use crate::model::ids::PluginName;
use crate::model::job::{FileFormat, FilePlugin, Job, JobInput};
use crate::model::limits::Limits;
use crate::model::manifest::Kind;
use crate::model::rows::PortShape;
use crate::model::table::TableSet;
use crate::run::Hub;
use crate::run::failure::RunError;
use crate::run::process::FileForm;
use crate::run::shelf::{self, Plugin};
use crate::sandbox::Setup;

/// A format or connector as a run is pinned to it.
pub(in crate::run) struct PinnedFormat {
    pub(in crate::run) plugin: Arc<Plugin>,
    pub(super) tables: Arc<TableSet>,
    /// What it is lent.
    pub(in crate::run) grant: Grant,
}

/// The formats and connectors of a run, by name.
pub(in crate::run) type Formats = BTreeMap<PluginName, PinnedFormat>;

impl Hub {
    /// The formats and connectors that a job's files name: those that the run's inputs were pulled with, or that a replay's origin had;
    /// for a run that has pulled nothing yet, the active ones.
    pub(super) async fn formats(&self, basis: Basis<'_>, (job, ceiling): (&Job, &Grant)) -> Result<Formats, RunError> {
        let named: Vec<&PluginName> = formats_of(job).map(|format| &format.plugin).collect();
        let mut formats = Formats::new();
        if named.is_empty() {
            return Ok(formats);
        }
        let partner = basis.run.partner();
        let used = match (basis.pulled, basis.run.trigger()) {
            (Some(pulled), _) => pulled.formats.clone(),
            (None, Trigger::Resubmission(origin)) if basis.run.enqueued.pins.is_some() => {
                self.stored_inputs(basis.run, origin).await?.formats
            }
            (None, Trigger::Replay(origin)) => self.stored_inputs(basis.run, origin).await?.formats,
            (None, _) => Vec::new(),
        };
        let tried = self.tried_format(basis).await?;
        for name in named {
            let tried = tried.iter().find(|plugin| plugin.manifest.name == *name).map(|plugin| plugin.release.digest);
            let release = match (tried, used.iter().find(|format| format.plugin == *name)) {
                (Some(tried), _) => tried,
                (None, Some(format)) => format.release,
                (None, None) => shelf::active(self.ledger(), partner, name).await?.release.key.digest,
            };
            let plugin = self.plugin(release).await?;
            let tables = self.shared.shelf.tables(self.ledger(), partner, &plugin, basis.pins.tables_through).await?;
            let grant = self.granted(partner, (&plugin, ceiling)).await?;
            formats.insert(name.clone(), PinnedFormat { plugin, tables, grant });
        }
        Ok(formats)
    }

    /// The format or connector that a run tries, which does another again; none if it tries the release of the job's own plugin.
    async fn tried_format(&self, basis: Basis<'_>) -> Result<Option<Arc<Plugin>>, RunError> {
        match (basis.run.trigger(), basis.run.enqueued.release) {
            (Trigger::Replay(_), Some(tried)) if basis.pins.release != Some(tried) => Ok(Some(self.plugin(tried).await?)),
            _ => Ok(None),
        }
    }
}

/// Whether what a job's runs keep shows how a plugin does: the job's own; a format of its files; a connector that it fetches by, as what a
/// provider answered is kept. What it would send by a connector is not sent by a run that does another again, and shows nothing.
pub(in crate::run) fn shows(job: &Job, plugin: &PluginName) -> bool {
    let format = |format: &FileFormat| matches!(format, FileFormat::Plugin(through) if through.plugin == *plugin);
    let fetches = |input: &JobInput| input.connector.as_ref().is_some_and(|connector| connector.plugin == *plugin);
    job.plugin == *plugin
        || job.inputs.iter().any(|input| format(&input.format) || fetches(input))
        || job.outputs.iter().any(|output| format(&output.format))
}

/// The formats and connectors that a job's files name.
pub(in crate::run) fn formats_of(job: &Job) -> impl Iterator<Item = &FilePlugin> {
    let inputs = job.inputs.iter().map(|input| (&input.format, &input.connector));
    let all = inputs.chain(job.outputs.iter().map(|output| (&output.format, &output.connector)));
    all.flat_map(|(format, connector)| {
        let format = match format {
            FileFormat::Plugin(format) => Some(format),
            FileFormat::BuiltIn(_) => None,
        };
        format.into_iter().chain(connector)
    })
}

/// The releases as the run's log names them.
pub(super) fn used(formats: &Formats) -> Vec<FormatUsed> {
    let used = |(name, format): (&PluginName, &PinnedFormat)| FormatUsed {
        plugin: name.clone(),
        version: format.plugin.manifest.version.clone(),
        release: format.plugin.release.digest,
    };
    formats.iter().map(used).collect()
}

/// How a file of a port is read or written. A plugin's instance has the run's time and seed, and settings, tables and limits of its own.
pub(super) fn form(format: &FileFormat, port: Option<&PortShape>, (pinned, setup): (&Pinned, &Setup)) -> FileForm {
    let format = match format {
        FileFormat::BuiltIn(format) => return FileForm::BuiltIn(format.clone()),
        FileFormat::Plugin(format) => format,
    };
    let found = pinned.formats.get(&format.plugin).expect("every format that the job names is pinned");
    let Kind::Format(shape) = &found.plugin.manifest.kind else { unreachable!("the job was checked against the formats") };
    let present = |name: &str| port.is_none_or(|port| port.columns.iter().any(|column| column.name == name));
    FileForm::Plugin(Arc::new(Setup {
        release: found.plugin.release.clone(),
        lent: found.grant.lend(&found.plugin.manifest.wants),
        partner: setup.partner.clone(),
        job: setup.job.clone(),
        inputs_present: shape.columns.iter().map(|column| present(&column.name)).collect(),
        outputs_present: Vec::new(),
        settings: format.settings.to_string(),
        now: setup.now,
        today: setup.today,
        seed: setup.seed,
        tables: Arc::clone(&found.tables),
        state: BTreeMap::new(),
        http: None,
        limits: limits(&found.plugin.manifest, &pinned.job.limits, &found.grant),
    }))
}

/// Of each limit the widest that was in force, as the most that any instance used is told against it.
pub(super) fn widest(setup: &Setup, pinned: &Pinned) -> Limits {
    let mut widest = setup.limits.clone();
    for format in pinned.formats.values() {
        for (limit, amount) in limits(&format.plugin.manifest, &pinned.job.limits, &format.grant).iter() {
            if amount > widest.get(limit) {
                widest.set(limit, amount).expect("it was in force");
            }
        }
    }
    widest
}
