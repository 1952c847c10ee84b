-- Notices: what people are told of runs, by e-mail. A notice comes with its event, in one transaction, so that none is lost.

ALTER TABLE jobs ADD COLUMN notices TEXT NOT NULL DEFAULT '';      -- what is told: words with a space before and behind each

CREATE TABLE notices (
    partner     TEXT   NOT NULL,
    run         TEXT   NOT NULL REFERENCES runs (run),
    seq         BIGINT NOT NULL,                    -- the event of the run
    told        TEXT   NOT NULL,                    -- held, failed, delivered, skipped, overdue
    at_ms       BIGINT NOT NULL,
    attempts    BIGINT NOT NULL DEFAULT 0,
    next_at_ms  BIGINT,                             -- when it is tried next; none once it is sent, or given up
    sent_at_ms  BIGINT,
    outcome     TEXT,                               -- what the server said, or why it was not sent the last time
    PRIMARY KEY (run, seq)
);

CREATE INDEX notices_waiting ON notices (next_at_ms) WHERE next_at_ms IS NOT NULL;
