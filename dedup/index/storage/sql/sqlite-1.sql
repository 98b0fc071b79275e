-- Version 1 of an index in SQLite. Nothing here is a text of an article.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Every article that was decided on: the log, and the keys to look it up.
CREATE TABLE articles (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    telling INTEGER NOT NULL,
    published REAL,
    leader INTEGER NOT NULL,
    relation INTEGER NOT NULL,
    score REAL NOT NULL,
    evidence BLOB NOT NULL,
    decided REAL NOT NULL,
    mark INTEGER NOT NULL,
    keys BLOB NOT NULL
);

CREATE INDEX articles_by_id ON articles (id);
CREATE INDEX dropped_by_leader ON articles (leader) WHERE leader <> position;

-- The packed sketches of the articles that are looked up.
CREATE TABLE sketches (
    position INTEGER PRIMARY KEY,
    sketch BLOB NOT NULL
);

-- One row: the progress of the index.
CREATE TABLE state (
    articles INTEGER NOT NULL,
    generation INTEGER NOT NULL
);

INSERT INTO state VALUES (0, 0);
