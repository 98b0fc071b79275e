"""Define the settings, and read settings files and model files."""
