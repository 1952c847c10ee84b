-- What runs run: releases of plugins, and versions of the reference tables that they look things up in.

-- One immutable version of a plugin, named by the digest of its bytes. The bytes lie among the artefacts.
CREATE TABLE releases (
    partner        TEXT   NOT NULL REFERENCES partners (partner),
    plugin         TEXT   NOT NULL,
    digest         TEXT   NOT NULL,
    version        TEXT   NOT NULL,                 -- for people; the digest is what counts
    manifest       TEXT   NOT NULL,                 -- plugin.toml, as it stood in the component
    size_bytes     BIGINT NOT NULL,
    artefact       TEXT   NOT NULL,                 -- where the bytes lie, within the hub's folder
    added_at_ms    BIGINT NOT NULL,
    added_by       TEXT   NOT NULL,
    PRIMARY KEY (partner, plugin, digest)
);

-- The release that a partner's runs use; one a plugin. To roll back is to name the earlier one here again.
CREATE TABLE active_releases (
    partner          TEXT   NOT NULL,
    plugin           TEXT   NOT NULL,
    digest           TEXT   NOT NULL,
    activated_at_ms  BIGINT NOT NULL,
    activated_by     TEXT   NOT NULL,
    PRIMARY KEY (partner, plugin),
    FOREIGN KEY (partner, plugin, digest) REFERENCES releases (partner, plugin, digest)
);

-- Versions of reference tables. A version is never changed: a correction is a new version.
-- They are numbered within their partner in the order of their arrival, so that one number pins what a run could see.
CREATE TABLE table_versions (
    partner         TEXT   NOT NULL REFERENCES partners (partner),
    number          BIGINT NOT NULL,
    table_name      TEXT   NOT NULL,
    version         TEXT   NOT NULL,
    effective_from  TEXT   NOT NULL,                -- first day in force
    effective_to    TEXT,                           -- last day in force; none while it has no end
    published       TEXT,                           -- when its source published it
    source          TEXT   NOT NULL,                -- where it comes from, for people
    digest          TEXT   NOT NULL,                -- of content
    content         TEXT   NOT NULL,                -- the rows as CSV with a heading line
    added_at_ms     BIGINT NOT NULL,
    added_by        TEXT   NOT NULL,
    PRIMARY KEY (partner, number),
    UNIQUE (partner, table_name, version)
);
