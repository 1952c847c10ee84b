//! Drift: what is in force and not in the folder, or in the folder and not in force, found while the hub serves and never passed over.
//!
//! Must not know how a difference is worked out.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::Plan;
use crate::ledger::{Act, By};
use crate::model::ids::Digest;
use crate::run::Hub;

/// How often a hub that serves a folder compares it with what is in force.
pub const DRIFT_EVERY_MS: i64 = 300_000;

impl Hub {
    /// Has the hub compare a folder with what is in force, again and again.
    pub fn watch_configuration(&self, folder: PathBuf) {
        // Said once, when the hub starts.
        drop(self.shared.watched.set(folder));
    }

    /// Compares if it is time to. A difference is an entry of the audit trail and a line of the log, once for each that is another.
    pub(in crate::run) async fn look_for_drift(&self) {
        let Some(folder) = self.shared.watched.get() else { return };
        let now_ms = self.clock().now_ms();
        if now_ms < self.shared.drift_at_ms.load(Ordering::Relaxed) {
            return;
        }
        self.shared.drift_at_ms.store(now_ms.saturating_add(DRIFT_EVERY_MS), Ordering::Relaxed);
        let lines = match self.drift(folder).await {
            Ok(lines) => lines,
            // A folder that cannot be read is not what is in force either.
            Err(why) => vec![why],
        };
        let seen = Digest::of(lines.join("\n").as_bytes());
        let before = self.shared.drift_seen.lock().expect("nobody panics while holding it").replace(seen);
        let first_and_none = before.is_none() && lines.is_empty();
        if before == Some(seen) || first_and_none {
            return;
        }
        let action = if lines.is_empty() { "config.drift-ended" } else { "config.drift" };
        if lines.is_empty() {
            tracing::info!(folder = %folder.display(), "the configuration is the one in force again");
        } else {
            tracing::warn!(folder = %folder.display(), differences = lines.len(), first = %lines[0], "the configuration is not the one in force");
        }
        let after = Some(serde_json::json!({ "folder": folder.display().to_string(), "differences": lines }));
        let act = Act { partner: None, action, subject: format!("hub:{}", self.id()), before: None, after };
        if let Err(error) = self.ledger().note(act, &By::hub(self.id(), now_ms)).await {
            tracing::error!(%error, "that the configuration is not the one in force could not be noted");
        }
    }

    async fn drift(&self, folder: &Path) -> Result<Vec<String>, String> {
        let by = By::hub(self.id(), self.clock().now_ms());
        self.plan(folder, &by).await.map(|plan| plan.lines()).map_err(|error| format!("the folder cannot be compared: {error}"))
    }
}

impl Plan {
    /// Every difference as a line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (partner, applied) in &self.partners {
            lines
                .extend(applied.changes.iter().map(|change| format!("{partner}: {} {} {}", change.what, change.name, change.how.as_str())));
        }
        for release in self.releases.iter().filter(|release| release.new) {
            let digest = release.digest.short();
            lines.push(format!("{}: release {} {} ({digest}) active", release.partner, release.plugin, release.version));
        }
        lines.extend(self.tables.iter().map(|table| format!("table {table} added")));
        lines.extend(self.unlisted.iter().map(|line| format!("{line} is active, and the folder does not name it")));
        for proposed in &self.proposed {
            lines.extend(proposed.difference.iter().map(|line| format!("{}: {line}: takes a second person", proposed.partner)));
        }
        lines
    }
}
