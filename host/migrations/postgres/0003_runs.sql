-- Runs: what was to be done, what happened, what was found, what was sent.
--
-- The log is the truth: run_events says what happened to a run, in order, and is never changed.
-- runs, receipts, taken_files and job_state can be worked out from it at any time,
-- and are when a hub opens its ledger and finds a run whose row has fallen behind its events or run ahead of them.

CREATE TABLE run_events (
    partner   WORD   NOT NULL,
    run       WORD   NOT NULL,
    seq       BIGINT NOT NULL CHECK (seq >= 1),     -- 1, 2, 3 within the run, without a gap
    kind      WORD   NOT NULL,                      -- enqueued, claimed, pulled, processed, delivered, closed, held, ...
    at_ms     BIGINT NOT NULL,
    actor     WORD   NOT NULL,                      -- hub:main, person:j.smith, token:finance-system
    hub       WORD   NOT NULL,                      -- the hub that wrote it down
    lease     BIGINT NOT NULL,                      -- the lease in force when it was written; 0 before the first
    body      TEXT   NOT NULL,                      -- the particulars, as JSON
    PRIMARY KEY (run, seq)
);

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$;

CREATE TRIGGER run_events_are_not_changed BEFORE UPDATE ON run_events
EXECUTE FUNCTION refuse('run_events is append-only: what happened is not changed');

CREATE TRIGGER run_events_are_not_removed BEFORE DELETE ON run_events
EXECUTE FUNCTION refuse('run_events is append-only: what happened is not removed');

CREATE TRIGGER run_events_are_not_emptied BEFORE TRUNCATE ON run_events
EXECUTE FUNCTION refuse('run_events is append-only: what happened is not removed');

-- One execution of a job, as its events leave it.
--
--   queued → running → staged → delivering → closed
--      ↑________|________|__________|          a failure that is worth trying again
--   and from any of them: held · failed · skipped · cancelled
CREATE TABLE runs (
    run              WORD   NOT NULL PRIMARY KEY,   -- sorts by the time at which it was enqueued
    partner          WORD   NOT NULL,
    job              WORD   NOT NULL,
    -- What it is for. A slot has at most one run, so a scheduler may tick as often as it likes.
    slot             WORD,
    trigger_kind     WORD   NOT NULL,               -- schedule, catch-up, request, backfill, replay, resubmission
    origin_run       WORD,                          -- the run that is replayed, or whose rejects are resubmitted
    dry_run          BIGINT NOT NULL,               -- 1: everything but delivery
    -- What it is pinned to, the same in every attempt.
    logical_ms       BIGINT NOT NULL,               -- the time that the plugin is told
    seed             WORD   NOT NULL,               -- of its random numbers: 16 hexadecimal digits
    calendar         WORD   NOT NULL,               -- version of the bank holidays by which its slot was worked out
    asked_release    WORD,                          -- the release to use in place of the active one
    first_pins       WORD,                          -- of a replay, as JSON: the next three as its origin had them
    definition       WORD,                          -- settings and all: the job's file, pinned at the first claim
    release_digest   WORD,                          -- pinned at the first claim; none if no release was active then
    tables_through   BIGINT,                        -- table versions up to this number, pinned at the first claim
    -- Where it stands.
    state            WORD   NOT NULL CHECK (state IN
                       ('queued', 'running', 'staged', 'delivering', 'closed', 'held', 'failed', 'skipped', 'cancelled')),
    attempt          BIGINT NOT NULL,               -- claims since it was enqueued, or since a person sent it on its way again
    -- Every claim raises the lease. Whatever is written under an older lease is refused: a hub that was thought dead
    -- and comes back changes nothing.
    lease            BIGINT NOT NULL,
    hub              WORD,                          -- who holds the lease
    -- From when on a hub may claim it: at once, after a pause before the next attempt, or when the holder's lease runs out.
    -- None when there is nothing to be done.
    claimable_at_ms  BIGINT,
    enqueued_at_ms   BIGINT NOT NULL,
    started_at_ms    BIGINT,                        -- first claim
    ended_at_ms      BIGINT,
    -- What it came to, from the processing that stands.
    rows_read        BIGINT NOT NULL,
    rows_accepted    BIGINT NOT NULL,
    rows_rejected    BIGINT NOT NULL,
    rows_skipped     BIGINT NOT NULL,
    rows_written     BIGINT NOT NULL,
    warnings         BIGINT NOT NULL,
    processed_event  BIGINT,                        -- seq of that event
    processed_lease  BIGINT,                        -- lease under which its findings and log lines were written
    outputs          BIGINT NOT NULL,               -- staged
    deliveries       BIGINT NOT NULL,               -- of them delivered
    released         BIGINT NOT NULL,               -- 1: a person has released it after it was held
    outcome          WORD,                          -- of a closed run: delivered, dry-run
    reason_code      WORD,                          -- why it is held, failed, skipped, cancelled, or waits for its next attempt
    reason           TEXT,                          -- the same as a sentence
    last_event       BIGINT NOT NULL,               -- seq of the last event that this row knows of
    UNIQUE (partner, job, slot),
    FOREIGN KEY (partner, job) REFERENCES jobs (partner, job)
);

-- The claim looks here: only runs that somebody must still look at are in it.
CREATE INDEX runs_claimable ON runs (claimable_at_ms, run) WHERE claimable_at_ms IS NOT NULL;
-- Lists: newest first, of a partner, a job, a state.
CREATE INDEX runs_of_job ON runs (partner, job, run);
CREATE INDEX runs_in_state ON runs (partner, state, run);
-- One run of a job at a time.
CREATE INDEX runs_busy ON runs (partner, job) WHERE state IN ('running', 'staged', 'delivering');

-- What was found about single rows: rejects, which wait in quarantine, and warnings.
-- They are written with the event that says that the run was processed. Only those of the lease named by the
-- run's processing that stands count; those of an attempt that was overtaken remain beside them, unseen.
CREATE TABLE findings (
    partner      WORD   NOT NULL,
    run          WORD   NOT NULL REFERENCES runs (run),
    lease        BIGINT NOT NULL,
    number       BIGINT NOT NULL,                   -- 1, 2, 3 in the order in which they were found
    effect       WORD   NOT NULL CHECK (effect IN ('reject', 'warn')),
    port         WORD   NOT NULL,                   -- the input
    row_number   BIGINT,                            -- within the input, from 0 over the rows that could be read
    line         BIGINT,                            -- in the file, from 1
    byte_offset  BIGINT,                            -- in the file, from 0
    code         WORD   NOT NULL,                   -- of the first reason, for counting
    reasons      TEXT   NOT NULL,                   -- all reasons, as JSON: column, code, message
    raw          BYTEA,                              -- the record as it stood in the file
    decoded      TEXT,                              -- the row by columns, as JSON; none if it could not be read
    supersedes   WORD,                              -- run-lease-number of the reject that was corrected and came back
    PRIMARY KEY (run, lease, number)
);

CREATE INDEX findings_superseding ON findings (supersedes) WHERE supersedes IS NOT NULL;

-- What the plugin noted while it worked, beside the processing like the findings.
CREATE TABLE log_lines (
    partner      WORD   NOT NULL,
    run          WORD   NOT NULL REFERENCES runs (run),
    lease        BIGINT NOT NULL,
    number       BIGINT NOT NULL,
    level        WORD   NOT NULL,
    message      TEXT   NOT NULL,
    PRIMARY KEY (run, lease, number)
);

-- Files that a job has taken, so that none is taken twice, whatever it is called the second time.
CREATE TABLE taken_files (
    partner      WORD   NOT NULL,
    job          WORD   NOT NULL,
    connection   WORD   NOT NULL,
    path         WORD   NOT NULL,
    size_bytes   BIGINT NOT NULL,
    modified_ms  BIGINT NOT NULL,
    digest       WORD   NOT NULL,
    run          WORD   NOT NULL REFERENCES runs (run),
    taken_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (partner, job, connection, path, size_bytes, digest)
);

CREATE INDEX taken_files_by_digest ON taken_files (partner, digest);
CREATE INDEX taken_files_by_run ON taken_files (run);

-- What was sent, where and when, and what the other side said.
CREATE TABLE receipts (
    partner          WORD   NOT NULL,
    run              WORD   NOT NULL REFERENCES runs (run),
    port             WORD   NOT NULL,               -- the output
    connection       WORD   NOT NULL,
    target           WORD   NOT NULL,               -- the file's name there
    digest           WORD   NOT NULL,
    size_bytes       BIGINT NOT NULL,
    receipt          TEXT   NOT NULL,
    already_there    BIGINT NOT NULL,               -- 1: the very same was there from an attempt whose word was lost
    delivered_at_ms  BIGINT NOT NULL,
    PRIMARY KEY (run, port)
);

CREATE INDEX receipts_by_digest ON receipts (partner, digest);

-- A few values that a plugin keeps from one run of a job to the next. They change only when a run closes.
CREATE TABLE job_state (
    partner        WORD   NOT NULL,
    job            WORD   NOT NULL,
    entry          WORD   NOT NULL,                 -- the key
    content        BYTEA  NOT NULL,
    written_by_run WORD   NOT NULL REFERENCES runs (run),
    PRIMARY KEY (partner, job, entry)
);
