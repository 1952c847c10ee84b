-- What dealing with places outside has to remember from one attempt, or one run, to the next.

-- What a place said with a file: an ETag, a cursor. It counts once the run has taken the file, as taken_files says,
-- so that it never points past something that was not taken.
CREATE TABLE pull_marks (
    partner     TEXT   NOT NULL,
    job         TEXT   NOT NULL,
    connection  TEXT   NOT NULL,
    file        TEXT   NOT NULL,                    -- what the job asks for, as it stands in its file
    run         TEXT   NOT NULL REFERENCES runs (run),
    mark        TEXT   NOT NULL,
    PRIMARY KEY (partner, job, connection, file, run)
);

-- Deliveries that were begun, to receivers that would not recognise a repeat: after a kill in the middle of one,
-- the next attempt finds it here and leaves it to a person.
CREATE TABLE begun_deliveries (
    run         TEXT   NOT NULL REFERENCES runs (run),
    port        TEXT   NOT NULL,
    PRIMARY KEY (run, port)
);
