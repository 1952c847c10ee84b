-- What the hub keeps of people's data is sealed under a key of its partner's, and who looks at it as it is leaves a trace.

-- Keys of partners, each sealed under a master key that is not in the database: who has the database alone reads no row.
CREATE TABLE data_keys (
    partner     TEXT   NOT NULL REFERENCES partners (partner),
    generation  BIGINT NOT NULL,                    -- 1, 2, 3: the last is in force, the others open what was sealed before
    key_id      TEXT   NOT NULL,                    -- the master key that it is sealed under
    sealed      TEXT   NOT NULL,                    -- hexadecimal: form, key id, nonce, ciphertext with its tag
    made_at_ms  BIGINT NOT NULL,
    made_by     TEXT   NOT NULL,
    PRIMARY KEY (partner, generation)
);

-- What a reject held, and what was asked of a provider and answered; rows from before hold it as it is.
ALTER TABLE findings ADD COLUMN sealed BLOB;
ALTER TABLE exchanges ADD COLUMN sealed BLOB;

-- Who saw personal values of a run as they are, in which hour: the audit trail has one entry for each.
CREATE TABLE sights (
    partner     TEXT   NOT NULL,
    actor       TEXT   NOT NULL,
    subject     TEXT   NOT NULL,                    -- run:0192…
    hour        BIGINT NOT NULL,                    -- since 1970
    PRIMARY KEY (partner, actor, subject, hour)
) WITHOUT ROWID;

-- Each partner has a copy of its own, so one that a partner no longer uses goes, whoever else has the same bytes.
CREATE TABLE artefacts_going_of (
    digest      TEXT   NOT NULL,
    partner     TEXT   NOT NULL,
    PRIMARY KEY (digest, partner)
) WITHOUT ROWID;
INSERT INTO artefacts_going_of (digest, partner) SELECT digest, partner FROM artefacts_going;
DROP TABLE artefacts_going;
ALTER TABLE artefacts_going_of RENAME TO artefacts_going;
