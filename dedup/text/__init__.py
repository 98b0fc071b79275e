"""Split, clean and look at text: words, languages, vocabulary, boilerplate, shared passages."""
