-- Who vouches for a release: the key that signed it, and the person who approved it.

-- What a partner asks of a release before its runs use it: open (nothing), signed, approved (signed, and by a second person).
ALTER TABLE partners ADD COLUMN releases TEXT NOT NULL DEFAULT 'open';

-- The public keys of a partner's signers. A key that was revoked stays so.
CREATE TABLE signing_keys (
    partner        TEXT   NOT NULL REFERENCES partners (partner),
    key_id         TEXT   NOT NULL,                 -- 16 hexadecimal digits, as minisign shows them
    public_key     TEXT   NOT NULL,
    owner          TEXT   NOT NULL,                 -- for people: whose it is
    added_at_ms    BIGINT NOT NULL,
    added_by       TEXT   NOT NULL,
    revoked_at_ms  BIGINT,
    revoked_by     TEXT,
    revoked_why    TEXT,
    PRIMARY KEY (partner, key_id)
);

-- The signature that a release came with.
ALTER TABLE releases ADD COLUMN signed_by TEXT;                 -- the key
ALTER TABLE releases ADD COLUMN signature TEXT;                 -- as it was read
ALTER TABLE releases ADD COLUMN signature_comment TEXT;         -- what the signer said, covered by the signature

-- What people said of a release; the last word counts.
CREATE TABLE release_verdicts (
    partner  TEXT   NOT NULL,
    plugin   TEXT   NOT NULL,
    digest   TEXT   NOT NULL,
    number   BIGINT NOT NULL CHECK (number >= 1),
    verdict  TEXT   NOT NULL,                       -- approved, refused
    why      TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    said_by  TEXT   NOT NULL,
    PRIMARY KEY (partner, plugin, digest, number),
    FOREIGN KEY (partner, plugin, digest) REFERENCES releases (partner, plugin, digest)
);

-- Every activation, so that a plugin can be rolled back to the release before.
CREATE TABLE activations (
    partner  TEXT   NOT NULL,
    plugin   TEXT   NOT NULL,
    number   BIGINT NOT NULL CHECK (number >= 1),
    digest   TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL,
    done_by  TEXT   NOT NULL,
    PRIMARY KEY (partner, plugin, number),
    FOREIGN KEY (partner, plugin, digest) REFERENCES releases (partner, plugin, digest)
);

INSERT INTO activations (partner, plugin, number, digest, at_ms, done_by)
SELECT partner, plugin, 1, digest, activated_at_ms, activated_by FROM active_releases;
