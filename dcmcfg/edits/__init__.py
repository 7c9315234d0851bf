"""Intents: what a command wants of a tree, as changes; one intent a file."""
