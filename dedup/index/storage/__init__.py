"""Keep the rows of an index in memory, SQLite or PostgreSQL."""
