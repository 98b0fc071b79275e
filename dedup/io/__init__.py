"""Read articles from files of every format, and write records."""
