-- Webhooks: partners' own addresses that are told of runs and releases. A message comes with its event, in one transaction.

CREATE TABLE webhooks (
    partner        TEXT   NOT NULL,
    webhook        TEXT   NOT NULL,                 -- its name
    definition     TEXT   NOT NULL,                 -- SHA-256 of the file that says where it is and who signs for it
    events         TEXT   NOT NULL,                 -- what it is told: words with a space before and behind each
    applied_at_ms  BIGINT NOT NULL,
    removed_at_ms  BIGINT,
    PRIMARY KEY (partner, webhook)
);

CREATE TABLE webhook_messages (
    message      TEXT   NOT NULL PRIMARY KEY,       -- its number, which a receiver knows repeats by
    partner      TEXT   NOT NULL,
    webhook      TEXT   NOT NULL,
    event        TEXT   NOT NULL,                   -- run.closed, run.held, ...
    subject      TEXT   NOT NULL,                   -- run:..., release:...
    at_ms        BIGINT NOT NULL,
    body         TEXT   NOT NULL,                   -- what is sent, the same every time
    attempts     BIGINT NOT NULL DEFAULT 0,
    next_at_ms   BIGINT,                            -- when it is tried next; none once it is taken, or given up
    taken_at_ms  BIGINT,                            -- when the receiver took it
    ended_at_ms  BIGINT,                            -- when it was taken or given up
    status       BIGINT,                            -- what the receiver answered the last time; none if it did not
    took_ms      BIGINT,                            -- how long the last attempt took
    outcome      TEXT,                              -- why it was not taken the last time
    FOREIGN KEY (partner, webhook) REFERENCES webhooks (partner, webhook)
);

CREATE INDEX webhook_messages_waiting ON webhook_messages (next_at_ms) WHERE next_at_ms IS NOT NULL;
CREATE INDEX webhook_messages_of ON webhook_messages (partner, webhook, at_ms);
CREATE INDEX webhook_messages_ended ON webhook_messages (partner, ended_at_ms) WHERE ended_at_ms IS NOT NULL;

-- For whoever watches the hub: runs that have not ended, however many have.
CREATE INDEX runs_open ON runs (partner, job, state) WHERE state IN ('queued', 'running', 'staged', 'delivering', 'held', 'failed');
