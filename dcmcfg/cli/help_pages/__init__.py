"""What help pages show beside docstrings and options: arguments, examples, topics. Loaded only to print help."""
