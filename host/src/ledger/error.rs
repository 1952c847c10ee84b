//! What can go wrong in the ledger, by what the reader must do about it.

use std::sync::Arc;

use crate::model::ids::{Digest, JobName, PartnerName, PluginName, RunId};

use super::runs::RunState;
use super::store::{AWAY_SECONDS, BUSY_SECONDS, Database};
use super::who::Actor;

/// Why the ledger did not do what was asked. Nothing of it was done.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Try again in a moment.
    #[error("the ledger is busy: another process has been writing to it for {BUSY_SECONDS} seconds; try again in a moment")]
    Busy,
    /// Try again when the database is back: the operator of the hub looks at its server.
    #[error("the ledger's database has not answered for {AWAY_SECONDS} seconds: {0}")]
    Away(Arc<sqlx::Error>),
    /// The operator of the hub looks at the disk, the path and the permissions; at the server, its name and the password.
    #[error("the ledger {database} cannot be opened: {why}")]
    CannotOpen {
        /// Where it is.
        database: Database,
        /// What stood in the way.
        why: String,
    },
    /// The operator of the hub looks at the disk.
    #[error("the ledger's database failed: {0}")]
    Store(Arc<sqlx::Error>),
    /// The operator of the hub restores a backup: what is stored cannot be read.
    #[error("the ledger holds {what} that cannot be read: {why}")]
    Corrupt {
        /// Which record.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The hub drops the attempt: another hub has taken the run over, or a person has ended it.
    #[error("lease {lease} of run {run} is lost: the run is {state} under lease {current}; this attempt changes nothing more")]
    LeaseLost {
        /// The run.
        run: RunId,
        /// The lease that was held.
        lease: u64,
        /// The lease in force.
        current: u64,
        /// How the run stands.
        state: RunState,
    },
    /// The caller asks for something that this run, as it stands, cannot do.
    #[error("run {run} is {state}, and {wanted}")]
    WrongState {
        /// The run.
        run: RunId,
        /// How it stands.
        state: RunState,
        /// Why that does not go together with what was asked.
        wanted: String,
    },
    /// The caller looks at the name.
    #[error("there is no {what} {name}")]
    NotFound {
        /// The kind of thing.
        what: &'static str,
        /// What was asked for.
        name: String,
    },
    /// The operator declares the job again, or corrects the name.
    #[error("partner {partner} has no job {job}: see `bailiwick jobs`, or declare it and run `bailiwick apply`")]
    NoSuchJob {
        /// The partner.
        partner: PartnerName,
        /// The job.
        job: JobName,
    },
    /// The operator uploads the release before it is activated.
    #[error("partner {partner} has no release {} of plugin {plugin}", digest.short())]
    NoSuchRelease {
        /// The partner.
        partner: PartnerName,
        /// The plugin.
        plugin: PluginName,
        /// The release.
        digest: Digest,
    },
    /// Another person does it: nobody vouches for their own work.
    #[error("{actor}{through} {what}, so another person has to do this")]
    OwnWork {
        /// Who asked, or stands behind the token that did.
        actor: Actor,
        /// The tokens behind which they stand, half a sentence with a comma before it and after; nothing where they acted themselves.
        through: String,
        /// What they did before.
        what: &'static str,
    },
    /// A person does it: a token and a hub decide nothing that takes two persons.
    #[error("{actor} is no person, and this takes another person")]
    NotAPerson {
        /// Who asked.
        actor: Actor,
    },
    /// The operator applies the folder again, so that the change is proposed on what is in force now.
    #[error("change {number} of {partner} was proposed on a state that is no longer in force: apply the folder again, and look at it anew")]
    StateMoved {
        /// Whose.
        partner: PartnerName,
        /// Which change.
        number: u64,
    },
    /// A person of the partner has it signed or approved.
    #[error(
        "release {} of plugin {plugin} cannot be used by {partner}: {lacks}. See `bailiwick plugin releases --partner {partner}`", digest.short()
    )]
    NotVouchedFor {
        /// The partner.
        partner: PartnerName,
        /// The plugin.
        plugin: PluginName,
        /// The release.
        digest: Digest,
        /// What is lacking.
        lacks: String,
    },
    /// A person activates another release, ends what it is used for, or mends the job's file first.
    #[error("release {} of plugin {plugin} cannot be given up: {how}", digest.short())]
    StillUsed {
        /// The plugin.
        plugin: PluginName,
        /// The release.
        digest: Digest,
        /// What it is used for.
        how: String,
    },
    /// The operator gives the corrected table a version of its own.
    #[error("table {table} already has a version {version} with other rows or dates: a version is never changed, add a new one")]
    VersionDiffers {
        /// The table.
        table: String,
        /// The version.
        version: String,
    },
    /// The caller reads it again: somebody was quicker.
    #[error("something was done at {partner} since it was looked at: look again")]
    ChangedMeanwhile {
        /// Whose trail went on.
        partner: PartnerName,
    },
    /// The person looks again: another candidate took the place of the one that they saw.
    #[error("release {} of {plugin} stands beside the active one, and not release {}: look again, and end what you mean", stands.short(), meant.short())]
    OtherStands {
        /// The plugin.
        plugin: PluginName,
        /// The release that is meant.
        meant: Digest,
        /// The one that stands there.
        stands: Digest,
    },
    /// The caller asks again: others are at work on the same releases.
    #[error("what releases of {partner} are judged by changed while this one was judged: look at it again, and decide then")]
    JudgedMeanwhile {
        /// Whose.
        partner: PartnerName,
    },
    /// The caller chooses another name.
    #[error("there is already a {what} {name}")]
    AlreadyThere {
        /// The kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The person looks at the reject: it is not one that may come back.
    #[error("reject {number} of run {run} cannot be resubmitted: {why}")]
    NotResubmitted {
        /// The run that rejected it.
        run: RunId,
        /// Its number.
        number: u64,
        /// Why not.
        why: String,
    },
    /// The run leaves the file to the run that has it.
    #[error("file {path} was already taken by run {run} of the same job")]
    FileTaken {
        /// The file.
        path: String,
        /// The run that has it.
        run: RunId,
    },
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Arc::new(error).into()
    }
}

impl From<Arc<sqlx::Error>> for LedgerError {
    fn from(error: Arc<sqlx::Error>) -> Self {
        match &*error {
            // 5 is SQLITE_BUSY; its extended codes end in the same byte. PostgreSQL's codes have five characters.
            sqlx::Error::Database(failure)
                if failure.code().is_some_and(|code| code.len() < 5 && code.parse::<i32>().is_ok_and(|code| code & 0xff == 5)) =>
            {
                Self::Busy
            }
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => Self::Away(error),
            _ => Self::Store(error),
        }
    }
}

/// What is stored is not what was once written.
pub(super) fn corrupt(what: impl Into<String>, why: &(impl ToString + ?Sized)) -> LedgerError {
    LedgerError::Corrupt { what: what.into(), why: why.to_string() }
}
