-- Version 3: a checksum for each row (its link included), for each sketch (its keys included) and for the state. The tables are
-- made anew, so that an earlier version of dedup that still has the file open cannot add rows without checksums.

ALTER TABLE articles RENAME TO articles_2;

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
    keys BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    sketch_checksum INTEGER
);

INSERT INTO articles
SELECT
    position, id, version, telling, published, leader, relation, score, evidence, decided, mark, keys,
    compute_row_checksum(
        position, id, version, telling, published, leader, relation, score, evidence, decided, mark, keys,
        coalesce(follows, position)
    ),
    compute_sketch_checksum(keys, sketch)
FROM articles_2
LEFT JOIN links USING (position)
LEFT JOIN sketches USING (position)
ORDER BY position;

DROP TABLE articles_2;

CREATE INDEX articles_by_id ON articles (id);
CREATE INDEX dropped_by_leader ON articles (leader) WHERE leader <> position;

ALTER TABLE state RENAME TO state_2;

CREATE TABLE state (
    articles INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);

INSERT INTO state SELECT articles, generation, compute_state_checksum(articles, generation) FROM state_2;

DROP TABLE state_2;
