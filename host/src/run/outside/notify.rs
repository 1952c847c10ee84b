//! Notices: people are told of runs by e-mail, in words without anybody's data. A notice waits in the ledger until a mail server has
//! taken it; it is tried again, less and less often, for about three days.

use std::time::Duration;

use crate::config::Configuration;
use crate::connection::{self, Mail};
use crate::ledger::{Notice, Run, Scope};
use crate::model::job::{Job, Told};
use crate::run::Hub;
use crate::run::failure::{RunError, pause_after};
use crate::run::pull::Places;

/// How long a notice is left to the hub that has taken it: longer than a mail server may take.
const TAKEN_FOR: Duration = Duration::from_secs(900);

/// How often a notice is tried before it is given up.
const ATTEMPTS_MAX: u64 = 80;

impl Hub {
    /// Sends the notices that wait. Answers how many a server took.
    ///
    /// # Errors
    /// [`RunError::Ledger`]; what a mail server does is written down with the notice.
    pub async fn send_notices(&self) -> Result<usize, RunError> {
        let for_ms = i64::try_from(TAKEN_FOR.as_millis()).unwrap_or(i64::MAX);
        let mut sent = 0;
        for notice in self.ledger().take_notices(self.clock().now_ms(), for_ms).await? {
            let tried = self.send_notice(&notice).await;
            let now_ms = self.clock().now_ms();
            let settled = match tried {
                Ok(Some(said)) => {
                    sent += 1;
                    Notice { sent_at_ms: Some(now_ms), next_at_ms: None, outcome: Some(said), ..notice }
                }
                Ok(None) => Notice { next_at_ms: None, outcome: Some("its job tells nobody any more".to_owned()), ..notice },
                Err(error) => {
                    let pause = i64::try_from(pause_after(notice.attempts, notice.seq).as_millis()).unwrap_or(i64::MAX);
                    let next_at_ms = (notice.attempts < ATTEMPTS_MAX).then(|| now_ms.saturating_add(pause));
                    tracing::warn!(run = %notice.run, again = next_at_ms.is_some(), %error, "a notice could not be sent");
                    Notice { next_at_ms, outcome: Some(error.to_string()), ..notice }
                }
            };
            self.ledger().settle_notice(&settled).await?;
        }
        Ok(sent)
    }

    /// Hands a notice to the mail server of its job; none if the job wants nobody to be told any more.
    async fn send_notice(&self, notice: &Notice) -> Result<Option<String>, RunError> {
        let Some(run) = self.ledger().run(Scope::Partner(&notice.partner), notice.run).await? else { return Ok(None) };
        let Configuration { jobs, connections, .. } = self.in_force(&notice.partner).await?;
        let Some(job) = jobs.into_iter().find(|job| job.name == *run.job()) else { return Ok(None) };
        let Some(notify) = job.notify.clone().filter(|notify| notify.on.contains(&notice.told)) else { return Ok(None) };
        let outside = self.outside(Places { connections: &connections }.get(&notify.connection)?).await?;
        let mail = Mail {
            to: notify.to,
            subject: subject(&job, notice.told),
            text: text(&job, &run, (notice.told, self.id().as_str())),
            number: format!("{}.{}", notice.run, notice.seq),
            at_ms: notice.at_ms,
        };
        let sent = tokio::task::spawn_blocking(move || connection::send(&outside, &mail)).await.expect("sending does not panic");
        sent.map(Some).map_err(|error| RunError::Connection { connection: notify.connection, error })
    }
}

fn subject(job: &Job, told: Told) -> String {
    let what = match told {
        Told::Held => "held, waiting for a person",
        Told::Failed => "failed, waiting for a person",
        Told::Delivered => "delivered",
        Told::Skipped => "did not run",
        Told::Overdue => "overdue",
    };
    format!("{}: {what}", job.name)
}

/// The message. It names the run and counts rows: no file, no amount and no value of a row stands in it.
fn text(job: &Job, run: &Run, (told, hub): (Told, &str)) -> String {
    let what = match told {
        Told::Held => "is held. What it made is not delivered until somebody decides",
        Told::Failed => "failed, and another attempt would end the same way",
        Told::Delivered => "has delivered everything",
        Told::Skipped => "did not run",
        Told::Overdue => "is not done, and should be by now",
    };
    let mut text = format!("A run of \"{}\" ({}, job {}) {what}.\n\n", job.title, job.partner, job.name);
    if let Some(reason) = run.reason.as_ref().filter(|_| told != Told::Delivered) {
        text += &format!("Reason: {}\n", reason.code);
    }
    if matches!(told, Told::Held | Told::Delivered) {
        let rows = run.rows;
        text += &format!("Rows: {} read, {} accepted, {} rejected, {} skipped\n", rows.read, rows.accepted, rows.rejected, rows.skipped);
    }
    if told == Told::Delivered {
        text += &format!("Deliveries: {}\n", run.deliveries());
    }
    text += &format!("Run: {}\n\nbailiwick show {} says more", run.id, run.id);
    text += match told {
        Told::Held => "; then release, retry or cancel it.\n",
        Told::Failed => "; then retry or cancel it.\n",
        Told::Delivered | Told::Skipped | Told::Overdue => ".\n",
    };
    text + &format!("\nThe hub {hub} wrote this by itself. Please do not answer it.\n")
}
