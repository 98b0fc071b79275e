"""How good and how fast `dedup` is, and how its tables and its model are made."""
