-- What the audit trail is searched by, and which hubs there are.

CREATE INDEX audit_of_actor ON audit (partner, actor, seq);
CREATE INDEX audit_of_subject ON audit (partner, subject, seq);
CREATE INDEX audit_of_time ON audit (partner, at_ms, seq);

-- Hubs that work, or did not long ago: each says every few seconds that it is there. They concern no partner.
CREATE TABLE hubs (
    hub            TEXT   NOT NULL PRIMARY KEY,
    version        TEXT   NOT NULL,
    started_at_ms  BIGINT NOT NULL,
    seen_at_ms     BIGINT NOT NULL
);
