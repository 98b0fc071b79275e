"""The settings, the files they are read from, and the model files."""
