-- Version 1 of an index in PostgreSQL, made in a schema of its own. Nothing here is a text of an article.

-- One row: marks this schema as an index of ours, and holds its format.
CREATE TABLE dedup_index (
    format integer NOT NULL
);

INSERT INTO dedup_index VALUES (0);

CREATE TABLE meta (
    key text PRIMARY KEY,
    value text NOT NULL
);

-- Every article that was decided on: the log, the keys to look it up, and the sketch to compare it. Wide columns come first, so that none is
-- padded. An id is its bytes in UTF-8, whatever the database's encoding: psql shows it with convert_from(id, 'UTF8').
CREATE TABLE articles (
    telling bigint NOT NULL,
    published double precision,
    score double precision NOT NULL,
    decided double precision NOT NULL,
    position integer NOT NULL,
    leader integer NOT NULL,
    version integer NOT NULL,
    relation smallint NOT NULL,
    mark smallint NOT NULL,
    id bytea NOT NULL,
    evidence bytea NOT NULL,
    keys bytea NOT NULL,
    sketch bytea NOT NULL,
    PRIMARY KEY (position)
);

-- Packed already: to compress them again would cost time and gain nothing.
ALTER TABLE articles ALTER COLUMN sketch SET STORAGE EXTERNAL, ALTER COLUMN keys SET STORAGE EXTERNAL;

-- By hash: an id may be longer than a B-tree takes.
CREATE INDEX articles_by_id ON articles USING hash (id);
CREATE INDEX dropped_by_leader ON articles (leader) WHERE leader <> position;

-- One row: the progress of the index.
CREATE TABLE state (
    articles integer NOT NULL,
    generation integer NOT NULL
);

INSERT INTO state VALUES (0, 0);
