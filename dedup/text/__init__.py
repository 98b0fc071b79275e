"""Work on text: split words, identify languages, weigh words, remove boilerplate, find shared passages."""
