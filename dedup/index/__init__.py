"""Remember the articles seen so far, in memory, SQLite or PostgreSQL, and decide on new ones (`dedup.index.index.Index`)."""
