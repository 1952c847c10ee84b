//! Two runs of one job beside each other.

use crate::model::ids::RunId;
use crate::model::manifest::Kind;
use crate::run::failure::RunError;
use crate::run::release::{Differences, Recorded, of_output, other_totals};
use crate::run::{Hub, Look, ReleaseError};

impl Hub {
    /// Where a run came to something else than another of the same job. Personal values are dots, unless they
    /// are looked at as they are, which the audit trail then says.
    ///
    /// # Errors
    /// [`ReleaseError::NotATrial`] if they are of two jobs, or the rows of one were never processed; [`RunError::Expired`] if the files of
    /// one are no longer kept.
    pub async fn compare_runs(&self, (before, now): (RunId, RunId), look: Look<'_>) -> Result<Differences, RunError> {
        let scope = look.scope;
        let (was, is) = (self.seen(before, look).await?, self.seen(now, look).await?);
        let not = || ReleaseError::NotATrial { run: now.to_string() };
        if (was.partner(), was.job()) != (is.partner(), is.job()) {
            return Err(not().into());
        }
        self.refuse_expired(scope, before).await?;
        self.refuse_expired(scope, now).await?;
        let first = self.ledger().processed(scope, before).await?.ok_or_else(not)?;
        let second = self.ledger().processed(scope, now).await?.ok_or_else(not)?;
        let pins = is.pins.as_ref().ok_or_else(not)?;
        let configuration = self.configuration_with(is.partner(), pins.definition).await?;
        let job = configuration.jobs.into_iter().next().ok_or_else(not)?;
        let plugin = self.plugin(pins.release.ok_or_else(not)?).await?;
        let shape = |port: &str| match &plugin.manifest.kind {
            Kind::Adapter(shape) => shape.outputs.iter().find(|output| output.name == port).cloned(),
            Kind::RuleSet(_) | Kind::Format(_) | Kind::Connector(_) => None,
        };
        let pairs = first.outputs.iter().filter_map(|was| Some((was, second.outputs.iter().find(|is| is.port == was.port)?)));
        let differ = pairs.filter(|(was, is)| was.artefact != is.artefact);
        let artefacts = self.artefacts(is.partner()).await?;
        let recorded: Vec<Recorded> = differ
            .map(|(was, is)| Recorded {
                port: was.port.clone(),
                shape: shape(&was.port),
                format: job.outputs.iter().find(|output| output.port == was.port).map(|output| output.format.clone()),
                files: (was.artefact, is.artefact),
                artefacts: artefacts.clone(),
                rows: (was.rows, is.rows),
                sight: look.sight,
            })
            .collect();
        let read = tokio::task::spawn_blocking(move || recorded.iter().map(of_output).collect::<Result<Vec<_>, _>>());
        let outputs = read.await.expect("comparing does not panic")?;
        Ok(Differences {
            origin: before,
            outputs,
            rejects: (first.rejects, second.rejects),
            warnings: (first.warnings, second.warnings),
            totals: other_totals(&first.totals, &second.totals),
        })
    }
}
