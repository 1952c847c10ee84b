-- Credentials of connections. The hub seals a value before it comes here, under a master key that is not in the database:
-- who has the database alone has no credential.
CREATE TABLE secrets (
    partner     TEXT   NOT NULL REFERENCES partners (partner),
    secret      TEXT   NOT NULL,                    -- its name, by which connections.toml refers to it
    key_id      TEXT   NOT NULL,                    -- the master key that it is sealed under
    sealed      TEXT   NOT NULL,                    -- hexadecimal: form, key id, nonce, ciphertext with its tag
    set_at_ms   BIGINT NOT NULL,
    set_by      TEXT   NOT NULL,
    PRIMARY KEY (partner, secret)
);
