-- Partitions: the last input of a run, cut so that any hub may process a part of it.
--
-- Where they lie in the file is in the run's log (the event `partitioned`); this is who is at each of them.
--
--   waiting → running → done
--      ↑________|  |___ failed         the run's next attempt lets it wait again
--        lease lost
CREATE TABLE partitions (
    partner          TEXT   NOT NULL,
    run              TEXT   NOT NULL REFERENCES runs (run),
    cutting          BIGINT NOT NULL,               -- seq of the event that says where they lie
    number           BIGINT NOT NULL,               -- 1, 2, 3 in the order of the input
    state            TEXT   NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    -- Every claim raises the lease. Whatever is written under an older one is refused.
    lease            BIGINT NOT NULL,
    claims           BIGINT NOT NULL,               -- in this attempt of the run
    hub              TEXT,                          -- who is at it, or was last
    claimable_at_ms  BIGINT,                        -- from when on a hub may claim it; none when there is nothing to be done
    started_at_ms    BIGINT,                        -- last claim
    ended_at_ms      BIGINT,
    rows_read        BIGINT NOT NULL,               -- of a partition that is done
    result           TEXT,                          -- the file that says what it came to, by the SHA-256 of its bytes
    failed           TEXT,                          -- why it failed, as JSON
    PRIMARY KEY (run, cutting, number)
);

-- The claim looks here.
CREATE INDEX partitions_claimable ON partitions (claimable_at_ms) WHERE claimable_at_ms IS NOT NULL;
