-- How a release comes into use: what is lent to it, how it did beside the active one, which runs try it, and when it is given up.

-- What a partner granted with its approval, as JSON: what is kept back, and the most of single limits. None for all that is asked.
ALTER TABLE release_verdicts ADD COLUMN granted TEXT;
-- The review that the person had before them.
ALTER TABLE release_verdicts ADD COLUMN reviewed TEXT;

-- A release that is given up is not used again; runs that are pinned to it go on.
ALTER TABLE releases ADD COLUMN retired_at_ms BIGINT;
ALTER TABLE releases ADD COLUMN retired_by TEXT;
ALTER TABLE releases ADD COLUMN retired_why TEXT;

-- How a release must have done beside the active one before it becomes active, as JSON; none for nothing.
ALTER TABLE partners ADD COLUMN proofs TEXT;

-- Which release of its plugin a job runs: active, a range of versions, or sha256: and digits.
ALTER TABLE jobs ADD COLUMN release_choice TEXT NOT NULL DEFAULT 'active';

-- A release that stands beside the active one: every run is done again with it (parallel), or a share of the runs is done with it (canary).
CREATE TABLE candidates (
    partner       TEXT   NOT NULL,
    plugin        TEXT   NOT NULL,
    number        BIGINT NOT NULL CHECK (number >= 1),
    digest        TEXT   NOT NULL,
    way           TEXT   NOT NULL CHECK (way IN ('parallel', 'canary')),
    share         BIGINT NOT NULL,                  -- of a canary: of ten thousand runs
    choice_key    TEXT   NOT NULL,                  -- of a canary: by which a slot chooses
    failures_max  BIGINT NOT NULL,                  -- of a canary: more end it
    held_max      BIGINT NOT NULL,
    took_ms_max   BIGINT,                           -- longest time for a run's rows; none where none is said
    begun_at_ms   BIGINT NOT NULL,
    begun_by      TEXT   NOT NULL,
    ended_at_ms   BIGINT,
    ended_by      TEXT,
    ended_why     TEXT,
    PRIMARY KEY (partner, plugin, number),
    FOREIGN KEY (partner, plugin, digest) REFERENCES releases (partner, plugin, digest)
);

-- One at a time.
CREATE UNIQUE INDEX candidates_at_work ON candidates (partner, plugin) WHERE ended_at_ms IS NULL;

-- Runs of a canary, and how they ended.
CREATE TABLE canary_runs (
    partner  TEXT   NOT NULL,
    run      TEXT   NOT NULL PRIMARY KEY REFERENCES runs (run),
    plugin   TEXT   NOT NULL,
    number   BIGINT NOT NULL,
    ended    TEXT,                                  -- closed, held, failed; none while it is under way
    took_ms  BIGINT,
    FOREIGN KEY (partner, plugin, number) REFERENCES candidates (partner, plugin, number)
);

CREATE INDEX canary_runs_of_candidate ON canary_runs (partner, plugin, number);

-- A run done again with another release: whether it came to the same.
CREATE TABLE trials (
    partner      TEXT   NOT NULL,
    run          TEXT   NOT NULL PRIMARY KEY REFERENCES runs (run),
    plugin       TEXT   NOT NULL,
    digest       TEXT   NOT NULL,
    origin       TEXT   NOT NULL REFERENCES runs (run),
    outcome      TEXT   NOT NULL CHECK (outcome IN ('same', 'differs', 'failed')),
    kinds        TEXT   NOT NULL,                   -- kinds of difference, a line each
    differences  TEXT,                              -- what is told of them, as JSON
    at_ms        BIGINT NOT NULL,
    FOREIGN KEY (partner, plugin, digest) REFERENCES releases (partner, plugin, digest)
);

CREATE INDEX trials_of_release ON trials (partner, plugin, digest, at_ms);

-- A person's word on a kind of difference, which holds for the trials that there were when it was said.
CREATE TABLE trial_explanations (
    partner  TEXT   NOT NULL,
    plugin   TEXT   NOT NULL,
    digest   TEXT   NOT NULL,
    number   BIGINT NOT NULL CHECK (number >= 1),
    kind     TEXT   NOT NULL,
    why      TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    said_by  TEXT   NOT NULL,
    PRIMARY KEY (partner, plugin, digest, number),
    FOREIGN KEY (partner, plugin, digest) REFERENCES releases (partner, plugin, digest)
);
