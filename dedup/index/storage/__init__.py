"""Where an index keeps its rows: memory, SQLite or PostgreSQL."""
