-- Version 4: the keys of the articles in runs, so that an index opens without reading every row. They follow from the rows: a run that
-- is missing or damaged is built from them.

CREATE TABLE runs (
    position INTEGER PRIMARY KEY,
    columns BLOB NOT NULL,
    keys BLOB NOT NULL
);
