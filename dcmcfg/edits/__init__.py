"""Edits: compute the changes for a request of the user, without reading or writing a directory."""
