"""What a person sees: options, tables, progress, and sentences for errors."""
