-- The audit trail covers more rows than it did, of which each act now leaves a digest.

-- Sessions that began before have no digest, so whoever is signed in signs in once more.
DELETE FROM sessions;

-- The marks of a run are read when it ends, where it has any.
CREATE INDEX pull_marks_of_run ON pull_marks (run);

-- What tells this ledger from any other, wherever it is and by whatever name it is reached: the folder of a hub notes whose keys it has.
-- It concerns the hub as a whole, and has one row.
CREATE TABLE ledger_identity (
    one       BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    identity  TEXT   NOT NULL                       -- 32 hexadecimal digits, drawn
);

INSERT INTO ledger_identity (one, identity) VALUES (1, REPLACE(CAST(gen_random_uuid() AS TEXT), '-', ''));
