"""Remove boilerplate from texts, by rules and as learned from each source."""
