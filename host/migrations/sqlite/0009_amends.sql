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
