"""What two articles share and what parts them, in words: what `dedup.explanation` stands on."""
