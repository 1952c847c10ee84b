-- What connectors asked of providers, and what was answered: a replay is answered from here and calls nobody.

-- One request of a session: a file fetched, `pull:` and the input, or sent, `push:` and the output. No credential is in it:
-- the hub adds them after this was written, and takes them out of what is answered.
CREATE TABLE exchanges (
    partner         TEXT   NOT NULL,
    run             TEXT   NOT NULL REFERENCES runs (run),
    session         TEXT   NOT NULL,
    lease           BIGINT NOT NULL,                -- under which it was made: each attempt has a session of its own
    seq             BIGINT NOT NULL,                -- 1, 2, 3 within the session
    request         TEXT   NOT NULL,                -- SHA-256 of method, target, headers and body
    method          TEXT   NOT NULL,
    target          TEXT   NOT NULL,                -- path and query below the connection's address
    answer          TEXT   NOT NULL,                -- status and headers, or why there is none, as JSON
    body            TEXT,                           -- SHA-256 of the answer's body, which is an artefact; none where it has none
    sent_bytes      BIGINT NOT NULL,
    received_bytes  BIGINT NOT NULL,
    took_ms         BIGINT NOT NULL,
    at_ms           BIGINT NOT NULL,
    PRIMARY KEY (run, session, lease, seq)
);
