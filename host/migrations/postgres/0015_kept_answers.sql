-- Answers to requests that carried an Idempotency-Key, so that a repeat within a day is told the same and does nothing.
-- A row without a status is a request under way. No answer that holds a secret or a row of data is kept.
CREATE TABLE kept_answers (
    partner     TEXT   NOT NULL REFERENCES partners (partner),
    caller      TEXT   NOT NULL,                    -- the token that sent it
    request_key TEXT   NOT NULL,
    request     TEXT   NOT NULL,                    -- SHA-256 of method, address and body: another request under the key is refused
    hub         TEXT   NOT NULL,                    -- who answers it, and
    life        TEXT   NOT NULL,                    -- in which of its lives: one that ended answers no more, and a repeat begins again
    begun_at_ms BIGINT NOT NULL,
    status      BIGINT,
    body        TEXT,                               -- none where it is not to be kept
    PRIMARY KEY (partner, caller, request_key)
);

CREATE INDEX kept_answers_by_age ON kept_answers (partner, begun_at_ms);
