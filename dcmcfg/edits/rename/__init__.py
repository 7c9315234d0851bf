"""Renaming a thing: its entry, what refers to it, and what only looks like its name."""
