"""The articles seen so far, on the disk: in memory, SQLite or PostgreSQL behind one small interface (`home.StorageBackend`)."""
