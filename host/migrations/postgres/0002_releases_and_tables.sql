-- What runs run: releases of plugins, and versions of the reference tables that they look things up in.

-- One immutable version of a plugin, named by the digest of its bytes. The bytes lie among the artefacts.
CREATE TABLE releases (
    partner        WORD   NOT NULL REFERENCES partners (partner),
    plugin         WORD   NOT NULL,
    digest         WORD   NOT NULL,
    version        WORD   NOT NULL,                 -- for people; the digest is what counts
    manifest       TEXT   NOT NULL,                 -- plugin.toml, as it stood in the component
    size_bytes     BIGINT NOT NULL,
    artefact       WORD   NOT NULL,                 -- where the bytes lie, within the hub's folder
    added_at_ms    BIGINT NOT NULL,
    added_by       WORD   NOT NULL,
    PRIMARY KEY (partner, plugin, digest)
);

-- The release that a partner's runs use; one a plugin. To roll back is to name the earlier one here again.
CREATE TABLE active_releases (
    partner          WORD   NOT NULL,
    plugin           WORD   NOT NULL,
    digest           WORD   NOT NULL,
    activated_at_ms  BIGINT NOT NULL,
    activated_by     WORD   NOT NULL,
    PRIMARY KEY (partner, plugin),
    FOREIGN KEY (partner, plugin, digest) REFERENCES releases (partner, plugin, digest)
);

-- Versions of reference tables. A version is never changed: a correction is a new version.
-- They are numbered within their partner in the order of their arrival, so that one number pins what a run could see.
CREATE TABLE table_versions (
    partner         WORD   NOT NULL REFERENCES partners (partner),
    number          BIGINT NOT NULL,
    table_name      WORD   NOT NULL,
    version         WORD   NOT NULL,
    effective_from  WORD   NOT NULL,                -- first day in force
    effective_to    WORD,                           -- last day in force; none while it has no end
    published       WORD,                           -- when its source published it
    source          WORD   NOT NULL,                -- where it comes from, for people
    digest          WORD   NOT NULL,                -- of content
    content         TEXT   NOT NULL,                -- the rows as CSV with a heading line
    added_at_ms     BIGINT NOT NULL,
    added_by        WORD   NOT NULL,
    PRIMARY KEY (partner, number),
    UNIQUE (partner, table_name, version)
);
