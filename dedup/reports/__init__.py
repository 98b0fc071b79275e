"""What two articles share and what parts them, in words: what `dedup.reports.explanation` stands on."""
