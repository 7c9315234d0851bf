"""Texts of help pages in addition to docstrings and options: arguments, examples, topics. Loaded only to print help."""
