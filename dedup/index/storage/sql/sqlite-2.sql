-- Version 2: kept articles that follow another one, the first of their storyline.

CREATE TABLE links (
    position INTEGER PRIMARY KEY,
    follows INTEGER NOT NULL
);

CREATE INDEX followers ON links (follows);
