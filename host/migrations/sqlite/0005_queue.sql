-- The queue as several hubs share it: who goes first, how many go at one time, what is overdue, which jobs to look at.

ALTER TABLE partners ADD COLUMN runs_max BIGINT;                   -- of its runs at one time; none for as many as there are places
ALTER TABLE connections ADD COLUMN runs_max BIGINT;                -- of runs that use it at one time

ALTER TABLE jobs ADD COLUMN runs_max BIGINT NOT NULL DEFAULT 1;    -- of its runs at one time
ALTER TABLE jobs ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal';
ALTER TABLE jobs ADD COLUMN overlap TEXT NOT NULL DEFAULT 'queue'; -- skip, queue, cancel-older: when its time comes while a run is not done
ALTER TABLE jobs ADD COLUMN overdue_after_ms BIGINT;
-- No slot is due before this moment. 0 says that nobody has worked it out yet.
ALTER TABLE jobs ADD COLUMN next_due_ms BIGINT NOT NULL DEFAULT 0;

CREATE INDEX jobs_due ON jobs (next_due_ms) WHERE schedule IS NOT NULL AND paused_at_ms IS NULL AND removed_at_ms IS NULL;

-- Which connections a job's runs use.
CREATE TABLE job_connections (
    partner     TEXT   NOT NULL,
    job         TEXT   NOT NULL,
    connection  TEXT   NOT NULL,
    PRIMARY KEY (partner, job, connection),
    FOREIGN KEY (partner, job) REFERENCES jobs (partner, job)
);

CREATE INDEX job_connections_by_connection ON job_connections (partner, connection);

ALTER TABLE runs ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal';
-- Its place in the queue: claimable_at_ms, with a head start or a handicap by its priority.
ALTER TABLE runs ADD COLUMN rank_ms BIGINT;
ALTER TABLE runs ADD COLUMN overdue_at_ms BIGINT;                  -- when it should be done
ALTER TABLE runs ADD COLUMN overdue BIGINT NOT NULL DEFAULT 0;     -- 1: it was not done by then, and that was recorded

UPDATE runs SET rank_ms = claimable_at_ms;

DROP INDEX runs_claimable;
CREATE INDEX runs_claimable ON runs (rank_ms, run) WHERE claimable_at_ms IS NOT NULL;
CREATE INDEX runs_overdue ON runs (overdue_at_ms) WHERE overdue = 0 AND claimable_at_ms IS NOT NULL;
