-- What is put right after a run: rejects in quarantine, and rows that come back corrected.

-- A reject waits in quarantine from the moment at which its run closes. Before that the run itself waits, with all its rows.
ALTER TABLE findings ADD COLUMN waiting_since_ms BIGINT;           -- none: it never came into quarantine
ALTER TABLE findings ADD COLUMN owner TEXT;                        -- who sees to it
-- The run by which it came back corrected, and where its record begins in that run's input, in bytes.
ALTER TABLE findings ADD COLUMN resubmitted_by TEXT;
ALTER TABLE findings ADD COLUMN resubmitted_offset BIGINT;
ALTER TABLE findings ADD COLUMN left_how TEXT CHECK (left_how IN ('dismissed', 'superseded'));
ALTER TABLE findings ADD COLUMN left_at_ms BIGINT;
ALTER TABLE findings ADD COLUMN left_by TEXT;
ALTER TABLE findings ADD COLUMN left_why TEXT;

CREATE INDEX findings_waiting ON findings (partner, run, lease, number) WHERE waiting_since_ms IS NOT NULL AND left_how IS NULL;
CREATE INDEX findings_resubmitted ON findings (resubmitted_by) WHERE resubmitted_by IS NOT NULL;

UPDATE findings SET waiting_since_ms = (SELECT runs.ended_at_ms FROM runs WHERE runs.run = findings.run)
WHERE effect = 'reject' AND EXISTS (
    SELECT 1 FROM runs WHERE runs.run = findings.run AND runs.processed_lease = findings.lease AND runs.outcome = 'delivered');

-- How long a job's rejects may wait before they are overdue.
ALTER TABLE jobs ADD COLUMN rejects_overdue_days BIGINT NOT NULL DEFAULT 5;

-- Corrected rows that came back as a run of their own: what that run reads.
CREATE TABLE resubmissions (
    partner      TEXT   NOT NULL,
    run          TEXT   NOT NULL PRIMARY KEY REFERENCES runs (run),
    origin_run   TEXT   NOT NULL REFERENCES runs (run),
    port         TEXT   NOT NULL,                   -- the input
    artefact     TEXT   NOT NULL,                   -- the corrected rows, in the input's own format
    size_bytes   BIGINT NOT NULL,
    row_count    BIGINT NOT NULL
);

CREATE INDEX resubmissions_of ON resubmissions (origin_run);

-- How long what is kept of a partner's runs after they ended, in days; none for good.
ALTER TABLE partners ADD COLUMN keep_artefacts_days BIGINT;
ALTER TABLE partners ADD COLUMN keep_rejects_days BIGINT;
ALTER TABLE partners ADD COLUMN keep_events_days BIGINT;

ALTER TABLE runs ADD COLUMN artefacts_expired_at_ms BIGINT;        -- its files are kept no longer
ALTER TABLE runs ADD COLUMN rejects_expired_at_ms BIGINT;          -- what its rejects held was cleared
ALTER TABLE runs ADD COLUMN log_trimmed_at_ms BIGINT;              -- events that say nothing else were removed

CREATE INDEX runs_of_origin ON runs (origin_run) WHERE origin_run IS NOT NULL;
CREATE INDEX runs_with_artefacts ON runs (partner, ended_at_ms) WHERE artefacts_expired_at_ms IS NULL AND state IN ('closed', 'cancelled');
CREATE INDEX runs_with_rejects ON runs (partner, ended_at_ms) WHERE rejects_expired_at_ms IS NULL AND state IN ('closed', 'cancelled');
CREATE INDEX runs_with_log ON runs (partner, ended_at_ms) WHERE log_trimmed_at_ms IS NULL AND state IN ('closed', 'cancelled');

-- Which runs still use which artefacts. The same bytes are one file, whoever's they are.
CREATE TABLE artefacts_used (
    digest     TEXT   NOT NULL,
    run        TEXT   NOT NULL REFERENCES runs (run),
    partner    TEXT   NOT NULL,
    PRIMARY KEY (digest, run)
) WITHOUT ROWID;

INSERT INTO artefacts_used (digest, run, partner)
SELECT DISTINCT json_extract(file.value, '$.digest'), run_events.run, run_events.partner
FROM run_events, json_each(run_events.body, '$.inputs') AS file WHERE run_events.kind = 'pulled'
UNION
SELECT DISTINCT json_extract(output.value, '$.artefact'), run_events.run, run_events.partner
FROM run_events, json_each(run_events.body, '$.outputs') AS output WHERE run_events.kind = 'processed';

-- Artefacts that no run uses any more, until they are removed from the folder.
CREATE TABLE artefacts_going (
    digest     TEXT   NOT NULL PRIMARY KEY,
    partner    TEXT   NOT NULL
);

-- What happened is not changed and not removed, but that retention may trim the log of a run that it has marked.
DROP TRIGGER run_events_are_not_changed;
DROP TRIGGER run_events_are_not_removed;

CREATE TRIGGER run_events_are_not_changed BEFORE UPDATE ON run_events
WHEN (SELECT log_trimmed_at_ms FROM runs WHERE runs.run = OLD.run) IS NULL
BEGIN SELECT RAISE(ABORT, 'run_events is append-only: what happened is not changed'); END;

CREATE TRIGGER run_events_are_not_removed BEFORE DELETE ON run_events
WHEN (SELECT log_trimmed_at_ms FROM runs WHERE runs.run = OLD.run) IS NULL
BEGIN SELECT RAISE(ABORT, 'run_events is append-only: what happened is not removed'); END;
