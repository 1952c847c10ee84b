-- Who did what, and who may call the hub.

-- Every act that changes what the hub does, or what left it. Each entry's hash covers its content and the hash of the
-- entry before it, so that none can be changed, taken out or put in without every later hash being wrong.
-- `bailiwick audit verify` works them out again and names the first that does not fit.
CREATE TABLE audit (
    seq            BIGINT NOT NULL PRIMARY KEY CHECK (seq >= 1),
    at_ms          BIGINT NOT NULL,
    partner        TEXT,                            -- none where the act concerns the hub as a whole
    actor          TEXT   NOT NULL,
    action         TEXT   NOT NULL,                 -- release.activate, job.pause, run.close, ...
    subject        TEXT   NOT NULL,                 -- what was acted upon: run:0192..., job:lgps-return
    before_json    TEXT,
    after_json     TEXT,
    previous_hash  TEXT   NOT NULL,                 -- of the entry before; of the first: 64 zeros
    hash           TEXT   NOT NULL
);

CREATE INDEX audit_of_partner ON audit (partner, seq);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only: an entry is not changed'); END;

CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only: an entry is not removed'); END;

-- The end of the chain, so that entries cut off its end are missed. It concerns the hub as a whole, and has one row.
-- Where several hubs share a database, it is also what they lock to write one after the other.
CREATE TABLE audit_head (
    one    BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    seq    BIGINT NOT NULL,
    hash   TEXT   NOT NULL
);

INSERT INTO audit_head (one, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- Keys with which other systems call the hub. Only the hash of a token is kept: it is shown once, when it is made.
CREATE TABLE tokens (
    partner          TEXT   NOT NULL REFERENCES partners (partner),
    token            TEXT   NOT NULL,               -- its name
    hash             TEXT   NOT NULL UNIQUE,
    scopes           TEXT   NOT NULL,               -- words, with single spaces between
    created_at_ms    BIGINT NOT NULL,
    created_by       TEXT   NOT NULL,
    expires_at_ms    BIGINT,
    last_used_at_ms  BIGINT,                        -- to the minute
    revoked_at_ms    BIGINT,
    PRIMARY KEY (partner, token)
);
