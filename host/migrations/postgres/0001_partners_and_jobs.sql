-- Partners, and what they have declared: connections, jobs and the files that declare them.
--
-- These migrations are the first thing to read about the hub. In order:
--   0001 partners and jobs · 0002 releases and tables · 0003 runs · 0004 audit and tokens · 0005 queue · 0006 secrets · 0007 places outside · 0009 amends
--
-- What holds in all of them:
--   * Every table has its partner, so that a query can be held to one.
--   * A column that ends in _at_ms, or _ms, is a moment: milliseconds since 1970-01-01 UTC.
--     Durations say what they measure: took_ms.
--   * Truth values are 0 or 1. Money is text, exact, never a float. Digests are SHA-256 in hexadecimal.
--   * Dates are ISO text: 2026-04-01.
--   * SQLite and PostgreSQL read the same queries; only these migrations may differ between the two.

-- Text that is compared and sorted, byte by byte as SQLite does it, whatever the language of the database.
CREATE DOMAIN WORD AS TEXT COLLATE "C";

-- An organisation. It owns its connections, jobs, releases and runs.
CREATE TABLE partners (
    partner        WORD   NOT NULL PRIMARY KEY,
    title          TEXT   NOT NULL,                 -- what people call it
    applied_at_ms  BIGINT NOT NULL
);

-- The text of every file that ever declared something, named by its digest and kept for good:
-- a run of last year still finds the definition that it ran by.
CREATE TABLE definitions (
    partner        WORD   NOT NULL REFERENCES partners (partner),
    digest         WORD   NOT NULL,
    content        TEXT   NOT NULL,
    stored_at_ms   BIGINT NOT NULL,
    PRIMARY KEY (partner, digest)
);

-- The files that are in force now, by name. `bailiwick plan` compares them with what lies on disk.
CREATE TABLE sources (
    partner        WORD   NOT NULL,
    source         WORD   NOT NULL,                 -- jobs/lgps-return.toml
    definition     WORD   NOT NULL,
    PRIMARY KEY (partner, source),
    FOREIGN KEY (partner, definition) REFERENCES definitions (partner, digest)
);

-- A named place outside. Where it is and how to reach it stands in its definition.
CREATE TABLE connections (
    partner        WORD   NOT NULL,
    connection     WORD   NOT NULL,
    definition     WORD   NOT NULL,
    applied_at_ms  BIGINT NOT NULL,
    removed_at_ms  BIGINT,                          -- it is no longer declared; receipts still name it
    PRIMARY KEY (partner, connection),
    FOREIGN KEY (partner, definition) REFERENCES definitions (partner, digest)
);

-- A declared movement of data, and how far its schedule has been followed.
CREATE TABLE jobs (
    partner              WORD   NOT NULL,
    job                  WORD   NOT NULL,
    title                TEXT   NOT NULL,
    plugin               WORD   NOT NULL,
    definition           WORD   NOT NULL,
    schedule             WORD,                      -- in one line; none if it runs only when asked
    -- Every slot up to this moment has its run, or its record of being skipped. A hub that was off goes on from here:
    -- the next run never depends on the last one having happened. A new or another schedule begins at the moment of its apply.
    scheduled_through_ms BIGINT NOT NULL,
    -- While a job is paused its cursor stands still, so that what happens to the slots in between
    -- is decided by its catch-up policy when it is resumed.
    paused_at_ms         BIGINT,
    paused_by            WORD,
    paused_why           WORD,
    applied_at_ms        BIGINT NOT NULL,
    removed_at_ms        BIGINT,                    -- it is no longer declared; its runs remain
    PRIMARY KEY (partner, job),
    FOREIGN KEY (partner, definition) REFERENCES definitions (partner, digest)
);
