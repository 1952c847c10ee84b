//! Inputs fetched into artefacts: which file, whether it was taken before, and what it holds.

use std::sync::Arc;

use super::Hub;
use super::conduct::Pinned;
use super::failure::RunError;
use super::process::Progress;
use super::provider::SessionWith;
use crate::connection::{self, ConnectionError, Fetched, FoundFile, LeftAlone, Listing, Looking, Stored, WhyLeft};
use crate::ledger::{Claim, FileQuestion, MarkOf, Pulled, PulledFile, Scope, TakenFile};
use crate::model::ids::{ConnectionName, Digest, RunId};
use crate::model::job::{Connection, Job, JobInput, Take};
use crate::model::manifest::Kind;
use crate::model::rows::ColumnKind;
use crate::registry::masking::Masking;

/// The connections of a job's partner.
pub(super) struct Places<'a> {
    pub(super) connections: &'a [Connection],
}

impl Places<'_> {
    pub(super) fn get(&self, name: &ConnectionName) -> Result<&Connection, RunError> {
        self.connections
            .iter()
            .find(|connection| connection.name == *name)
            .ok_or_else(|| RunError::NoConnection { connection: name.clone() })
    }
}

impl Hub {
    /// Fetches the inputs of a job. An optional input without a file is left out; a required one without a file means that
    /// there is nothing to run for.
    pub(super) async fn pull(&self, (claim, pinned): (&Claim, &Pinned), progress: &Arc<Progress>) -> Result<Pulled, RunError> {
        let (job, places) = (&pinned.job, Places { connections: &pinned.connections });
        let mut pulled = Pulled { inputs: Vec::new(), formats: Vec::new() };
        for input in &job.inputs {
            let optional = match &pinned.plugin.manifest.kind {
                Kind::Adapter(shape) => shape.inputs.iter().any(|port| port.name == input.port && port.optional),
                Kind::RuleSet(_) | Kind::Format(_) | Kind::Connector(_) => false,
            };
            let place = places.get(&input.connection)?;
            let file = match &input.connector {
                Some(connector) => {
                    let with = SessionWith { claim, pinned, connector, port: &input.port };
                    self.fetch_through(with, (input, place), progress).await?
                }
                None => self.fetch(claim.run.id, (job, input), place).await?.map(|(file, stored, marked)| PulledFile {
                    port: input.port.clone(),
                    connection: input.connection.clone(),
                    path: file.name,
                    size_bytes: stored.size,
                    modified_ms: file.modified_ms,
                    digest: stored.digest,
                    taken: !claim.run.enqueued.dry_run && input.take == Take::Next,
                    marked,
                    duplicate_of: None,
                    session: None,
                }),
            };
            match file {
                Some(file) => pulled.inputs.push(file),
                None if optional => {}
                None => {
                    let (input, pattern, connection) = (input.port.clone(), input.file.clone(), input.connection.clone());
                    return Err(RunError::NoInput { input, pattern, connection });
                }
            }
        }
        Ok(pulled)
    }

    async fn fetch(
        &self,
        run: RunId,
        (job, input): (&Job, &JobInput),
        place: &Connection,
    ) -> Result<Option<(FoundFile, Stored, bool)>, RunError> {
        let failed = |error: ConnectionError| RunError::Connection { connection: input.connection.clone(), error };
        let outside = self.outside(place).await?;
        let of = MarkOf { partner: &job.partner, job: &job.name, connection: &input.connection, file: &input.file };
        let mark = match input.take {
            Take::Next => self.ledger().mark(of, run).await?,
            // A file that is kept up to date is wanted whether it is new or not.
            Take::Latest => None,
        };
        let (from, pattern, now_ms) = (outside.clone(), input.file.clone(), self.clock().now_ms());
        let listing = move || connection::list(&from, &Looking { pattern: &pattern, now_ms, mark: mark.as_deref() });
        let listing = tokio::task::spawn_blocking(listing).await.expect("listing does not panic");
        let Listing { files, left } = listing.map_err(failed)?;
        let wanted: Vec<FoundFile> = match input.take {
            Take::Next => files,
            Take::Latest => files.into_iter().next_back().into_iter().collect(),
        };
        for file in wanted {
            let taken = match input.take {
                Take::Next => self.taken_before(job, &input.connection, &file).await?,
                Take::Latest => Vec::new(),
            };
            // What this run took itself before it was begun afresh is still its own.
            let taken: Vec<_> = taken.into_iter().filter(|taken| taken.run != run).collect();
            if taken.iter().any(|taken| taken.size_bytes == file.size && taken.modified_ms == file.modified_ms) {
                continue;
            }
            let (artefacts, fetched, from) = (self.artefacts(&job.partner).await?, file.clone(), outside.clone());
            let fetched = tokio::task::spawn_blocking(move || connection::pull(&from, &fetched, &artefacts))
                .await
                .expect("fetching does not panic")
                .map_err(failed)?;
            let Some(Fetched { stored, mark }) = fetched else { continue };
            if taken.iter().any(|taken| taken.digest == stored.digest) {
                // It was written again as it was.
                continue;
            }
            let mark = mark.filter(|_| input.take == Take::Next);
            if let Some(mark) = &mark {
                self.ledger().note_mark(of, run, mark).await?;
            }
            return Ok(Some((file, stored, mark.is_some())));
        }
        left.into_iter().next().map_or(Ok(None), |left| Err(left_alone(left, failed)))
    }

    /// What was taken before under the name of a file.
    async fn taken_before(&self, job: &Job, connection: &ConnectionName, file: &FoundFile) -> Result<Vec<TakenFile>, RunError> {
        Ok(self.ledger().taken_files((&job.partner, &job.name), connection, FileQuestion::Path(&file.name)).await?)
    }
}

/// Refuses what a run took if another run had taken the same content first.
pub(super) fn refuse_duplicates(pulled: &Pulled) -> Result<(), RunError> {
    let duplicate = pulled.inputs.iter().find_map(|file| Some((file, file.duplicate_of.as_ref()?)));
    let Some((file, earlier)) = duplicate else { return Ok(()) };
    Err(RunError::DuplicateFile { file: file.path.clone(), earlier: earlier.path.clone(), run: earlier.run.to_string() })
}

/// Why a file that is there was not taken: nobody should be told that there is none.
fn left_alone(left: LeftAlone, failed: impl Fn(ConnectionError) -> RunError) -> RunError {
    let why = match left.why {
        WhyLeft::NotSettled => return failed(ConnectionError::StillBeingWritten { name: left.name }),
        WhyLeft::Empty => "it is empty: ask its sender for it again",
        WhyLeft::NotAPlainFile => "it is no plain file: put the file itself there",
        WhyLeft::TooLarge => "it is larger than the connection takes: see file-bytes-max in connections.toml",
        WhyLeft::NameNotText => "its name is not UTF-8: rename it",
        WhyLeft::NameMisleads => "its name has characters that cannot be seen: rename it",
    };
    RunError::FileUnusable { file: left.name, why }
}

/// Which columns of a run's inputs and outputs need care when they are shown.
#[derive(Debug, Default)]
pub struct Columns {
    /// Which values are personal, or not known to be harmless.
    pub personal: Masking,
    /// Columns that hold money.
    pub money: Vec<String>,
}

impl Hub {
    /// The columns of a run that need care when they are shown: all of them, of a run without a release.
    ///
    /// # Errors
    /// [`RunError`] if the run's release cannot be read.
    pub async fn columns(&self, run: RunId) -> Result<Columns, RunError> {
        let pins = self.ledger().run(Scope::Hub, run).await?.and_then(|run| run.pins);
        self.columns_of(pins.and_then(|pins| pins.release)).await
    }

    /// The columns of a release's files that need care when they are shown: all of them, where there is none.
    ///
    /// # Errors
    /// [`RunError`] if the release cannot be read.
    pub async fn columns_of(&self, release: Option<Digest>) -> Result<Columns, RunError> {
        let Some(release) = release else { return Ok(Columns::default()) };
        let plugin = self.plugin(release).await?;
        let personal = Masking::of(&plugin.manifest.kind);
        let money = match &plugin.manifest.kind {
            Kind::Adapter(shape) => {
                let ports = shape.inputs.iter().chain(&shape.outputs).flat_map(|port| &port.columns);
                let money = ports.filter(|column| matches!(column.kind, ColumnKind::Money { .. }));
                money.map(|column| column.name.clone()).collect()
            }
            Kind::Format(_) | Kind::Connector(_) => Vec::new(),
            Kind::RuleSet(shape) => shape.amounts.iter().map(|(name, _)| name.clone()).chain(shape.figures.iter().cloned()).collect(),
        };
        Ok(Columns { personal, money })
    }
}
