"""Files of every format → batches of articles: what `dedup.corpus` stands on."""
