-- Deliveries that were begun and of whose end nothing is known yet, to places of every kind. A receipt, a refusal that is certain
-- or a person's word takes one away; until then its run is not begun afresh, keeps its files when it is cancelled, and whoever
-- takes it over knows that something may have been sent.
ALTER TABLE begun_deliveries RENAME TO begun_deliveries_before;

CREATE TABLE begun_deliveries (
    partner     TEXT   NOT NULL,
    run         TEXT   NOT NULL REFERENCES runs (run),
    port        TEXT   NOT NULL,
    digest      TEXT,                               -- of what is sent; none of what was begun before this was kept
    hidden      TEXT,                               -- the hidden name that a file has until it is given its own; none elsewhere
    lease       BIGINT NOT NULL,                    -- under which it was begun last
    begun_at_ms BIGINT NOT NULL,
    PRIMARY KEY (run, port)
);

INSERT INTO begun_deliveries (partner, run, port, lease, begun_at_ms)
SELECT runs.partner, runs.run, begun_deliveries_before.port, runs.lease, runs.enqueued_at_ms
FROM begun_deliveries_before JOIN runs ON runs.run = begun_deliveries_before.run
WHERE NOT EXISTS (
    SELECT 1 FROM receipts WHERE receipts.run = begun_deliveries_before.run AND receipts.port = begun_deliveries_before.port);

DROP TABLE begun_deliveries_before;

-- The run that had taken the same content first, judged when the file was taken: clocks of several machines say nothing of that.
ALTER TABLE taken_files ADD COLUMN duplicate_of TEXT;
