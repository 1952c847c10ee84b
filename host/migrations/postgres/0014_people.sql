-- People who sign in, what they are at each partner, and how they sign in.

-- A person is not a partner's: one may have roles at several, and one at none has no way to anything of any partner.
CREATE TABLE people (
    person          WORD   NOT NULL PRIMARY KEY,    -- the name under which they sign in
    display_name    WORD   NOT NULL,
    email           WORD,
    password        WORD,                           -- argon2id, with its salt and parameters; none if they sign in elsewhere
    account         WORD,                           -- theirs at a provider of identities, once they have signed in there
    hub_operator    BIGINT NOT NULL DEFAULT 0,      -- 1 if they keep the hub itself
    stamp           BIGINT NOT NULL DEFAULT 1,      -- raised by whatever ends their sessions, so that none begins on what was before
    added_at_ms     BIGINT NOT NULL,
    added_by        WORD   NOT NULL,
    disabled_at_ms  BIGINT
);

-- What a person is at a partner: viewer, operator, approver, admin. What each allows, the ledger does not know.
CREATE TABLE roles (
    partner        WORD   NOT NULL REFERENCES partners (partner),
    person         WORD   NOT NULL REFERENCES people (person),
    role           WORD   NOT NULL,
    granted_at_ms  BIGINT NOT NULL,
    granted_by     WORD   NOT NULL,
    PRIMARY KEY (partner, person, role)
);

CREATE INDEX roles_of_person ON roles (person);

-- Who is signed in. Only the hash of what their browser holds is kept. A session that ended is no longer here.
CREATE TABLE sessions (
    hash           WORD   NOT NULL PRIMARY KEY,
    person         WORD   NOT NULL REFERENCES people (person),
    began_at_ms    BIGINT NOT NULL,
    used_at_ms     BIGINT NOT NULL,                 -- to the minute
    idle_until_ms  BIGINT NOT NULL,                 -- moved on as it is used
    ends_at_ms     BIGINT NOT NULL,                 -- never moved
    came_from      WORD   NOT NULL,                 -- an address, or nothing
    way            WORD   NOT NULL                  -- password, or the issuer at which they signed in
);

CREATE INDEX sessions_of_person ON sessions (person);

-- Signing in that failed, by name and by address, so that whoever guesses waits longer and longer, at whichever hub.
CREATE TABLE sign_in_failures (
    what              WORD   NOT NULL PRIMARY KEY,  -- name:, with the hash of what was typed; address:
    failures          BIGINT NOT NULL,              -- those that were forgiven by time are taken off at the next
    since_ms          BIGINT NOT NULL,              -- from when on the next to be forgiven is counted
    waits_until_ms    BIGINT NOT NULL,
    forgotten_at_ms   BIGINT NOT NULL               -- when time has forgiven all of them, and the row can go
);

CREATE INDEX sign_in_failures_forgotten ON sign_in_failures (forgotten_at_ms);

-- Signing in at a provider of identities that was begun, by the hash of what the provider sends back. Each is answered once.
CREATE TABLE sign_ins_begun (
    hash        WORD   NOT NULL PRIMARY KEY,
    browser     WORD   NOT NULL,                    -- the hash of what the browser holds that began it
    next        WORD   NOT NULL,                    -- where to go afterwards
    ends_at_ms  BIGINT NOT NULL
);

CREATE INDEX sign_ins_begun_end ON sign_ins_begun (ends_at_ms);

-- When use of a token that was revoked or has expired was last noted: not each of a thousand tries is.
ALTER TABLE tokens ADD COLUMN refused_at_ms BIGINT;
