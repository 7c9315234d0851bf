"""Rename a configured object: its entry, the references to it, and a report of similar texts."""
