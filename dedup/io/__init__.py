"""Files of every format → batches of articles: what `dedup.io.corpus` stands on."""
