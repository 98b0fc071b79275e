-- Version 4: the keys of the articles in runs, so that an index opens without reading every row. They follow from the rows: a run that
-- is missing or damaged is built from them.

CREATE TABLE runs (
    position integer NOT NULL,
    columns bytea NOT NULL,
    keys bytea NOT NULL,
    PRIMARY KEY (position)
);

-- Hashes do not compress.
ALTER TABLE runs ALTER COLUMN columns SET STORAGE EXTERNAL, ALTER COLUMN keys SET STORAGE EXTERNAL;
