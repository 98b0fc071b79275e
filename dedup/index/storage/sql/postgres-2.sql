-- Version 2: kept articles that follow another one, the first of their storyline.

CREATE TABLE links (
    position integer NOT NULL,
    follows integer NOT NULL,
    PRIMARY KEY (position)
);

CREATE INDEX followers ON links (follows);
