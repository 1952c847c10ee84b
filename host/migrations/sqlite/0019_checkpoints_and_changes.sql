-- What makes the audit trail hold against whoever can write to the database, and changes that take two persons.

-- From where it was done: an address, or a command line. None where a hub acted of itself, and before this was kept.
ALTER TABLE audit ADD COLUMN came_from TEXT;

-- The keys with which hubs sign checkpoints of the trail: one a hub, made when it first serves. The secret half is sealed under the
-- hub's master key, which is not in the database. It concerns the hub as a whole, and so have the checkpoints.
CREATE TABLE hub_keys (
    hub            TEXT   NOT NULL PRIMARY KEY,
    key_id         TEXT   NOT NULL,                 -- 16 hexadecimal digits, as minisign shows them
    public_key     TEXT   NOT NULL,
    master_key     TEXT   NOT NULL,                 -- what names the key that it is sealed under
    sealed         TEXT   NOT NULL,
    made_at_ms     BIGINT NOT NULL
);

-- How far the trail reached, and with what hash, at a moment, signed. Each names the one before by the digest of its text.
CREATE TABLE audit_checkpoints (
    number         BIGINT NOT NULL PRIMARY KEY CHECK (number >= 1),
    seq            BIGINT NOT NULL,                 -- the last entry that it covers
    hub            TEXT   NOT NULL,                 -- who signed
    key_id         TEXT   NOT NULL,
    content        TEXT   NOT NULL,                 -- what was signed
    signature      TEXT   NOT NULL                  -- as minisign writes it
);

-- What a partner asks of protected changes: one-person, two-persons.
ALTER TABLE partners ADD COLUMN changes TEXT NOT NULL DEFAULT 'one-person';

-- Changes that one person proposed, and what became of them.
CREATE TABLE proposed_changes (
    partner        TEXT   NOT NULL REFERENCES partners (partner),
    number         BIGINT NOT NULL CHECK (number >= 1),
    content        TEXT   NOT NULL,                 -- what would be in force, as JSON
    digest         TEXT   NOT NULL,                 -- of content
    base           TEXT   NOT NULL,                 -- digest of what was in force when it was proposed
    difference     TEXT   NOT NULL,                 -- for people, as JSON: a line a change
    proposed_at_ms BIGINT NOT NULL,
    proposed_by    TEXT   NOT NULL,
    state          TEXT   NOT NULL CHECK (state IN ('proposed', 'approved', 'refused', 'superseded')),
    decided_at_ms  BIGINT,
    decided_by     TEXT,
    why            TEXT,
    PRIMARY KEY (partner, number)
);

CREATE INDEX proposed_changes_open ON proposed_changes (partner) WHERE state = 'proposed';
